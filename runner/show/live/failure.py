"""Draws a failure unfolded: what failed and how, how its output ended, and where all of it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich.text import Text

from ...core.snapshot import UnitView
from ..ending import say_end
from .cells import clean, cut_front, one_line
from .pen import Pen
from .share import share
from .style import ALARM, sign_of

_OUTPUT_SHOWN: Final = 10
"""Lines of output of a failure at most."""


def failed_units(units: Mapping[str, UnitView]) -> list[str]:
    """The units that failed or timed out: first those that are not optional, then as they came."""
    names = [name for name, view in units.items() if view.outcome in ("failed", "timed-out")]
    return sorted(names, key=lambda name: (units[name].optional, units[name].since))


def draw_failures(pen: Pen, failed: list[str], budget: int) -> Iterator[Text]:
    """These failures in so many lines at most, 0 or more: each with as much of its output as there is room for."""
    shown = failed if len(failed) <= budget else failed[: max(budget - 1, 0)]
    rest = failed[len(shown) :]
    rooms = share(budget - len(shown) - bool(rest), [_count_details(pen, name) for name in shown])
    for name, room in zip(shown, rooms, strict=True):
        yield pen.finish(make_failure_line(pen, name))
        yield from _draw_details(pen, name, room)
    if rest and budget > 0:
        yield pen.finish(Text.assemble((f"  and {len(rest)} more failed: ", ALARM), ", ".join(map(one_line, rest)), end=""))


def make_failure_line(pen: Pen, name: str) -> Text:
    """What failed and how, as wide as it is."""
    view = pen.units[name]
    sign, style = sign_of(view, pen.glyphs)
    said = one_line(say_end(view, view.optional))
    return Text.assemble((f"{sign} {one_line(name)}", style), f"  {said}", end="")


def draw_output(pen: Pen, name: str, count: int) -> Iterator[Text]:
    """The last lines of a unit's output."""
    for line in pen.view.last_lines(name, count):
        yield pen.finish(Text(f"  {pen.glyphs.gutter} {clean(line)}", end=""))


def _count_details(pen: Pen, name: str) -> int:
    """The lines that :func:`_draw_details` could draw."""
    lines = len(pen.view.last_lines(name, _OUTPUT_SHOWN))
    return lines + bool(lines and pen.units[name].log)


def _draw_details(pen: Pen, name: str, room: int) -> Iterator[Text]:
    """How a unit's output ends and the path of its log, in so much room; where there is but one line, the output has it.

    A unit that wrote nothing has no file.
    """
    log = pen.units[name].log if pen.view.last_lines(name, 1) and room > 1 else ""
    yield from draw_output(pen, name, min(room - bool(log), _OUTPUT_SHOWN))
    if log:
        yield pen.finish(Text("  log: " + cut_front(one_line(log), pen.width - 7, pen.glyphs.more), end=""))
