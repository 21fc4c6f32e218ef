from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.graph import (
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
    link,
)
from runner.core.unit import Dependency, Requires, Unit

Entry = str | tuple[str, Requires]


def unit(
    name: str,
    *after: Entry,
    before: Iterable[Entry] = (),
    optional: bool = False,
    on_success: tuple[str, ...] = (),
    on_failure: tuple[str, ...] = (),
) -> Unit:
    return Unit(
        name=name,
        kind="oneshot",
        after=tuple(map(dependency, after)),
        before=tuple(map(dependency, before)),
        optional=optional,
        on_success=on_success,
        on_failure=on_failure,
    )


def dependency(entry: Entry) -> Dependency:
    return Dependency(unit=entry) if isinstance(entry, str) else Dependency(unit=entry[0], requires=entry[1])


def graph_of(*units: Unit) -> Graph:
    graph, faults = link(units)
    assert faults == []
    return graph


def edges_of(graph: Graph) -> set[tuple[str, str]]:
    return {(edge.unit, edge.dependency) for edges in graph.after.values() for edge in edges.values()}


def faults_of(*units: Unit, groups: Iterable[str] = (), disabled: Iterable[str] = ()) -> list[Fault]:
    return link(units, groups=groups, disabled=disabled)[1]


DIAMOND = (unit("top"), unit("left", "top"), unit("right", "top"), unit("bottom", "left", "right"))


# ---------------------------------------------------------------- linking


def test_an_edge_remembers_the_entry_that_it_comes_from() -> None:
    graph = graph_of(unit("a"), unit("b", ("a", "completion"), before=["c"]), unit("c"))
    assert graph.after["b"]["a"] == Edge("b", "a", "completion", Origin("b", "after", 0))
    assert graph.after["c"]["b"] == Edge("c", "b", "success", Origin("b", "before", 0))
    assert graph.dependents["b"]["c"] is graph.after["c"]["b"]


def test_a_group_stands_for_its_members_and_is_lenient_with_the_optional_ones() -> None:
    graph = graph_of(unit("g/a"), unit("g/deep/b", optional=True), unit("c", "g"), unit("d", before=["g"]))
    assert edges_of(graph) == {("c", "g/a"), ("c", "g/deep/b"), ("g/a", "d"), ("g/deep/b", "d")}
    assert [edge.lenient for edge in graph.after["c"].values()] == [False, True]
    assert not graph.after["g/deep/b"]["d"].lenient


def test_a_pattern_stands_for_all_instances_and_is_lenient_with_the_optional_ones() -> None:
    ports = unit("g/port@1"), unit("g/port@2", optional=True), unit("g/portal"), unit("port@3")
    graph = graph_of(*ports, unit("c", "g/port@*"), unit("d", before=["g/port@*"]))
    assert edges_of(graph) == {("c", "g/port@1"), ("c", "g/port@2"), ("g/port@1", "d"), ("g/port@2", "d")}
    assert [edge.lenient for edge in graph.after["c"].values()] == [False, True]
    assert graph.members("g/port@*") == ["g/port@1", "g/port@2"]
    assert graph.select(["port@*"]) == {"port@3"}


@pytest.mark.parametrize("entries", [("g", ("g/a", "completion")), (("g/a", "completion"), "g")])
def test_an_optional_member_that_is_named_itself_is_not_put_aside(entries: tuple[Entry, ...]) -> None:
    graph = graph_of(unit("g/a", optional=True), unit("c", *entries))
    edge = graph.after["c"]["g/a"]
    assert (edge.requires, edge.lenient) == ("completion", False)


def test_the_same_entry_twice_is_one_edge() -> None:
    assert edges_of(graph_of(unit("a"), unit("b", "a", "a"))) == {("b", "a")}


def test_a_star_stands_for_all_that_the_unit_does_not_itself_depend_on() -> None:
    graph = graph_of(unit("base"), unit("first", "base", before=["x", "*"]), unit("x"), unit("y", "x"))
    assert edges_of(graph) == {("first", "base"), ("x", "first"), ("y", "x"), ("y", "first")}
    assert graph.after["y"]["first"].origin == Origin("first", "before", 1)


def test_units_with_a_star_leave_each_other_alone() -> None:
    assert edges_of(graph_of(unit("a", before=["*"]), unit("b", before=["*"]), unit("c"))) == {("c", "a"), ("c", "b")}


@pytest.mark.parametrize(
    ("units", "fault"),
    [
        ([unit("a", "x")], UnknownName(Origin("a", "after", 0), "x")),
        ([unit("a", before=["x"])], UnknownName(Origin("a", "before", 0), "x")),
        ([unit("a", "*")], UnknownName(Origin("a", "after", 0), "*")),
        ([unit("a", on_failure=("x",))], UnknownName(Origin("a", "on-failure", 0), "x")),
        ([unit("a", on_success=("g",)), unit("g/b")], UnknownName(Origin("a", "on-success", 0), "g")),
        ([unit("a", on_success=("a",))], SelfDependency(Origin("a", "on-success", 0), "a")),
        ([unit("a", on_success=("off",))], DisabledDependency(Origin("a", "on-success", 0), "off")),
        ([unit("a", "off")], DisabledDependency(Origin("a", "after", 0), "off")),
        ([unit("a", "empty")], EmptyGroup(Origin("a", "after", 0), "empty")),
        ([unit("a", "a")], SelfDependency(Origin("a", "after", 0), "a")),
        ([unit("g/a", before=["g"]), unit("g/b")], SelfDependency(Origin("g/a", "before", 0), "g")),
        ([unit("a", "port@*")], UnknownName(Origin("a", "after", 0), "port@*")),
        ([unit("a", on_failure=("port@*",))], UnknownName(Origin("a", "on-failure", 0), "port@*")),
        ([unit("a", "off@*")], DisabledDependency(Origin("a", "after", 0), "off@*")),
        ([unit("a", on_success=("off@*",))], DisabledDependency(Origin("a", "on-success", 0), "off@*")),
        ([unit("p@1", "p@*"), unit("p@2")], SelfDependency(Origin("p@1", "after", 0), "p@*")),
        ([unit("a", on_failure=("h@1",)), unit("h@1"), unit("b", "h@*")], EmptyGroup(Origin("b", "after", 0), "h@*")),
        ([unit("a", "h"), unit("b", on_failure=("h",)), unit("h")], HandlerDependency(Origin("a", "after", 0), "h")),
        ([unit("a"), unit("b", on_failure=("h",)), unit("h", before=["a"])], HandlerDependency(Origin("h", "before", 0), "a")),
        ([unit("b", on_failure=("h",)), unit("h", before=["*"])], HandlerDependency(Origin("h", "before", 0), "*")),
    ],
)
def test_a_wrong_name_is_one_fault_and_no_edge(units: list[Unit], fault: Fault) -> None:
    graph, faults = link(units, groups=["empty"], disabled=["off", "off@1"])
    assert faults == [fault]
    assert edges_of(graph) == set()


def test_units_that_others_start_may_wait_for_each_other() -> None:
    graph = graph_of(unit("a", on_failure=("g", "h"), on_success=("i",)), unit("g", before=["h"]), unit("h"), unit("i", "h"))
    assert edges_of(graph) == {("h", "g"), ("i", "h")}
    assert graph.handlers == {"g", "h", "i"}


def test_a_group_of_units_that_others_start_is_empty() -> None:
    units = unit("a", on_failure=("g/h",)), unit("g/h"), unit("b", "g")
    assert faults_of(*units, groups=["g"]) == [EmptyGroup(Origin("b", "after", 0), "g")]


def test_two_entries_that_ask_different_things_are_a_conflict() -> None:
    (fault,) = faults_of(unit("a"), unit("b", "a", ("a", "completion")))
    assert isinstance(fault, ConflictingRequires)
    assert (fault.first.requires, fault.second.requires) == ("success", "completion")
    assert fault.second.origin == Origin("b", "after", 1)


def test_a_cycle_is_told_whole_and_last() -> None:
    faults = faults_of(unit("a", "b", "nowhere"), unit("b", "c"), unit("c", "a"), unit("behind", "a"))
    assert isinstance(faults[0], UnknownName)
    assert [str(fault) for fault in faults[1:]] == ["a -> b -> c -> a"]


# ---------------------------------------------------------------- questions


def test_names_stand_for_units_or_for_the_members_of_groups() -> None:
    graph = graph_of(unit("g/a"), unit("g/b"), unit("c"))
    assert graph.select(["g", "c", "nothing"]) == {"g/a", "g/b", "c"}


def test_closures_follow_the_edges_either_way() -> None:
    graph = graph_of(*DIAMOND)
    assert graph.closure(["left"]) == {"left", "top"}
    assert graph.dependents_closure(["left"]) == {"left", "bottom"}
    assert graph.closure(["nothing"]) == set()


def test_a_path_is_a_shortest_one_of_edges() -> None:
    graph = graph_of(unit("a"), unit("b", "a"), unit("c", "b", "a"), unit("d", "c"))
    path = graph.path("d", "a")
    assert path is not None
    assert [(edge.unit, edge.dependency) for edge in path] == [("d", "c"), ("c", "a")]
    assert graph.path("a", "d") is None
    assert graph.path("a", "a") is None


def test_order_and_layers() -> None:
    graph = graph_of(*reversed(DIAMOND))
    assert graph.order() == ["top", "right", "left", "bottom"]
    assert graph.layers() == [["top"], ["right", "left"], ["bottom"]]
    assert Graph([]).layers() == []
    assert Graph([]).order() == []


def test_units_of_a_cycle_and_behind_one_have_neither_order_nor_layer() -> None:
    graph, _ = link([unit("free"), unit("a", "b"), unit("b", "a"), unit("behind", "a")])
    assert graph.order() == ["free"]
    assert graph.layers() == [["free"]]


def test_the_critical_path_is_the_slowest_chain() -> None:
    graph = graph_of(*DIAMOND)
    assert graph.critical_path({"top": 1, "left": 2, "right": 3, "bottom": 1}) == ["top", "right", "bottom"]
    assert Graph([]).critical_path({}) == []


def test_the_way_to_the_end_is_the_slowest_chain_of_dependents() -> None:
    graph = graph_of(*DIAMOND)
    assert graph.ways({"top": 1, "left": 2, "right": 3, "bottom": 1}) == {"top": 5, "left": 3, "right": 4, "bottom": 1}
    knotted, _ = link([unit("a"), unit("b", "a", "c"), unit("c", "b")])
    assert knotted.ways({"a": 1, "b": 1}) == {"a": 1}


def test_each_knot_gives_one_cycle_as_short_as_can_be() -> None:
    graph, _ = link([unit("a", "b"), unit("b", "c", "a"), unit("c", "a"), unit("x", "y"), unit("y", "x"), unit("z", "x")])
    assert [str(cycle) for cycle in graph.cycles()] == ["a -> b -> a", "x -> y -> x"]


# ---------------------------------------------------------------- rules

NAMES = [f"u{number}" for number in range(7)]
any_edges = st.sets(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1]), max_size=18
)
forward_edges = any_edges.map(lambda pairs: {(max(pair), min(pair)) for pair in pairs})


def graph_from(pairs: set[tuple[str, str]], order: Iterable[str] = NAMES) -> Graph:
    return link([unit(name, *sorted(other for start, other in pairs if start == name)) for name in order])[0]


def chains(pairs: set[tuple[str, str]]) -> Iterable[list[str]]:
    """Every way along the edges, dependencies first."""
    ways = [[name] for name in NAMES]
    while ways:
        yield from ways
        ways = [[*way, start] for way in ways for start, other in pairs if other == way[-1]]


def distance(pairs: set[tuple[str, str]], start: str, goal: str) -> int | None:
    front, seen = {start}, set[str]()
    for steps in range(1, len(NAMES) + 1):
        front = {other for begin, other in pairs if begin in front} - seen
        if goal in front:
            return steps
        seen |= front
    return None


@given(forward_edges, st.permutations(NAMES))
def test_order_has_every_unit_once_and_after_its_dependencies(pairs: set[tuple[str, str]], names: list[str]) -> None:
    order = graph_from(pairs, names).order()
    assert sorted(order) == NAMES
    assert all(order.index(other) < order.index(start) for start, other in pairs)


@given(forward_edges)
def test_a_layer_is_the_longest_way_from_the_beginning(pairs: set[tuple[str, str]]) -> None:
    longest = {name: max(len(way) for way in chains(pairs) if way[-1] == name) for name in NAMES}
    layers = graph_from(pairs).layers()
    assert {name: number + 1 for number, layer in enumerate(layers) for name in layer} == longest


@given(forward_edges, st.lists(st.integers(0, 9), min_size=len(NAMES), max_size=len(NAMES)))
def test_the_critical_path_is_what_trying_all_chains_finds(pairs: set[tuple[str, str]], seconds: list[int]) -> None:
    durations = dict(zip(NAMES, seconds, strict=True))
    path = graph_from(pairs).critical_path(durations)
    assert all((start, other) in pairs for other, start in pairwise(path))
    longest = max(sum(durations[name] for name in way) for way in chains(pairs))
    assert sum(durations[name] for name in path) == longest == max(graph_from(pairs).ways(durations).values())


@given(any_edges)
def test_a_cycle_is_found_exactly_where_there_is_one(pairs: set[tuple[str, str]]) -> None:
    graph = graph_from(pairs)
    cycles = graph.cycles()
    on_cycle = {name for name in NAMES if distance(pairs, name, name)}
    assert bool(cycles) == bool(on_cycle)
    for cycle in cycles:
        assert isinstance(cycle, Cycle)
        assert all((edge.unit, edge.dependency) in pairs for edge in cycle.edges)
        following = [*cycle.edges[1:], cycle.edges[0]]
        assert all(edge.dependency == after.unit for edge, after in zip(cycle.edges, following, strict=True))
        assert len(cycle.edges) == distance(pairs, cycle.edges[0].unit, cycle.edges[0].unit)
    knots = {frozenset(graph.closure([name]) & graph.dependents_closure([name])) for name in on_cycle}
    assert len(cycles) == len(knots)


@given(any_edges, st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_no_path_is_shorter(pairs: set[tuple[str, str]], start: str, goal: str) -> None:
    path = graph_from(pairs).path(start, goal)
    assert (len(path) if path else None) == distance(pairs, start, goal)


def test_a_unit_that_comes_later_has_no_edges_yet() -> None:
    graph, _ = link([Unit(name="a", kind="oneshot")])
    graph.add_unit(Unit(name="x", kind="external"))
    graph.add(Edge("x", "a", "success", Origin("x", "want", 0)))
    assert graph.order() == ["a", "x"]
    assert graph.members("x") == []


def test_a_unit_that_takes_the_name_of_another_waits_for_nothing_and_is_waited_for() -> None:
    graph, _ = link([Unit(name="a", kind="oneshot"), *depending("b", "a"), *depending("c", "b")])
    graph.add_unit(Unit(name="b", kind="external"))
    assert (graph.after["b"], list(graph.dependents["a"]), list(graph.after["c"])) == ({}, [], ["b"])


def test_who_asks_for_it_is_restarted_with_what_it_waits_for() -> None:
    chain = [Unit(name="a", kind="oneshot"), *depending("b", "a", restart=True), *depending("c", "b", restart=True)]
    graph, _ = link([*chain, *depending("d", "a")])
    assert graph.restarted_with(["a"]) == {"a", "b", "c"}


def depending(name: str, dependency: str, *, restart: bool = False) -> list[Unit]:
    return [Unit(name=name, kind="oneshot", after=(Dependency(unit=dependency, restart=restart),))]
