"""What is wrong with the names in units, as :mod:`runner.core.graph` tells it, said to people with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from ..core.graph import (
    ConflictingRequires,
    Cycle,
    DisabledDependency,
    Edge,
    EmptyGroup,
    Fault,
    Graph,
    HandlerDependency,
    Origin,
    SelfDependency,
    UnknownName,
)
from ..core.near import nearest
from ..core.words import say_count
from ..errors import Place, Problem
from .values import did_you_mean

FindPlace = Callable[[Origin], Place]

_MOST_SEARCHES: Final = 50
"""Unknown names for which a similar one is looked for. Each search compares all names, and nobody reads thousands of hints."""


def say_faults(faults: Iterable[Fault], graph: Graph, groups: Iterable[str], find_place: FindPlace) -> list[Problem]:
    """A problem for each fault, in the order given.

    An entry that many units have, because it is their group's or their template's, is told of once, of the first of them.
    """
    speaker = _Speaker(graph, sorted(groups), find_place)
    told: dict[tuple[object, ...], list[Problem]] = {}
    for fault in faults:
        problem = speaker.say(fault)
        name = str(fault) if isinstance(fault, Cycle) else getattr(fault, "name", "")
        told.setdefault((type(fault), name, problem.where, problem.also), []).append(problem)
    return [_say_many(problems) for problems in told.values()]


def _say_many(problems: list[Problem]) -> Problem:
    first, more = problems[0], len(problems) - 1
    return replace(first, what=f"{first.what}; the same goes for {say_count(more, 'more unit')}") if more else first


class _Speaker:
    def __init__(self, graph: Graph, groups: list[str], find_place: FindPlace) -> None:
        self.graph = graph
        self.groups = groups
        self.known = [*graph.units, *groups]
        self.by_last = {known.rpartition("/")[2]: known for known in reversed(self.known)}
        self.find_place = find_place
        self.near: dict[str, str] = {}
        """The hints that were found so far, by the unknown name."""

    def say(self, fault: Fault) -> Problem:
        match fault:
            case UnknownName(origin, name):
                what = f'cannot find {"an instance" if name.endswith("@*") else "the unit"} "{name}" {_role(origin)}'
                return Problem(what, self.find_place(origin), self._hint(origin, name))
            case EmptyGroup(origin, name):
                hint = "units that only on-success or on-failure starts do not count"
                where = "among the instances" if name.endswith("@*") else "in the group"
                return Problem(f'cannot find a unit {where} "{name}" {_role(origin)}', self.find_place(origin), hint)
            case SelfDependency(origin, name):
                return self._self(origin, name)
            case ConflictingRequires(first, second):
                return self._conflict(first, second)
            case HandlerDependency(origin, name):
                return self._handler(origin, name)
            case DisabledDependency(origin, name):
                what = f'cannot use "{name}" in "{origin.key}" of "{origin.unit}": it is disabled, so this entry has no effect'
                return Problem(what, self.find_place(origin), "remove the entry, or enable the unit", "warning")
            case Cycle(edges):
                also = tuple((_say_edge(edge), self.find_place(edge.origin)) for edge in edges[1:])
                what = f"cannot order the units: dependency cycle: {fault}"
                return Problem(what, self.find_place(edges[0].origin), "remove one of these entries", also=also)
        raise AssertionError(fault)

    def _hint(self, origin: Origin, name: str) -> str:
        if name in self.groups and origin.key in ("on-success", "on-failure"):
            return "it is a group: name its units"
        if name.endswith(("@", "@*")):
            return self._hint_of_template(name.removesuffix("*"))
        if name not in self.near and len(self.near) < _MOST_SEARCHES:
            self.near[name] = did_you_mean(name, self.known) or self._hint_of_last_segment(name)
        return self.near.get(name) or f'write {name}.toml; what only a script brings is declared there with type = "external"'

    def _hint_of_template(self, template: str) -> str:
        if any(unit.startswith(template) for unit in self.graph.units):
            return f'it is a template: write "{template}*" for all of its instances, or the name of one'
        templates = {name[: name.index("@") + 1] for name in self.graph.units if "@" in name}
        near = nearest(template, templates)
        return f'did you mean "{near}*"?' if near else f"write {template}.toml, with its instances"

    def _hint_of_last_segment(self, name: str) -> str:
        """Names are whole: ``install`` is not found beside a unit of its group, where ``editor/install`` is meant."""
        near = nearest(name.rpartition("/")[2], self.by_last)
        return f'did you mean "{self.by_last[near]}"?' if near else ""

    def _self(self, origin: Origin, name: str) -> Problem:
        if origin.key in ("on-success", "on-failure"):
            what, hint = f'cannot let "{name}" start itself', 'to run it again, see "retry" and "restart"'
        elif name == origin.unit:
            what, hint = f'cannot let "{name}" wait for itself', "remove the entry"
        else:
            pair = (origin.unit, name) if origin.key == "after" else (name, origin.unit)
            why = "all instances and one of them" if name.endswith("@*") else "a group and its member"
            what, hint = f'cannot let "{pair[0]}" wait for "{pair[1]}": {why}', "name the units that are meant"
        return Problem(what, self.find_place(origin), hint)

    def _conflict(self, first: Edge, second: Edge) -> Problem:
        what = f'cannot tell what "{first.unit}" needs of "{first.dependency}": "{first.requires}" or "{second.requires}"'
        also = ((f'"{first.requires}" is asked here', self.find_place(first.origin)),)
        return Problem(what, self.find_place(second.origin), "keep one of the two entries", also=also)

    def _handler(self, origin: Origin, name: str) -> Problem:
        waiting, handler = (origin.unit, name) if origin.key == "after" else (name, origin.unit)
        also = tuple((f'"{entry.unit}" starts it', self.find_place(entry)) for entry in self._starters(handler))
        who = "every unit" if waiting == "*" else f'"{waiting}"'
        what = f'cannot let {who} wait for "{handler}": it starts only when another unit has ended'
        return Problem(what, self.find_place(origin), also=also)

    def _starters(self, handler: str) -> Iterable[Origin]:
        for unit in self.graph.units.values():
            for index, name in enumerate(unit.on_success):
                if name == handler:
                    yield Origin(unit.name, "on-success", index)
            for index, name in enumerate(unit.on_failure):
                if name == handler:
                    yield Origin(unit.name, "on-failure", index)


def _role(origin: Origin) -> str:
    if origin.key == "after":
        return f'that "{origin.unit}" is to wait for'
    if origin.key == "before":
        return f'that is to wait for "{origin.unit}"'
    return f'that "{origin.unit}" is to start'


def _say_edge(edge: Edge) -> str:
    return f'"{edge.unit}" waits for "{edge.dependency}"'
