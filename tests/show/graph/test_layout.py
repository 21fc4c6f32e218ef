from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from runner.show.graph.layout import Box, Layout, Link, Pair, lay_out

NAMES = [f"u{number}" for number in range(9)]
Given = tuple[dict[str, Pair], list[Link], set[Link]]


@st.composite
def pictures(draw: st.DrawFn) -> Given:
    """Boxes in any order, with links from lower to higher numbers."""
    names = draw(st.permutations(NAMES[: draw(st.integers(1, 9))]))
    pairs = [(one, other) for one in names for other in names if one < other]
    links = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=16)) if pairs else []
    loose = {link for link in links if draw(st.booleans()) and is_implied(link, links)}
    sizes = st.tuples(st.sampled_from([40.0, 90.0, 400.0]), st.sampled_from([30.0, 44.0]))
    return {name: draw(sizes) for name in names}, links, loose


def is_implied(link: Link, links: list[Link]) -> bool:
    return any(one == (link[0], middle) and (middle, link[1]) in links for one in links for middle in [one[1]])


def overlap(one: Box, other: Box) -> bool:
    return (
        min(one.x + one.width, other.x + other.width) > max(one.x, other.x) + 1e-6
        and min(one.y + one.height, other.y + other.height) > max(one.y, other.y) + 1e-6
    )


def along(layout: Layout, box: Box) -> Pair:
    """Where a box begins and ends in the direction of its links."""
    return (box.x, box.x + box.width) if layout.is_rightwards else (box.y, box.y + box.height)


@given(pictures())
def test_no_two_boxes_overlap_and_each_has_its_size_and_is_inside(given: Given) -> None:
    layout = lay_out(*given)
    assert {name: (box.width, box.height) for name, box in layout.boxes.items()} == given[0]
    assert not [pair for pair in combinations(layout.boxes.values(), 2) if overlap(*pair)]
    for box in layout.boxes.values():
        assert box.x >= -1e-6
        assert box.y >= -1e-6
        assert box.x + box.width <= layout.width + 1e-6
        assert box.y + box.height <= layout.height + 1e-6


@given(pictures())
def test_every_link_goes_forward_from_its_tail_to_its_head(given: Given) -> None:
    layout = lay_out(*given)
    assert list(layout.routes) == given[1]
    for (tail, head), points in layout.routes.items():
        places = [point[not layout.is_rightwards] for point in points]
        assert places == sorted(places)
        assert (places[0], places[-1]) == (along(layout, layout.boxes[tail])[1], along(layout, layout.boxes[head])[0])
        for name, (x, y) in ((tail, points[0]), (head, points[-1])):
            box = layout.boxes[name]
            assert box.x - 1e-6 <= x <= box.x + box.width + 1e-6
            assert box.y - 1e-6 <= y <= box.y + box.height + 1e-6


@given(pictures())
def test_links_that_are_not_loose_go_around_boxes(given: Given) -> None:
    layout = lay_out(*given)
    for link, points in layout.routes.items():
        if link not in given[2]:
            assert not [
                name
                for name, box in layout.boxes.items()
                for x, y in points[1:-1]
                if box.x < x < box.x + box.width and box.y < y < box.y + box.height
            ]


@given(pictures())
def test_the_same_graph_gives_the_same_layout(given: Given) -> None:
    assert lay_out(*given) == lay_out(*given)


def test_a_wide_graph_goes_to_the_right_and_a_deep_one_downwards() -> None:
    size = (100.0, 30.0)
    wide = [("root", f"u{number}") for number in range(40)]
    deep = list(pairwise(f"u{number}" for number in range(12)))
    assert lay_out({name: size for link in wide for name in link}, wide).is_rightwards
    assert not lay_out({name: size for link in deep for name in link}, deep).is_rightwards


def test_boxes_without_links_stand_in_rows_below() -> None:
    sizes = dict.fromkeys(["a", "b", *(f"u{number}" for number in range(40))], (100.0, 30.0))
    layout = lay_out(sizes, [("a", "b")])
    rows = sorted({layout.boxes[f"u{number}"].y for number in range(40)})
    assert 3 <= len(rows) <= 5
    assert rows[0] > layout.boxes["b"].y + 30.0
    assert layout.width < 1600


def test_links_leave_a_box_side_by_side() -> None:
    layout = lay_out(dict.fromkeys("abcd", (100.0, 30.0)), [("a", "b"), ("a", "c"), ("a", "d")])
    starts = [points[0][0] for points in layout.routes.values()]
    assert starts == sorted(starts)
    assert len(set(starts)) == 3


def test_nothing_takes_no_room() -> None:
    assert lay_out({}, []) == Layout(0.0, 0.0, {}, {}, is_rightwards=False)
