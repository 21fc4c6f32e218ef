from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from runner.core.event import (
    JournalEvent,
    RunEnded,
    RunStarted,
    StartupFinished,
    UnitEnded,
    UnitRetrying,
    UnitsChanged,
    UnitStarted,
    UnitStarting,
)
from runner.show.plain import Plain
from tests.snapshot import assert_snapshot

CASES = sorted((Path(__file__).parent / "plain").glob("*.jsonl"))
DECODER: msgspec.json.Decoder[JournalEvent] = msgspec.json.Decoder(JournalEvent)
BEGAN = datetime(2024, 5, 1, 12, 0, 0)


def tail(unit: str) -> list[str]:
    return [f"{unit} says {number}" for number in range(1, 4)]


def make_plain() -> Plain:
    return Plain(tail=tail, began=BEGAN)


def play(case: Path) -> Iterator[str]:
    plain = make_plain()
    for line in case.read_text().splitlines():
        asked = json.loads(line)
        yield from plain.still(asked["still"]) if "still" in asked else plain.feed(DECODER.decode(line))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_recorded_runs_read_as_written(case: Path) -> None:
    assert_snapshot("".join(f"{line}\n" for line in play(case)), case.with_suffix(".txt"))


def started(plain: Plain, unit: str = "a") -> None:
    plain.feed(UnitStarting(at=0.0, unit=unit, invocation="1", attempt=1))
    plain.feed(UnitStarted(at=0.0, unit=unit, pid=1, invocation="1", attempt=1, command="x", log="/l\n"))


def run_of(*units: str) -> Plain:
    plain = make_plain()
    plain.feed(RunStarted(at=0.0, run="r", version="1", pid=1, units=units))
    return plain


def test_no_control_character_reaches_a_line() -> None:
    plain = Plain(tail=lambda _: ["\x1b[31mred\r\x07"], began=BEGAN)
    plain.feed(RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",)))
    started(plain)
    lines = plain.feed(UnitEnded(at=1.0, unit="a", outcome="failed", reason="bad\r\n\x9b thing", exit_code=1, duration=1.0))
    lines.append(plain.log_line("a", "\x1b]0;title\x07text\tmore"))
    assert lines == [
        r"12:00:01.000  a  failed after 1 s: bad\r\n\x9b thing (exit status 1)",
        r"                \x1b[31mred\r\x07",
        r"                log: /l\n",
        "a | \\x1b]0;title\\x07text\tmore",
    ]


def test_a_name_wider_than_the_column_moves_only_its_own_line() -> None:
    long = "n" * 40
    plain = run_of("a", long)
    assert plain.log_line("a", "x") == f"{'a':32} | x"
    assert plain.log_line(long, "x") == f"{long} | x"


def test_a_unit_that_was_never_started_has_no_output_to_show() -> None:
    plain = run_of("a")
    assert plain.feed(UnitEnded(at=5.0, unit="a", outcome="timed-out", reason='waited 5 s for "b"')) == [
        '12:00:05.000  a  timed out: waited 5 s for "b"'
    ]


def test_a_failed_unit_that_wrote_nothing_has_no_log_to_read() -> None:
    plain = Plain(tail=lambda _: [], began=BEGAN)
    plain.feed(RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",)))
    started(plain)
    assert plain.feed(UnitEnded(at=1.0, unit="a", outcome="failed", reason="exit status 1", exit_code=1, duration=1.0)) == [
        "12:00:01.000  a  failed after 1 s: exit status 1"
    ]


def test_an_end_without_a_reason_is_told_all_the_same() -> None:
    plain = run_of("a")
    assert plain.feed(UnitEnded(at=0.0, unit="a", outcome="succeeded", reason="")) == ["12:00:00.000  a  succeeded"]


def test_a_run_of_nothing_has_a_summary() -> None:
    plain = run_of()
    assert plain.feed(StartupFinished(at=0.0, outcome="succeeded", duration=0.0)) == [
        "12:00:00.000  startup succeeded after 0 ms: no units"
    ]
    assert plain.feed(RunEnded(at=0.0, outcome="succeeded", duration=0.0)) == []


def test_the_clock_goes_past_midnight() -> None:
    plain = Plain(tail=tail, began=datetime(2024, 5, 1, 23, 59, 59, 999_900))
    assert plain.feed(RunStarted(at=0.0002, run="r", version="1", pid=1, units=()))[0].startswith("00:00:00.000  ")


def test_the_summary_of_many_failures_stays_short() -> None:
    names = tuple(f"u{number}" for number in range(100))
    plain = run_of(*names)
    for name in names:
        plain.feed(UnitEnded(at=1.0, unit=name, outcome="failed", reason="exit status 1", exit_code=1))
    (line,) = plain.feed(StartupFinished(at=1.0, outcome="failed", duration=1.0, failed=names, critical_path=names))
    assert line == (
        "12:00:01.000  startup failed after 1 s: 100 failed (u0, u1, u2, u3, u4 and 95 more); "
        "critical path: u0 -> u1 -> u2 -> u3 -> (92 more) -> u96 -> u97 -> u98 -> u99"
    )


def test_a_gap_is_a_line() -> None:
    assert run_of().gap(2.0, 1) == "12:00:02.000  1 piece of output left out here: the reader was too slow"


def test_what_somebody_asked_for_by_hand() -> None:
    plain = run_of("a")
    assert plain.feed(UnitsChanged(at=1.0, added=("b",))) == ["12:00:01.000  unit files read anew: added b"]
    started(plain)
    again = UnitRetrying(at=2.0, unit="a", attempt=1, delay=0.0, reason="restarted by hand")
    assert plain.feed(again) == ["12:00:02.000  a  begins anew: restarted by hand"]
