"""What the journal says of a graph: each unit with its dependencies, for readers who have no unit files at hand."""

from __future__ import annotations

from .event import Declaration, Need
from .graph import Edge, Graph


def declarations(graph: Graph) -> tuple[Declaration, ...]:
    """What is declared of every unit, in the order of the graph."""
    return tuple(
        Declaration(
            unit=unit.name,
            kind=unit.kind,
            description=unit.description,
            optional=unit.optional,
            is_handler=unit.name in graph.handlers,
            after=tuple(map(_need, graph.after[unit.name].values())),
            locks=unit.locks,
            on_success=unit.on_success,
            on_failure=unit.on_failure,
        )
        for unit in graph.units.values()
    )


def _need(edge: Edge) -> Need:
    return Need(unit=edge.dependency, requires=edge.requires, lenient=edge.lenient)
