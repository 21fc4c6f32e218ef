"""Units and edges: order, cycles as paths, closures, layers, the critical path.

An edge says that a unit waits for a dependency. It comes from an entry of ``after``, or of ``before`` on the other side, and
remembers which (its :class:`Origin`), so that whoever knows the files can say where. A name that is a group stands for its
members, and ``a@*`` for all units whose names begin with ``a@``, the instances of a template; ``before = ["*"]`` stands for
every unit that this one does not itself depend on.

:func:`link` makes the graph of a set of units and tells, as data, all that is wrong with their names. It never raises: what
a fault means to a person is said by the layer that knows the files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import Literal

from msgspec import Struct

from .names import prefix_of
from .unit import Dependency, Requires, Unit

OriginKey = Literal["after", "before", "on-success", "on-failure", "want"]
"""The key of the unit file, or the call of the sync socket, that named the other unit."""


class Origin(Struct, frozen=True, order=True):
    """The entry of a unit that speaks of another."""

    unit: str
    key: OriginKey
    index: int


class Edge(Struct, frozen=True):
    """``unit`` waits for ``dependency``."""

    unit: str
    dependency: str
    requires: Requires
    origin: Origin
    lenient: bool = False
    """The dependency is an optional member of the group that was named: its failure is put aside."""
    restart: bool = False
    """The unit is restarted where somebody restarts the dependency."""


class Fault(Struct, frozen=True):
    """Something that is wrong with the names that units use."""


class UnknownName(Fault, frozen=True):
    """Neither a unit nor a group has this name."""

    origin: Origin
    name: str


class EmptyGroup(Fault, frozen=True):
    """The name is that of a group without members, or stands for instances all of which start only when another ended so."""

    origin: Origin
    name: str


class SelfDependency(Fault, frozen=True):
    """A unit names itself, or what stands for it among others: a group that it belongs to, all instances of its template."""

    origin: Origin
    name: str


class ConflictingRequires(Fault, frozen=True):
    """Two entries ask different things of the same dependency."""

    first: Edge
    second: Edge


class HandlerDependency(Fault, frozen=True):
    """A unit that starts by itself waits for one that starts only when another ended so."""

    origin: Origin
    name: str


class DisabledDependency(Fault, frozen=True):
    """The unit named is there but disabled; the entry has no effect."""

    origin: Origin
    name: str


class Cycle(Fault, frozen=True):
    """Units that wait for each other: each edge's dependency is the next edge's unit, and the last leads to the first."""

    edges: tuple[Edge, ...]

    def __str__(self) -> str:
        return " -> ".join([*(edge.unit for edge in self.edges), self.edges[0].unit])


class Graph:
    """Units by name, what each waits for, and who waits for each; in the order in which the units were given."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units: dict[str, Unit] = {unit.name: unit for unit in units}
        self.after: dict[str, dict[str, Edge]] = {name: {} for name in self.units}
        """``after[unit][dependency]``"""
        self.dependents: dict[str, dict[str, Edge]] = {name: {} for name in self.units}
        """``dependents[dependency][unit]``"""
        self.handlers: frozenset[str] = frozenset(
            name for unit in self.units.values() for name in (*unit.on_success, *unit.on_failure)
        )
        """Units that start only when another ended so."""

    def add_unit(self, unit: Unit) -> None:
        """Insert a unit that waits for nothing; one of the same name is replaced, for those too who wait for it."""
        for dependency in self.after.get(unit.name, ()):
            del self.dependents[dependency][unit.name]
        self.units[unit.name] = unit
        self.after[unit.name] = {}
        self.dependents.setdefault(unit.name, {})

    def add(self, edge: Edge) -> None:
        """Insert an edge; one between the same two is replaced."""
        self.after[edge.unit][edge.dependency] = edge
        self.dependents[edge.dependency][edge.unit] = edge

    def members(self, group: str) -> list[str]:
        """The units below a group, or that ``a@*`` stands for, handlers aside: these start by themselves or not at all."""
        prefix = prefix_of(group)
        return [name for name in self.units if name.startswith(prefix) and name not in self.handlers]

    def select(self, names: Iterable[str]) -> set[str]:
        """The units that names stand for: units as they are, groups as their members. Unknown names stand for nothing."""
        return {unit for name in names for unit in ([name] if name in self.units else self.members(name))}

    def closure(self, names: Iterable[str]) -> set[str]:
        """Units and all that they wait for, directly or not."""
        return _reach(names, self.after)

    def dependents_closure(self, names: Iterable[str]) -> set[str]:
        """Units and all that wait for them, directly or not."""
        return _reach(names, self.dependents)

    def restarted_with(self, names: Iterable[str]) -> set[str]:
        """Units and all that ask to be restarted with them, directly or not."""
        asking = ((name, edges.items()) for name, edges in self.dependents.items())
        return _reach(names, {name: {unit: edge for unit, edge in edges if edge.restart} for name, edges in asking})

    def path(self, start: str, goal: str) -> list[Edge] | None:
        """A shortest way along ``after`` of at least one edge, or None where there is none."""
        came_by: dict[str, Edge] = {}
        queue = deque([start])
        while queue:
            for dependency, edge in self.after[queue.popleft()].items():
                if dependency in came_by:
                    continue
                came_by[dependency] = edge
                if dependency == goal:
                    return _walk_back(came_by, start, goal)
                queue.append(dependency)
        return None

    def order(self) -> list[str]:
        """All units, dependencies first, else in the order given. Units of a cycle and behind one are left out."""
        place = {name: number for number, name in enumerate(self.units)}
        unmet = {name: len(edges) for name, edges in self.after.items()}
        free = [place[name] for name, count in unmet.items() if not count]
        heapify(free)
        names, ordered = list(self.units), []
        while free:
            name = names[heappop(free)]
            ordered.append(name)
            for dependent in self.dependents[name]:
                unmet[dependent] -= 1
                if not unmet[dependent]:
                    heappush(free, place[dependent])
        return ordered

    def layers(self) -> list[list[str]]:
        """Units by the length of the longest way to one that waits for nothing."""
        depth: dict[str, int] = {}
        for name in self.order():
            depth[name] = 1 + max((depth[dependency] for dependency in self.after[name]), default=-1)
        layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for name in self.units:
            if name in depth:
                layers[depth[name]].append(name)
        return layers

    def critical_path(self, durations: Mapping[str, float]) -> list[str]:
        """The chain whose durations add up to the most, first unit first. Units without a duration take no time."""
        total: dict[str, float] = {}
        before: dict[str, str | None] = {}
        for name in self.order():
            slowest = max(self.after[name], key=lambda dependency: total[dependency], default=None)
            before[name] = slowest
            total[name] = durations.get(name, 0.0) + (total[slowest] if slowest else 0.0)
        chain: list[str] = []
        name_or_end = max(total, key=lambda name: total[name], default=None)
        while name_or_end is not None:
            chain.append(name_or_end)
            name_or_end = before[name_or_end]
        return chain[::-1]

    def ways(self, durations: Mapping[str, float]) -> dict[str, float]:
        """For each unit the most that the durations of it and of a chain of its dependents add up to.

        Units without a duration take no time. Units of a cycle and behind one are left out.
        """
        found: dict[str, float] = {}
        for name in reversed(self.order()):
            longest = max((found.get(dependent, 0.0) for dependent in self.dependents[name]), default=0.0)
            found[name] = durations.get(name, 0.0) + longest
        return found

    def cycles(self) -> list[Cycle]:
        """One cycle, as short as can be, of every knot of units that wait for each other."""
        knotted = set(self.units) - set(self.order())
        found: list[Cycle] = []
        for name in self.units:
            if name in knotted and (way := self.path(name, name)):
                found.append(Cycle(tuple(way)))
                knotted -= self.closure([name]) & self.dependents_closure([name])
        return found


def link(units: Iterable[Unit], *, groups: Iterable[str] = (), disabled: Iterable[str] = ()) -> tuple[Graph, list[Fault]]:
    """The graph of all units, and all that is wrong with the names in them, cycles last.

    ``groups`` are the names of groups known to exist, with members or without; ``disabled`` those of units that are masked
    and not among ``units``. Entries with a fault make no edge.
    """
    linker = _Linker(Graph(units), frozenset(groups), frozenset(disabled))
    linker.link()
    return linker.graph, [*linker.faults, *linker.graph.cycles()]


class _Linker:
    def __init__(self, graph: Graph, groups: frozenset[str], disabled: frozenset[str]) -> None:
        self.graph = graph
        self.groups = groups
        self.disabled = disabled
        self.faults: list[Fault] = []

    def link(self) -> None:
        everything = [
            unit
            for unit in self.graph.units.values()
            if unit.name not in self.graph.handlers and any(entry.unit == "*" for entry in unit.before)
        ]
        for unit in self.graph.units.values():
            self._link_entries(unit, "after", unit.after)
            self._link_entries(unit, "before", unit.before)
            self._check_handlers(unit)
        explicit = {unit.name: self.graph.closure([unit.name]) for unit in everything}
        for unit in everything:
            spared = explicit[unit.name].union(explicit)
            self._link_before_all(unit, spared)

    def _link_entries(self, unit: Unit, key: Literal["after", "before"], entries: tuple[Dependency, ...]) -> None:
        for index, entry in enumerate(entries):
            origin = Origin(unit.name, key, index)
            others = [] if entry.unit == "*" and key == "before" else self._resolve(origin, entry.unit)
            if key == "before" and self._makes_others_wait_for_handler(unit.name, entry.unit, others):
                self.faults.append(HandlerDependency(origin, entry.unit))
                continue
            for other in others:
                target = self.graph.units[other]
                lenient = entry.unit != other and key == "after" and target.optional
                pair = (unit.name, other) if key == "after" else (other, unit.name)
                self._add(Edge(*pair, entry.requires, origin, lenient, entry.restart))

    def _resolve(self, origin: Origin, name: str) -> list[str]:
        """The units that a name stands for; where it stands for none, that is a fault."""
        if name == origin.unit or origin.unit.startswith(prefix_of(name)):
            self.faults.append(SelfDependency(origin, name))
        elif name in self.graph.units:
            if origin.key == "after" and name in self.graph.handlers and origin.unit not in self.graph.handlers:
                self.faults.append(HandlerDependency(origin, name))
            else:
                return [name]
        elif members := self.graph.members(name):
            return members
        elif self._is_disabled(name):
            self.faults.append(DisabledDependency(origin, name))
        elif name in self.groups or any(other.startswith(prefix_of(name)) for other in self.graph.units):
            self.faults.append(EmptyGroup(origin, name))
        else:
            self.faults.append(UnknownName(origin, name))
        return []

    def _is_disabled(self, name: str) -> bool:
        if name.endswith("@*"):
            return any(other.startswith(prefix_of(name)) for other in self.disabled)
        return name in self.disabled

    def _makes_others_wait_for_handler(self, unit: str, name: str, others: list[str]) -> bool:
        return unit in self.graph.handlers and (name == "*" or not self.graph.handlers.issuperset(others))

    def _add(self, edge: Edge) -> None:
        """An entry that names the unit outweighs one that names its group, whichever comes first."""
        known = self.graph.after[edge.unit].get(edge.dependency)
        if known is None or (known.lenient and not edge.lenient):
            self.graph.add(edge)
        elif known.lenient == edge.lenient and known.requires != edge.requires:
            self.faults.append(ConflictingRequires(known, edge))

    def _check_handlers(self, unit: Unit) -> None:
        lists: tuple[tuple[OriginKey, tuple[str, ...]], ...] = (("on-success", unit.on_success), ("on-failure", unit.on_failure))
        for key, names in lists:
            for index, name in enumerate(names):
                origin = Origin(unit.name, key, index)
                if name == unit.name:
                    self.faults.append(SelfDependency(origin, name))
                elif self._is_disabled(name):
                    self.faults.append(DisabledDependency(origin, name))
                elif name not in self.graph.units:
                    self.faults.append(UnknownName(origin, name))

    def _link_before_all(self, unit: Unit, spared: set[str]) -> None:
        """Units with ``*`` leave each other alone: which of them is first, only an explicit edge can say."""
        index, entry = next((index, entry) for index, entry in enumerate(unit.before) if entry.unit == "*")
        origin = Origin(unit.name, "before", index)
        for other in self.graph.units:
            if other not in spared and unit.name not in self.graph.after[other]:
                self.graph.add(Edge(other, unit.name, entry.requires, origin))


def _reach(names: Iterable[str], edges: Mapping[str, Mapping[str, Edge]]) -> set[str]:
    seen = {name for name in names if name in edges}
    queue = deque(seen)
    while queue:
        for name in edges[queue.popleft()]:
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return seen


def _walk_back(came_by: Mapping[str, Edge], start: str, goal: str) -> list[Edge]:
    def steps() -> Iterator[Edge]:
        edge = came_by[goal]
        yield edge
        while edge.unit != start:
            edge = came_by[edge.unit]
            yield edge

    return list(steps())[::-1]
