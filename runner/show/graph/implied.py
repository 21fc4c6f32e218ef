"""Finds the edges of a graph that say nothing new, so that a drawing can hold them back."""

from __future__ import annotations

from ...core.graph import Edge, Graph


def implied_edges(graph: Graph) -> set[tuple[str, str]]:
    """The pairs of a unit and its dependency where the unit waits for that anyway, because of another dependency.

    Where an edge asks for success, every edge of the other way must do so too. The graph must have no cycle.
    """
    bits = {name: 1 << number for number, name in enumerate(graph.units)}
    before: dict[str, int] = {}
    """All that is over when a unit starts, one bit for each."""
    succeeded: dict[str, int] = {}
    """And what has then succeeded for certain."""
    implied = set()
    for name in graph.order():
        edges = graph.after[name].values()
        over = good = ended = sure = 0
        for edge in edges:
            over |= before[edge.dependency]
            ended |= before[edge.dependency] | bits[edge.dependency]
            if _asks_for_success(edge):
                good |= succeeded[edge.dependency]
                sure |= succeeded[edge.dependency] | bits[edge.dependency]
        implied |= {
            (name, edge.dependency) for edge in edges if bits[edge.dependency] & (good if _asks_for_success(edge) else over)
        }
        before[name], succeeded[name] = ended, sure
    return implied


def _asks_for_success(edge: Edge) -> bool:
    return edge.requires == "success" and not edge.lenient
