"""Draws a timeline for a terminal: a line for each unit, its phases as signs that are told apart without their colours too."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ...core.timeline import WORK, PhaseKind
from ...core.words import say_duration
from ..text import chain, printable
from .layout import Bar, Layout, Line
from .words import KIND_WORDS, MARKS, TIMES, VERDICT_WORDS, Verdict, judge, say_course, say_extent, say_title, say_work

FEW: Final = 40
"""So many units are drawn of a larger run, unless all are asked for."""
_NARROWEST: Final = 40
_MARK_EVERY: Final = 9
"""Columns between two marks of the axis, at least."""
_FINE: Final = 8
"""Parts of a column that are told apart."""


class Signs(Struct, frozen=True):
    """The characters of a drawing."""

    phases: Mapping[PhaseKind, str]
    partial: str
    """A run that fills the left of a column, by eighths, the whole one last."""
    right: str
    """A run that fills the right of a column: a little, half, all of it."""
    verdicts: Mapping[Verdict, str]
    critical: str
    ruler: str
    ruler_mark: str
    more: str
    """In place of what is cut off a name."""
    times: str


UNICODE: Final = Signs(
    phases={
        "waiting": "·",
        "lock-wait": "░",
        "job-wait": "┊",
        "running": "█",
        "not-ready": "▒",
        "ready": "━",
        "backoff": "╌",
        "stopping": "▞",
    },
    partial="▏▎▍▌▋▊▉█",
    right="▕▐█",
    verdicts=MARKS,
    critical="▸",
    ruler="─",
    ruler_mark="┬",
    more="…",
    times=TIMES,
)
ASCII: Final = Signs(
    phases={
        "waiting": ".",
        "lock-wait": ":",
        "job-wait": ";",
        "running": "#",
        "not-ready": "o",
        "ready": "=",
        "backoff": "~",
        "stopping": "%",
    },
    partial="########",
    right="###",
    verdicts={"reached": "+", "failed": "!", "not run": "-", "unfinished": "?"},
    critical=">",
    ruler="-",
    ruler_mark="+",
    more="~",
    times="x",
)

_FAILED: Final = "red"
_STYLES: Final[Mapping[PhaseKind, str]] = {
    "waiting": "",
    "lock-wait": "yellow",
    "job-wait": "magenta",
    "running": "blue",
    "not-ready": "cyan",
    "ready": "green",
    "backoff": "yellow",
    "stopping": "",
}
"""The terminal's own colours."""


def render_text(layout: Layout, width: int, *, signs: Signs = UNICODE, most: int | None = FEW) -> list[Text]:
    """The lines of a drawing as wide as the terminal. Of more than ``most`` units only those are drawn that matter most."""
    lines, rest = _choose(layout.lines, most)
    width = max(width, _NARROWEST)
    table = _Table(layout, lines, width, signs)
    said = ["", _legend(layout.kinds, lines, signs)]
    if rest:
        longest = say_duration(max(line.row.work for line in rest))
        said.insert(0, f"and {len(rest)} more, none of which took longer than {longest}; --all draws them")
    if len(path := layout.timeline.critical_path) > 1:
        said.append("critical path: " + chain([_name(stretch.unit, signs) for stretch in path], FEW))
    drawn = [*_wrap([say_title(layout), say_course(layout), ""], width), *table.axis()]
    drawn += map(table.line, lines)
    said += [extent] if (extent := say_extent(layout)) else []
    return [*drawn, *_wrap(said, width)]


def _choose(lines: Sequence[Line], most: int | None) -> tuple[Sequence[Line], Sequence[Line]]:
    """What is drawn and what is left out: failures come first, then the critical path, then what took longest."""
    if most is None or len(lines) <= most:
        return lines, ()

    def matters(line: Line) -> tuple[bool, bool, float]:
        return judge(line.row.view) == "failed", line.stretch is not None, line.row.work

    chosen = {line.row.unit for line in sorted(lines, key=matters, reverse=True)[:most]}
    kept = [line for line in lines if line.row.unit in chosen]
    return kept, [line for line in lines if line.row.unit not in chosen]


def _legend(kinds: Container[PhaseKind], lines: Iterable[Line], signs: Signs) -> str:
    """The signs that the drawing has, each with what it stands for."""
    verdicts = {judge(line.row.view) for line in lines}
    said = [f"{signs.phases[kind]}\xa0{words}" for kind, words in KIND_WORDS.items() if kind in kinds]
    said += [f"{signs.verdicts[verdict]}\xa0{words}" for verdict, words in VERDICT_WORDS.items() if verdict in verdicts]
    said += [f"{signs.critical}\xa0on the critical path"] * any(line.stretch for line in lines)
    return "  ".join(one.replace(" ", "\xa0") for one in said)


def _wrap(paragraphs: Iterable[str], width: int) -> Iterator[Text]:
    """The lines of paragraphs; an empty one is a blank line. A no-break space comes out as any other."""
    for text in paragraphs:
        lines = textwrap.wrap(printable(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        yield from (Text(line.replace("\xa0", " ")) for line in lines or [""])


class _Table:
    """The columns of the drawing: names, phases, and what each unit came to."""

    def __init__(self, layout: Layout, lines: Sequence[Line], width: int, signs: Signs) -> None:
        self._layout = layout
        self._signs = signs
        longest = max((cell_len(_name(line.row.unit, self._signs)) for line in lines), default=0)
        self._names = min(longest, width // 3)
        self._lane = width - self._names - max((len(self._tail(line)) for line in lines), default=0) - 4

    def axis(self) -> Iterator[Text]:
        """The times, and the ruler below them."""
        labels, ruler = "", [self._signs.ruler] * self._lane
        for at in self._layout.marks(max(self._lane // _MARK_EVERY, 1)):
            column = min(int(at / self._layout.end * self._lane), self._lane - 1)
            ruler[column] = self._signs.ruler_mark
            if not at or len(labels) < column:
                labels = f"{labels:{column}}{say_duration(at) if at else '0'}"
        margin = " " * (self._names + 3)
        yield Text(margin + labels)
        yield Text(margin + "".join(ruler))

    def line(self, line: Line) -> Text:
        """A unit."""
        weight = "bold" if line.stretch else ""
        drawn = Text.assemble((self._signs.critical if line.stretch else " ", weight), " ")
        drawn.append(_fit(_name(line.row.unit, self._signs), self._names, self._signs.more), weight).append(" ")
        cells = map(self._cell, _paint(line.bars, self._lane / self._layout.end, self._lane))
        for style, alike in groupby(cells, key=lambda cell: cell[1]):
            drawn.append("".join(sign for sign, _ in alike), style)
        drawn.append(f" {self._tail(line)}", _FAILED if judge(line.row.view) == "failed" else "")
        drawn.rstrip()
        return drawn

    def _tail(self, line: Line) -> str:
        mark = self._signs.verdicts[judge(line.row.view)]
        return f"{mark} {say_work(line.row).replace(TIMES, self._signs.times)}"

    def _cell(self, cell: Sequence[Bar | None]) -> tuple[str, str]:
        """One column, of its eighths, with its style: a run is never lost, however short; of all else whatever has most."""
        kinds = [bar.phase.kind if bar else None for bar in cell]
        bar = next((bar for bar in cell if bar and bar.phase.kind in WORK), None) or Counter(cell).most_common(1)[0][0]
        if bar is None:
            return " ", ""
        style = _FAILED if bar.has_failed else _STYLES[bar.phase.kind]
        runs = kinds.count("running")
        if not runs:
            return self._signs.phases[bar.phase.kind], style
        if kinds[0] == "running" or kinds[-1] != "running":
            return self._signs.partial[runs - 1], style
        return self._signs.right[(runs > _FINE // 4) + (runs > _FINE * 3 // 4)], style


def _paint(bars: Iterable[Bar], scale: float, columns: int) -> Iterator[Sequence[Bar | None]]:
    """The phase in each eighth of each column. Work goes over all else, and has at least one eighth."""
    fine: list[Bar | None] = [None] * (columns * _FINE)
    for bar in sorted(bars, key=lambda bar: bar.phase.kind in WORK):
        begin, end = round(bar.begin * scale * _FINE), round(bar.end * scale * _FINE)
        if bar.phase.kind in WORK:
            begin = min(begin, len(fine) - 1)
            end = max(end, begin + 1)
        fine[begin:end] = [bar] * (end - begin)
    return (fine[begin : begin + _FINE] for begin in range(0, len(fine), _FINE))


def _name(unit: str, signs: Signs) -> str:
    """A unit's name in characters that the terminal has."""
    name = printable(unit)
    return name.encode("ascii", "backslashreplace").decode() if signs is ASCII else name


def _fit(name: str, width: int, more: str) -> str:
    """A name in just so many columns. Of one that is too long its end is shown, for its beginning is its group."""
    if cell_len(name) > width:
        while cell_len(name) > width - 1:
            name = name[1:]
        name = more + name
    return set_cell_size(name, width)
