from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.cli.examine.apt import LOCKS, examine_locks, find_holder, find_in_list

HOLD = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"


@contextmanager
def held(lock: Path) -> Iterator[int]:
    """Somebody holds the lock; who that is."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-S", "-c", HOLD, str(lock)], stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        yield process.pid


def test_a_lock_that_nobody_holds(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("")
    assert find_holder(lock) is None
    assert examine_locks([lock]).what == "nobody holds one"


def test_a_lock_that_somebody_holds(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with held(lock) as pid:
        found = examine_locks([lock, tmp_path / "missing"])
        assert found.verdict == "note"
        assert found.what.startswith(f'process {pid} ("{sys.executable} -S -c import fcntl')
        assert found.what.endswith(f" holds {lock}")
        assert find_in_list(lock.stat().st_ino, Path("/proc/locks").read_text()) == pid
    assert find_holder(lock) is None


def test_the_list_of_all_locks() -> None:
    said = (
        "1: FLOCK  ADVISORY  WRITE 11 08:01:1 0 EOF\n"
        "2: POSIX  ADVISORY  WRITE 12 08:01:2 0 EOF\n"
        "2: -> POSIX  ADVISORY  WRITE 13 08:01:3 0 EOF\n"
        "3: POSIX  ADVISORY  READ -1 08:01:4 0 EOF\n"
    )
    assert [find_in_list(inode, said) for inode in (1, 2, 3, 4, 5)] == [None, 12, None, 0, None]


def test_there_is_no_apt(tmp_path: Path) -> None:
    assert examine_locks([tmp_path / "missing"]).what == "there is no apt"


def test_the_locks_of_this_machine() -> None:
    assert examine_locks(LOCKS).verdict in ("ok", "note")
