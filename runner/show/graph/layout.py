"""Finds a place for everything in a drawing of a graph: layers, few crossings, straight links.

Theory of operation
===================

1. A box's *layer* is the longest way to one that no link leads to, so all links go forward.
2. A link over several layers is split by *bends*, one in each layer between, which from then on are nodes like boxes, only
   smaller. *Loose* links are not split: they lie behind the boxes, and nothing makes way for them.
3. Layers are ordered for few crossings and moved for straight links (``web.py``).
4. Forward is downwards, or to the right where that fits a screen better. Until it matters, a drawing has a direction *along*
   which layers follow each other, and one *across*.
5. Boxes without links stand below all others, in rows.

The same graph always gives the same layout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from .web import Web, order, settle

Link = tuple[str, str]
"""From a box to a box."""
Pair = tuple[float, float]
"""x and y, or a width and a height; while a layout is made, across and along."""

_ROOM = 20.0
"""Between two boxes of a layer, and between rows of boxes without links."""
_BEND_ROOM = 14.0
LEAN = (_ROOM + _BEND_ROOM) / 4
"""How far a link may stray from its bend: half of what there is between that and a box."""
_GAP = (46.0, 200.0)
"""The least and the most between two layers: the more, the farther links go sideways."""
_PORT = 9.0
"""Between the ends of two links at a box, where there is room."""
_SCREEN = (1500.0, 900.0)


class Box(Struct, frozen=True):
    """Where a box is, by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Layout(Struct, frozen=True):
    """Where everything is."""

    width: float
    height: float
    boxes: dict[str, Box]
    routes: dict[Link, tuple[Pair, ...]]
    """Where each link begins, enters and leaves each of its bends, and ends."""
    is_rightwards: bool
    """Links go to the right rather than downwards."""


def lay_out(sizes: Mapping[str, Pair], links: Iterable[Link], loose: Collection[Link] = frozenset()) -> Layout:
    """Place boxes of these widths and heights. Links must not lead in a circle; some of them are loose."""
    links = list(dict.fromkeys(links))
    linked = dict.fromkeys(name for link in links for name in link)
    depths = _depths([name for name in sizes if name in linked], links)
    is_rightwards = _is_better_rightwards(sizes, depths)
    turned = {name: (height, width) for name, (width, height) in sizes.items()} if is_rightwards else sizes
    drawing = _Drawing(turned, depths, links, loose)
    boxes, routes, extent = drawing.boxes(), drawing.routes(), drawing.extent()
    if is_rightwards:
        boxes = {name: Box(box.y, box.x, box.height, box.width) for name, box in boxes.items()}
        routes = {link: tuple((y, x) for x, y in points) for link, points in routes.items()}
        extent = extent[::-1]
    return _add_rest(Layout(*extent, boxes, routes, is_rightwards), {name: sizes[name] for name in sizes if name not in linked})


def _depths(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """The layer of each box, in the order of the boxes."""
    unmet = dict.fromkeys(names, 0)
    following: dict[str, list[str]] = {name: [] for name in names}
    for tail, head in links:
        unmet[head] += 1
        following[tail].append(head)
    depths = dict.fromkeys(names, 0)
    free = [name for name in names if not unmet[name]]
    for name in free:
        for head in following[name]:
            depths[head] = max(depths[head], depths[name] + 1)
            unmet[head] -= 1
            if not unmet[head]:
                free.append(head)
    return depths


def _is_better_rightwards(sizes: Mapping[str, Pair], depths: Mapping[str, int]) -> bool:
    """Whether the drawing is too large for a screen when links go down, and less so when they go to the right."""
    layers = _grouped(depths)
    if not layers:
        return False
    down = (
        max(sum(sizes[name][0] + _ROOM for name in layer) for layer in layers),
        sum(max(sizes[name][1] for name in layer) + _GAP[0] for layer in layers),
    )
    right = (
        sum(max(sizes[name][0] for name in layer) + _GAP[0] for layer in layers),
        max(sum(sizes[name][1] + _ROOM for name in layer) for layer in layers),
    )
    return _shrinking(down) > max(_shrinking(right), 1.0)


def _shrinking(extent: Pair) -> float:
    return max(extent[0] / _SCREEN[0], extent[1] / _SCREEN[1])


def _grouped(depths: Mapping[str, int]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for name, depth in depths.items():
        layers[depth].append(name)
    return layers


def _add_rest(layout: Layout, sizes: Mapping[str, Pair]) -> Layout:
    """Put boxes without links below the others, in rows as wide as those, or as a screen."""
    width, boxes = max(layout.width, _SCREEN[0]), dict(layout.boxes)
    x, y, bottom, right = 0.0, layout.height + _ROOM if boxes else 0.0, layout.height, layout.width
    for name, size in sizes.items():
        if x and x + size[0] > width:
            x, y = 0.0, bottom + _ROOM
        boxes[name] = Box(x, y, *size)
        x, right, bottom = x + size[0] + _ROOM, max(right, x + size[0]), max(bottom, y + size[1])
    return Layout(right, bottom, boxes, layout.routes, layout.is_rightwards)


class _Drawing:
    """The boxes with links and the bends of these, across and along."""

    def __init__(
        self, sizes: Mapping[str, Pair], depths: Mapping[str, int], links: Sequence[Link], loose: Collection[Link]
    ) -> None:
        self._names = list(depths)
        self._sizes = [sizes[name] for name in self._names]
        self._ids = {name: number for number, name in enumerate(self._names)}
        layers = [[self._ids[name] for name in layer] for layer in _grouped(depths)]
        nothing: list[list[int]] = [[] for _ in self._names]
        rooms = [across + _ROOM for across, _ in self._sizes]
        self._web = Web(layers, nothing, [[] for _ in self._names], rooms, [1.0] * len(self._names))
        self._chains = {link: self._chain(link, depths, link in loose) for link in links}
        order(self._web)
        self._centres = settle(self._web)
        self._along = self._place_layers()

    def _chain(self, link: Link, depths: Mapping[str, int], is_loose: bool) -> list[int]:
        """The nodes that a link goes through: its bends, between its two boxes."""
        tail, head = link
        bends = [] if is_loose else [self._bend(depth) for depth in range(depths[tail] + 1, depths[head])]
        chain = [self._ids[tail], *bends, self._ids[head]]
        for one, other in pairwise(chain if not is_loose else []):
            self._web.below[one].append(other)
            self._web.above[other].append(one)
        return chain

    def _bend(self, depth: int) -> int:
        web, node = self._web, len(self._web.rooms)
        web.layers[depth].append(node)
        web.above.append([])
        web.below.append([])
        web.rooms.append(_BEND_ROOM)
        web.weights.append(4.0)
        self._sizes.append((0.0, 0.0))
        return node

    def _place_layers(self) -> list[tuple[float, float]]:
        """Where each layer begins and ends along the drawing."""
        places: list[tuple[float, float]] = []
        end = 0.0
        for layer in self._web.layers:
            begin = end + (self._gap(layer) if places else 0.0)
            end = begin + max(self._sizes[node][1] for node in layer)
            places.append((begin, end))
        return places

    def _gap(self, layer: Sequence[int]) -> float:
        """The room before a layer."""
        aside = (abs(self._centres[node] - self._centres[other]) for node in layer for other in self._web.above[node])
        return min(max(_GAP[0], max(aside, default=0.0) / 6), _GAP[1])

    def boxes(self) -> dict[str, Box]:
        """Where the boxes are, in the middle of their layers."""
        found = {}
        for layer, (begin, end) in zip(self._web.layers, self._along, strict=True):
            for node in layer:
                if node < len(self._names):
                    across, along = self._sizes[node]
                    x = self._centres[node] - _ROOM / 2 - across / 2
                    found[self._names[node]] = Box(x, (begin + end - along) / 2, across, along)
        return {name: found[name] for name in self._names}

    def extent(self) -> Pair:
        """How much room all of it takes."""
        ends = (self._centres[node] + room / 2 for node, room in enumerate(self._web.rooms))
        return max(ends, default=_ROOM) - _ROOM, self._along[-1][1] if self._along else 0.0

    def routes(self) -> dict[Link, tuple[Pair, ...]]:
        """How the links go."""
        begins, ends, boxes = self._ports(at_tail=True), self._ports(at_tail=False), self.boxes()
        along = {node: place for layer, place in zip(self._web.layers, self._along, strict=True) for node in layer}
        routes = {}
        for link, chain in self._chains.items():
            tail, head = boxes[link[0]], boxes[link[1]]
            bends = [(self._centres[node] - _ROOM / 2, place) for node in chain[1:-1] for place in along[node]]
            routes[link] = ((begins[link], tail.y + tail.height), *bends, (ends[link], head.y))
        return routes

    def _ports(self, *, at_tail: bool) -> dict[Link, float]:
        """Where links leave their tails, or reach their heads, side by side in the order of where they come from."""
        by_node: dict[int, list[tuple[float, int, Link]]] = {}
        for number, (link, chain) in enumerate(self._chains.items()):
            node, other = (chain[0], chain[1]) if at_tail else (chain[-1], chain[-2])
            by_node.setdefault(node, []).append((self._centres[other], number, link))
        return {link: place for node, ports in by_node.items() for link, place in self._spread_ports(node, sorted(ports))}

    def _spread_ports(self, node: int, ports: Sequence[tuple[float, int, Link]]) -> Iterator[tuple[Link, float]]:
        step = min(_PORT, self._sizes[node][0] * 0.7 / len(ports))
        first = self._centres[node] - _ROOM / 2 - step * (len(ports) - 1) / 2
        for number, (_, _, link) in enumerate(ports):
            yield link, first + step * number
