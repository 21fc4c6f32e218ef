"""Draws a graph as a tree for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ...core.graph import Edge, Graph
from ...core.unit import Unit
from ..text import printable
from ..trigger import Trigger, triggers_of
from .edges import note_of


class _Branch(Struct, frozen=True):
    """A line of the tree that is still to be drawn."""

    unit: str
    first: str
    """What stands before the name."""
    further: str
    """What stands before all that is below it."""
    note: str


def render_text(graph: Graph) -> str:
    """A tree for every unit that nothing waits for, with what it waits for below it. The graph must have no cycle.

    What a unit waits for is drawn once, where the unit first appears; later it says that this is to be seen above.
    """
    triggers = triggers_of(graph)
    lines: list[str] = []
    drawn: set[str] = set()
    # A stack of our own, the next branch last: a chain of units may be deeper than Python's stack.
    stack = [_Branch(name, "", "", "") for name in reversed(graph.units) if not graph.dependents[name]]
    while stack:
        branch = stack.pop()
        edges = list(graph.after[branch.unit].values())
        is_above = branch.unit in drawn and bool(edges)
        label = _label(graph.units[branch.unit], triggers.get(branch.unit, ()), branch.note, is_above)
        lines.append(f"{branch.first}{label}\n")
        if branch.unit not in drawn:
            drawn.add(branch.unit)
            stack += reversed(list(_branches(edges, branch.further)))
    return "".join(lines)


def _branches(edges: Sequence[Edge], indent: str) -> Iterator[_Branch]:
    for edge in edges:
        fork, line = ("└─ ", "   ") if edge is edges[-1] else ("├─ ", "│  ")
        yield _Branch(edge.dependency, indent + fork, indent + line, note_of(edge))


def _label(unit: Unit, triggers: Sequence[Trigger], note: str, is_above: bool) -> str:
    words = [
        *([unit.kind] if unit.kind != "oneshot" else []),
        *(["optional"] if unit.optional else []),
        *([note] if note else []),
        *(["if " + " or ".join(map(str, triggers))] if triggers else []),
        *(["see above"] if is_above else []),
    ]
    return printable(f"{unit.name} ({', '.join(words)})" if words else unit.name)
