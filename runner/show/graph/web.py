"""Orders the nodes of a layered graph so that few links cross, and moves them so that links are straight.

A node is a number. Every link leads from one layer to the next: what is longer was split by whoever made the web.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from msgspec import Struct

_ORDER_SWEEPS = 24
_MOVE_SWEEPS = 30


class Web(Struct):
    """Nodes in layers."""

    layers: list[list[int]]
    above: list[list[int]]
    """For each node its neighbours in the layer before."""
    below: list[list[int]]
    """And those in the layer behind."""
    rooms: list[float]
    """How much room each node needs across its layer."""
    weights: list[float]
    """How much it matters that a node is where its neighbours are."""


def order(web: Web) -> None:
    """Sort each layer by the mean place of the neighbours in the layer before, then in the one behind, to and fro.

    The order with the fewest crossings stays. Nodes without such neighbours keep their place.
    """
    best, fewest = [layer[:] for layer in web.layers], _crossings(web)
    for sweep in range(_ORDER_SWEEPS if fewest else 0):
        neighbours, layers = (web.below, web.layers[::-1]) if sweep % 2 else (web.above, web.layers)
        places: dict[int, int] = {}
        for layer in layers:
            _sort(layer, neighbours, places)
            places = {node: place for place, node in enumerate(layer)}
        count = _crossings(web)
        if count < fewest:
            best, fewest = [layer[:] for layer in web.layers], count
    web.layers = best


def _sort(layer: list[int], neighbours: Sequence[Sequence[int]], places: dict[int, int]) -> None:
    """Nodes with neighbours change places among each other; between equal ones the order stays."""
    movable = [node for node in layer if neighbours[node] and neighbours[node][0] in places]
    means = {node: sum(places[other] for other in neighbours[node]) / len(neighbours[node]) for node in movable}
    ordered = iter(sorted(movable, key=means.__getitem__))
    layer[:] = [next(ordered) if node in means else node for node in layer]


def _crossings(web: Web) -> int:
    """How many pairs of links cross."""
    count = 0
    for layer, following in zip(web.layers, web.layers[1:], strict=False):
        places = {node: place for place, node in enumerate(following)}
        seen: list[int] = []
        for node in layer:
            ends = [places[other] for other in web.below[node]]
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def settle(web: Web) -> list[float]:
    """The middle of each node across its layer, 0 where the first one begins: close to the neighbours, none overlapping."""
    centres = [0.0] * len(web.rooms)
    for layer in web.layers:
        _spread(web, layer, centres, [0.0] * len(layer), [1.0] * len(layer))
    for sweep in range(_MOVE_SWEEPS):
        layers = web.layers[::-1] if sweep % 2 else web.layers
        for layer in layers:
            _move(web, layer, centres, sweep)
    begin = min((centres[node] - web.rooms[node] / 2 for layer in web.layers for node in layer), default=0.0)
    return [centre - begin for centre in centres]


def _move(web: Web, layer: Sequence[int], centres: list[float], sweep: int) -> None:
    """Bring a layer as near as can be to its neighbours: first to those on one side, at last to those on both."""
    wishes, weights = [], []
    looks_back, looks_ahead = sweep % 2 == 0, sweep % 2 == 1
    if sweep >= _MOVE_SWEEPS // 2:
        looks_back = looks_ahead = True
    for node in layer:
        near = web.above[node] * looks_back + web.below[node] * looks_ahead
        weight = sum(web.weights[other] for other in near) * web.weights[node]
        pull = sum(web.weights[other] * centres[other] for other in near) * web.weights[node]
        wishes.append(pull / weight if near else centres[node])
        weights.append(weight if near else 0.1)
    _spread(web, layer, centres, wishes, weights)


def _spread(web: Web, layer: Sequence[int], centres: list[float], wishes: Sequence[float], weights: Sequence[float]) -> None:
    """Set the centres of a layer so that the weighted squares of what they miss their wishes by are least.

    Measured from where each node is when all stand close, the centres must not decrease: this is isotonic regression, which
    pooling adjacent violators solves exactly in one pass.
    """
    packed, end = [], 0.0
    for node in layer:
        packed.append(end + web.rooms[node] / 2)
        end += web.rooms[node]
    pools: list[tuple[float, float, int]] = []
    for wish, weight, place in zip(wishes, weights, packed, strict=True):
        mean, total, count = wish - place, weight, 1
        while pools and pools[-1][0] > mean:
            other, heavy, more = pools.pop()
            mean = (mean * total + other * heavy) / (total + heavy)
            total, count = total + heavy, count + more
        pools.append((mean, total, count))
    shifts = [mean for mean, _, count in pools for _ in range(count)]
    for node, place, shift in zip(layer, packed, shifts, strict=True):
        centres[node] = place + shift
