"""Draws a timeline as one HTML page that needs nothing else: no network, no files beside it.

Every bar stands in the page as it is; the script only moves about in it: tooltips, zoom, filter and the marks of the axis. Its
hash is named in the page's policy, so nothing that came from outside could ever be executed, even if it were not escaped.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from msgspec.json import encode

from ...core.words import say_duration
from ..ending import say_end
from ..text import printable
from .layout import STEPS, Bar, Layout, Line, Link
from .page import LINE_HEIGHT, SCRIPT, STYLE
from .palette import colours
from .words import (
    KIND_WORDS,
    MARKS,
    details,
    escape,
    judge,
    say_course,
    say_extent,
    say_phase,
    say_span,
    say_title,
    say_work,
)

_LETTER: Final = 8
"""How wide a letter of a bold name is, about, in pixels."""
_SHORTEST_NAME: Final = 10
_LONGEST_NAME: Final = 44
_EDGE: Final = 3
"""Pixels from the edge of a line to that of a stretch of the critical path."""


def render_html(layout: Layout) -> str:
    """The page as text."""
    return "".join(_parts(layout))


def _parts(layout: Layout) -> Iterator[str]:
    title, extent = escape(say_title(layout)), escape(say_extent(layout))
    script = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script}'"
    longest = max((len(printable(line.row.unit)) for line in layout.lines), default=0)
    names = min(max(longest, _SHORTEST_NAME), _LONGEST_NAME) * _LETTER + 30
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width">\n'
    yield f"<title>{title}</title>\n<style>\n{colours(':root')}{STYLE}</style>\n</head>\n<body>\n<header>\n"
    yield f"<h1>{title}</h1>\n<p>{escape(say_course(layout))}{'<br>' + extent if extent else ''}</p>\n{_CONTROLS}"
    yield f'<ul class="legend">{"".join(_legend(layout))}</ul>\n</header>\n'
    yield f'<main><div id="sheet" data-end="{layout.end!r}" data-steps="{encode(STEPS).decode()}" '
    yield f'style="--names:{names}px;--tail:132px">\n'
    yield '<div class="axis"><b></b><div id="axis"></div><em></em></div>\n<div>\n'
    for line in layout.lines:
        yield from _line(line, layout.end)
    yield f'</div>\n<div id="links">{"".join(_link(link, layout.end) for link in layout.links())}</div>\n'
    yield f'</div></main>\n<div id="tip" role="tooltip" hidden></div>\n<script>{SCRIPT}</script>\n</body>\n</html>\n'


_CONTROLS: Final = """\
<form><input id="filter" type="search" placeholder="Filter: name, failed, critical" aria-label="Filter" autocomplete="off">
<output id="count"></output>
<button type="button" id="smaller" title="Zoom out (-)" aria-label="Zoom out">\N{MINUS SIGN}</button>
<button type="button" id="fit" title="Fit (0)">Fit</button>
<button type="button" id="larger" title="Zoom in (+)" aria-label="Zoom in">+</button></form>
"""


def _legend(layout: Layout) -> Iterator[str]:
    kinds = layout.kinds
    for kind, words in KIND_WORDS.items():
        if kind in kinds:
            yield f'<li><i><i class="bar {kind}"></i></i>{words}</li>'
    if any(bar.has_failed for line in layout.lines for bar in line.bars):
        yield '<li><i><i class="bar running failed"></i></i>failed</li>'
    if layout.timeline.critical_path:
        yield '<li><i><i class="stretch"></i></i>critical path</li>'


def _line(line: Line, end: float) -> Iterator[str]:
    row, verdict = line.row, judge(line.row.view)
    classes = "line" + " on-path" * (line.stretch is not None) + " bad" * (verdict == "failed")
    find = f"{row.unit} {say_end(row.view, row.view.optional)}{' critical' if line.stretch else ''}"
    yield f'<div class="{classes}" data-find="{escape(find.lower())}">'
    yield f'<button type="button" class="name" tabindex="-1" aria-describedby="tip"><bdi>{escape(row.unit)}</bdi></button>'
    yield f'<div class="lane">{"".join(_bar(number, bar, end) for number, bar in enumerate(line.bars))}'
    if line.stretch:
        yield f'<i class="stretch" style="{_place(line.stretch.begin, line.stretch.end, end)}"></i>'
    yield f'</div><span class="tail">{MARKS[verdict]} {say_work(row)}</span>'
    yield f"<template>{''.join(_tip(line))}</template></div>\n"


def _bar(number: int, bar: Bar, end: float) -> str:
    failed = " failed" * bar.has_failed
    return f'<i class="bar {bar.phase.kind}{failed}" data-phase="{number}" style="{_place(bar.begin, bar.end, end)}"></i>'


def _place(begin: float, until: float, end: float) -> str:
    return f"left:{begin / end * 100:.6g}%;width:{(until - begin) / end * 100:.6g}%"


def _tip(line: Line) -> Iterator[str]:
    yield f"<h2>{escape(line.row.unit)}</h2><dl>"
    for title, said in details(line.row):
        yield f"<dt>{title}</dt><dd>{escape(said)}</dd>"
    yield "</dl><table>"
    for phase in line.row.phases:
        yield f"<tr><td>{escape(say_phase(phase))}</td><td>{say_duration(phase.duration)}</td>"
        yield f'<td class="time">{say_span(phase.begin, phase.end)}</td></tr>'
    yield "</table>"


def _link(link: Link, end: float) -> str:
    """An arrow from the edge of one stretch to that of the next; where time passes between them, first along, then down."""
    is_later, is_up = link.at > link.left_at, link.head < link.tail
    top, bottom = sorted((link.tail, link.head))
    begin, until = top * LINE_HEIGHT + LINE_HEIGHT - _EDGE, bottom * LINE_HEIGHT + _EDGE
    if is_later:
        begin, until = (begin, until + LINE_HEIGHT // 2) if is_up else (begin - LINE_HEIGHT // 2, until)
    classes = " ".join(["up"] * is_up + ["later"] * is_later)
    return f'<i class="{classes}" style="{_place(link.left_at, link.at, end)};top:{begin}px;height:{until - begin}px"></i>'
