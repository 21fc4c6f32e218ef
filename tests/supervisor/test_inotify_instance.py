from __future__ import annotations

from pathlib import Path

import pytest

from runner.supervisor.inotify_instance import CREATE, Inotify


def test_it_tells_names_and_nothing_where_nothing_happened(tmp_path: Path) -> None:
    inotify = Inotify()
    watch = inotify.add(str(tmp_path), CREATE)
    with pytest.raises(BlockingIOError):
        list(inotify.read())
    (tmp_path / "file").touch()
    (notice,) = inotify.read()
    assert (notice.watch, notice.name) == (watch, b"file")
    inotify.close()


def test_what_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    inotify = Inotify()
    with pytest.raises(FileNotFoundError):
        inotify.add(str(tmp_path / "none"), CREATE)
    inotify.close()
