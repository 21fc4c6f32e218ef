from __future__ import annotations

from typing import Any

from runner.core.observed import KillRequested, ProcessSpawned, StartRequested, StopRequested
from runner.core.unit import Dependency, Health, Probe, Retry, Unit

from .history import lines, tell_history
from .world import Life, World, make_external, make_unit


def service(name: str, *after: str, **fields: Any) -> Unit:
    return make_unit(name, kind="service", after=tuple(Dependency(unit=unit) for unit in after), **fields)


def world_of(*units: Unit, **lives: list[Life]) -> World:
    world = World(units, {unit.name: [Life(obeys=1.0)] for unit in units} | lives)
    world.start()
    return world


def stopping(world: World) -> list[str]:
    """Who begins to be stopped, in order."""
    return [line.partition(": stopping")[0] for line in tell_history(world.history).splitlines() if ": stopping" in line]


def test_the_reverse_order() -> None:
    world = world_of(service("a"), service("b", "a"), service("c", "a"), service("d", "b", "c"))
    world.stop(at=1.0)
    assert stopping(world.run()) == ["1 d", "2 b", "2 c", "3 a"]


def test_what_has_ended_long_ago_keeps_its_place() -> None:
    migrate = make_unit("migrate", after=(Dependency(unit="db"),))
    world = world_of(service("db"), migrate, service("web", "migrate"), migrate=[Life(runs=0.5)])
    world.stop(at=1.0)
    assert stopping(world.run()) == ["1 web", "2 db"]


def test_a_unit_takes_its_dependents_with_it_and_nothing_else() -> None:
    world = world_of(service("a"), service("b", "a"), service("c", "b"), service("d", "a"))
    world.stop("b", at=1.0)
    world.run()
    assert stopping(world) == ["1 c", "2 b"]
    assert [name for name, view in world.rules.snapshot.units.items() if view.state == "ready"] == ["a", "d"]


def test_who_has_no_process_is_cancelled_at_once() -> None:
    waiting = make_unit("waiting", after=(Dependency(unit="a"),))
    again = make_unit("again", retry=Retry(attempts=2, delay=50.0))
    world = world_of(make_unit("a"), waiting, again, again=[Life(runs=0.5, exit=1)])
    world.stop(at=1.0)
    world.run()
    assert lines(world.history, "waiting")[-1] == "1 cancelled after 0: SIGTERM"
    assert lines(world.history, "again")[-1] == "1 cancelled after 0.5: SIGTERM"


def test_who_asked_to_be_admitted_in_the_same_step_is_cancelled_too() -> None:
    b = make_unit("b", after=(Dependency(unit="a"),))
    units = [make_unit("a", optional=True, on_failure=("h",)), b, make_unit("h")]
    world = World(units, {"a": [Life(runs=1.0, exit=1)]}, fail_fast=True)
    world.start()
    assert lines(world.run().history, "h") == ['1 cancelled after 0: "b" did not succeed, and --fail-fast was given']


def test_a_restart_becomes_an_end() -> None:
    health = Health(probe=Probe(by="tcp"), failures=1)
    world = world_of(service("a", health=health), a=[Life(health=(False,), obeys=2.0)])
    world.stop(at=1.5)
    assert lines(world.run().history, "a")[-1] == "3 cancelled after 3: SIGTERM"


def test_a_second_stop_joins_the_first() -> None:
    world = world_of(service("a"), service("b", "a"), service("c", "b"), c=[Life(obeys=5.0)])
    world.stop("b", at=1.0)
    world.stop("a", at=2.0)
    assert stopping(world.run()) == ["1 c", "6 b", "7 a"]


def test_who_is_gone_is_not_counted_twice() -> None:
    quick = make_unit("quick", after=(Dependency(unit="a"),))
    world = world_of(service("a"), quick, service("slow", "a"), quick=[Life(runs=0.5)], slow=[Life(obeys=5.0)])
    world.stop("a", at=1.0)
    world.stop("quick", at=2.0)
    assert stopping(world.run()) == ["1 slow", "6 a"]


def test_everything_is_stopped_once() -> None:
    world = world_of(service("a"), service("b", "a"))
    world.stop(at=1.0, reason="SIGTERM")
    world.stop(at=1.5, reason="SIGHUP")
    assert lines(world.run().history, "a")[-1] == "3 cancelled after 3: SIGTERM"


def test_a_stop_of_what_is_idle_does_nothing() -> None:
    world = World([make_unit("a"), service("b", "a")])
    world.start("a")
    world.stop("b", at=0.5)
    assert lines(world.run().history, "b") == []


def test_a_start_that_waited_for_the_stop_is_taken_back_by_another_stop() -> None:
    world = world_of(service("a"), a=[Life(obeys=3.0)])
    world.stop("a", at=1.0)
    world.start("a", at=2.0)
    world.stop("a", at=3.0)
    assert lines(world.run().history, "a")[-1] == "4 cancelled after 4: SIGTERM"


def test_a_stop_waits_for_the_answer_to_a_spawn() -> None:
    world = World([make_unit("a")])
    engine = world.engine
    engine.apply(StartRequested(at=0.0))
    assert engine.apply(StopRequested(at=0.0, reason="by hand")).events == ()
    step = engine.apply(ProcessSpawned(at=0.0, unit="a", invocation="r.1", pid=1))
    assert [type(event).__name__ for event in step.events] == ["UnitStarted", "UnitStopping"]


def test_a_kill_waits_for_the_answer_to_a_spawn() -> None:
    engine = World([make_unit("a")]).engine
    engine.apply(StartRequested(at=0.0))
    assert engine.apply(KillRequested(at=0.0, reason="now")).events == ()
    assert engine.apply(ProcessSpawned(at=0.0, unit="a", invocation="r.1", pid=1)).effects[0].signal == "SIGKILL"  # type: ignore[attr-defined]


def test_a_kill_waits_for_nobody() -> None:
    lives = [Life(obeys=50.0)]
    world = world_of(
        service("a"), service("b", "a"), service("c", "b"), make_unit("d"), a=lives, b=lives, c=lives, d=[Life(runs=0.5)]
    )
    world.stop(at=1.0)
    world.kill(at=2.0)
    world.run()
    assert {name: view.reason for name, view in world.rules.snapshot.units.items()} == {
        "a": "second SIGTERM",
        "b": "second SIGTERM",
        "c": "SIGTERM, second SIGTERM",
        "d": "exit status 0",
    }


def test_nothing_is_killed_twice() -> None:
    world = world_of(service("a"), a=[Life(immortal=True, obeys=50.0)])
    world.kill(at=1.0)
    world.kill(at=2.0)
    world.run()
    assert [line for line in lines(world.history, "a") if "SIGKILL" in line] == ["1 <- SIGKILL to tree"]


def test_what_a_script_brings_is_cancelled_in_its_turn() -> None:
    world = world_of(service("a"), make_external("x", after=(Dependency(unit="a"),)), service("b", "x"))
    world.call("start", "x")
    world.stop(at=1.0)
    assert lines(world.run().history, "x")[-1] == "1 cancelled after 1: SIGTERM"
    assert stopping(world) == ["1 a"]


def test_a_kill_needs_no_signal_for_what_a_script_brings() -> None:
    world = world_of(service("a"), make_external("x", after=(Dependency(unit="a"),)))
    world.call("start", "x")
    world.kill(at=1.0)
    assert lines(world.run().history, "x")[-1] == "1 cancelled after 1: second SIGTERM"


def test_a_restart_concerns_the_units_it_names_and_what_waits_for_its_next_attempt() -> None:
    again = make_unit("again", retry=Retry(attempts=2, delay=50.0))
    world = world_of(service("a"), service("b", "a"), again, make_external("x"), again=[Life(runs=0.5, exit=1), Life(runs=1.0)])
    world.restart("a", "again", "x", at=1.0)
    world.run(until=9.0)
    assert stopping(world) == ["1 a"]
    assert lines(world.history, "again")[-1] == "2 succeeded after 1: exit status 0"


def test_what_asks_to_be_admitted_is_not_restarted() -> None:
    locked = [make_unit(name, kind="service", locks=("apt",)) for name in "ab"]
    world = world_of(*locked)
    world.restart("b", at=1.0)
    world.run(until=9.0)
    assert stopping(world) == []


def test_a_wave_goes_on_over_edges_that_have_changed() -> None:
    world = world_of(service("a"), service("b", "a"), b=[Life(obeys=9.0)])
    world.stop("a", at=1.0)
    world.reload([service("a"), service("b")], at=2.0)
    assert stopping(world.run(until=5.0)) == ["1 b", "2 a"]
