"""Random units, lives and requests, small enough that every corner is met often."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from msgspec.structs import replace

from runner.core.graph import link
from runner.core.unit import Command, Conditions, Dependency, Health, Probe, Ready, Requires, Restart, Retry, Stop, Unit

from .world import CALLS, Life, Look, World, make_external, make_unit

MOMENTS = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0])
REQUIRES: st.SearchStrategy[Requires] = st.sampled_from(["success", "success", "completion"])
PROBE = Probe(by="tcp")

lives = st.lists(
    st.builds(
        Life,
        fails_at=st.sampled_from([None, None, None, None, None, "cwd", "program not found"]),
        runs=st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 4.0, inf]),
        exit=st.sampled_from([0, 0, 1, "SIGSEGV"]),
        ready=st.sampled_from([0.0, 0.5, 1.0, 3.0, inf]),
        obeys=st.sampled_from([0.0, 0.5, 2.0, inf]),
        leaves=st.sampled_from([0.0, 0.0, 0.5, 4.0, inf]),
        left_obey=st.booleans(),
        immortal=st.sampled_from([False, False, False, True]),
        stop_command=st.sampled_from([0.0, 1.0, inf]),
        stop_command_ends_it=st.booleans(),
        health=st.lists(st.booleans(), max_size=3).map(tuple),
        extends=st.lists(st.tuples(MOMENTS, MOMENTS), max_size=1).map(tuple),
        says=st.lists(st.tuples(MOMENTS, st.just("busy")), max_size=1).map(tuple),
        gives=st.sampled_from([{}, {}, {"A": "1"}, {"A": "2"}, {"B": "1", "A": "1"}]),
        fault=st.sampled_from(["", "", "", "", "not to be used"]),
        luck=st.sampled_from([0.0, 0.5, 0.99]),
    ),
    min_size=1,
    max_size=3,
)

looks = st.lists(
    st.builds(
        Look,
        gives=st.sampled_from([{}, {}, {"A": "1"}, {"A": "3", "B": "1"}]),
        verdict=st.sampled_from(["needed", "needed", "unneeded", "failed"]),
        takes=st.sampled_from([0.0, 0.0, 0.5, 1.0, inf]),
        forced=st.sampled_from(["needed", "needed", "unneeded", "failed"]),
    ),
    min_size=1,
    max_size=3,
)

retries = st.builds(Retry, attempts=st.integers(1, 3), delay=MOMENTS, jitter=st.sampled_from([0.0, 0.5]))
restarts = st.builds(
    Restart, when=st.sampled_from(["never", "on-failure", "always"]), delay=MOMENTS, limit=st.integers(1, 2), window=st.just(9.0)
)
stops = st.builds(
    Stop,
    command=st.sampled_from([None, Command(argv=("quit",))]),
    timeout=st.sampled_from([0.0, 1.0, 2.0]),
    mode=st.sampled_from(["group", "main"]),
)
readiness = st.sampled_from([None, Ready(probe=PROBE), Ready(probe=PROBE, delay=1.0), Ready(delay=1.0)])
patience = st.sampled_from([None, None, 0.5, 2.0])

_fields: dict[str, st.SearchStrategy[Any]] = {
    "optional": st.booleans(),
    "timeout": patience,
    "wait_timeout": patience,
    "retry": retries,
    "restart": restarts,
    "ready": readiness,
    "health": st.sampled_from([None, Health(probe=PROBE, failures=1), Health(probe=PROBE, failures=2)]),
    "stop": stops,
    "conditions": st.sampled_from([None, None, Conditions(exists=("/there",))]),
    "env": st.sampled_from([{}, {}, {"A": "own"}]),
    "locks": st.sampled_from([(), (), ("apt",), ("dpkg",), ("apt", "dpkg"), ("dpkg", "dpkg")]),
}


@st.composite
def dependencies(draw: st.DrawFn, earlier: list[str]) -> tuple[Dependency, ...]:
    """Some of the units before, each by one requirement, the group ``g`` perhaps among them."""
    members = [name for name in earlier if name.startswith("g/")]
    names = [name for name in earlier if name not in members] + (["g"] if members else [])
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
    return tuple(Dependency(unit=name, requires=draw(REQUIRES)) for name in chosen)


@st.composite
def graphs(draw: st.DrawFn, *, plain: bool = False) -> list[Unit]:
    """Up to eight units: the first perhaps in a group, the last perhaps handlers. Plain ones are no services and have no
    other ways to fail than by what their programs do."""
    count = draw(st.integers(1, 8))
    grouped = draw(st.integers(0, min(3, count - 1)))
    handlers = [f"h{number}" for number in range(0 if plain else draw(st.integers(0, 2)))]
    names = [f"g/u{number}" if number < grouped else f"u{number}" for number in range(count)]
    units: list[Unit] = []
    for name in names + handlers:
        kinds = ["oneshot", "oneshot", "oneshot", "target"] if plain else ["oneshot", "service", "target", "external"]
        kind = draw(st.sampled_from(kinds))
        keys = ("optional", "retry", "locks") if plain else tuple(_fields)
        if kind == "external":
            keys = ("optional", "timeout", "wait_timeout", "conditions")
        fields: dict[str, Any] = {key: draw(_fields[key]) for key in keys}
        after = () if name.startswith("g/") else draw(dependencies([unit.name for unit in units if unit.name not in handlers]))
        ends = st.lists(st.sampled_from(handlers), max_size=1).map(tuple) if handlers and name in names else st.just(())
        fields |= {"after": after, "on_success": draw(ends), "on_failure": draw(ends)}
        units.append(make_external(name, **fields) if kind == "external" else make_unit(name, kind=kind, **fields))
    assert not link(units)[1]
    return units


SCRIPTS = ["x", "y", "z"]
"""Units that only scripts know."""


@st.composite
def calls(draw: st.DrawFn, names: list[str]) -> list[tuple[float, str, str, str, str]]:
    """When, what, for which unit, with what more, from whose process tree: any call at any time, scripts' units most often."""
    units = st.sampled_from([*names, *SCRIPTS * 2, "g", ""])
    times = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.5, 6.0, 9.0])
    verbs = st.sampled_from(["want", "want", "want", *CALLS, "start", "gone", "forget"])
    made = []
    for _ in range(draw(st.integers(0, 12))):
        verb, unit = draw(verbs), draw(units)
        more = draw(units) if verb == "want" else draw(st.sampled_from(["", "", "1"])) if verb == "complete" else ""
        made.append((draw(times), verb, unit, more, draw(st.sampled_from(["", unit, "u0"]))))
    return made


@st.composite
def altered(draw: st.DrawFn, units: list[Unit]) -> list[Unit]:
    """What the unit files may say next: some units gone, some changed, some new."""
    kept = [unit for unit in units if draw(st.integers(0, 3))]
    names = {unit.name for unit in kept} | ({"g"} if any(unit.group for unit in kept) else set())
    handlers = {name for unit in kept for name in (*unit.on_success, *unit.on_failure)} & names
    declared = []
    for unit in kept:
        after = tuple(dependency for dependency in unit.after if dependency.unit in names - handlers)
        fields: dict[str, Any] = {"after": after if draw(st.booleans()) else after[1:]}
        fields |= {key: tuple(set(getattr(unit, key)) & names) for key in ("on_success", "on_failure")}
        keys = ("optional", "timeout", "wait_timeout", "conditions") if unit.kind == "external" else tuple(_fields)
        fields |= {key: draw(_fields[key]) for key in draw(st.lists(st.sampled_from(keys), max_size=2, unique=True))}
        declared.append(replace(unit, **fields))
    others = dependencies(sorted(names - handlers - {"g"}))
    new = draw(st.lists(st.sampled_from(["new", "g/new", "x"]), max_size=2, unique=True))
    declared += [make_unit(name, after=() if name == "g/new" else draw(others)) for name in new]
    assume(not link(declared)[1])
    return declared


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A run in which anything may be asked for at any time, and the end is asked for at last."""
    units = draw(graphs())
    names = [unit.name for unit in units]
    world = World(
        units,
        {name: draw(lives) for name in names},
        {name: draw(looks) for name in names},
        jobs=draw(st.sampled_from([None, None, 1, 2])),
        fail_fast=draw(st.sampled_from([False, False, True])),
        keep=draw(st.booleans()),
    )
    for at in draw(st.lists(MOMENTS, max_size=2)):
        world.learn(draw(st.dictionaries(st.sampled_from([*names, "gone"]), MOMENTS, max_size=4)), at=at)
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2)
    world.start(*draw(st.one_of(st.just([]), some)))
    ask: dict[str, Callable[[float], object]] = {
        "start": lambda at: world.start(*draw(some), at=at),
        "stop": lambda at: world.stop(*draw(some), at=at, reason="by hand"),
        "stop all": lambda at: world.stop(at=at),
        "restart": lambda at: world.restart(*draw(some), at=at),
        "retry": lambda at: world.retry(*draw(st.one_of(st.just([]), some)), at=at),
        "reload": lambda at: world.reload(draw(altered(units)), at=at, restart=draw(st.booleans())),
        "kill": lambda at: world.kill(at=at),
    }
    for what in draw(st.lists(st.sampled_from([*ask, "stop", "restart", "reload"]), max_size=4)):
        ask[what](draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 4.5, 6.0, 9.0])))
    for at, verb, unit, more, by in draw(calls([*names, *SCRIPTS])):
        if verb == "gone":
            world.end_script(unit, at=at)
        elif verb == "forget":
            world.forget(draw(st.integers(1, 9)), at=at)
        else:
            world.call(verb, unit, more, at=at, by=by)
    world.stop(at=500.0, reason="enough")
    return world
