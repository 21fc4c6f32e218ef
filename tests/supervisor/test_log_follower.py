from __future__ import annotations

import select
from contextlib import closing
from pathlib import Path

from runner.supervisor.log_follower import LogFollower
from runner.supervisor.log_reader import LogReader
from runner.supervisor.output import LogFile


def wait(follower: LogFollower) -> list[tuple[str, bytes]]:
    """What was written, as soon as something is heard of it."""
    waiter = select.poll()
    waiter.register(follower, select.POLLIN)
    assert waiter.poll(5_000)
    return list(follower.read())


def test_it_is_woken_by_what_is_written_and_rotated(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "a.log"), max_size=8, keep=2)
    log.write(b"before\n")
    with closing(LogFollower()) as follower:
        reader = LogReader(log.path)
        reader.begin(0)
        follower.add("a", reader)
        assert list(follower.read()) == []
        log.write(b"one\n")
        log.write(b"two\n")
        log.write(b"three\n")
        assert wait(follower) == [("a", b"one"), ("a", b"two"), ("a", b"three")]


def test_a_log_may_come_with_its_directories_later(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "logs" / "group" / "a.log"), max_size=100, keep=0)
    with closing(LogFollower()) as follower:
        follower.add("group/a", LogReader(log.path))
        assert list(follower.read()) == []
        log.write(b"hello\n")
        heard = wait(follower)
        assert heard or wait(follower) == [("group/a", b"hello")]


def test_another_log_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "new.log").write_bytes(b"new\n")
    with closing(LogFollower()) as follower:
        follower.add("a", LogReader(str(tmp_path / "old.log")))
        follower.add("a", LogReader(str(tmp_path / "new.log")))
        assert list(follower.read()) == [("a", b"new")]
