from __future__ import annotations

import pytest

from runner.core.explain import Hold, Link
from runner.core.snapshot import UnitView
from runner.show.reason import Told, named, say_awaited, say_now, say_start


def told(view: UnitView | None, hold: Hold | None = None, behind: UnitView | None = None) -> Told:
    return Told(Link(unit="a", view=view, hold=hold), behind, 9.0, False)


@pytest.mark.parametrize(
    ("names", "said"),
    [("a", "a"), ("ab", "a and b"), ("abcd", "a, b, c and d"), ("abcde", "a, b, c and 2 more")],
)
def test_names_in_a_row(names: str, said: str) -> None:
    assert named([*names]) == said


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (None, "its turn"),
        (Hold(by="lock", lock="apt"), 'lock "apt"'),
        (Hold(by="job", jobs=1, unit="b"), "the only job, which b has"),
        (Hold(by="job", jobs=3), "one of the 3 jobs"),
    ],
)
def test_what_is_waited_for_as_far_as_it_is_known(hold: Hold | None, said: str) -> None:
    assert say_awaited(told(UnitView(state="waiting"), hold)) == said


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (UnitView(state="running", since=5.0, attempt=2, text="busy"), 'has been running for 4 s (attempt 2); it says "busy"'),
        (UnitView(state="backoff", reason="exit status 1", attempt=1), "failed: exit status 1; it tries again in 0 ms"),
        (UnitView(state="ended", outcome="failed", reason="gave up", exit_code=3), "failed: gave up (exit status 3)"),
        (UnitView(state="ended", outcome="timed-out", reason="late", attempt=2), "timed out after 2 attempts: late"),
    ],
)
def test_what_a_unit_does(view: UnitView, said: str) -> None:
    assert say_now(told(view)) == said


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (UnitView(kind="target", state="ended", outcome="succeeded"), "b was reached"),
        (UnitView(kind="external", state="ended", outcome="failed"), "b had failed"),
        (UnitView(state="ended", outcome="timed-out"), "b had timed out"),
        (UnitView(state="ended", outcome="skipped"), "b was skipped"),
        (UnitView(state="ended", outcome="unneeded"), "b was unneeded"),
        (UnitView(state="backoff"), "b had ended"),
    ],
)
def test_how_a_dependency_let_a_unit_go(behind: UnitView, said: str) -> None:
    hold = Hold(by="dependency", unit="b", since=0.0, until=3.0)
    assert say_start(told(UnitView(first_started_at=3.0), hold, behind)) == f"started 3 s into the run, as soon as {said}"


def test_holders_that_are_not_known_are_left_out() -> None:
    view = UnitView(first_started_at=3.0)
    lock = Hold(by="lock", lock="apt", since=1.0, until=3.0)
    assert say_start(told(view, lock)) == 'started 3 s into the run, after waiting 2 s for lock "apt"'
    job = Hold(by="job", jobs=2, since=1.0, until=3.0)
    assert say_start(told(view, job)) == "started 3 s into the run, after waiting 2 s for one of the 2 jobs"
    script = Hold(by="script", since=1.0, until=3.0)
    external = UnitView(kind="external", first_started_at=3.0)
    assert say_start(told(external, script)) == "was started by its script 3 s into the run, 2 s after it could have been"
