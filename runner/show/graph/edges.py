"""What all drawings say of edges."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.graph import Edge, Graph


def note_of(edge: Edge) -> str:
    """What an edge asks for, where it is not the usual success."""
    if edge.requires == "completion":
        return "completion"
    return "may fail" if edge.lenient else ""


def edges_of(graph: Graph) -> Iterator[Edge]:
    """All edges, by the unit that waits."""
    for edges in graph.after.values():
        yield from edges.values()
