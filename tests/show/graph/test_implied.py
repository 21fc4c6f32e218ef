from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.core.graph import Graph, link
from runner.core.unit import Dependency, Unit
from runner.show.graph.implied import implied_edges
from tests.show.units import graph, unit

NAMES = [f"u{number}" for number in range(7)]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    units = []
    for number, name in enumerate(NAMES):
        chosen = draw(st.lists(st.sampled_from(NAMES[:number]), unique=True, max_size=4)) if number else []
        after = tuple(Dependency(unit=other, requires=draw(st.sampled_from(["success", "completion"]))) for other in chosen)
        units.append(Unit(name=name, kind="oneshot", after=after))
    linked, faults = link(units)
    assert not faults
    return linked


def ways(graph: Graph, unit: str, dependency: str) -> list[list[str]]:
    """What each way from a unit to another asks for, step by step."""
    found: list[list[str]] = []
    for other, edge in graph.after[unit].items():
        if other == dependency:
            found.append([edge.requires])
        found += [[edge.requires, *way] for way in ways(graph, other, dependency)]
    return found


@given(graphs())
def test_an_edge_is_implied_where_another_way_asks_for_as_much(graph: Graph) -> None:
    expected = set()
    for name, edges in graph.after.items():
        for edge in edges.values():
            others = [way for way in ways(graph, name, edge.dependency) if len(way) > 1]
            if any(edge.requires == "completion" or "completion" not in way for way in others):
                expected.add((name, edge.dependency))
    assert implied_edges(graph) == expected


def test_what_may_fail_makes_sure_of_nothing() -> None:
    optional = graph(unit("a"), unit("g/x", "a", optional=True), unit("b", "g", "a"), unit("c", "b", "g"))
    assert implied_edges(optional) == {("c", "g/x")}
