"""What units give to the units after them: who gets which value, and where it cannot be told which.

A unit gives values by name when it lets its dependents go. Each is for every unit that depends on it, directly or not, along
all edges there are, those of scripts too. What lies between, a target or a unit without need, passes on what is before it.

Where several units before one give the same name, the last of them counts: who depends on another, directly or not, comes
after it and has had its value to go by. Where neither of two depends on the other nobody can say which is meant. Equal values
do no harm then; others are a :class:`Conflict`, unless the unit that would get them sets the name itself.

What a unit with ``user`` gives is for units with the same ``user`` alone. A variable can make a program load a library or find
another program, so a unit that gives one to another user's acts as that user; a unit of the supervisor's own user may do that.

What a unit gave is its own until it gives anew, or ends without success: a service that is being restarted keeps its port
until it says another one. A unit that runs keeps what it was started with.

How it is found
===============

As long as nobody gives anything, nothing is looked at. Else it is remembered of a unit which units before it give each name,
all of them, because which of them is the last is seen from what is remembered of these: whoever is before another giver of
the name is not. What is remembered of a unit is made of what is remembered of its dependencies, so a unit of which nothing
is remembered has no dependents of which anything is. So when the names change that a unit gives, or an edge comes, the way to
those that must be forgotten ends at the first of which there is nothing to forget: in a startup, where whoever comes later
has not been looked at yet, at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping
from typing import Final

from msgspec import Struct

from .graph import Graph

_Givers = Mapping[str, frozenset[str]]
"""By name, all units before one that give it."""

NOTHING: Final[Mapping[str, str]] = {}


class Conflict(Struct, frozen=True):
    """Two units give a name different values, and neither depends on the other. The values may be secret, and are not told."""

    name: str
    units: tuple[str, str]

    def __str__(self) -> str:
        one, other = self.units
        return f'cannot tell what {self.name} is: "{one}" and "{other}" say different things, and neither depends on the other'


class Values:
    """The values that the units of a graph give."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._given: dict[str, Mapping[str, str]] = {}
        self._before: dict[str, _Givers] = {}
        """What is remembered of units. Where there is an entry, there is one for each unit before it."""

    def give(self, unit: str, values: Mapping[str, str]) -> None:
        """A unit gives these values from now on, and no others any more.

        So does one that need not run, for which somebody kept what it gave when it last succeeded.
        """
        names = self.given(unit).keys()
        if values:
            self._given[unit] = values
        else:
            self._given.pop(unit, None)
        if names != values.keys():
            self._forget(self._graph.dependents[unit])

    def given(self, unit: str) -> Mapping[str, str]:
        """What a unit gives now, in the order in which it said so."""
        return self._given.get(unit, NOTHING)

    def received(self, unit: str, own: Container[str] = ()) -> Mapping[str, str] | Conflict:
        """What a unit gets that is started now. ``own`` are the names that it sets itself, of which nothing need be told."""
        if not self._given:
            return NOTHING
        received = {}
        for name, givers in sorted(self._givers_before(unit).items()):
            if name in own:
                continue
            heard = self._heard(unit, givers)
            if not heard:
                continue
            first, *others = self._last(name, heard)
            value = self._given[first][name]
            for other in others:
                if self._given[other][name] != value:
                    return Conflict(name, (first, other))
            received[name] = value
        return received

    def take_edges(self, unit: str) -> None:
        """What a unit depends on has changed."""
        self._forget([unit])

    def take_graph(self, graph: Graph) -> None:
        """Another graph takes the place of the one there was."""
        self._graph = graph
        self._before.clear()

    def _heard(self, unit: str, givers: frozenset[str]) -> frozenset[str]:
        """Those whose values a unit gets."""
        user = self._user(unit)
        return frozenset(giver for giver in givers if self._user(giver) in ("", user))

    def _user(self, unit: str) -> str:
        """Empty for the supervisor's, and for what scripts bring."""
        declared = self._graph.units.get(unit)
        return declared.user if declared else ""

    def _last(self, name: str, givers: frozenset[str]) -> list[str]:
        """Those who are not before any other one that gives the name too."""
        if len(givers) == 1:
            return list(givers)
        return sorted(givers.difference(*(self._before[giver].get(name, ()) for giver in givers)))

    def _givers_before(self, unit: str) -> _Givers:
        """Recall what is remembered of a unit, or find it, from the dependencies up; a graph can be too deep for recursion."""
        way = [unit]
        while way:
            missing = [name for name in self._graph.after[way[-1]] if name not in self._before]
            if missing:
                way += missing
            else:
                name = way.pop()
                if name not in self._before:
                    self._before[name] = self._join(name)
        return self._before[unit]

    def _join(self, unit: str) -> _Givers:
        """What the dependencies of a unit know and give. Where only one does, and gives nothing itself, it is the same."""
        all_known = {id(known): known for name in self._graph.after[unit] if (known := self._known_after(name))}
        if len(all_known) == 1:
            return next(iter(all_known.values()))
        joined: dict[str, frozenset[str]] = {}
        for known in all_known.values():
            for name, givers in known.items():
                there = joined.setdefault(name, givers)
                if there is not givers:
                    joined[name] = there | givers
        return joined

    def _known_after(self, unit: str) -> _Givers:
        """What is to be known after a unit: what is known before it, and what it gives."""
        known = self._before[unit]
        names = self._given.get(unit)
        if not names:
            return known
        return {**known, **{name: known.get(name, frozenset()) | {unit} for name in names}}

    def _forget(self, units: Iterable[str]) -> None:
        """Forget what is remembered of units, and of all after them."""
        queue = deque(units)
        while queue:
            name = queue.popleft()
            if self._before.pop(name, None) is not None:
                queue.extend(self._graph.dependents[name])
