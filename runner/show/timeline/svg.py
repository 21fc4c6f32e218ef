"""Draws a timeline as a standalone SVG: light and dark, no scripts; the details are in the tooltips of what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...core.timeline import PhaseKind
from ...core.words import say_duration
from ..text import cut_name, printable
from .layout import Bar, Layout, Line, Link
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

_WIDTH: Final = 1200
_TOP: Final = 92
"""Where the lines of the units begin."""
_LINE: Final = 24
_MARGIN: Final = 16
_LETTER: Final = 7.6
"""How wide a letter of a bold name is, about."""
_LONGEST_NAME: Final = 44
_TAIL: Final = 118
"""The column of times on the right."""
_MARKS: Final = 10
_THINNEST: Final = 1.5
"""No phase is narrower, so that a short one can be seen."""
_HEIGHTS: Final[dict[PhaseKind, int]] = {
    "waiting": 2,
    "lock-wait": 8,
    "job-wait": 8,
    "running": 14,
    "not-ready": 14,
    "ready": 8,
    "backoff": 2,
    "stopping": 10,
}

_STYLE: Final = """\
text{font:12.5px system-ui,sans-serif;fill:var(--ink)}
.page{fill:var(--page)} .band{fill:var(--band)}
.title{font-size:17px;font-weight:600} .muted{fill:var(--muted)} .small{font-size:11px}
.grid{stroke:var(--grid)}
.waiting{fill:var(--waiting)} .running{fill:var(--running)} .ready{fill:var(--ready)}
.stopping{fill:var(--stopping)} .lock-wait{fill:url(#lock-wait)} .job-wait{fill:url(#job-wait)}
.not-ready{fill:url(#not-ready)} .backoff{fill:url(#backoff)}
.failed{fill:var(--failed)}
.critical{fill:var(--critical);font-weight:600}
.stretch,.link{fill:none;stroke:var(--critical);stroke-width:1.75}
.arrow{fill:var(--critical)}
"""


def _pattern(kind: PhaseKind, width: int, stroke: int, turn: int) -> str:
    """Stripes in the colour of a kind, on a lighter ground of it."""
    return (
        f'<pattern id="{kind}" width="{width}" height="{width}" patternUnits="userSpaceOnUse" patternTransform="rotate({turn})">'
        f'<rect width="{width}" height="{width}" style="fill:var(--{kind})" opacity=".25"/>'
        f'<rect width="{stroke}" height="{width}" style="fill:var(--{kind})"/></pattern>\n'
    )


_DEFINITIONS: Final = (
    "<defs>\n"
    + _pattern("lock-wait", 6, 2, 45)
    + _pattern("job-wait", 6, 2, -45)
    + _pattern("not-ready", 5, 3, 45)
    + _pattern("backoff", 7, 4, 0)
    + '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" '
    'orient="auto"><path d="M0 0L8 4L0 8z" class="arrow"/></marker>\n</defs>\n'
)


def render_svg(layout: Layout) -> str:
    """The drawing as the text of an SVG file."""
    return "".join(_Drawing(layout).parts())


class _Drawing:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        longest = max((len(printable(line.row.unit)) for line in layout.lines), default=0)
        self._left = _MARGIN + round(min(longest, _LONGEST_NAME) * _LETTER) + 16
        self._right = _WIDTH - _MARGIN - _TAIL
        self._bottom = _TOP + _LINE * len(layout.lines)

    def parts(self) -> Iterator[str]:
        height = self._bottom + 84
        title = escape(say_title(self._layout))
        yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        yield f'role="img">\n<title>{title}</title>\n<style>\n{colours("svg")}{_STYLE}</style>\n{_DEFINITIONS}'
        yield f'<rect class="page" width="{_WIDTH}" height="{height}"/>\n'
        yield f'<text class="title" x="{_MARGIN}" y="32">{title}</text>\n'
        yield f'<text class="muted" x="{_MARGIN}" y="54">{escape(say_course(self._layout))}</text>\n'
        yield from self._bands()
        yield from self._axis()
        for number, line in enumerate(self._layout.lines):
            yield from self._line(number, line)
        for link in self._layout.links():
            yield self._link(link)
        yield from self._legend()
        yield f'<text class="muted small" x="{_MARGIN}" y="{height - 14}">{escape(say_extent(self._layout))}</text>\n</svg>\n'

    def _x(self, at: float) -> float:
        return round(self._left + at / self._layout.end * (self._right - self._left), 2)

    def _bands(self) -> Iterator[str]:
        """Every second line has a ground of its own, that the eye stays in it."""
        for y in range(_TOP, self._bottom, 2 * _LINE):
            yield f'<rect class="band" x="{_MARGIN / 2:g}" y="{y}" width="{_WIDTH - _MARGIN}" height="{_LINE}"/>\n'

    def _axis(self) -> Iterator[str]:
        for at in self._layout.marks(_MARKS):
            x = self._x(at)
            yield f'<line class="grid" x1="{x:g}" y1="{_TOP - 6}" x2="{x:g}" y2="{self._bottom}"/>'
            label = say_duration(at) if at else "0"
            yield f'<text class="muted small" x="{x:g}" y="{_TOP - 11}" text-anchor="middle">{label}</text>\n'

    def _line(self, number: int, line: Line) -> Iterator[str]:
        y = _TOP + number * _LINE
        row, verdict = line.row, judge(line.row.view)
        about = "\n".join(f"{title}: {said}" for title, said in details(row))
        mark = ' class="critical"' if line.stretch else ""
        yield f'<g><text{mark} x="{_MARGIN}" y="{y + 16}">{escape(cut_name(row.unit, _LONGEST_NAME))}'
        yield f"<title>{escape(row.unit)}\n{escape(about)}</title></text>"
        yield from (self._bar(bar, y, row.unit) for bar in line.bars)
        if line.stretch:
            yield self._stretch(line, y)
        failed = ' class="failed"' if verdict == "failed" else ""
        yield f'<text{failed} x="{self._right + 12}" y="{y + 16}">{MARKS[verdict]} {say_work(row)}</text></g>\n'

    def _bar(self, bar: Bar, y: int, unit: str) -> str:
        phase, x = bar.phase, self._x(bar.begin)
        width = max(round(self._x(bar.end) - x, 2), _THINNEST)
        height, failed = _HEIGHTS[phase.kind], " failed" * bar.has_failed
        about = f"{unit}: {say_phase(phase)}\n{say_duration(phase.duration)}, {say_span(phase.begin, phase.end)}"
        return (
            f'<rect class="{phase.kind}{failed}" x="{x:g}" y="{y + (_LINE - height) / 2:g}" width="{width:g}" height="{height}">'
            f"<title>{escape(about)}</title></rect>"
        )

    def _stretch(self, line: Line, y: int) -> str:
        assert line.stretch
        x = self._x(line.stretch.begin)
        width = max(round(self._x(line.stretch.end) - x, 2), _THINNEST)
        return f'<rect class="stretch" x="{x:g}" y="{y + 3.5}" width="{width:g}" height="{_LINE - 7}" rx="2"/>'

    def _link(self, link: Link) -> str:
        """From the edge of one stretch to that of the next: down where the next follows at once, else first along."""
        down = 1 if link.head > link.tail else -1
        middle = _TOP + link.tail * _LINE + _LINE / 2
        x, after = self._x(link.left_at), self._x(link.at)
        begin = f"{x:g} {middle + down * (_LINE / 2 - 3.5):g}" if x == after else f"{x:g} {middle:g}H{after:g}"
        end = _TOP + link.head * _LINE + _LINE / 2 - down * (_LINE / 2 - 3)
        return f'<path class="link" d="M{begin}V{end:g}" marker-end="url(#arrow)"/>\n'

    def _legend(self) -> Iterator[str]:
        kinds = self._layout.kinds
        x, y = float(_MARGIN), self._bottom + 32
        for kind, words in KIND_WORDS.items():
            if kind in kinds:
                height = _HEIGHTS[kind]
                yield f'<rect class="{kind}" x="{x:g}" y="{y - 4 - height / 2:g}" width="26" height="{height}"/>'
                yield f'<text x="{x + 33:g}" y="{y}">{words}</text>\n'
                x += 52 + len(words) * _LETTER
        if any(bar.has_failed for line in self._layout.lines for bar in line.bars):
            yield f'<rect class="failed" x="{x:g}" y="{y - 11}" width="26" height="14"/>'
            yield f'<text x="{x + 33:g}" y="{y}">failed</text>\n'
            x += 52 + len("failed") * _LETTER
        if self._layout.timeline.critical_path:
            yield f'<rect class="stretch" x="{x:g}" y="{y - 12}" width="26" height="16" rx="2"/>'
            yield f'<text class="critical" x="{x + 33:g}" y="{y}">critical path</text>\n'
