from __future__ import annotations

import pytest

from runner.core.snapshot import UnitView
from runner.show.ending import say_end


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (UnitView(state="running"), "running"),
        (UnitView(outcome="succeeded", duration=3.0), "succeeded in 3 s"),
        (UnitView(outcome="succeeded", reason="reached"), "reached"),
        (UnitView(outcome="succeeded"), "succeeded"),
        (UnitView(outcome="failed", duration=1.0, reason="exit status 2", exit_code=2), "failed after 1 s: exit status 2"),
        (UnitView(outcome="failed", reason="given up", signal="SIGKILL"), "failed: given up (killed by SIGKILL)"),
        (UnitView(outcome="timed-out", duration=1.0, reason="not ready after 1 s"), "timed out: not ready after 1 s"),
        (UnitView(outcome="skipped", reason='"a" failed'), 'skipped: "a" failed'),
        (UnitView(outcome="unneeded", reason="it is there"), "unneeded: it is there"),
        (UnitView(outcome="cancelled", duration=1.0, reason="stopped"), "cancelled after 1 s: stopped"),
    ],
)
def test_how_a_unit_ended(view: UnitView, said: str) -> None:
    assert say_end(view, is_optional=False) == said


@pytest.mark.parametrize(("outcome", "words"), [("failed", "failed"), ("timed-out", "timed out"), ("skipped", "skipped")])
def test_what_is_optional_is_marked(outcome: str, words: str) -> None:
    view = UnitView(outcome=outcome, reason="why")  # type: ignore[arg-type]
    assert say_end(view, is_optional=True) == f"{words} (optional): why"
