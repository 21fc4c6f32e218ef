from __future__ import annotations

import random

from runner.core.event import DurationsExpected, StartupFinished, UnitStarting
from runner.core.graph import link
from runner.core.observed import DurationsLearned
from runner.core.run import Run
from runner.core.unit import Dependency, Restart, Unit
from runner.core.urgency import learned, reckon
from runner.core.want import want

from .world import Life, World, make_external, make_unit


def after(*names: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name) for name in names)


def run_of(*units: Unit, wanted: tuple[str, ...] = ()) -> Run:
    run = Run(link(units)[0], "r", jobs=1, fail_fast=False, keep=False)
    want(run, wanted or run.nodes)
    run.take_step()
    return run


def learn(run: Run, durations: dict[str, float]) -> None:
    learned(run, DurationsLearned(at=0.0, durations=durations))


def starts(world: World) -> list[str]:
    return [event.unit for event in world.run().journal if isinstance(event, UnitStarting)]


def test_what_is_learned_is_written_down_for_the_units_that_are_there() -> None:
    run = run_of(make_unit("a"), make_unit("b", after=after("a")))
    learn(run, {"a": 1.0, "b": 2.0, "gone": 9.0})
    assert run.take_step().events == (DurationsExpected(at=0.0, durations={"a": 1.0, "b": 2.0}),)
    assert run.ways == {"a": 3.0, "b": 2.0}


def test_where_nothing_is_learned_nothing_changes() -> None:
    run = run_of(make_unit("a"))
    learn(run, {"gone": 9.0})
    reckon(run)
    assert run.take_step().events == ()
    assert run.ways == {}


def test_of_a_new_unit_the_usual_is_expected_and_a_target_takes_no_time() -> None:
    new = [make_unit("new"), make_external("script"), make_unit("all", kind="target")]
    run = run_of(*(make_unit(name) for name in "abc"), *new)
    learn(run, {"a": 1.0, "b": 2.0, "c": 9.0})
    assert {name: run.ways[name] for name in ("new", "script", "all")} == {"new": 2.0, "script": 2.0, "all": 0.0}


def test_what_nobody_wants_makes_nobody_urgent() -> None:
    units = [make_unit("a", on_failure=("h",)), make_unit("b", after=after("a")), make_unit("h", after=after("a"))]
    run = run_of(*units, wanted=("a",))
    learn(run, {"a": 1.0, "b": 5.0, "h": 9.0})
    assert run.ways == {"a": 1.0, "b": 0.0, "h": 0.0}
    want(run, ["b"])
    reckon(run)
    assert run.ways == {"a": 6.0, "b": 5.0, "h": 0.0}


def test_units_go_in_the_order_of_their_ways_whenever_these_become_known() -> None:
    units = [make_unit("a"), make_unit("b"), make_unit("c"), make_unit("d", after=after("c"))]
    durations = {"a": 1.0, "b": 2.0, "c": 1.0, "d": 9.0}
    for at, expected in ((0.0, "cdba"), (0.5, "acdb")):
        world = World(units, jobs=1)
        world.learn(durations, at=at)
        world.start()
        assert "".join(starts(world)) == expected


def test_nobody_starves_behind_a_service_that_is_restarted_for_ever() -> None:
    crashing = make_unit("s", kind="service", locks=("port",), restart=Restart(when="always", delay=0.0, limit=0))
    units = [crashing, make_unit("a", locks=("port",)), make_unit("b", locks=("port",))]
    world = World(units, {"s": [Life(runs=1.0)]}, keep=True)
    world.learn({"s": 100.0, "a": 1.0, "b": 2.0})
    world.start()
    world.stop(at=20.0)
    assert starts(world)[:4] == ["s", "b", "a", "s"]


def startup(units: list[Unit], durations: dict[str, float], *, knowing: bool) -> float:
    world = World(units, {name: [Life(runs=seconds)] for name, seconds in durations.items()}, jobs=2)
    if knowing:
        world.learn(durations)
    world.start()
    finished = next(event for event in world.run().journal if isinstance(event, StartupFinished))
    return finished.duration


def test_the_longest_way_first_is_quicker_on_average() -> None:
    chance = random.Random(1)
    before = now = 0.0
    for _ in range(60):
        names = [f"u{number}" for number in range(12)]
        units = []
        for number, name in enumerate(names):
            earlier = chance.sample(names[:number], min(number, chance.choice([0, 0, 1, 2])))
            locks = chance.choice([(), (), ("apt",), ("port",)])
            units.append(make_unit(name, after=after(*earlier), locks=locks))
        durations = {name: float(chance.randint(1, 10)) for name in names}
        before += startup(units, durations, knowing=False)
        now += startup(units, durations, knowing=True)
    assert now < 0.95 * before
