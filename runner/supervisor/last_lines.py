"""Tells what the units write, as often as an eye can follow it and no oftener.

Nothing is done for a line: a unit that wrote is noted, and when the time has come its last lines are looked up, which are kept
anyway. So a unit that writes 50,000 lines a second costs no more here than one that writes ten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ..core.stream import UnitWrote
from .output import TAIL_LINES

if TYPE_CHECKING:
    from .supervisor import Supervisor

PAUSE = 0.1
"""Seconds from one telling to the next."""
MOST_UNITS = 64
"""Units of which a telling tells; where more have written, the others have their turn in the next."""
LINES = 3
"""Lines of a unit that are told; of one that failed it is all that is kept."""


class LastLines:
    """The last lines of units that have written something new, between :meth:`begin` and :meth:`end`."""

    def __init__(self, supervisor: Supervisor, tell: Callable[[Sequence[UnitWrote]], None]) -> None:
        self._supervisor = supervisor
        self._tell = tell
        self._news: dict[str, None] = {}
        """The units that wrote something that was not told, those first that wait longest."""
        self._told: dict[str, tuple[str, ...]] = {}
        self._is_due = False

    def begin(self) -> None:
        """Tell from now on."""
        if self._note not in self._supervisor.on_output:
            self._supervisor.on_output.append(self._note)

    def end(self) -> None:
        """Tell no more."""
        if self._note in self._supervisor.on_output:
            self._supervisor.on_output.remove(self._note)
        self._news.clear()
        self._told.clear()

    def look(self, unit: str, at: float) -> UnitWrote:
        """How the output of a unit ends at this time, in seconds since the run began."""
        view = self._supervisor.snapshot.units[unit]
        lines = TAIL_LINES if view.outcome in ("failed", "timed-out") else LINES
        return UnitWrote(at=at, unit=unit, lines=tuple(self._supervisor.tail(unit, lines)))

    def look_at_end(self, unit: str, at: float) -> UnitWrote:
        """The same of one that has ended just now, and need not be told of again."""
        said = self.look(unit, at)
        self._news.pop(unit, None)
        self._told[unit] = said.lines
        return said

    def look_at_all(self, at: float) -> list[UnitWrote]:
        """The same of all units that run or have failed, for somebody who has heard nothing yet."""
        units = self._supervisor.snapshot.units.items()
        said = (self.look(name, at) for name, view in units if view.pid is not None or view.outcome in ("failed", "timed-out"))
        return [one for one in said if one.lines]

    def _note(self, unit: str) -> None:
        self._news[unit] = None
        if not self._is_due:
            self._is_due = True
            self._supervisor.call_at(self._supervisor.now() + PAUSE, self._tell_news)

    def _tell_news(self) -> None:
        self._is_due = False
        units, at = list(islice(self._news, MOST_UNITS)), self._supervisor.now()
        for unit in units:
            del self._news[unit]
        said = [one for unit in units if (one := self.look(unit, at)).lines != self._told.get(unit)]
        self._told.update((one.unit, one.lines) for one in said)
        if said:
            self._tell(said)
        if self._news:
            self._note(next(iter(self._news)))
