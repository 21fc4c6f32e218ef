"""Lays a timeline out, the same for every drawing: which rows in which order, which part of the time, which marks on its axis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import Final

from msgspec import Struct

from ...core.timeline import WAITS, WORK, Phase, PhaseKind, Row, Stretch, Timeline

STEPS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400),
)
"""Seconds from one mark of the axis to the next, as people count them."""
_MUCH_LATER: Final = 1.5
"""A run that lasts so many times its startup is drawn to the startup's end, or nobody could see that."""
_STARTUP_MARGIN: Final = 1.04
_FINEST: Final = 1000
"""No drawing has parts finer than this of its width."""


class Bar(Struct, frozen=True):
    """A phase, or as much of it as the drawing shows."""

    phase: Phase
    begin: float
    end: float
    has_failed: bool
    """It was work, and all in vain: another attempt followed, or the unit failed."""


class Line(Struct, frozen=True):
    """A unit's line of the drawing."""

    row: Row
    bars: tuple[Bar, ...]
    stretch: Stretch | None
    """Its part of the critical path, if it is on that."""


class Link(Struct, frozen=True):
    """Two lines, one after the other on the critical path, by their numbers."""

    tail: int
    head: int
    left_at: float
    """When the first was done with the part of the path that is its own."""
    at: float
    """When the second went on."""


class Layout(Struct, frozen=True):
    """What is drawn. Times are seconds since the run began."""

    timeline: Timeline
    began: datetime
    """The wall clock at the run's beginning."""
    end: float
    """Where the drawing ends; never 0."""
    lines: tuple[Line, ...]
    """Every unit that anything became of, in the order in which they went to work."""
    unwanted: int
    """How many units are left out because nothing became of them."""

    @property
    def is_cut(self) -> bool:
        """Whether the run went on after what is drawn."""
        return self.end < self.timeline.end

    @property
    def kinds(self) -> set[PhaseKind]:
        """Every kind of phase of which there is something to see."""
        thinnest = self.end / _FINEST
        bars = (bar for line in self.lines for bar in line.bars)
        return {bar.phase.kind for bar in bars if bar.end - bar.begin > thinnest or bar.phase.kind in WORK}

    def links(self) -> Iterator[Link]:
        """The steps of the critical path."""
        numbers = {line.row.unit: number for number, line in enumerate(self.lines)}
        path = self.timeline.critical_path
        for one, after in pairwise(path):
            yield Link(numbers[one.unit], numbers[after.unit], one.end, after.begin)

    def marks(self, most: int) -> list[float]:
        """The times on the axis, beginning with 0: as many as may be, on round numbers."""
        step = next((step for step in STEPS if self.end / step <= most), None)
        if step is None:
            step = STEPS[-1] * ceil(self.end / most / STEPS[-1])
        return [step * number for number in range(int(self.end / step) + 1)]


def lay_out(timeline: Timeline, began: datetime, *, whole: bool = False) -> Layout:
    """What to draw of a run: its startup, and what came later where that is short, or where the whole run is asked for."""
    end = timeline.end
    if timeline.startup and timeline.startup.at * _MUCH_LATER < end and not whole:
        end = timeline.startup.at * _STARTUP_MARGIN
    end = end or 0.001
    stretches = {stretch.unit: stretch for stretch in timeline.critical_path}
    rows = [row for row in timeline.rows if row.phases or row.view.outcome]
    lines = tuple(Line(row, tuple(_bars(row, end)), stretches.get(row.unit)) for row in sorted(rows, key=_went_to_work))
    return Layout(timeline, began, end, lines, len(timeline.rows) - len(rows))


def _bars(row: Row, end: float) -> Iterator[Bar]:
    bars: list[Bar] = []
    is_in_vain = row.view.outcome in ("failed", "timed-out")
    for phase in reversed(row.phases):
        if phase.begin <= end:
            bars.append(Bar(phase, phase.begin, min(phase.end, end), is_in_vain and phase.kind in WORK))
        if phase.kind != "stopping":
            is_in_vain = phase.kind == "backoff"
    return reversed(bars)


def _went_to_work(row: Row) -> tuple[float, float]:
    """When it was first let go, or ended without that; then when it ended."""
    begin = next((phase.begin for phase in row.phases if phase.kind not in WAITS), row.view.since)
    return begin, row.phases[-1].end if row.phases else begin
