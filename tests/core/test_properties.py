"""What holds for every graph, whatever its programs do and whoever asks for what at any time.

That nothing starts early, no lock is held twice, jobs are limited, stops go in reverse order and each step folds to what the
engine knows is held at every step of every world, by ``rules.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, ItemsView, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.engine import Engine
from runner.core.event import JournalEvent, Peer, RunStarted, SyncCalled, UnitEnded, UnitEvent
from runner.core.graph import Edge, link
from runner.core.observed import (
    ControlRequested,
    KillRequested,
    Observed,
    ProbeFailed,
    ProbeSucceeded,
    ProcessExited,
    ProcessSpawned,
    ScriptEnded,
    SpawnFailed,
    StartRequested,
    StatusReported,
    StopCommandEnded,
    StopRequested,
    TimeoutExtended,
    TimerFired,
    TreeEnded,
    ValuesRead,
)
from runner.core.run import Step
from runner.core.snapshot import fold
from runner.core.unit import Dependency, Unit

from .rules import Rules
from .strategies import SCRIPTS, graphs, lives, worlds
from .world import CALLS, Life, World, make_unit


@given(worlds())
def test_a_run_ends_and_every_wanted_unit_with_it(world: World) -> None:
    world.run()
    assert world.engine.is_over
    events = [event for step in world.steps for event in step.events if isinstance(event, UnitEvent)]
    touched = {event.unit for event in events if not isinstance(event, SyncCalled)}
    for name, view in world.rules.snapshot.units.items():
        if view.is_declared or view.state != "waiting":  # nobody waits for a script that has begun nothing
            assert (view.state == "ended") == (name in touched)
        assert (view.outcome is not None) == (name in touched)


@given(worlds())
def test_a_unit_wanted_once_ends_once(world: World) -> None:
    world.run()
    asked = sum(isinstance(fact, ControlRequested) and not isinstance(fact, StopRequested) for fact in world.facts)
    asked += sum(isinstance(event, SyncCalled) and event.call == "complete" for event in world.journal)  # that revives
    ends = Counter(event.unit for event in world.journal if isinstance(event, UnitEnded))
    kinds = {name: unit.kind for name, unit in world.engine.graph.units.items()}
    assert all(count <= asked for name, count in ends.items() if kinds[name] != "external"), "scripts may start theirs again"


@given(worlds())
def test_the_same_facts_give_the_same_steps(world: World) -> None:
    world.run()
    again = Engine(link(world.units)[0], run="r", **world.options)
    assert [again.apply(fact) for fact in world.facts] == world.steps
    assert again.apply(StartRequested(at=world.now)) == Step()


@given(worlds())
def test_the_journal_on_paper_folds_to_the_same_snapshot(world: World) -> None:
    world.run()
    lines = [msgspec.json.encode(event) for event in world.journal]
    read = [msgspec.json.decode(line, type=JournalEvent) for line in lines]
    assert read == world.journal
    assert fold(read) == world.rules.snapshot


@given(graphs(plain=True), st.data())
def test_exactly_the_success_closure_of_failures_is_skipped(units: list[Unit], data: st.DataObject) -> None:
    programs = {
        unit.name: [msgspec.structs.replace(life, runs=1.0, immortal=False, gives={}, fault="") for life in data.draw(lives)]
        for unit in units
    }
    world = World(units, programs, jobs=data.draw(st.sampled_from([None, 1, 3])))
    world.start()
    world.run()
    graph = world.engine.graph
    expected: dict[str, str] = {}
    for name in graph.order():
        blocking = [edge for edge in graph.after[name].values() if edge.requires == "success" and not edge.lenient]
        if any(expected[edge.dependency] != "succeeded" for edge in blocking):
            expected[name] = "skipped"
        else:
            expected[name] = _own_outcome(graph.units[name], programs[name])
    assert {name: view.outcome for name, view in world.rules.snapshot.units.items()} == expected


def _own_outcome(unit: Unit, programs: list[Life]) -> str:
    """What a unit comes to whose programs run to their end: the first attempt that succeeds is the last."""
    attempts = [programs[min(number, len(programs) - 1)] for number in range(unit.retry.attempts)]
    good = unit.kind == "target" or any(life.exit == 0 and not life.fails_at for life in attempts)
    return "succeeded" if good else "failed"


class Counted(dict[str, Edge]):
    """Edges of a unit that count how often they are looked at."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        Counted.looks += len(self)
        return super().__iter__()

    def items(self) -> ItemsView[str, Edge]:  # type: ignore[override]
        Counted.looks += len(self)
        return super().items()


def chain(count: int) -> list[Unit]:
    return [make_unit(f"u{n}", after=(Dependency(unit=f"u{n - 1}"),) if n else ()) for n in range(count)]


def fan(count: int) -> list[Unit]:
    """One unit, many that depend on it, and one that depends on all of these."""
    many = [make_unit(f"u{n}", after=(Dependency(unit="first"),)) for n in range(count)]
    return [make_unit("first"), *many, make_unit("last", after=tuple(Dependency(unit=unit.name) for unit in many))]


@pytest.mark.parametrize(("units", "most"), [(chain(500), 8), (fan(1000), 2010)], ids=["chain", "fan"])
def test_work_is_proportional_to_the_neighbours_touched(units: list[Unit], most: int) -> None:
    graph, _ = link(units)
    edges = sum(map(len, graph.after.values()))
    for neighbours in (graph.after, graph.dependents):
        neighbours.update({name: Counted(found) for name, found in neighbours.items()})
    engine = Engine(graph, run="r")
    looks = []
    facts: list[Observed] = [StartRequested(at=0.0)]
    while facts:
        fact = facts.pop()
        Counted.looks = 0
        step = engine.apply(fact)
        looks.append(Counted.looks)
        for spawn in step.effects:
            about = {"unit": spawn.unit, "invocation": spawn.invocation}  # type: ignore[attr-defined]
            facts.append(ProcessExited(at=fact.at + 1, **about, exit_code=0))
            facts.append(ProcessSpawned(at=fact.at, **about, pid=1))
    assert engine.is_over
    assert max(looks[1:]) <= most
    assert sum(looks) <= 10 * edges


FACTS: list[Callable[[float, dict[str, Any]], Observed]] = [
    lambda at, about: ProcessSpawned(at=at, **about, pid=1),
    lambda at, about: ProcessSpawned(at=at, **about, pid=2),
    lambda at, about: SpawnFailed(at=at, **about, stage="spawn", reason="no"),
    lambda at, about: ProcessExited(at=at, **about, exit_code=0),
    lambda at, about: ProcessExited(at=at, **about, exit_code=0, gives={"A": str(at)}),
    lambda at, about: ProcessExited(at=at, **about, exit_code=1, left=True),
    lambda at, about: TreeEnded(at=at, **about),
    lambda at, about: StopCommandEnded(at=at, **about),
    lambda at, about: ProbeSucceeded(at=at, **about, purpose="ready"),
    lambda at, about: ProbeSucceeded(at=at, **about, purpose="health"),
    lambda at, about: ValuesRead(at=at, **about, gives={"A": str(at)}),
    lambda at, about: ValuesRead(at=at, **about, fault="not to be used"),
    lambda at, about: ProbeFailed(at=at, **about, reason="no"),
    lambda at, about: TimeoutExtended(at=at, **about, seconds=3.0),
    lambda at, about: StatusReported(at=at, **about, text="busy"),
    lambda at, about: ScriptEnded(at=at, **about),
]


@given(graphs(), st.data())
def test_facts_in_any_order_do_no_harm(units: list[Unit], data: st.DataObject) -> None:
    graph, _ = link(units)
    jobs = data.draw(st.sampled_from([None, 2]))
    engine = Engine(graph, run="r", jobs=jobs, keep=True)
    begun = RunStarted(at=0.0, run="r", version="1", pid=1, units=tuple(graph.units))
    rules = Rules(engine, begun, jobs)
    rules.stop_reasons.add("by hand")
    names = [*graph.units, "nobody", *SCRIPTS]
    journal = [begun, *(event for event in _tell(engine, rules, StartRequested(at=0.0)).events)]
    for at in range(1, data.draw(st.integers(1, 60))):
        what = data.draw(st.integers(0, len(FACTS) + 10))
        name = data.draw(st.sampled_from(names))
        fact: Observed
        if what < len(FACTS):
            current = engine.nodes[name].invocation if name in engine.nodes else "r.1"
            fact = FACTS[what](at, {"unit": name, "invocation": data.draw(st.sampled_from([current, current, "r.1", ""]))})
        elif what < len(FACTS) + 3:
            fact = TimerFired(at=at, timer=data.draw(st.sampled_from([*rules.timers, 99])))
        elif what > len(FACTS) + 4:
            fact = _call(data, at, name, names)
        elif what == len(FACTS) + 3:
            fact = StartRequested(at=at, units=(name,))
        else:
            fact = data.draw(
                st.sampled_from([StopRequested(at=at, units=(name,), reason="by hand"), KillRequested(at=at, reason="now")])
            )
        journal.extend(_tell(engine, rules, fact).events)
    rules.check_all(journal)


def _call(data: st.DataObject, number: int, unit: str, names: list[str]) -> Observed:
    verb = data.draw(st.sampled_from(sorted(CALLS)))
    more = data.draw(st.sampled_from(names)) if verb == "want" else ""
    peer = Peer(pid=1, uid=1, unit=data.draw(st.sampled_from(["", unit])))
    return CALLS[verb]({"at": float(number), "call": number, "unit": unit, "peer": peer}, more)


def _tell(engine: Engine, rules: Rules, fact: Observed) -> Step:
    step = engine.apply(fact)
    rules.check(fact, step)
    return step
