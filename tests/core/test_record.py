from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from runner.core.declare import declarations
from runner.core.event import Decided, RunStarted, StartupFinished, UnitEnded, UnitReady, UnitStarting
from runner.core.record import RunRecord, UnitRecord, record
from runner.core.unit import Dependency, Probe, Ready, Restart, Retry, Unit

from .world import Life, World, make_external, make_unit

TCP = Ready(probe=Probe(by="tcp"))


def after(*names: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name) for name in names)


def play(*units: Unit, jobs: int | None = None, until: float = 100.0, **lives: list[Life]) -> World:
    world = World(units, lives, jobs=jobs, keep=True)
    world.start()
    world.stop(at=until)
    return world


def recorded(events: Iterable[Decided]) -> RunRecord:
    return record("r", 1e9, events)


def journal_of(world: World) -> list[Decided]:
    """What a world decided, with what the units declare, as the supervisor writes it."""
    declared = declarations(world.engine.graph)
    begun, *events = world.run().journal
    assert isinstance(begun, RunStarted)
    return [structs.replace(begun, declared=declared), *events]


def row(world: World, unit: str) -> UnitRecord:
    return next(row for row in recorded(journal_of(world)).units if row.unit == unit)


def test_a_run() -> None:
    world = play(make_unit("b"), make_unit("a"))
    told = recorded(world.run().journal)
    assert (told.number, told.run, told.begun_at, told.version) == (0, "r", 1e9, "1")
    assert (told.startup_outcome, told.startup, told.outcome, told.duration) == ("succeeded", 1.0, "succeeded", 100.0)
    assert [unit.unit for unit in told.units] == ["b", "a"]


def test_a_run_whose_end_nobody_wrote() -> None:
    told = recorded(play(make_unit("a"), a=[Life()]).run(until=0.0).journal)
    assert (told.startup_outcome, told.startup, told.outcome, told.duration) == (None, None, None, 0.0)
    assert (told.units[0].outcome, told.units[0].took, told.units[0].cost) == (None, None, None)
    assert recorded([]) == RunRecord(0, "r", 1e9, "", None, None, None, 0.0, ())


def test_a_oneshot() -> None:
    told = row(play(make_unit("a"), make_unit("b", after=after("a")), b=[Life(runs=3.0)]), "b")
    assert (told.kind, told.outcome, told.reason, told.command, told.attempts) == (
        *("oneshot", "succeeded"),
        *("exit status 0", "b", 1),
    )
    assert (told.wanted_at, told.began_at, told.started_at, told.reached_at, told.ended_at) == (0.0, 1.0, 1.0, 4.0, 4.0)
    assert (told.waited, told.held_up, told.took, told.cost) == (1.0, 0.0, 3.0, 3.0)
    assert (told.exit_code, told.signal, told.cpu, told.max_rss, told.duration) == (0, None, 0.1, 1, 3.0)


def test_a_service_is_there_when_it_is_ready_whatever_becomes_of_it_later() -> None:
    unit = make_unit("s", kind="service", ready=TCP, restart=Restart(when="always", delay=1.0, limit=0))
    told = row(play(unit, until=20.0, s=[Life(ready=2.0, runs=5.0), Life(ready=0.5)]), "s")
    assert (told.attempts, told.started_at, told.reached_at, told.ended_at) == (1, 0.0, 2.0, 20.0)
    assert (told.took, told.outcome, told.backed_off, told.signal) == (2.0, "cancelled", 0.0, "SIGTERM")


def test_a_oneshot_that_is_ready_before_its_end_has_its_goal_at_its_end() -> None:
    assert row(play(make_unit("a", ready=TCP), a=[Life(ready=1.0, runs=3.0)]), "a").took == 3.0


def test_attempts_in_vain_cost_and_are_not_what_it_took() -> None:
    unit = make_unit("a", retry=Retry(attempts=3, delay=2.0, backoff=1.0))
    told = row(play(unit, a=[Life(runs=1.0, exit=1), Life(fails_at="cwd"), Life(runs=3.0)]), "a")
    assert (told.attempts, told.began_at, told.started_at, told.reached_at) == (3, 0.0, 5.0, 8.0)
    assert (told.backed_off, told.took, told.cost) == (4.0, 3.0, 8.0)


def test_a_failure() -> None:
    told = row(play(make_unit("a"), a=[Life(runs=2.0, exit="SIGSEGV")]), "a")
    assert (told.outcome, told.reason, told.signal, told.exit_code) == ("failed", "killed by SIGSEGV", "SIGSEGV", None)
    assert (told.reached_at, told.took, told.cost) == (None, None, 2.0)


def test_what_never_started() -> None:
    world = play(make_unit("a"), make_unit("b", after=after("a")), make_unit("t", kind="target"), a=[Life(runs=2.0, exit=1)])
    told = row(world, "b")
    assert (told.outcome, told.attempts, told.waited, told.took, told.cost) == ("skipped", 0, 2.0, None, None)
    told = row(world, "t")
    assert (told.outcome, told.reached_at, told.took, told.cost) == ("succeeded", 0.0, None, None)


def test_locks_and_jobs_hold_up_apart_from_dependencies() -> None:
    apt = make_unit("a", locks=("apt",)), make_unit("b", locks=("apt",), after=after("first")), make_unit("first")
    told = row(play(*apt, a=[Life(runs=4.0)]), "b")
    assert (told.waited, told.held_up, told.began_at) == (1.0, 3.0, 4.0)
    told = row(play(make_unit("a"), make_unit("b"), jobs=1), "b")
    assert (told.waited, told.held_up) == (0.0, 1.0)


def test_a_lock_that_is_waited_for_again_counts_again() -> None:
    units = make_unit("a", locks=("apt",), retry=Retry(attempts=2, delay=1.0)), make_unit("b", locks=("apt",))
    told = row(play(*units, a=[Life(runs=1.0, exit=1), Life(runs=1.0)], b=[Life(runs=3.0)]), "a")
    assert (told.backed_off, told.held_up, told.took) == (1.0, 2.0, 1.0)


def test_a_script_waits_for_its_call_and_not_for_a_lock() -> None:
    world = play(make_external("x"))
    world.call("start", "x", at=2.0)
    world.call("complete", "x", at=5.0)
    told = row(world, "x")
    assert (told.kind, told.waited, told.held_up, told.took, told.command) == ("external", 2.0, 0.0, 3.0, "")


def test_what_scripts_only_speak_of_has_no_row() -> None:
    world = play(make_unit("a"))
    world.call("want", "x", "a")
    assert [unit.unit for unit in recorded(world.run().journal).units] == ["a"]


def test_of_several_lives_the_last_of_the_startup_counts() -> None:
    world = play(
        make_unit("a"), make_unit("slow"), a=[Life(exit=1, runs=1.0), Life(runs=2.0), Life(runs=5.0)], slow=[Life(runs=9.0)]
    )
    world.start("a", at=3.0)
    world.start("a", at=20.0)
    told = row(world, "a")
    assert (told.wanted_at, told.took, told.outcome) == (3.0, 2.0, "succeeded")


def test_of_a_unit_that_starts_after_the_startup_its_first_life_counts() -> None:
    world = World([make_unit("a"), make_unit("b")], {"b": [Life(runs=2.0), Life(runs=5.0)]}, keep=True)
    world.start("a")
    world.start("b", at=5.0)
    world.start("b", at=15.0)
    assert row(world, "b").took == 2.0


def test_what_was_expected_may_become_known_while_it_runs() -> None:
    world = play(make_unit("a"), make_unit("b"))
    world.learn({"a": 1.5}, at=0.5)
    assert (row(world, "a").expected, row(world, "b").expected) == (1.5, None)


def test_lost_lines_cost_only_what_they_said() -> None:
    journal = journal_of(play(make_unit("a"), make_unit("s", kind="service"), s=[Life()]))
    kept = [event for event in journal if not isinstance(event, UnitStarting)]
    assert any(isinstance(event, UnitReady) for event in kept)
    told = recorded(kept)
    assert [(unit.outcome, unit.took) for unit in told.units] == [("succeeded", None), ("cancelled", None)]
    assert told.startup == 1.0
    assert recorded([event for event in journal if isinstance(event, UnitEnded | StartupFinished)]).startup == 1.0
