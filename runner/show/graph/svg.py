"""Draws a graph as a picture for browsers, without the help of another program.

Time goes downwards or to the right, and what comes first points to what follows. An edge that says nothing new, because the
unit would wait for that anyway, is drawn faint and behind all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import copysign
from typing import Final

from msgspec import Struct

from ...core.graph import Graph
from ...core.words import say_count
from ..trigger import triggers_of
from .edges import edges_of, note_of
from .implied import implied_edges
from .layout import LEAN, Box, Layout, Link, Pair, lay_out
from .legend import legend
from .node import describe, escape, node, size
from .style import GROUP_COLOURS, style

_MARGIN: Final = 24.0
_ABOVE_LEGEND: Final = 36.0


class _Arrow(Struct, frozen=True):
    """From what comes first to what follows."""

    link: Link
    styles: tuple[str, ...]
    """In words that the style sheet knows."""
    title: str


def render_svg(graph: Graph) -> str:
    """The picture as the text of an SVG file. The graph must have no cycle."""
    arrows = list(_arrows(graph))
    implied = {arrow.link for arrow in arrows if "implied" in arrow.styles}
    layout = lay_out({name: size(unit) for name, unit in graph.units.items()}, _forward(graph), implied)
    units = graph.units.values()
    key, (right, bottom) = legend(
        {unit.kind for unit in units},
        {word for arrow in arrows for word in arrow.styles or ("",)},
        any(unit.optional for unit in units),
        layout.height + _ABOVE_LEGEND,
        layout.width,
    )
    width, height = max(layout.width, right) + 2 * _MARGIN, (bottom if key else layout.height) + 2 * _MARGIN
    colours = _colours(graph)
    parts = [_head(f"{say_count(len(units), 'unit')}, and what each waits for", width, height)]
    parts += (_line(arrow, layout) for arrow in sorted(arrows, key=lambda arrow: arrow.link not in implied))
    parts += (node(unit, layout.boxes[unit.name], colours.get(unit.name), describe(unit, graph)) for unit in units)
    return "".join([*parts, key, "</svg>\n"])


def _line(arrow: _Arrow, layout: Layout) -> str:
    points = layout.routes.get(arrow.link) or _back(*(layout.boxes[name] for name in arrow.link))
    path, classes = _path(points, layout.is_rightwards), " ".join(("edge", *arrow.styles))
    return f'<path class="{classes}" d="{path}"><title>{escape(arrow.title)}</title></path>\n'


def _arrows(graph: Graph) -> Iterator[_Arrow]:
    implied = implied_edges(graph)
    for edge in edges_of(graph):
        note = note_of(edge)
        styles = [*([note.replace(" ", "-")] if note else []), *(["implied"] if (edge.unit, edge.dependency) in implied else [])]
        title = f"{edge.unit} after {edge.dependency}{f' ({note})' if note else ''}"
        yield _Arrow((edge.dependency, edge.unit), tuple(styles), title)
    for name, triggers in triggers_of(graph).items():
        for trigger in triggers:
            yield _Arrow((trigger.unit, name), (trigger.on,), f"{name} if {trigger}")


def _forward(graph: Graph) -> Iterable[Link]:
    """All links but those triggers that would lead back: a unit may start what it is itself started by."""
    following = {name: list(dependents) for name, dependents in graph.dependents.items()}
    yield from ((edge.dependency, edge.unit) for edge in edges_of(graph))
    for name, triggers in triggers_of(graph).items():
        for trigger in triggers:
            if not _leads(following, name, trigger.unit):
                following[trigger.unit].append(name)
                yield trigger.unit, name


def _leads(following: dict[str, list[str]], start: str, goal: str) -> bool:
    reached, names = {start}, [start]
    for name in names:
        new = [other for other in following[name] if other not in reached]
        reached.update(new)
        names += new
    return goal in reached


def _colours(graph: Graph) -> dict[str, int]:
    """The colour of each unit in a group: that of its outermost group, which come in turn."""
    outermost = {name: name.split("/")[0] for name, unit in graph.units.items() if unit.group}
    numbers = {group: number for number, group in enumerate(dict.fromkeys(outermost.values()))}
    return {name: numbers[group] % GROUP_COLOURS for name, group in outermost.items()}


def _head(title: str, width: float, height: float) -> str:
    view = f"{-_MARGIN:g} {-_MARGIN:g} {width:.0f} {height:.0f}"
    markers = "".join(
        f'<marker id="arrow{name and "-" + name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .5L8 4L0 7.5z" style="fill:var(--{name or "edge"})"/></marker>\n'
        for name in ("", "success", "failure")
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="{view}" role="img">\n'
        f"<title>{title}</title>\n<style>\n{style()}</style>\n<defs>\n{markers}</defs>\n"
        f'<rect class="page" x="{-_MARGIN:g}" y="{-_MARGIN:g}" width="{width:.0f}" height="{height:.0f}"/>\n'
    )


def _back(tail: Box, head: Box) -> Sequence[Pair]:
    """From the middle of a box to the middle of another that comes before it."""
    return (tail.x + tail.width / 2, tail.y), (head.x + head.width / 2, head.y + head.height)


def _path(points: Sequence[Pair], is_rightwards: bool) -> str:
    """A smooth line that goes forward at every moment, in curves between layers and straight between the boxes of one."""
    turned = [(y, x) for x, y in points] if is_rightwards else list(points)
    slopes = _lean(turned)
    parts = [f"M{_at(turned[0], is_rightwards)}"]
    for number, (begin, end) in enumerate(pairwise(turned)):
        if number % 2:
            parts.append(f"L{_at(end, is_rightwards)}")
            continue
        aside, half = abs(end[0] - begin[0]), (end[1] - begin[1]) / 2
        offsets = [min(max(slope * half, -aside), aside) for slope in slopes[number : number + 2]]
        controls = (begin[0] + offsets[0], begin[1] + half), (end[0] - offsets[1], end[1] - half), end
        parts.append("C" + " ".join(_at(point, is_rightwards) for point in controls))
    return "".join(parts)


def _lean(points: list[Pair]) -> list[float]:
    """Let a line lean a little at its bends towards where it goes; how far it goes aside at each point for a step forward."""
    slopes = [0.0] * len(points)
    for number in range(1, len(points) - 2, 2):
        (x, enters), (_, leaves) = points[number : number + 2]
        before, after = x - points[number - 1][0], points[number + 2][0] - x
        if before * after > 0:
            shift = copysign(min(LEAN, abs(before) / 3, abs(after) / 3), after)
            slopes[number] = slopes[number + 1] = 2 * shift / (leaves - enters)
            points[number], points[number + 1] = (x - shift, enters), (x + shift, leaves)
    return slopes


def _at(point: Pair, is_rightwards: bool) -> str:
    x, y = point[::-1] if is_rightwards else point
    return f"{x:.1f} {y:.1f}"
