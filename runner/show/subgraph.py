"""Takes from a graph the part that some names are about."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.graph import Graph


def subgraph(graph: Graph, names: Iterable[str]) -> Graph:
    """Units and groups with all that they depend on, and all that may start because one of these succeeds or fails."""
    kept: set[str] = set()
    new = graph.select(names)
    while new:
        reached = graph.closure(new) - kept
        kept |= reached
        new = {handler for name in reached for handler in _handlers(graph, name)} - kept
    part = Graph(unit for name, unit in graph.units.items() if name in kept)
    for name in part.units:
        for edge in graph.after[name].values():
            part.add(edge)
    return part


def _handlers(graph: Graph, name: str) -> tuple[str, ...]:
    unit = graph.units[name]
    return (*unit.on_success, *unit.on_failure)
