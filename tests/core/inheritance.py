"""Who gets which value, told anew in the plainest way: by a look at all that a unit depends on."""

from __future__ import annotations

from collections.abc import Container, Mapping

from runner.core.graph import Graph

Given = Mapping[str, Mapping[str, str]]
"""What each unit gives."""


def inherit(graph: Graph, given: Given, unit: str, own: Container[str] = ()) -> dict[str, str] | str:
    """What a unit gets, or the first name of which nobody can say what it is."""
    before = graph.closure(graph.after[unit])
    received: dict[str, str] = {}
    for name in sorted({name for other in before for name in given.get(other, {})}):
        if name in own:
            continue
        givers = {other for other in before if name in given.get(other, {})}
        last = {one for one in givers if not any(one in graph.closure(graph.after[other]) for other in givers)}
        values = {given[one][name] for one in last}
        if len(values) > 1:
            return name
        received[name] = values.pop()
    return received
