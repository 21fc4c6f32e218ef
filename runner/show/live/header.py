"""Draws the head of a screen: how far the run is, for how long it has gone on, what is expected, and what it depends on."""

from __future__ import annotations

from rich.text import Text

from ...core.forecast import Forecast
from ...core.snapshot import Snapshot
from ...core.words import say_count, say_duration
from ..summary import say_counts
from .cells import one_line
from .census import Census
from .pen import Pen, say_clock
from .style import ALARM, STRONG, bar

_CHAIN_SHOWN = 4
_PHASE = len("starting")
_BESIDE_BAR = 54
"""Columns for what stands beside the bar."""
_NEARLY = 1.0
"""Seconds below which the end is near, and nothing more exact would be true."""


def draw_header(pen: Pen, census: Census, forecast: Forecast) -> list[Text]:
    """Two or three lines."""
    lines = [_draw_progress(pen, census, forecast), _draw_dependence(pen, forecast)]
    if pen.view.missed:
        lines.append(Text(f"{pen.glyphs.more} {say_count(pen.view.missed, 'line')} missed: the reader was too slow", end=""))
    return [pen.finish(line) for line in lines]


def _draw_progress(pen: Pen, census: Census, forecast: Forecast) -> Text:
    done, total = census.done, census.total
    phase, style = _say_phase(pen.view.snapshot, census.is_stopping)
    line = Text.assemble((f"{phase:{_PHASE}}", style), "  ", end="")
    for piece, color in bar(done / total if total else 0.0, min(max(pen.width - _BESIDE_BAR, 8), 40), pen.glyphs):
        line.append(piece, color)
    line.append(f"  {done:>{len(str(total))}} of {total}", STRONG)
    line.append(f"  {_say_times(pen, forecast)}")
    return line


def _say_phase(snapshot: Snapshot, is_stopping: bool) -> tuple[str, str]:
    """What the run is at, in a word, and its style."""
    if snapshot.ended:
        return "over", ALARM if snapshot.ended.outcome == "failed" else STRONG
    if is_stopping:
        return "stopping", STRONG
    if snapshot.startup:
        return ("failed", ALARM) if snapshot.startup.outcome == "failed" else ("running", STRONG)
    return "starting", STRONG


def _say_times(pen: Pen, forecast: Forecast) -> str:
    snapshot = pen.view.snapshot
    if snapshot.ended:
        return f"after {say_clock(snapshot.ended.duration)}"
    said = say_clock(pen.at)
    if snapshot.startup:
        return f"{said}, startup took {say_clock(snapshot.startup.duration)}"
    left = forecast.left
    if left is None or (left < _NEARLY and forecast.is_partial):
        return said
    if left < _NEARLY:
        return f"{said}, less than {say_duration(_NEARLY)} left"
    return f"{said}, {'at least' if forecast.is_partial else 'about'} {say_clock(left)} left"


def _draw_dependence(pen: Pen, forecast: Forecast) -> Text:
    """The unit that the startup now depends on most, and what comes after it."""
    snapshot = pen.view.snapshot
    if snapshot.startup:
        return Text(one_line(say_counts(snapshot, {name for name, view in snapshot.units.items() if view.optional})), end="")
    if not forecast.path:
        return Text("", end="")
    first, *further = map(one_line, forecast.path)
    line = Text.assemble("depends most on ", (first, STRONG), end="")
    for name in further[:_CHAIN_SHOWN]:
        line.append(f" {pen.glyphs.arrow} {name}")
    if len(further) > _CHAIN_SHOWN:
        line.append(f" {pen.glyphs.arrow} {len(further) - _CHAIN_SHOWN} more")
    return line
