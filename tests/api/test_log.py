from __future__ import annotations

from datetime import UTC, datetime

from msgspec.json import encode

from runner.api.log import EventLog
from runner.core.event import Decided, RunStarted, UnitReported, UnitStarting
from runner.core.snapshot import fold
from runner.core.stream import Gap, SnapshotTaken

BEGAN = RunStarted(at=0.5, run="r", version="0", pid=1, units=("a",))
STARTING = UnitStarting(at=1, unit="a", invocation="i", attempt=1)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def line(number: int, event: Decided) -> bytes:
    """A line as the supervisor writes it."""
    return b'{"seq":%d,"at":"%s",' % (number, MOMENT.isoformat().encode()) + encode(event)[1:] + b"\n"


def test_lines_may_come_in_any_pieces() -> None:
    said = line(1, BEGAN) + line(2, STARTING)
    for size in (1, 7, len(said)):
        log = EventLog()
        for start in range(0, len(said), size):
            log.feed(said[start : start + size])
        assert log.read(0) == ([BEGAN, STARTING], 2)
        assert log.snapshot == fold([BEGAN, STARTING])


def test_each_reader_has_its_place() -> None:
    log = EventLog()
    assert log.read(0) == ([], 0)
    log.feed(line(1, BEGAN))
    assert log.run == BEGAN
    assert log.read(0) == ([BEGAN], 1)
    assert log.read(1) == ([], 1)
    log.feed(line(2, STARTING))
    assert log.read(1) == ([STARTING], 2)


def test_what_a_later_version_says_is_passed_over() -> None:
    log = EventLog()
    log.feed(b'{"event":"unit-sang","elapsed":1}\n')
    assert log.read(0) == ([], 0)


def test_no_more_than_so_many_are_kept() -> None:
    log = EventLog(kept=3)
    said = [UnitReported(at=at, unit="a", text=str(at)) for at in range(2, 6)]
    for number, event in enumerate([BEGAN, STARTING, *said], 1):
        log.feed(line(number, event))
    taken = SnapshotTaken(at=3, begun_at=MOMENT.timestamp() - 0.5, seq=4, snapshot=fold([BEGAN, STARTING, *said[:2]]))
    assert log.read(0) == ([Gap(at=3, missed=3), taken, *said[2:]], 6)
    assert log.read(3) == ([taken, *said[2:]], 6)
    assert log.read(4) == (said[2:], 6)


def test_a_gap_of_the_supervisor_itself_is_followed() -> None:
    taken = SnapshotTaken(at=3, begun_at=7.0, seq=4, snapshot=fold([BEGAN, STARTING]))
    log = EventLog()
    log.feed(encode(Gap(at=3, missed=2)) + b"\n" + encode(taken) + b"\n")
    assert log.read(0) == ([Gap(at=3, missed=2), taken], 2)
    assert log.snapshot == taken.snapshot


def test_what_is_no_event_is_put_aside() -> None:
    log = EventLog()
    log.feed(b"".join(b"hello %d\n" % number for number in range(30)) + line(1, BEGAN) + b"\xff\n[]\n" + line(2, STARTING))
    assert log.read(0) == ([BEGAN, STARTING], 2)
    assert log.strays == [*(f"hello {number}" for number in range(12, 30)), "\N{REPLACEMENT CHARACTER}", "[]"]
