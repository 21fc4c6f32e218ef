from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runner.core.declare import declarations
from runner.core.event import RunStarted, StartupFinished
from runner.core.forecast import LEAST, forecast
from runner.core.freshness import Judgement
from runner.core.graph import Graph, link
from runner.core.observed import DurationsLearned
from runner.core.simulate import Prediction, simulate, takes_time
from runner.core.snapshot import Snapshot, fold
from runner.core.unit import Command, Dependency, Probe, Ready, Restart, Retry, Stop, Unit

from .strategies import graphs
from .world import Life, World, make_external, make_unit

PROBED = Ready(probe=Probe(by="tcp", target="h:1"))


def graph_of(*units: Unit) -> Graph:
    graph, faults = link(units)
    assert not faults
    return graph


def after(*names: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name) for name in names)


def times(prediction: Prediction) -> dict[str, tuple[float | None, float | None]]:
    """When each unit would start and reach its goal."""
    return {name: (view.first_started_at, view.reached_at) for name, view in prediction.snapshot.units.items()}


# ---------------------------------------------------------------- what takes how long


def test_a_diamond_takes_as_long_as_its_longest_chain() -> None:
    graph = graph_of(
        make_unit("top"),
        make_unit("left", after=after("top")),
        make_unit("right", after=after("top")),
        make_unit("bottom", kind="target", after=after("left", "right")),
    )
    told = simulate(graph, {"top": 1.0, "left": 2.0, "right": 3.0})
    assert (told.total, told.critical_path, told.unknown) == (4.0, ("top", "right", "bottom"), ())
    assert times(told) == {"top": (0.0, 1.0), "left": (1.0, 3.0), "right": (1.0, 4.0), "bottom": (None, 4.0)}
    assert {name: view.expected for name, view in told.snapshot.units.items()} == {
        "top": 1.0,
        "left": 2.0,
        "right": 3.0,
        "bottom": None,
    }


def test_a_service_counts_until_it_is_ready() -> None:
    graph = graph_of(
        make_unit("asked", kind="service", ready=PROBED),
        make_unit("settling", kind="service", ready=Ready(probe=Probe(by="sync"), delay=2.0)),
        make_unit("delayed", kind="service", ready=Ready(delay=1.5)),
        make_unit("at-once", kind="service"),
        make_unit("late", kind="service", ready=Ready(probe=Probe(by="log"), delay=9.0)),
    )
    told = simulate(graph, dict.fromkeys(graph.units, 5.0))
    assert {name: reached for name, (_, reached) in times(told).items()} == {
        "asked": 5.0,
        "settling": 5.0,
        "delayed": 1.5,
        "at-once": 0.0,
        "late": 9.0,
    }
    assert [name for name, unit in graph.units.items() if takes_time(unit)] == ["asked", "settling", "late"]


def test_a_script_calls_as_soon_as_its_unit_may_start() -> None:
    graph = graph_of(make_unit("a"), make_external("x", after=after("a")), make_unit("b", after=after("x")))
    told = simulate(graph, {"a": 1.0, "x": 2.0, "b": 3.0})
    assert times(told) == {"a": (0.0, 1.0), "x": (1.0, 3.0), "b": (3.0, 6.0)}


def test_of_what_nobody_knows_the_total_is_the_least() -> None:
    graph = graph_of(make_unit("a"), make_unit("b", after=after("a")), make_unit("c", kind="target", after=after("b")))
    told = simulate(graph, {"a": 1.0})
    assert told.total == pytest.approx(1.0 + LEAST)
    assert told.unknown == ("b",)


def test_units_that_are_named_bring_what_they_need() -> None:
    graph = graph_of(make_unit("a"), make_unit("b", after=after("a")), make_unit("c"))
    told = simulate(graph, {"a": 1.0, "b": 2.0}, names=["b"])
    assert told.total == 3.0
    assert told.snapshot.units["c"].state == "idle"
    assert told.unknown == ()


def test_nothing_takes_no_time() -> None:
    assert simulate(graph_of(), {}).total == 0.0


# ---------------------------------------------------------------- what the engine does with it


def test_locks_and_jobs_are_the_engines() -> None:
    graph = graph_of(*(make_unit(name, locks=("apt",)) for name in "abc"), make_unit("d"))
    assert simulate(graph, dict.fromkeys("abcd", 2.0)).total == 6.0
    assert simulate(graph, dict.fromkeys("abcd", 2.0), jobs=1).total == 8.0


def test_who_is_on_the_longest_way_goes_first() -> None:
    graph = graph_of(make_unit("a"), make_unit("b"), make_unit("c"), make_unit("d", after=after("c")))
    told = simulate(graph, {"a": 3.0, "b": 2.0, "c": 2.0, "d": 4.0}, jobs=1)
    assert told.snapshot.units["c"].first_started_at == 3.0


def test_what_takes_too_long_times_out() -> None:
    slow = make_unit("a", timeout=2.0, retry=Retry(attempts=2, delay=1.0))
    told = simulate(graph_of(slow, make_unit("s", kind="service", ready=PROBED, timeout=4.0)), {"a": 3.0, "s": 4.5})
    assert told.snapshot.units["a"].outcome == "timed-out"
    assert told.snapshot.units["s"].outcome == "timed-out"
    assert told.total == 5.0


def test_a_stop_command_has_its_turn() -> None:
    stop = Stop(command=Command(argv=("quit",)))
    told = simulate(graph_of(make_unit("a", timeout=2.0, stop=stop)), {"a": 3.0})
    assert (told.total, told.snapshot.units["a"].reason) == (2.0, "still running after 2 s")


def test_a_startup_that_is_never_finished_has_no_total() -> None:
    graph = graph_of(make_unit("s", kind="service", locks=("db",)), make_unit("a", locks=("db",), after=after("s")))
    told = simulate(graph, {"a": 1.0})
    assert (told.total, told.critical_path) == (None, ())
    assert told.snapshot.units["a"].state == "waiting"


# ---------------------------------------------------------------- what is to fail


def test_what_fails_does_so_in_every_attempt() -> None:
    graph = graph_of(
        make_unit("a", retry=Retry(attempts=3, delay=1.0)),
        make_unit("b", after=after("a")),
        make_unit("c", after=(Dependency(unit="a", requires="completion"),)),
        make_unit("mourn"),
        make_unit("d", on_failure=("mourn",)),
    )
    told = simulate(graph, {"a": 2.0, "c": 1.0, "d": 1.0, "mourn": 1.0}, failing={"a", "d"})
    views = told.snapshot.units
    assert [views[name].outcome for name in graph.units] == ["failed", "skipped", "succeeded", "succeeded", "failed"]
    assert (views["a"].attempt, views["b"].cause) == (3, "a")
    assert told.total == 2.0 + 1.0 + 2.0 + 2.0 + 2.0 + 1.0
    assert told.snapshot.startup
    assert told.snapshot.startup.failed == ("d", "a", "b")


def test_a_service_that_fails_is_never_ready() -> None:
    always = Restart(when="always", limit=0)
    graph = graph_of(
        make_unit("asked", kind="service", ready=PROBED, restart=always),
        make_unit("at-once", kind="service", restart=always),
        make_external("x"),
    )
    told = simulate(graph, {"asked": 2.0, "x": 1.0}, failing=set(graph.units))
    assert {(view.outcome, view.ready_at) for view in told.snapshot.units.values()} == {("failed", None)}
    assert told.total == 2.0


# ---------------------------------------------------------------- rules


@given(graphs(), st.data())
def test_it_is_what_the_supervisor_of_the_tests_comes_to(units: list[Unit], data: st.DataObject) -> None:
    units = [unit for unit in units if unit.kind != "external"]
    names = {unit.name for unit in units}
    graph, faults = link(units)
    if faults:
        return
    durations = {name: data.draw(st.sampled_from([0.0, 0.5, 1.0, 4.0])) for name in names}
    failing = {unit.name for unit in units if unit.kind != "service" and data.draw(st.booleans())}
    jobs = data.draw(st.sampled_from([None, 1, 2]))
    lives = {unit.name: [life_of(unit, durations[unit.name], unit.name in failing)] for unit in units}
    world = World(units, lives, jobs=jobs)
    world.start()
    world.later(0.0, lambda: world.tell(DurationsLearned(at=0.0, durations=durations)))
    world.run()
    told = simulate(graph, durations, jobs=jobs, failing=failing)
    startup = [event for event in world.journal if isinstance(event, StartupFinished)]
    assert startup == ([told.snapshot.startup] if told.snapshot.startup else [])


def life_of(unit: Unit, seconds: float, fails: bool) -> Life:
    if unit.kind == "service":
        return Life(ready=max(seconds - (unit.ready.delay if unit.ready else 0.0), 0.0))
    return Life(runs=seconds, exit=int(fails))


@given(graphs(plain=True), st.data())
def test_without_locks_and_jobs_the_critical_path_is_as_long_as_it_takes(units: list[Unit], data: st.DataObject) -> None:
    units = [replace(unit, locks=()) for unit in units]
    graph = graph_of(*units)
    durations = {unit.name: data.draw(st.sampled_from([1.0, 2.0, 3.0, 7.0])) for unit in units if unit.kind != "target"}
    told = simulate(graph, durations)
    assert told.total == sum(durations.get(name, 0.0) for name in told.critical_path)
    assert told.total == sum(durations.get(name, 0.0) for name in graph.critical_path(durations))
    assert all(one in graph.after[next_one] for one, next_one in pairwise(told.critical_path))
    assert forecast(beginning(units, durations), 0.0).left == pytest.approx(told.total)


def beginning(units: list[Unit], durations: dict[str, float]) -> Snapshot:
    """The run when it has just begun."""
    world = World(units)
    world.start()
    world.later(0.0, lambda: world.tell(DurationsLearned(at=0.0, durations=durations)))
    world.run(until=0.0)
    graph = world.engine.graph
    begun = RunStarted(at=0.0, run="r", version="1", pid=1, units=tuple(graph.units), declared=declarations(graph))
    return fold([begun, *world.journal[1:]])


def test_what_need_not_run_takes_no_time() -> None:
    graph = graph_of(make_unit("a", creates=("/a",)), make_unit("b", after=after("a"), inputs=("/b",)))
    judgements = {"a": Judgement("unneeded", "it is there"), "b": Judgement("needed", "it is new")}
    told = simulate(graph, {"a": 5.0, "b": 1.0}, judgements=judgements)
    assert told.total == 1.0
    assert (told.snapshot.units["a"].reason, told.snapshot.units["b"].because) == ("it is there", "it is new")
