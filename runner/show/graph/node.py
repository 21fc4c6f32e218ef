"""Draws one unit of a picture: its shape tells its kind, a dashed outline that it is optional, a second line its locks."""

from __future__ import annotations

import html
import re
from typing import Final
from unicodedata import east_asian_width

from ...core.graph import Graph
from ...core.unit import Kind, Unit
from ..text import listed, printable
from .edges import note_of
from .layout import Box, Pair

_LETTER: Final = 7.23
"""How wide a letter of a name is: fonts in which all are equally wide nearly agree, and the browser makes the text fit."""
_SMALL_LETTER: Final = 6.03
_PADDING: Final = 14.0
_HEIGHT: Final = 30.0
_LOCKS_HEIGHT: Final = 14.0
_LOCK_WIDTH: Final = 12.0
_SLANT: Final = 9.0
_LONGEST_NAME: Final = 44
_LONGEST_LOCKS: Final = 30
_NAMES_SHOWN: Final = 20
_NOT_XML: Final = re.compile("[\ufffe\uffff]")


def size(unit: Unit) -> Pair:
    """The width and height of a unit's box."""
    width = _cells(_shorten(unit.name, _LONGEST_NAME)) * _LETTER
    if not unit.locks:
        return width + 2 * _PADDING, _HEIGHT
    locks = _cells(_said_locks(unit)) * _SMALL_LETTER + _LOCK_WIDTH
    return max(width, locks) + 2 * _PADDING, _HEIGHT + _LOCKS_HEIGHT


def node(unit: Unit, box: Box, colour: int | None, title: str) -> str:
    """A unit in its box, in the colour of its group if it is in one."""
    classes = ["unit", unit.kind, *(["optional"] if unit.optional else []), *([] if colour is None else [f"group-{colour}"])]
    return (
        f'<g class="{" ".join(classes)}"><title>{escape(title)}</title>{shape(unit.kind, box)}'
        f"{_name(unit, box)}{_locks(unit, box) if unit.locks else ''}</g>\n"
    )


def shape(kind: Kind, box: Box) -> str:
    """The outline: a oneshot has corners, a service is round, an external unit slanted, a target pointed."""
    left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    if kind in ("oneshot", "service"):
        radius = 5 if kind == "oneshot" else min(box.height / 2, _HEIGHT / 2)
        return (
            f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:g}"/>'
        )
    if kind == "external":
        corners = [(left + _SLANT, top), (right, top), (right - _SLANT, bottom), (left, bottom)]
    else:
        middle = (top + bottom) / 2
        corners = [(left + _SLANT, top), (right - _SLANT, top), (right, middle)]
        corners += [(right - _SLANT, bottom), (left + _SLANT, bottom), (left, middle)]
    return f'<polygon class="box" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}"/>'


def describe(unit: Unit, graph: Graph) -> str:
    """What is to be known of a unit, for whoever points at it."""
    lines = [f"{unit.name} ({unit.kind}{', optional' if unit.optional else ''})"]
    if unit.description:
        lines.append(unit.description)
    if after := [
        f"{edge.dependency} ({note})" if (note := note_of(edge)) else edge.dependency for edge in graph.after[unit.name].values()
    ]:
        lines.append(f"after {listed(after, _NAMES_SHOWN)}")
    if unit.locks:
        lines.append(f"lock{'s' * (len(unit.locks) > 1)} {', '.join(unit.locks)}")
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text from outside for an element of SVG. Line breaks stay; what else cannot be seen, or XML does not know, is shown."""
    lines = (html.escape(printable(line)) for line in text.split("\n"))
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", "\n".join(lines))


def text_width(text: str) -> float:
    """How wide a small text is."""
    return _cells(text) * _SMALL_LETTER


def _name(unit: Unit, box: Box) -> str:
    said = _shorten(unit.name, _LONGEST_NAME)
    group, slash, name = said.rpartition("/")
    width = _cells(said) * _LETTER
    x, y = box.x + (box.width - width) / 2, box.y + _HEIGHT / 2 + 4
    muted = f'<tspan class="muted">{escape(group + slash)}</tspan>' if slash else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{muted}{escape(name)}</text>'


def _locks(unit: Unit, box: Box) -> str:
    said = _said_locks(unit)
    width = text_width(said)
    x, y = box.x + (box.width - width - _LOCK_WIDTH) / 2, box.y + _HEIGHT + 5
    return (
        f'<path class="lock" d="M{x + 1.5:.1f} {y - 4:.1f}v-2a2.5 2.5 0 0 1 5 0v2"/>'
        f'<rect class="lock-body" x="{x:.1f}" y="{y - 4:.1f}" width="8" height="5.5" rx="1"/>'
        f'<text class="small muted" x="{x + _LOCK_WIDTH:.1f}" y="{y + 1.5:.1f}" textLength="{width:.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(said)}</text>'
    )


def _said_locks(unit: Unit) -> str:
    return _shorten(", ".join(dict.fromkeys(unit.locks)), _LONGEST_LOCKS)


def _shorten(text: str, longest: int) -> str:
    """The text, of a long one only its beginning and its end."""
    text = printable(text)
    return text if len(text) <= longest else f"{text[: longest // 2 - 1]}…{text[-longest // 2 :]}"


def _cells(text: str) -> int:
    """How many letters wide it is: ideographs count twice."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
