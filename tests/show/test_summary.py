from __future__ import annotations

from typing import get_args

from runner.core.event import Outcome, RunEnded, RunStarted, StartupFinished, UnitEnded, UnitReady, UnitStarting, UnitWaiting
from runner.core.snapshot import Snapshot, fold
from runner.show.summary import OUTCOME_WORDS, say_summary


def ended(**outcomes: Outcome) -> Snapshot:
    return fold(
        [
            RunStarted(at=0.0, run="r", version="1", pid=1, units=(*outcomes, "idle")),
            *(UnitEnded(at=1.0, unit=name, outcome=outcome, reason="") for name, outcome in outcomes.items()),
        ]
    )


def test_every_outcome_is_counted_and_failures_are_named() -> None:
    snapshot = ended(
        a="cancelled", b="failed", c="succeeded", d="unneeded", e="skipped", f="timed-out", g="failed", h="timed-out", i="skipped"
    )
    assert say_summary(RunEnded(at=2.0, outcome="failed", duration=2.0), snapshot, {"g", "h", "i"}) == (
        "run failed after 2 s: 1 succeeded, 1 failed (b), 1 failed but optional (g), 1 timed out (f), "
        "1 timed out but optional (h), 2 skipped, 1 unneeded, 1 cancelled"
    )


def test_units_that_still_live_are_counted_by_their_state() -> None:
    snapshot = fold(
        [
            RunStarted(at=0.0, run="r", version="1", pid=1, units=("a", "b", "c")),
            UnitStarting(at=0.0, unit="a", invocation="1", attempt=1),
            UnitReady(at=0.0, unit="a", after=0.0),
            UnitStarting(at=0.0, unit="b", invocation="2", attempt=1),
            UnitWaiting(at=0.0, unit="c", waits_for=()),
        ]
    )
    event = StartupFinished(at=1.0, outcome="succeeded", duration=1.0)
    assert say_summary(event, snapshot, ()) == "startup succeeded after 1 s: 1 ready, 1 running, 1 waiting"


def test_a_critical_path_has_at_least_two_units() -> None:
    snapshot = ended(a="succeeded", b="succeeded")
    alone = StartupFinished(at=1.0, outcome="succeeded", duration=1.0, critical_path=("a",))
    assert "critical" not in say_summary(alone, snapshot, ())
    both = StartupFinished(at=1.0, outcome="succeeded", duration=1.0, critical_path=("a", "b"))
    assert say_summary(both, snapshot, ()).endswith("; critical path: a -> b")


def test_every_outcome_has_words() -> None:
    assert set(OUTCOME_WORDS) == set(get_args(Outcome))
