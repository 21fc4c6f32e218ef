from __future__ import annotations

import pytest

from runner.core.node import Node, Verdict
from runner.core.observed import ProcessExited
from runner.core.state import STATES, State
from runner.core.unit import Restart

from .world import make_external, make_unit

PROPERTIES = """
idle      .  .  +
waiting   +  .  .
running   +  +  .
ready     +  +  .
backoff   +  .  .
stopping  +  +  .
ended     .  .  +
"""


@pytest.mark.parametrize("row", PROPERTIES.strip().splitlines())
def test_what_a_state_means(row: str) -> None:
    state, *expected = row.split()
    node = Node(make_unit("a"))
    node.state = next(name for name in STATES if name == state)
    found = [node.is_active, node.has_invocation, node.has_settled]
    assert found == [sign == "+" for sign in expected]


def test_a_ready_service_has_settled_a_ready_oneshot_has_not() -> None:
    service, oneshot = Node(make_unit("s", kind="service")), Node(make_unit("a"))
    service.state = oneshot.state = "ready"
    assert service.has_settled
    assert not oneshot.has_settled


@pytest.mark.parametrize(
    ("state", "started_at", "expected"), [("running", None, True), ("running", 1.0, False), ("ready", None, False)]
)
def test_awaits_spawn(state: State, started_at: float | None, expected: bool) -> None:
    node = Node(make_unit("a"))
    node.state, node.started_at = state, started_at
    assert node.awaits_spawn == expected


def test_a_new_attempt_forgets_the_one_before() -> None:
    node = Node(make_unit("a"))
    node.begin_attempt("r.1")
    node.pid, node.started_at, node.killed, node.failures = 7, 1.0, True, 2
    node.exit = ProcessExited(at=2.0, unit="a", invocation="r.1", exit_code=1)
    node.verdict = Verdict("failed", "exit status 1")
    node.begin_attempt("r.2")
    assert (node.invocation, node.attempt) == ("r.2", 2)
    assert not any((node.pid, node.started_at, node.exit, node.verdict, node.killed, node.failures))


def test_a_new_life_forgets_the_one_before() -> None:
    node = Node(make_unit("a"))
    node.begin_attempt("r.1")
    node.outcome, node.reason, node.cause, node.stop_reason = "skipped", "because", "b", "by hand"
    node.was_ready, node.released_by = True, "b"
    node.restarts.append(1.0)
    node.renew()
    assert not any((node.attempt, node.invocation, node.outcome, node.reason, node.cause))
    assert not any((node.was_ready, node.released_by, node.stop_reason, node.restarts))


@pytest.mark.parametrize(("limit", "remembered"), [(3, 3), (0, 64)])
def test_no_more_restarts_are_remembered_than_count(limit: int, remembered: int) -> None:
    assert Node(make_unit("s", kind="service", restart=Restart(limit=limit))).restarts.maxlen == remembered


def test_a_unit_of_a_script_holds_the_run_once_it_has_started() -> None:
    node, declared = Node(make_external("x"), is_declared=False), Node(make_external("x"))
    node.state = declared.state = "waiting"
    assert (node.holds_run, declared.holds_run) == (False, True)
    node.state = "running"
    assert node.holds_run
    assert (node.is_scripts, Node(make_unit("a")).is_scripts) == (True, False)
    assert node.has_settled, "the startup waits for no unit that it does not know of"


def test_what_its_script_called_counts_for_one_attempt() -> None:
    node = Node(make_unit("a"))
    node.called, node.gave_up, node.holds = "complete", True, {1: "reached"}
    node.begin_attempt("r.2")
    assert (node.called, node.gave_up, node.holds) == ("", False, {1: "reached"})


def test_what_is_about_to_begin_anew() -> None:
    node = Node(make_unit("a"), state="backoff")
    assert not node.is_to_begin_anew
    node.restart_reason = "by hand"
    assert node.is_to_begin_anew


def test_what_is_only_a_name() -> None:
    states: list[State] = ["stopping", "ended"]
    assert [Node(make_unit("a"), state=state, is_registered=False).is_vacant for state in states] == [False, True]
    assert not Node(make_unit("a"), state="ended").is_vacant
