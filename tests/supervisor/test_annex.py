from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from runner.supervisor import annex as module
from runner.supervisor.annex import Annex

from .harness import NOBODY, needs_root, no_descriptor_left

_keys = count(1)


@pytest.fixture
def annex() -> Iterator[Annex]:
    """One with a key of its own, of which nothing is left."""
    with no_descriptor_left():
        made = Annex()
        made.key = f"/test/{os.getpid()}/{next(_keys)}"
        yield made
        path = made.path
        made.close()
        made.close()
    assert not path or not Path(path).exists()


def mode(path: str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_nothing_is_made_before_somebody_needs_it(annex: Annex) -> None:
    assert annex.path == ""
    annex.serve(lambda _, __: None)
    assert annex.path == ""


def test_everybody_may_pass_but_nobody_look(annex: Annex) -> None:
    path = annex.socket_for(os.getuid())
    assert Path(path).parent == Path(annex.path)
    assert (mode(annex.path), mode(path)) == (0o711, 0o600)
    assert annex.notify_path("run.1") == f"{annex.path}/notify-run.1.sock"


@needs_root
def test_a_socket_belongs_to_its_user(annex: Annex) -> None:
    assert os.lstat(annex.socket_for(NOBODY)).st_uid == NOBODY
    assert annex.socket_for(NOBODY) != annex.socket_for(1)


def test_a_file_for_values_is_its_user_s(annex: Annex) -> None:
    path = annex.values_file("run.1", os.getuid())
    assert (mode(path), os.lstat(path).st_uid, os.lstat(path).st_size) == (0o600, os.getuid(), 0)
    with pytest.raises(FileExistsError):
        annex.values_file("run.1", os.getuid())


def test_all_sockets_are_handed_over(annex: Annex) -> None:
    """Those that units had before anybody served, too."""
    taken: list[int] = []
    path = annex.socket_for(os.getuid())
    annex.serve(lambda uid, _: taken.append(uid))
    assert annex.socket_for(os.getuid()) == path
    assert taken == [os.getuid()]
    if os.getuid() == 0:
        annex.socket_for(NOBODY)
        assert taken == [0, NOBODY]


def test_a_coder_that_everybody_may_execute(annex: Annex) -> None:
    before = os.umask(0o077)
    try:
        place = annex.stand_in()
    finally:
        os.umask(before)
    assert (mode(place), mode(f"{place}/coder")) == (0o755, 0o755)
    assert annex.stand_in() == place


def test_what_a_killed_supervisor_left_is_cleared_up(annex: Annex) -> None:
    killed = Annex()
    killed.key = annex.key
    killed.stand_in()
    killed.values_file("run.1", os.getuid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(killed.notify_path("run.1"))
    path = annex.socket_for(os.getuid())
    assert [*Path(annex.path).iterdir()] == [Path(path)]


def test_supervisors_do_not_meet(annex: Annex) -> None:
    other = Annex()
    other.key = annex.key + "x"
    assert Path(annex.notify_path("")).parent != Path(other.notify_path("")).parent
    other.close()


@needs_root
@pytest.mark.parametrize("sort", ["directory", "link"])
def test_whoever_was_there_first_is_not_trusted(annex: Annex, sort: str, tmp_path: Path) -> None:
    path = Path(annex.notify_path("")).parent
    annex.close()
    if sort == "link":
        path.symlink_to(tmp_path)
    else:
        path.mkdir()
        os.chown(path, NOBODY, NOBODY)
    try:
        with pytest.raises(PermissionError, match="somebody else was there first"):
            annex.socket_for(NOBODY)
    finally:
        path.unlink() if sort == "link" else path.rmdir()


def test_without_a_place_of_root_s_alone(annex: Annex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BASE", str(tmp_path / "missing"))
    assert annex.notify_path("").startswith("/tmp/runner-")


@needs_root
def test_a_socket_that_cannot_be_given_away_is_not_left_open(annex: Annex) -> None:
    with pytest.raises(OverflowError):
        annex.socket_for(2**32)
