from __future__ import annotations

import pytest

from runner.core.effect import Answer, Spawn, WatchScript
from runner.core.engine import Engine
from runner.core.event import DurationsExpected, Peer, RunEnded, StartupFinished
from runner.core.graph import link
from runner.core.observed import (
    DurationsLearned,
    Observed,
    ProcessExited,
    ProcessSpawned,
    SpawnFailed,
    StartRequested,
    StopRequested,
    SyncAwaited,
    SyncCompleted,
    SyncStarted,
    TimerFired,
)
from runner.core.run import Step
from runner.core.unit import Dependency, Unit

from .history import lines
from .world import Life, World, make_unit


def engine_of(*units: Unit) -> Engine:
    return Engine(link(units)[0], run="r")


def play(*units: Unit, until: float = 100.0, fail_fast: bool = False, keep: bool = False, **lives: list[Life]) -> World:
    world = World(units, lives, fail_fast=fail_fast, keep=keep)
    world.start()
    world.stop(at=until)
    return world.run()


def ends(world: World) -> tuple[StartupFinished | None, RunEnded | None]:
    return world.rules.snapshot.startup, world.rules.snapshot.ended


def test_a_run_of_one_unit() -> None:
    engine = engine_of(make_unit("a"))
    assert engine.apply(StartRequested(at=0.0)).effects == (Spawn("a", "r.1", 1),)
    assert engine.graph.units.keys() == engine.nodes.keys()
    engine.apply(ProcessSpawned(at=0.0, unit="a", invocation="r.1", pid=7))
    assert not engine.is_over
    step = engine.apply(ProcessExited(at=2.0, unit="a", invocation="r.1", exit_code=0))
    assert step.events[1:] == (
        StartupFinished(at=2.0, outcome="succeeded", duration=2.0, critical_path=("a",)),
        RunEnded(at=2.0, outcome="succeeded", duration=2.0),
    )
    assert engine.is_over


def test_what_is_learned_is_written_down_and_says_who_goes_first() -> None:
    engine = Engine(link([make_unit("a"), make_unit("b")])[0], run="r", jobs=1)
    assert engine.jobs == 1
    learned = {"a": 1.0, "b": 2.0}
    assert engine.apply(DurationsLearned(at=0.0, durations=learned)).events == (DurationsExpected(at=0.0, durations=learned),)
    assert engine.apply(StartRequested(at=0.0)).effects == (Spawn("b", "r.1", 1),)


def test_after_the_end_nothing_means_anything() -> None:
    engine = engine_of(make_unit("a"))
    engine.apply(StopRequested(at=0.0, reason="by hand"))
    assert engine.apply(StartRequested(at=1.0)) == Step()


def test_only_observed_facts_are_applied() -> None:
    with pytest.raises(TypeError, match="no observed event: Observed"):
        engine_of().apply(Observed(at=0.0))


@pytest.mark.parametrize(
    "fact",
    [
        ProcessExited(at=1.0, unit="a", invocation="r.0", exit_code=0),
        ProcessExited(at=1.0, unit="b", invocation="r.1", exit_code=0),
        ProcessExited(at=1.0, unit="idle", invocation="", exit_code=0),
        ProcessSpawned(at=1.0, unit="a", invocation="r.1", pid=8),
        SpawnFailed(at=1.0, unit="a", invocation="r.1", stage="cwd", reason="late"),
        TimerFired(at=1.0, timer=1),
    ],
)
def test_facts_out_of_their_time_mean_nothing(fact: Observed) -> None:
    engine = engine_of(make_unit("a"), make_unit("idle"))
    engine.apply(StartRequested(at=0.0, units=("a",)))
    engine.apply(ProcessSpawned(at=0.0, unit="a", invocation="r.1", pid=7))
    assert engine.apply(fact) == Step()


def test_nothing_is_known_of_a_process_before_the_answer_to_its_spawn() -> None:
    engine = engine_of(make_unit("a"))
    engine.apply(StartRequested(at=0.0))
    assert engine.apply(ProcessExited(at=0.0, unit="a", invocation="r.1", exit_code=0)) == Step()


def test_a_timer_means_what_it_was_set_for() -> None:
    assert lines(play(make_unit("a", timeout=3.0), a=[Life()]).history, "a")[0] == "3 stopping: still running after 3 s"


def test_who_is_not_named_does_not_start_and_handlers_only_when_asked() -> None:
    units = [make_unit("a", on_success=("h",)), make_unit("b"), make_unit("h")]
    world = World(units, keep=True)
    world.start("a")
    world.start("h", at=0.5)
    world.run()
    assert [name for name, view in world.rules.snapshot.units.items() if view.state == "idle"] == ["b"]
    assert lines(world.history, "h") == ["1.5 succeeded after 1: exit status 0"], "it was there already when its unit ended"


def test_nothing_starts_while_everything_is_being_stopped() -> None:
    world = World([make_unit("a"), make_unit("b")], {"a": [Life(obeys=3.0)]})
    world.start("a")
    world.stop(at=1.0)
    world.start("b", at=2.0)
    assert lines(world.run().history, "b") == []


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        (Life(runs=2.0), "good"),
        (Life(runs=2.0, exit=1), "bad"),
        (Life(), "bad"),
        (Life(runs=50.0, obeys=0.0), "bad"),
    ],
)
def test_handlers(life: Life, expected: str) -> None:
    units = [make_unit("a", timeout=5.0, on_success=("good",), on_failure=("bad",)), make_unit("good"), make_unit("bad")]
    world = play(*units, a=[life])
    assert [name for name in ("good", "bad") if lines(world.history, name)] == [expected]


def test_no_handler_for_what_a_person_stopped() -> None:
    world = World([make_unit("a", on_success=("h",), on_failure=("h",)), make_unit("h")], {"a": [Life()]})
    world.start()
    world.stop("a", at=1.0)
    assert lines(world.run().history, "h") == []


def test_no_handler_while_everything_is_being_stopped() -> None:
    units = [make_unit("a", timeout=1.0, on_failure=("h",)), make_unit("h")]
    assert lines(play(*units, until=2.0, a=[Life(obeys=5.0)]).history, "h") == []


def test_fail_fast() -> None:
    units = [make_unit("a"), make_unit("b", optional=True), make_unit("c")]
    world = play(*units, fail_fast=True, a=[Life(runs=2.0, exit=1)], b=[Life(runs=1.0, exit=1)], c=[Life()])
    assert lines(world.history, "c")[-1] == '2 cancelled after 2: "a" did not succeed, and --fail-fast was given'
    assert ends(world) == (None, RunEnded(at=2.0, outcome="failed", duration=2.0))


def test_fail_fast_is_for_the_startup() -> None:
    units = [make_unit("a", kind="service"), make_unit("b", kind="service")]
    world = play(*units, until=9.0, fail_fast=True, a=[Life(runs=2.0, exit=1)], b=[Life()])
    assert lines(world.history, "b")[-1] == "9 cancelled after 9: SIGTERM"


def test_fail_fast_is_not_for_what_a_person_stops() -> None:
    world = World([make_unit("a"), make_unit("b")], {"a": [Life()], "b": [Life(runs=5.0)]}, fail_fast=True)
    world.start()
    world.stop("a", at=1.0)
    assert lines(world.run().history, "b") == ["5 succeeded after 5: exit status 0"]


def test_the_startup_is_finished_when_services_are_ready_and_the_rest_has_ended() -> None:
    units = [make_unit("s", kind="service"), make_unit("a", after=(Dependency(unit="s"),))]
    startup, ended = ends(play(*units, until=9.0, s=[Life()]))
    assert startup == StartupFinished(at=1.0, outcome="succeeded", duration=1.0, critical_path=("s", "a"))
    assert ended == RunEnded(at=9.0, outcome="succeeded", duration=9.0)


def test_the_run_ends_with_its_last_service() -> None:
    startup, ended = ends(play(make_unit("s", kind="service"), s=[Life(runs=4.0)]))
    assert startup is not None
    assert ended == RunEnded(at=4.0, outcome="succeeded", duration=4.0)


def test_a_run_that_is_kept_ends_when_it_is_stopped() -> None:
    assert ends(play(make_unit("a"), keep=True))[1] == RunEnded(at=100.0, outcome="succeeded", duration=100.0)


def test_a_run_stopped_in_its_startup_is_cancelled() -> None:
    assert ends(play(make_unit("a"), until=0.5)) == (None, RunEnded(at=0.5, outcome="cancelled", duration=0.5))


def test_what_was_wanted_during_a_stop_keeps_the_run_alive() -> None:
    world = World([make_unit("s", kind="service")], {"s": [Life(obeys=2.0), Life(runs=3.0)]})
    world.start()
    world.stop("s", at=1.0)
    world.start("s", at=2.0)
    assert ends(world.run())[1] == RunEnded(at=6.0, outcome="succeeded", duration=6.0)


def test_a_kill() -> None:
    world = World([make_unit("a")], {"a": [Life(obeys=50.0)]})
    world.start()
    world.kill(at=1.0)
    assert lines(world.run().history, "a")[-1] == "1 cancelled after 1: second SIGTERM"


def test_calls_of_scripts_are_answered() -> None:
    engine = engine_of(make_unit("a"))
    peer = Peer(pid=7, uid=1000)
    step = engine.apply(SyncStarted(at=0.0, call=1, unit="x", peer=peer))
    assert step.effects == (WatchScript("x", "r.1", 7), Answer(1))
    assert (engine.sync_state("x").state, len(engine.sync_states())) == ("started", 2)
    step = engine.apply(SyncAwaited(at=0.0, call=2, unit="x", peer=peer, until="reached"))
    assert step == Step()
    assert engine.apply(SyncCompleted(at=1.0, call=3, unit="x", peer=peer)).effects == (Answer(3), Answer(2))
    engine.apply(StartRequested(at=2.0))
    assert engine.sync_state("x").state == "completed", "a start of everything is one of what is declared"
