from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.core.graph import Edge, Graph, Origin, link
from runner.core.unit import Dependency, Unit
from runner.core.values import Conflict, Values

from .inheritance import inherit
from .test_properties import Counted, chain, fan
from .world import make_unit


def made(*units: Unit) -> Values:
    return Values(link(units)[0])


def after(name: str, *names: str, **fields: Any) -> Unit:
    return make_unit(name, after=tuple(Dependency(unit=one) for one in names), **fields)


def test_what_a_unit_gives_is_its_own_until_it_gives_anew() -> None:
    values = made(after("a"), after("b", "a"))
    assert values.given("a") == {}
    values.give("a", {"X": "1", "Y": "2"})
    assert values.received("b") == {"X": "1", "Y": "2"}
    values.give("a", {"X": "3"})
    assert (values.given("a"), values.received("a"), values.received("b")) == ({"X": "3"}, {}, {"X": "3"})
    values.give("a", {"X": "4"})
    assert values.received("b") == {"X": "4"}
    values.give("a", {})
    assert (values.given("a"), values.received("b")) == ({}, {})


def test_of_two_the_later_counts_whichever_way_it_is_met_first() -> None:
    units = [after("a"), after("between", "a"), after("b", "between"), after("c", "a", "b"), after("d", "b", "a")]
    values = made(*units)
    values.give("b", {"X": "later"})
    values.give("a", {"X": "earlier"})
    assert (values.received("c"), values.received("d")) == ({"X": "later"}, {"X": "later"})
    values.give("b", {})
    assert values.received("d") == {"X": "earlier"}


def test_a_conflict_names_the_units_and_tells_no_secret() -> None:
    values = made(after("b"), after("a"), after("c", "b", "a"), after("d", "c"))
    values.give("a", {"X": "one", "TOKEN": "secret"})
    values.give("b", {"X": "one", "TOKEN": "hidden"})
    conflict = values.received("d")
    assert conflict == Conflict("TOKEN", ("a", "b"))
    assert str(conflict) == 'cannot tell what TOKEN is: "a" and "b" say different things, and neither depends on the other'
    assert values.received("d", own=["TOKEN"]) == {"X": "one"}
    values.give("c", {"TOKEN": "known"})
    assert values.received("d") == {"TOKEN": "known", "X": "one"}


def test_a_unit_of_another_user_gives_to_that_user_alone() -> None:
    units = [after("ours"), after("theirs", "ours", user="ann"), after("root", "theirs"), after("ann", "theirs", user="ann")]
    values = made(*units, after("bob", "theirs", user="bob"))
    values.give("ours", {"PATH": "/bin", "X": "1"})
    values.give("theirs", {"PATH": "/home/ann/bin", "LD_PRELOAD": "/home/ann/lib"})
    assert values.received("ann") == {"LD_PRELOAD": "/home/ann/lib", "PATH": "/home/ann/bin", "X": "1"}
    assert values.received("root") == values.received("bob") == {"PATH": "/bin", "X": "1"}


def test_an_edge_that_comes_brings_what_is_before_it() -> None:
    values = made(after("a"), after("b"), after("c", "b"))
    values.give("a", {"X": "1"})
    assert values.received("c") == {}
    graph = link([after("a"), after("b", "a"), after("c", "b")])[0]
    values.take_graph(graph)
    assert values.received("c") == {"X": "1"}


@st.composite
def moves(draw: st.DrawFn) -> list[tuple[str, int, Any]]:
    """Gifts, edges and looks, in any order, over eight units of which each can wait for those before it."""
    unit = st.integers(0, 7)
    gift = st.dictionaries(st.sampled_from("XYZ"), st.sampled_from("12"))
    move = st.one_of(
        st.tuples(st.just("give"), unit, gift),
        st.tuples(st.just("edge"), unit, unit),
        st.tuples(st.just("look"), unit, st.sets(st.just("X"))),
    )
    return draw(st.lists(move, max_size=40))


@given(moves())
def test_whatever_happens_it_is_as_a_look_at_all_would_tell(moves: list[tuple[str, int, Any]]) -> None:
    graph = Graph([make_unit(f"u{number}") for number in range(8)])
    values, all_given = Values(graph), {}
    for verb, number, more in moves:
        unit = f"u{number}"
        if verb == "give":
            values.give(unit, more)
            all_given[unit] = more
        elif verb == "edge" and more < number:
            graph.add(Edge(unit, f"u{more}", "success", Origin(unit, "want", 0)))
            values.take_edges(unit)
        elif verb == "look":
            received = values.received(unit, own=more)
            assert (received.name if isinstance(received, Conflict) else received) == inherit(graph, all_given, unit, more)


@given(st.permutations(range(6)), st.permutations(range(6)))
def test_it_does_not_matter_who_gave_first_or_is_named_first(gifts: list[int], names: list[int]) -> None:
    units = [after("u0"), after("u1", "u0"), after("u2", "u1"), after("u3", "u0"), after("u4"), after("u5", "u4")]
    values = made(*units, after("last", *(f"u{number}" for number in names)))
    for number in gifts:
        values.give(f"u{number}", {f"X{number // 3}": str(number), "Y": "same"})
    assert values.received("last") == Conflict("X1", ("u3", "u5"))
    assert values.received("last", own=["X1"]) == {"X0": "2", "Y": "same"}


def looks_of(units: list[Unit], givers: set[str]) -> int:
    """How often an edge is looked at in a startup in which each unit gives when its turn has come."""
    graph = link(units)[0]
    for neighbours in (graph.after, graph.dependents):
        neighbours.update({name: Counted(found) for name, found in neighbours.items()})
    values = Values(graph)
    order = graph.order()
    Counted.looks = 0
    for name in order:
        assert not isinstance(values.received(name), Conflict)
        values.give(name, {"X": "1"} if name in givers else {})
    return Counted.looks


def test_where_nobody_gives_nothing_is_looked_at() -> None:
    assert looks_of(chain(50), set()) == looks_of(fan(50), set()) == 0


def test_an_edge_is_looked_at_a_few_times_however_many_give() -> None:
    units = chain(5_000)
    assert looks_of(units, {"u0"}) <= 4 * len(units)
    assert looks_of(units[:500], {unit.name for unit in units}) <= 4 * 500
    assert looks_of(fan(500), {"first", *(unit.name for unit in fan(500)[1:-1])}) <= 4 * 1_000
