"""The live view of a run: events folded into what a screen needs, and screens as pure functions of it.

``View.apply`` takes what a watcher gets, ``draw`` makes a screen of it for a size and a moment, ``summary`` is what stays in the
scrollback. Nothing here knows a terminal or a clock.
"""

from __future__ import annotations

from .closing import summary
from .screen import draw
from .style import ASCII, UNICODE, Glyphs
from .view import View

__all__ = ["ASCII", "UNICODE", "Glyphs", "View", "draw", "summary"]
