"""Puts units into the tree of their groups, for drawings that draw one around the other."""

from __future__ import annotations

from msgspec import Struct

from ...core.graph import Graph
from ...core.unit import Unit


class Group(Struct):
    """A group with its own units and the groups in it."""

    name: str
    number: int
    units: list[Unit] = []
    groups: dict[str, Group] = {}


def group_tree(graph: Graph) -> Group:
    """The group without a name, with all others in it."""
    groups = [Group("", 0)]
    for unit in graph.units.values():
        group = groups[0]
        for segment in unit.name.split("/")[:-1]:
            if segment not in group.groups:
                groups.append(Group(f"{group.name}/{segment}".removeprefix("/"), len(groups)))
                group.groups[segment] = groups[-1]
            group = group.groups[segment]
        group.units.append(unit)
    return groups[0]
