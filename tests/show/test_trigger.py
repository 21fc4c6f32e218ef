from __future__ import annotations

from runner.show.trigger import Trigger, triggers_of

from .units import handled


def test_triggers_stand_with_what_they_start() -> None:
    assert triggers_of(handled()) == {
        "celebrate": [Trigger("build", "success")],
        "notify": [Trigger("build", "failure"), Trigger("test", "failure")],
        "clean": [Trigger("build", "failure")],
    }


def test_a_trigger_reads_as_a_condition() -> None:
    assert [str(Trigger("build", "success")), str(Trigger("build", "failure"))] == ["build succeeds", "build fails"]
