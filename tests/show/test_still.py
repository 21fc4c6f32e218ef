from __future__ import annotations

from runner.core.event import RunStarted, UnitEnded, UnitReady, UnitReported, UnitStarted, UnitStarting, UnitWaiting, WaitsFor
from runner.core.snapshot import Snapshot, fold
from runner.show.still import say_what_runs


def run_of(*units: str) -> Snapshot:
    return fold([RunStarted(at=0.0, run="r", version="1", pid=1, units=units)])


def start(snapshot: Snapshot, unit: str, at: float = 0.0) -> None:
    snapshot.apply(UnitStarting(at=at, unit=unit, invocation=unit, attempt=1))
    snapshot.apply(UnitStarted(at=at, unit=unit, invocation=unit, attempt=1, pid=1, command="x"))


def wait(snapshot: Snapshot, unit: str, *waits_for: WaitsFor) -> None:
    snapshot.apply(UnitWaiting(at=0.0, unit=unit, waits_for=waits_for))


def test_nothing_to_say_before_and_after() -> None:
    snapshot = run_of("a", "b")
    assert say_what_runs(snapshot, 1.0) == ""
    start(snapshot, "a")
    snapshot.apply(UnitReady(at=1.0, unit="a", after=1.0))
    snapshot.apply(UnitEnded(at=2.0, unit="b", outcome="unneeded", reason="x"))
    assert say_what_runs(snapshot, 30.0) == ""


def test_a_unit_says_itself_what_it_does() -> None:
    snapshot = run_of("a", "b")
    start(snapshot, "a")
    start(snapshot, "b", at=28.0)
    snapshot.apply(UnitReported(at=3.0, unit="a", text="loading"))
    assert say_what_runs(snapshot, 30.0) == "still running: a (30 s: loading), b (2 s)"


def test_what_has_come_is_not_waited_for_any_more() -> None:
    snapshot = run_of("a", "b", "c")
    start(snapshot, "a")
    start(snapshot, "b")
    wait(snapshot, "c", WaitsFor(unit="a"), WaitsFor(unit="b"))
    assert say_what_runs(snapshot, 1.0).endswith("; waiting: c (for a, b)")
    snapshot.apply(UnitEnded(at=1.0, unit="a", outcome="succeeded", reason=""))
    assert say_what_runs(snapshot, 1.0).endswith("; waiting: c (for b)")
    snapshot.apply(UnitReady(at=1.0, unit="b", after=1.0))
    assert say_what_runs(snapshot, 1.0) == "waiting: c (for its turn)"


def test_a_thousand_units_are_one_short_line() -> None:
    snapshot = run_of(*(f"u{number}" for number in range(1000)))
    for number in range(500):
        start(snapshot, f"u{number}")
    for number in range(500, 1000):
        wait(snapshot, f"u{number}", *(WaitsFor(unit=f"u{other}") for other in range(number - 500, 500)))
    line = say_what_runs(snapshot, 1.0)
    assert line.startswith("still running: u0 (1 s), u1 (1 s), ")
    assert "u9 (1 s) and 490 more; waiting: u500 (for u0, u1, u2, u3 and 496 more), " in line
    assert line.endswith("u509 (for u9, u10, u11, u12 and 487 more) and 490 more")


def test_a_lock_is_told_with_its_holder_while_it_holds_it() -> None:
    snapshot = run_of("a", "b")
    start(snapshot, "a")
    wait(snapshot, "b", WaitsFor(lock="apt", holder="a"))
    assert say_what_runs(snapshot, 1.0).endswith('waiting: b (for lock "apt" of a)')
    snapshot.apply(UnitEnded(at=1.0, unit="a", outcome="succeeded", reason=""))
    assert say_what_runs(snapshot, 1.0) == 'waiting: b (for lock "apt")'


def test_a_unit_waits_for_its_script() -> None:
    snapshot = run_of("x", "y")
    wait(snapshot, "x", WaitsFor(call="start"))
    wait(snapshot, "y", WaitsFor(unit="x"))
    assert say_what_runs(snapshot, 1.0) == "waiting: x (for its script to call start), y (for x)"
