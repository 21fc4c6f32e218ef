from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def forbid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Takes the right to read a path away from us, who made it. The current directory is an empty one, in which that works.

    As root nobody can be forbidden anything, so from then on we are somebody else.
    """
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)

    def forbid(path: str) -> None:
        Path(path).chmod(0o700 if os.getuid() == 0 else 0)
        if os.getuid() == 0:
            os.seteuid(NOBODY)

    yield forbid
    if os.getuid() == 0:
        os.seteuid(0)
