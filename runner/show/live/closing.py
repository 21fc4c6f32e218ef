"""Draws what a run leaves behind in the scrollback: how it went, what failed and what to do, and where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import pairwise
from shlex import quote
from typing import Final

from rich.text import Text

from ...core.snapshot import Snapshot, UnitView
from ...core.words import say_count, say_duration
from ..summary import say_counts
from ..text import listed
from .cells import one_line, pad
from .failure import draw_output, failed_units, make_failure_line
from .pen import Pen
from .style import ALARM, STRONG, UNICODE, Glyphs, bar
from .view import View

_FAILURES_SHOWN: Final = 10
_OUTPUT_SHOWN: Final = 20
"""Lines of output of all failures together, but of each so many:"""
_OUTPUT_LEAST: Final = 4
_SLOWEST_SHOWN: Final = 5
_NAMES_SHOWN: Final = 8
_PATH_SHOWN: Final = 12
_WORTH_COUNTING: Final = 0.001
"""Seconds. A target adds less to its path."""
_WORTH_TELLING: Final = 0.1
"""Seconds. Of units that took less nobody asks why."""


def summary(view: View, width: int, *, glyphs: Glyphs = UNICODE) -> list[Text]:
    """How a run went, in lines of at most ``width`` cells.

    Of a run that still goes on (its startup is finished, or somebody who watched it goes), how far it has come.
    """
    pen = Pen(view, width, view.snapshot.at, glyphs)
    failed = failed_units(view.snapshot.units)
    parts = [_draw_outcome(pen), *_draw_failures(pen, failed), _draw_skipped(pen), _draw_path(pen), _draw_slowest(pen)]
    lines: list[Text] = []
    for part in filter(None, map(list, parts)):
        lines += [Text("", end="")] * bool(lines) + part
    return lines


def _draw_outcome(pen: Pen) -> Iterator[Text]:
    snapshot = pen.view.snapshot
    optional = {name for name, view in snapshot.units.items() if view.optional}
    end = snapshot.startup or snapshot.ended
    outcome = end.outcome if end else None
    sign = pen.glyphs.outcomes[outcome] if outcome else pen.glyphs.states["running"]
    style = {"succeeded": "bold green", "failed": ALARM}.get(outcome or "", STRONG)
    yield from pen.fold(Text.assemble((f"{sign} ", style), (_say_outcome(snapshot), STRONG)))
    yield from pen.fold(Text(f"  {one_line(say_counts(snapshot, optional))}"))
    if pen.view.missed:
        yield from pen.fold(Text(f"  {say_count(pen.view.missed, 'line')} missed, because the reader was too slow"))


def _say_outcome(snapshot: Snapshot) -> str:
    startup, ended = snapshot.startup, snapshot.ended
    over = f"run {ended.outcome} after {say_duration(ended.duration)}" if ended else ""
    if startup is None:
        return over or f"not finished after {say_duration(snapshot.at)}"
    said = f"startup {startup.outcome} after {say_duration(startup.duration)}"
    if ended is None:
        return f"{said}; the run goes on"
    if ended.duration - startup.duration < _WORTH_TELLING and ended.outcome == startup.outcome:
        return said
    return f"{said}, {over}"


def _draw_failures(pen: Pen, failed: list[str]) -> Iterator[Iterator[Text]]:
    """A part for each failure: what, how its output ended, where all of it is, and what to type next."""
    for name in failed[:_FAILURES_SHOWN]:
        yield _draw_failure(pen, name, max(_OUTPUT_SHOWN // len(failed), _OUTPUT_LEAST))
    rest = failed[_FAILURES_SHOWN:]
    if rest:
        yield iter(pen.fold(Text.assemble((f"and {len(rest)} more failed: ", ALARM), _names(rest))))


def _draw_failure(pen: Pen, name: str, count: int) -> Iterator[Text]:
    view = pen.units[name]
    yield from pen.fold(make_failure_line(pen, name))
    yield from draw_output(pen, name, count)
    unit = quote(one_line(name))
    if view.log and pen.view.last_lines(name, 1):
        path = Text(f"  log: {one_line(view.log)}")  # which is of no use in two pieces
        command = Text.assemble("  log: ", (f"runner logs {unit}", STRONG))
        yield from pen.fold(path if path.cell_len <= pen.width else command)
    yield from pen.fold(Text.assemble("  why: ", (f"runner why {unit}", STRONG)))


def _draw_skipped(pen: Pen) -> Iterator[Text]:
    """What never ran, by what is to blame."""
    by_cause: dict[str, list[str]] = {}
    for name, view in pen.units.items():
        if view.outcome == "skipped":
            by_cause.setdefault(view.cause, []).append(name)
    for cause, names in by_cause.items():
        because = f" because of {one_line(cause)}" if cause else ""
        yield from pen.fold(Text.assemble((f"skipped{because}: ", STRONG), _names(names)))


def _draw_path(pen: Pen) -> Iterator[Text]:
    """The units that the startup had to wait for one after the other, and what each added to it."""
    startup = pen.view.snapshot.startup
    path = startup.critical_path if startup else ()
    reached = [0.0, *(_reached_at(pen.units[name]) for name in path)]
    rows = [(name, end - begin) for name, (begin, end) in zip(path, pairwise(reached), strict=True)]
    rows = [(name, time) for name, time in rows if time >= _WORTH_COUNTING]
    if len(rows) < 2:
        return
    first, rest, last = rows, rows[:0], rows[:0]
    if len(rows) > _PATH_SHOWN:
        half = _PATH_SHOWN // 2
        first, rest, last = rows[:half], rows[half:-half], rows[-half:]
    longest = max(time for _, time in rows)
    yield pen.finish(Text("critical path", STRONG, end=""))
    yield from _draw_times(pen, first, longest)
    if rest:
        yield pen.finish(Text(f"  {pen.glyphs.more} {len(rest)} more, {say_duration(sum(time for _, time in rest))}", end=""))
    yield from _draw_times(pen, last, longest)


def _draw_slowest(pen: Pen) -> Iterator[Text]:
    times = ((name, _took(view)) for name, view in pen.units.items())
    slowest = nlargest(_SLOWEST_SHOWN, (row for row in times if row[1] >= _WORTH_TELLING), key=lambda row: row[1])
    if len(slowest) > 1:
        yield pen.finish(Text("slowest", STRONG, end=""))
        yield from _draw_times(pen, slowest, slowest[0][1])


def _draw_times(pen: Pen, rows: list[tuple[str, float]], longest: float) -> Iterator[Text]:
    """Units with their times, and bars that compare them."""
    for name, time in rows:
        view = pen.units[name]
        line = Text(f"  {pad(one_line(name), pen.name, pen.glyphs.more)}  {say_duration(time):>10}  ", end="")
        done, _ = bar(time / longest, max(pen.width // 4, 1), pen.glyphs)
        line.append(done[0], "blue")
        if view.attempt > 1:
            line.append(f"  {say_count(view.attempt, 'attempt')}")
        if view.expected is not None and _took(view) - view.expected >= max(_WORTH_TELLING, view.expected / 2):
            line.append(f"  expected {say_duration(view.expected)}")
        yield pen.finish(line)


def _took(view: UnitView) -> float:
    """Seconds from its first start until it reached its goal, or ended without; 0 where neither has happened."""
    if view.first_started_at is None or (view.reached_at is None and view.outcome is None):
        return 0.0
    return max(_reached_at(view) - view.first_started_at, 0.0)


def _reached_at(view: UnitView) -> float:
    return view.since if view.reached_at is None else view.reached_at


def _names(names: Iterable[str]) -> str:
    return listed([one_line(name) for name in names], _NAMES_SHOWN)
