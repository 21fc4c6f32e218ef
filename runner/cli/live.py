"""How ``up`` shows its own run live: a listener of the supervisor that draws in the turns of the loop, and never waits.

The first units are there before any of what draws is imported: the screen opens a moment after the run began, by a timer of
the loop. A run that is over by then leaves its summary without ever having taken the screen. At its end the screen is given
back before anything else is waited for.

While the screen is ours nobody else may write on it. Warnings stand in its last line, and are told when it is given back.
Keys other than those that make a signal do nothing: to leave a run that goes on is for those who only watch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

from ..core.event import Decided, RunEnded, UnitEnded
from ..show.terminal import Color
from ..supervisor.warning import warn_on_stderr

if TYPE_CHECKING:
    from ..core.stream import UnitWrote
    from ..supervisor.supervisor import Supervisor

_STDERR = 2
_OPENS_AFTER = 0.1
"""Seconds from the beginning of the run."""
_NOTE = "ctrl-c stops the run"
_NOTE_AT_END = "ctrl-c again kills what still runs"


class Live:
    """Shows a supervisor's run from a moment after its beginning until it ends."""

    def __init__(self, supervisor: Supervisor, color: Color) -> None:
        self._supervisor = supervisor
        self._color = color
        self._screen: _Screen | None = None
        supervisor.call_at(supervisor.now() + _OPENS_AFTER, self._open)

    def _open(self) -> None:
        self._screen = self._make_screen()
        if self._screen:
            self._screen.begin()

    def _make_screen(self) -> _Screen | None:
        try:
            return _Screen(self._supervisor, self._color)
        except OSError as error:  # no descriptor is left, not even to import anything; the units go on without being seen
            self._supervisor.warn(f"cannot show the run: {error.strerror or error}")
            return None

    def close(self, patience: float) -> None:
        """Give the screen back, and a slow terminal so many seconds to take the rest."""
        screen = self._screen or self._make_screen()
        if screen:
            screen.end()
            screen.close(patience)


class _Screen:
    """What is on the screen, which :meth:`begin` takes and :meth:`end` gives back."""

    def __init__(self, supervisor: Supervisor, color: Color) -> None:
        from ..supervisor.control import take_snapshot
        from ..supervisor.last_lines import LastLines
        from ..supervisor.signals import SignalPipe
        from .stage import SIGNALS, Stage

        self._supervisor = supervisor
        self._stage = Stage(supervisor.poller, color, _NOTE)
        self._stage.apply(take_snapshot(supervisor))
        self._lines = LastLines(supervisor, self._take_output)
        for said in self._lines.look_at_all(supervisor.now()):
            self._stage.apply(said)
        self._signals = SignalPipe(SIGNALS)
        self._warnings: list[str] = []
        self._planned_at = inf
        self._is_over = False

    def begin(self) -> None:
        """Draw from now on."""
        supervisor = self._supervisor
        supervisor.listeners.append(self._hear)
        supervisor.poller.add(self._signals.fileno(), self._take_signals)
        if os.isatty(_STDERR):
            supervisor.on_warning = self._take_warning
        self._lines.begin()
        self._plan()

    def end(self) -> None:
        """Leave a summary of a run that has ended, and of any run what there was to be warned of."""
        if self._is_over:
            return
        self._is_over = True
        self._lines.end()
        self._stage.leave(with_summary=self._supervisor.snapshot.ended is not None)
        self._supervisor.on_warning = warn_on_stderr
        for warning in self._warnings:
            warn_on_stderr(warning)

    def close(self, patience: float) -> None:
        """Let go of everything."""
        self._stage.close(patience)
        self._signals.close()

    def _plan(self) -> None:
        """See to it that the next frame is drawn when it is due. A call that was planned for later comes in vain."""
        due_at = max(self._stage.due_at, self._supervisor.now())
        if due_at < self._planned_at and not self._is_over:
            self._planned_at = due_at
            self._supervisor.call_at(due_at, self._draw)

    def _draw(self) -> None:
        now = self._supervisor.now()
        if now < self._planned_at or self._is_over:
            return
        self._planned_at = inf
        self._stage.note = self._say_note()
        self._stage.draw(now, now)
        self._plan()

    def _say_note(self) -> str:
        if self._warnings:
            return self._warnings[-1]
        return _NOTE if self._supervisor.stopped_by is None else _NOTE_AT_END

    def _hear(self, events: Sequence[Decided], _: bytes) -> None:
        for event in events:
            self._stage.apply(event)
            if isinstance(event, UnitEnded) and event.outcome in ("failed", "timed-out"):
                self._stage.apply(self._lines.look_at_end(event.unit, event.at))
        if isinstance(events[-1], RunEnded):
            self.end()
        else:
            self._plan()

    def _take_output(self, said: Sequence[UnitWrote]) -> None:
        for one in said:
            self._stage.apply(one)
        self._plan()

    def _take_warning(self, text: str) -> None:
        self._warnings.append(text)
        self._plan()

    def _take_signals(self) -> None:
        for number in self._signals.read():
            self._stage.heed(number)
        self._plan()
