from __future__ import annotations

from runner.core.event import StartupFinished
from runner.core.snapshot import UnitView
from runner.show.order import Lines, say_changes, say_down, say_reached, say_start, say_startup, say_stop, say_stopped


def test_a_start_says_what_else_is_needed() -> None:
    assert say_start("starting", ["web", "db"], ["web"]) == ["starting web, and what it needs: db"]
    assert say_start("starting", ["web"], ["web"]) == ["starting web"]
    assert say_start("trying again", ["a", "b"], []) == ["trying again a and b"]


def test_who_is_tried_again_or_restarted_takes_others_along() -> None:
    assert say_start("trying again", ["clone", "build"], ["clone"]) == ["trying again clone, and with it build"]
    assert say_start("restarting", ["a", "b", "c"], ["a", "b"]) == ["restarting a and b, and with them c"]


def test_a_stop_says_who_goes_first_and_why() -> None:
    assert say_stop("stopping", ["web", "db"], ["db"]) == ["stopping db, and before it web, which depends on it"]
    assert say_stop("stopping", ["a", "b", "x", "y"], ["x", "y"]) == [
        "stopping x and y, and before them a and b, which depend on them"
    ]
    assert say_down([]) == ["stopping the supervisor: nothing else runs"]
    assert say_down(["a"]) == ["stopping a, then the supervisor"]


def test_changes_of_the_unit_files() -> None:
    assert say_changes(["new"], ["web"], ["old"], restarts=False) == [
        "added    new",
        "changed  web  at its next start",
        "removed  old",
    ]
    assert say_changes([], [], [], restarts=False) == ["the unit files say what they said before: nothing has changed"]


def test_how_it_went() -> None:
    assert say_reached(UnitView(state="ready", started_at=1.0, ready_at=3.0)) == "ready after 2 s"
    failed = UnitView(state="ended", outcome="failed", reason="exit status 1", exit_code=1, duration=2.0)
    assert say_reached(failed) == "failed after 2 s: exit status 1"
    stopped = UnitView(state="ended", outcome="cancelled", since=4.0)
    assert say_stopped(stopped, 3.0) == "stopped after 1 s"
    stopped.signal = "SIGKILL"
    assert say_stopped(stopped, 3.0) == "stopped after 1 s, killed by SIGKILL"


def test_a_startup() -> None:
    finished = StartupFinished(at=2.0, outcome="failed", duration=2.0, failed=("a",))
    assert say_startup(finished) == ["startup failed after 2 s: a did not reach its goal"]


def test_names_are_a_column() -> None:
    assert list(Lines(["a", "long"]).lines({"a": "ready", "long": "ready"})) == ["a     ready", "long  ready"]
