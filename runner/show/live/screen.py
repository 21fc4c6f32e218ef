"""Draws a run as one screen: the head, what failed, and all units by group, as much of it as there is room for."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from ...core.forecast import forecast
from .body import draw_body
from .census import count_units
from .failure import draw_failures, failed_units
from .header import draw_header
from .pen import Pen
from .style import UNICODE, Glyphs
from .view import View

_ROOMY: Final = 20
"""Lines from which on a blank one separates the parts of a screen."""
_GROUPED: Final = 12
"""Lines for units from which on it is worth telling the groups."""


def draw(view: View, width: int, height: int, at: float, *, glyphs: Glyphs = UNICODE, note: str = "") -> list[Text]:
    """The screen at a moment, in seconds since the run began: at most ``height`` lines of at most ``width`` cells.

    It is a function of what is given and of nothing else. A note stands in the last line, such as which key ends the watch.
    """
    pen = Pen(view, width, at, glyphs)
    snapshot = view.snapshot
    census = count_units(view.groups, snapshot.units)
    lines = draw_header(pen, census, forecast(snapshot, at))
    gap = [Text("", end="")] if height >= _ROOMY else []
    end = [*gap, pen.finish(Text(note, end=""))] if note else []
    lines += gap
    room = height - len(lines) - len(end)
    has_groups = room >= max(2 * len(census.groups), _GROUPED)
    if census.failed:
        most = room - len(census.groups) * 3 // 2 if has_groups else room
        lines += draw_failures(pen, failed_units(snapshot.units), min(room // 2, most))
        lines += gap
    lines += draw_body(pen, census, height - len(lines) - len(end), has_groups=has_groups)
    return [*lines, *end][: max(height, 0)]
