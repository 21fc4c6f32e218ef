from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.show.graph.web import Web, order, settle


def web_of(layers: list[list[int]], links: list[tuple[int, int]], rooms: list[float] | None = None) -> Web:
    count = sum(map(len, layers))
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in links:
        below[upper].append(lower)
        above[lower].append(upper)
    return Web([layer[:] for layer in layers], above, below, rooms or [10.0] * count, [1.0] * count)


def crossings(web: Web) -> int:
    """Every pair of links, one by one."""
    place = {node: number for layer in web.layers for number, node in enumerate(layer)}
    depth = {node: number for number, layer in enumerate(web.layers) for node in layer}
    links = [(upper, lower) for upper, lowers in enumerate(web.below) for lower in lowers]
    return sum(
        (place[a] - place[c]) * (place[b] - place[d]) < 0 for (a, b), (c, d) in combinations(links, 2) if depth[a] == depth[c]
    )


@st.composite
def webs(draw: st.DrawFn) -> Web:
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    layers, count = [], 0
    for size in sizes:
        layers.append(list(range(count, count + size)))
        count += size
    pairs = [(upper, lower) for one, other in pairwise(layers) for upper in one for lower in other]
    links = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12)) if pairs else []
    return web_of(layers, links, draw(st.lists(st.sampled_from([5.0, 10.0, 40.0]), min_size=count, max_size=count)))


def test_two_links_that_cross_are_put_side_by_side() -> None:
    web = web_of([[0, 1], [2, 3]], [(0, 3), (1, 2)])
    order(web)
    assert crossings(web) == 0


def test_a_node_comes_to_stand_between_its_neighbours() -> None:
    web = web_of([[0, 1, 2], [3]], [(0, 3), (2, 3)])
    assert settle(web) == [5.0, 15.0, 25.0, 15.0]


def test_a_chain_is_straight() -> None:
    web = web_of([[0, 1], [2], [3]], [(1, 2), (2, 3)], [10.0, 40.0, 10.0, 20.0])
    centres = settle(web)
    assert centres[1] == pytest.approx(centres[2]) == pytest.approx(centres[3])


@given(webs())
def test_ordering_never_makes_it_worse_and_loses_no_node(web: Web) -> None:
    before, nodes = crossings(web), [sorted(layer) for layer in web.layers]
    order(web)
    assert crossings(web) <= before
    assert [sorted(layer) for layer in web.layers] == nodes


@given(webs())
def test_nodes_keep_their_order_and_their_room(web: Web) -> None:
    centres = settle(web)
    for layer in web.layers:
        for one, other in pairwise(layer):
            assert centres[other] - centres[one] >= (web.rooms[one] + web.rooms[other]) / 2 - 1e-6
    assert min(centres[node] - web.rooms[node] / 2 for layer in web.layers for node in layer) == pytest.approx(0.0, abs=1e-6)
