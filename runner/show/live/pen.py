"""Where lines of a screen get their columns: what is drawn of which view, how wide, at which moment, with which signs."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from ...core.words import say_duration
from ..queue import lock_queues
from ..waiting import lock_holders
from .cells import fit, fold
from .style import Glyphs
from .view import View

_NARROW: Final = 72
"""Columns below which times have less room, and words of little weight have none."""
_WIDE: Final = 100
"""Columns from which on rows have bars."""
_SOONEST: Final = 10.0
"""Seconds up to which a time that passes is shown in tenths."""


class Pen:
    """All that the lines of one screen have in common. Columns depend on names and width alone, so they never move."""

    def __init__(self, view: View, width: int, at: float, glyphs: Glyphs) -> None:
        self.view = view
        self.units = view.snapshot.units
        self.width = width
        self.at = at
        self.glyphs = glyphs
        self.holders = lock_holders(self.units)
        """The unit that has each lock now."""
        self.queues = lock_queues(self.units)
        """The units that wait for each lock."""

    @property
    def is_wide(self) -> bool:
        """There is room for bars in rows."""
        return self.width >= _WIDE

    @property
    def is_narrow(self) -> bool:
        """There is no room for words of little weight."""
        return self.width < _NARROW

    @property
    def label(self) -> int:
        """Cells for a unit's name within its group."""
        return min(self.view.label_width, max(self.width * 3 // 10, 8))

    @property
    def name(self) -> int:
        """Cells for a unit's whole name."""
        return min(self.view.name_width, max(self.width * 2 // 5, 8))

    @property
    def time(self) -> int:
        """Cells for a time, and for what is expected of it."""
        return 13 if self.is_narrow else 15

    @property
    def bar(self) -> int:
        """Cells of a bar in a row."""
        return 10 if self.width < 160 else 16

    def finish(self, line: Text) -> Text:
        """A line that is no wider than the screen, and of characters that it can show."""
        return fit(self._encodable(line), self.width, self.glyphs.more)

    def fold(self, line: Text) -> list[Text]:
        """The whole of a line in as many as it needs: what a person may want to copy is never cut."""
        return fold(self._encodable(line), self.width, "  ")

    def _encodable(self, line: Text) -> Text:
        if not self.glyphs.encodable and not line.plain.isascii():
            line.plain = line.plain.encode("ascii", "replace").decode()
        return line


def say_clock(seconds: float) -> str:
    """A time that passes, as calm as it can be: in tenths for the first ten seconds, then in whole ones."""
    return f"{max(seconds, 0.0):.1f} s" if seconds < _SOONEST - 0.05 else say_duration(float(round(seconds)))
