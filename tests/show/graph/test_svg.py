from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from runner.core.graph import Graph
from runner.core.unit import Unit
from runner.show.graph import render_svg
from runner.show.trigger import triggers_of
from tests.show.units import ECHO, GRAPHS, diamond, graph, handled, unit, workspace
from tests.snapshot import assert_snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots"
SVG = "{http://www.w3.org/2000/svg}"
STRANGE = 'a"b\\c#d;e`f<g>&\n\x1b[0m\ufffe宽/x'
"""A name that no unit file can give: nothing may rely on that."""


def elements(graph: Graph, kind: str, of_class: str) -> list[ElementTree.Element]:
    """The elements of a class, outside of the legend."""
    root = ElementTree.fromstring(render_svg(graph))
    return [element for element in root.findall(f"{SVG}{kind}") if of_class in element.get("class", "").split()]


def title(element: ElementTree.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


def numbers(text: str) -> list[tuple[float, float]]:
    values = [float(number) for number in re.findall(r"-?[0-9.]+", text)]
    return list(zip(values[::2], values[1::2], strict=True))


def wide() -> Graph:
    """Many units at once, with links over several layers."""
    rows = [[f"some/unit-{row}-{place}" for place in range(30)] for row in range(5)]
    units = [unit(name) for name in rows[0]]
    for row in range(1, 5):
        for place, name in enumerate(rows[row]):
            units.append(unit(name, rows[row - 1][place], rows[place % row][(7 * place) % 30]))
    return graph(*units)


def below_style(picture: str) -> str:
    return picture[picture.index("</style>") :]


@pytest.mark.parametrize("name", ["empty", "diamond", "handled"])
def test_pictures_are_drawn_as_before(name: str) -> None:
    assert_snapshot(below_style(render_svg(GRAPHS[name])), SNAPSHOTS / f"{name}.svg")


def test_every_unit_is_drawn_once_and_told_about() -> None:
    linked = workspace()
    titles = [title(element) for element in elements(linked, "g", "unit")]
    assert [text.split(" ")[0] for text in titles] == list(linked.units)
    assert titles[3] == "apt/graphviz (oneshot, optional)\nafter apt/update\nlocks apt, dpkg"
    assert titles[-1].splitlines()[1].startswith("after web, worker, editor/code-server, editor/extensions/python (may fail)")


def test_a_description_is_told() -> None:
    described = graph(Unit(name="a", kind="oneshot", description="Make <it>", command=ECHO, locks=("apt",)))
    assert [title(one) for one in elements(described, "g", "unit")] == ["a (oneshot)\nMake <it>\nlock apt"]


@pytest.mark.parametrize("linked", GRAPHS.values(), ids=GRAPHS)
def test_every_edge_is_drawn_from_what_comes_first_to_what_follows(linked: Graph) -> None:
    drawn = {title(element).split(" (")[0] for element in elements(linked, "path", "edge")}
    edges = {f"{name} after {dependency}" for name in linked.units for dependency in linked.after[name]}
    assert drawn == edges | {f"{name} if {one}" for name, triggers in triggers_of(linked).items() for one in triggers}
    for element in elements(linked, "path", "edge"):
        points = numbers(element.get("d", ""))
        places = [y for _, y in points]
        assert places == sorted(places)


@pytest.mark.parametrize("linked", [workspace(), wide()], ids=["down", "right"])
def test_lines_go_around_units(linked: Graph) -> None:
    boxes = [box for element in elements(linked, "g", "unit") for box in [bounds(element[1])]]
    for element in elements(linked, "path", "edge"):
        if "implied" not in element.get("class", ""):
            points = list(curve(element))
            met = [box for box in boxes if any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in points)]
            assert not met, title(element)


def bounds(shape: ElementTree.Element) -> tuple[float, float, float, float]:
    if "points" in shape.attrib:
        xs, ys = zip(*numbers(shape.attrib["points"]), strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    x, y, width, height = (float(shape.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def curve(element: ElementTree.Element) -> Iterator[tuple[float, float]]:
    """Points on a path of lines and cubic curves."""
    start = (0.0, 0.0)
    for command, text in re.findall("([MLC])([^MLC]*)", element.get("d", "")):
        *controls, end = numbers(text)
        if command != "M":
            yield from between(start, *(controls or [start, end]), end)
        start = end


def between(*four: tuple[float, float]) -> Iterator[tuple[float, float]]:
    for t in (step / 20 for step in range(1, 20)):
        shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        yield (
            sum(share * x for share, (x, _) in zip(shares, four, strict=True)),
            sum(share * y for share, (_, y) in zip(shares, four, strict=True)),
        )


def test_what_edges_ask_for_shows() -> None:
    classes = {title(element): element.get("class") for element in elements(workspace(), "path", "edge")}
    assert classes["git/clone after git/identity"] == "edge"
    assert classes["dotfiles after git/identity (completion)"] == "edge completion"
    assert classes["python/install after apt/graphviz (may fail)"] == "edge may-fail"
    assert classes["python/install after apt/update"] == "edge implied"
    assert classes["checks/report if checks/test fails"] == "edge failure"
    kinds = {element.get("class") for element in elements(handled(), "path", "edge")}
    assert kinds == {"edge", "edge success", "edge failure"}


def test_kinds_and_groups_show() -> None:
    classes = {title(one).split(" ")[0]: one.get("class") for one in elements(workspace(), "g", "unit")}
    assert classes["ready"] == "unit target"
    assert classes["git/hooks"] == "unit oneshot optional group-1"
    assert classes["editor/code-server"] == "unit service group-5"
    assert classes["editor/extensions/vim"] == "unit oneshot optional group-5"


def test_the_legend_tells_only_what_is_there() -> None:
    assert "starts" not in render_svg(graph(unit("a"), unit("b", "a")))
    legend = [*ElementTree.fromstring(render_svg(diamond())).itertext()][-4:]
    assert [text for text in legend if text.strip()] == ["starts when that succeeded", "starts when that ended"]


def test_strange_names_stay_inside_their_elements() -> None:
    linked = graph(unit(STRANGE), unit("b", STRANGE), unit("n" * 200))
    picture = render_svg(linked)
    assert "\x1b" not in picture
    names = ["".join(one.itertext()) for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert names[0] == 'a"b\\c#d;e`f<g>&\\n\\x1b[0m\\ufffe宽/x'
    assert names[2] == "n" * 21 + "…" + "n" * 22


def test_units_that_start_each_other_are_drawn() -> None:
    circle = graph(unit("a", on_failure=("b",)), unit("b", on_failure=("a",)))
    assert [title(one) for one in elements(circle, "path", "edge")] == ["b if a fails", "a if b fails"]


def test_a_wide_picture_goes_to_the_right() -> None:
    for element in elements(wide(), "path", "edge"):
        places = [x for x, _ in numbers(element.get("d", ""))]
        assert places == sorted(places)


def test_a_thousand_units_are_drawn() -> None:
    rows = [[f"u{row}-{place}" for place in range(100)] for row in range(10)]
    units = [
        unit(name, *(rows[row - 1][(place + step) % 100] for step in (0, 7) if row))
        for row in range(10)
        for place, name in enumerate(rows[row])
    ]
    assert len(elements(graph(*units), "g", "unit")) == 1000


def test_the_same_graph_gives_the_same_picture() -> None:
    assert render_svg(workspace()) == render_svg(workspace())
