"""Says below a picture what its shapes and lines mean, as far as they are in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from ...core.unit import Kind
from .layout import Box, Pair
from .node import shape, text_width

_KINDS: Final[dict[Kind, str]] = {
    "oneshot": "runs to its end",
    "service": "service",
    "external": "a script brings it",
    "target": "target",
}
_LINES: Final = {
    "": "starts when that succeeded",
    "completion": "starts when that ended",
    "may-fail": "that may fail",
    "success": "starts only if that succeeds",
    "failure": "starts only if that fails",
    "implied": "would wait for that anyway",
}
_SAMPLE: Final = 30.0
_ROW: Final = 24.0
_BOX: Final = Box(0.0, 0.0, _SAMPLE, 14.0)
_LEAST_WIDTH: Final = 700.0


def legend(kinds: Collection[Kind], lines: Collection[str], has_optional: bool, top: float, width: float) -> tuple[str, Pair]:
    """The drawing, and how far it goes to the right and down; nothing where all is as plain as can be."""
    items = [*_items(kinds, lines, has_optional)]
    drawn, x, y, right = [], 0.0, top, 0.0
    for sample, said in items:
        end = x + _SAMPLE + 8 + text_width(said)
        if x and end > max(width, _LEAST_WIDTH):
            x, y, end = 0.0, y + _ROW, end - x
        text = f'<text class="small muted" x="{_SAMPLE + 8:g}" y="10">{said}</text>'
        drawn.append(f'<g transform="translate({x:.1f} {y:.1f})">{sample}{text}</g>\n')
        x, right = end + 24, max(right, end)
    return "".join(drawn), (right, y + _ROW if items else top)


def _items(kinds: Collection[Kind], lines: Collection[str], has_optional: bool) -> Iterator[tuple[str, str]]:
    """Samples with what they mean."""
    if set(kinds) - {"oneshot"}:
        yield from ((shape(kind, _BOX), said) for kind, said in _KINDS.items() if kind in kinds)
    if has_optional:
        yield f'<g class="optional">{shape("oneshot", _BOX)}</g>', "optional"
    if set(lines) - {""}:
        for line, said in _LINES.items():
            if line in lines:
                yield f'<path class="{("edge " + line).strip()}" d="M0 7L{_SAMPLE:g} 7"/>', said
