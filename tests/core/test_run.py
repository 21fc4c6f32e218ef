from __future__ import annotations

import pytest

from runner.core.effect import CancelTimer, SetTimer, StopProbes
from runner.core.event import StartupFinished, UnitEnded, UnitReady, UnitReported, UnitStarting, UnitWaiting
from runner.core.graph import link
from runner.core.run import Run, Step
from runner.errors import IllegalTransition

from .world import make_unit


@pytest.fixture
def run() -> Run:
    graph, _ = link([make_unit("a"), make_unit("s", kind="service")])
    return Run(graph, "r", jobs=None, fail_fast=False, keep=False)


def start(run: Run, unit: str) -> None:
    run.emit(UnitStarting(at=0.0, unit=unit, invocation="r.1", attempt=1))


def test_an_event_moves_its_unit_and_touches_it(run: Run) -> None:
    start(run, "a")
    assert run.nodes["a"].state == "running"
    assert list(run.touched) == [run.nodes["a"]]
    assert (run.active, run.unsettled) == (1, 1)


def test_an_event_that_moves_nothing_touches_nobody(run: Run) -> None:
    start(run, "a")
    run.touched.clear()
    run.emit(UnitReported(at=0.0, unit="a", text="busy"))
    run.emit(StartupFinished(at=0.0, outcome="succeeded", duration=0.0))
    assert not run.touched


def test_a_ready_service_is_active_but_settled(run: Run) -> None:
    start(run, "s")
    run.emit(UnitReady(at=1.0, unit="s", after=1.0))
    assert (run.active, run.unsettled, run.last_settled) == (1, 0, run.nodes["s"])


def test_an_end_after_an_end_is_news_too(run: Run) -> None:
    for _ in range(2):
        run.emit(UnitEnded(at=0.0, unit="a", outcome="skipped", reason=""))
    assert len(run.touched) == 2
    assert (run.active, run.unsettled) == (0, 0)


def test_what_is_not_possible_raises(run: Run) -> None:
    with pytest.raises(IllegalTransition):
        run.emit(UnitReady(at=0.0, unit="a", after=0.0))


def test_a_step_is_taken_once(run: Run) -> None:
    start(run, "a")
    run.order(StopProbes("a", "r.1"))
    step = run.take_step()
    assert (len(step.events), step.effects) == (1, (StopProbes("a", "r.1"),))
    assert run.take_step() == Step()


def test_invocations_are_numbered(run: Run) -> None:
    assert [run.next_invocation(), run.next_invocation()] == ["r.1", "r.2"]


def test_a_timer_set_again_is_moved(run: Run) -> None:
    node = run.nodes["a"]
    run.set_timer(node, "stop", 5.0)
    run.set_timer(node, "stop", 3.0)
    run.set_timer(node, "wait", 4.0)
    assert run.take_step().effects == (SetTimer(1, 5.0), SetTimer(1, 3.0), SetTimer(2, 4.0))


def test_a_timer_is_only_ever_prolonged_to_a_later_time(run: Run) -> None:
    node = run.nodes["a"]
    run.prolong_timer(node, "stop", 9.0)
    run.set_timer(node, "stop", 5.0)
    run.prolong_timer(node, "stop", 4.0)
    run.prolong_timer(node, "stop", 6.0)
    assert run.take_step().effects == (SetTimer(1, 5.0), SetTimer(1, 6.0))


def test_a_timer_fires_once(run: Run) -> None:
    node = run.nodes["a"]
    run.set_timer(node, "stop", 5.0)
    assert run.take_timer(1) == (node, "stop")
    assert run.take_timer(1) is None
    assert node.timers == {}


def test_a_cancelled_timer_does_not_fire(run: Run) -> None:
    node = run.nodes["a"]
    run.set_timer(node, "stop", 5.0)
    run.cancel_timers(node, "stop", "wait")
    assert run.take_step().effects == (SetTimer(1, 5.0), CancelTimer(1))
    assert run.take_timer(1) is None


def test_the_critical_path_follows_the_releases(run: Run) -> None:
    assert run.critical_path() == []
    run.nodes["a"].released_by = "s"
    run.last_settled = run.nodes["a"]
    assert run.critical_path() == ["s", "a"]
    run.nodes["s"].released_by = "a"
    assert run.critical_path() == ["s", "a"], "two that waited for each other's lock in turn"


def test_a_name_that_nobody_knows_becomes_a_unit_of_a_script(run: Run) -> None:
    node = run.register("x")
    assert (node.is_declared, node.is_registered, node.unit.kind) == (False, False, "external")
    assert run.register("x") is node
    assert run.register("a") is run.nodes["a"]
    assert run.graph.units["x"] is node.unit


def test_a_unit_of_a_script_is_active_once_it_has_started(run: Run) -> None:
    run.register("x")
    run.emit(UnitWaiting(at=0.0, unit="x", waits_for=()))
    assert (run.active, run.unsettled) == (0, 0)
    start(run, "x")
    assert (run.active, run.unsettled) == (1, 0)
    assert run.last_settled is None
    run.emit(UnitEnded(at=1.0, unit="x", outcome="succeeded", reason=""))
    assert (run.active, run.unsettled) == (0, 0)


def test_only_the_first_attempt_is_urgent(run: Run) -> None:
    run.ways["a"] = 3.0
    assert (run.urgency(run.nodes["a"]), run.urgency(run.nodes["s"])) == (3.0, 0.0)
    run.nodes["a"].begin_attempt("r.1")
    assert run.urgency(run.nodes["a"]) == 0.0
    run.nodes["a"].renew()
    assert run.urgency(run.nodes["a"]) == 3.0


def test_what_no_file_declares_any_more_is_waited_for_no_more_and_leaves_its_name(run: Run) -> None:
    start(run, "a")
    run.failed["a"] = None
    run.set_declared(run.nodes["a"], is_declared=False)
    assert (run.active, run.unsettled, run.failed) == (1, 0, {})
    assert run.register("a").unit.kind == "oneshot", "it still runs"
    run.emit(UnitEnded(at=1.0, unit="a", outcome="cancelled", reason=""))
    assert run.register("a").unit.kind == "external"
    run.set_declared(run.nodes["s"], is_declared=True)
    assert (run.active, run.unsettled) == (0, 0)


def test_checks_are_numbered(run: Run) -> None:
    assert [run.next_check(), run.next_check()] == [1, 2]
