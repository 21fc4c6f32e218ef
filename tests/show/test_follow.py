from __future__ import annotations

from copy import deepcopy

from runner.core.event import (
    Decided,
    Declaration,
    JournalEvent,
    RunEnded,
    RunStarted,
    StartupFinished,
    UnitEnded,
    UnitStarted,
    UnitStarting,
)
from runner.core.snapshot import fold
from runner.core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from runner.show.follow import Follower

BEGAN: list[JournalEvent] = [
    RunStarted(
        at=0,
        run="r1",
        version="0",
        pid=1,
        units=("a", "b"),
        declared=(Declaration(unit="a"), Declaration(unit="b", optional=True)),
    ),
    UnitStarting(at=0, unit="a", invocation="i1", attempt=1),
    UnitStarted(at=0, unit="a", pid=2, invocation="i1", attempt=1, command="a", log="logs/a.log"),
]
FAILED = UnitEnded(at=2, unit="a", outcome="failed", reason="exit status 1", exit_code=1, duration=2)
FINISHED = StartupFinished(at=2, outcome="failed", duration=2, failed=("a",))
ENDED = RunEnded(at=3, outcome="failed", duration=3)


def taken(*events: Decided, at: float = 1) -> SnapshotTaken:
    return SnapshotTaken(at=at, begun_at=0, seq=len(events), snapshot=deepcopy(fold(events)))


def feed(follower: Follower, *events: StreamEvent) -> list[str]:
    """What is told when these come together."""
    return [*(line for event in events for line in follower.feed(event)), *follower.settle()]


def without_time(lines: list[str]) -> list[str]:
    return [line[14:] if line[2] == ":" else line.strip() for line in lines]


def test_from_the_middle_it_says_which_run_it_is_and_how_it_stands() -> None:
    follower = Follower(0)
    assert without_time(feed(follower, taken(*BEGAN))) == ["run r1: 2 units", "still running: a (1 s)"]
    assert without_time(follower.still(2.5)) == ["still running: a (2.5 s)"]


def test_from_the_beginning_it_is_as_plain_output() -> None:
    follower = Follower(0)
    assert [without_time(feed(follower, event)) for event in BEGAN] == [["run r1: 2 units"], [], ["a  started"]]


def test_a_failure_has_the_lines_that_came_before_it() -> None:
    follower = Follower(0)
    feed(follower, taken(*BEGAN))
    assert feed(follower, UnitWrote(at=1, unit="a", lines=("one", "two"))) == []
    assert without_time(feed(follower, FAILED)) == ["a  failed after 2 s: exit status 1", "one", "two", "log: logs/a.log"]


def test_another_attempt_has_lines_of_its_own() -> None:
    follower = Follower(0)
    feed(follower, taken(*BEGAN[:1]))
    feed(follower, UnitWrote(at=1, unit="a", lines=("of another life",)))
    for event in BEGAN[1:]:
        feed(follower, event)
    assert without_time(feed(follower, FAILED)) == ["a  failed after 2 s: exit status 1"]


def test_what_is_optional_is_known_from_either_beginning() -> None:
    failed = UnitEnded(at=2, unit="b", outcome="skipped", reason='dependency "x" failed')
    beginnings: tuple[StreamEvent, ...] = BEGAN[0], taken(BEGAN[0])
    for beginning in beginnings:
        follower = Follower(0)
        feed(follower, beginning)
        assert "(optional)" in feed(follower, failed)[0]


def test_what_the_run_came_to_meanwhile_is_told_once() -> None:
    follower = Follower(0)
    feed(follower, taken(*BEGAN))
    assert without_time(feed(follower, Gap(at=3, missed=7)))[0].startswith("7 pieces of output left out")
    lines = without_time(feed(follower, taken(*BEGAN, FAILED, FINISHED, at=3)))
    assert [line.partition(" after")[0] for line in lines] == ["a  failed", "startup failed"]
    assert feed(follower, taken(*BEGAN, FAILED, FINISHED, ENDED, at=3)) == []


def test_a_run_that_is_over_is_told_so() -> None:
    lines = without_time(feed(Follower(0), taken(*BEGAN, FAILED, ENDED, at=3)))
    assert [line.partition(" after")[0] for line in lines] == ["run r1: 2 units", "a  failed", "run failed"]


def test_what_failed_before_anybody_looked_is_told_with_the_end_of_its_output() -> None:
    follower = Follower(0)
    wrote = UnitWrote(at=3, unit="a", lines=("one", "two"))
    lines = without_time(feed(follower, taken(*BEGAN, FAILED, at=3), wrote))
    assert lines == ["run r1: 2 units", "a  failed after 2 s: exit status 1", "one", "two", "log: logs/a.log"]
    assert feed(follower, taken(*BEGAN, FAILED, at=4)) == []


def test_what_a_unit_writes_has_its_place_behind_its_name() -> None:
    follower = Follower(0)
    feed(follower, taken(RunStarted(at=0, run="r", version="0", pid=1, units=("a", "long"))))
    assert follower.log_line("a", "said\x07") == r"a    | said\x07"
