"""The live view on this process's terminal: what is known of a run, when to draw it, and how the screen comes and goes.

Whoever has a loop brings the events and asks for frames. Nothing here ever waits for the terminal: while that has not taken
a frame, no other is drawn. Nor is anything drawn while another job of the shell has the terminal (``bg``).
"""

from __future__ import annotations

import os
import signal

from ..core.event import Decided
from ..core.stream import StreamEvent
from ..show.live import View, draw, summary
from ..show.terminal import Color, Pace, Terminal, make_paint
from ..supervisor.outlet import Outlet
from ..supervisor.poller import Poller
from .look import choose_glyphs, is_in_foreground

_STDOUT = 1
SIGNALS = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
"""What concerns a stage."""


class Stage:
    """A view of a run and the terminal of standard output, which is taken with the first frame."""

    def __init__(self, poller: Poller, color: Color, note: str) -> None:
        """``note`` stands below the view."""
        self.note = note
        self._view = View()
        self._pace = Pace()
        self._outlet = Outlet(poller, _STDOUT, lambda _: b"")
        self._terminal = Terminal(_STDOUT, self._outlet.write, make_paint(True, os.environ, color))
        self._glyphs = choose_glyphs()

    @property
    def due_at(self) -> float:
        """When the next frame is due, on the clock that :meth:`draw` is told."""
        return self._pace.due_at

    def apply(self, event: StreamEvent | Decided) -> None:
        """Know one thing more."""
        self._view.apply(event)
        self._pace.note_change()

    def draw(self, now: float, at: float) -> None:
        """Draw the moment ``at`` of the run if a frame is due. A terminal that cannot take it gets the one after it."""
        if now < self._pace.due_at:
            return
        self._pace.note_frame(now)
        if self._outlet.is_waiting or not is_in_foreground():
            return
        if not self._terminal.is_entered:
            self._terminal.enter()
        columns, rows = self._terminal.measure()
        self._terminal.draw(draw(self._view, columns, rows, at, glyphs=self._glyphs, note=self.note))

    def heed(self, number: signal.Signals) -> None:
        """Do what one of :data:`SIGNALS` asks for."""
        if number == signal.SIGTSTP:
            self._pause()
        elif number == signal.SIGCONT and self._terminal.is_entered and is_in_foreground():
            self._terminal.enter()
        self._pace.note_change()

    def _pause(self) -> None:
        """Be stopped as everybody is by ctrl-z, with the screen given back. The next frame takes it again."""
        self._terminal.leave()
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)

    def leave(self, *, with_summary: bool) -> None:
        """Give the screen back as it was, and leave a summary of the run behind, or nothing."""
        columns, _ = self._terminal.measure()
        self._terminal.leave(summary(self._view, columns, glyphs=self._glyphs) if with_summary else ())

    def close(self, patience: float) -> None:
        """Give the screen back, and a slow terminal so many seconds to take the rest."""
        self._terminal.leave()
        self._outlet.close(patience)
