"""Tells a run line by line, for pipes and logs: no cursor movement, no colours, nothing that needs a terminal.

A line stands for a change that a reader of the log wants to know: that a unit started, is ready, tries again, is being
stopped or ended. That a unit waits for others is no line of its own, for in a large startup that would be most of the log;
that it waits for a lock is, because no file says so, and that a declared unit waits for its script is, because nothing else
would tell why nothing happens. What scripts call is told by what becomes of their units. Every line can be read alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import UNSET

from ..core.event import (
    Decided,
    Outcome,
    RunEnded,
    RunStarted,
    StartupFinished,
    UnitEnded,
    UnitEvent,
    UnitReady,
    UnitRetrying,
    UnitsChanged,
    UnitStarted,
    UnitStopping,
    UnitWaiting,
)
from ..core.snapshot import Snapshot
from ..core.state import State
from ..core.words import say_count, say_duration
from .changes import say_changes
from .ending import say_end
from .still import say_what_runs
from .summary import say_summary
from .text import printable
from .waiting import say_waits

_WIDEST_NAME = 32
_INDENT = " " * 16
FAILURES: frozenset[Outcome | None] = frozenset({"failed", "timed-out"})


class Plain:
    """The lines of one run. Every decided event is to be fed in order; lines come without their newline."""

    def __init__(self, *, tail: Callable[[str], list[str]], began: datetime) -> None:
        """Say how to get a unit's last lines of output, and the wall clock at the run's beginning."""
        self.snapshot = Snapshot()
        self._tail = tail
        self._began = began
        self._column = 0
        self._has_news = True
        """Something became of a unit since the last summary."""

    def feed(self, event: Decided) -> list[str]:
        """The lines that an event deserves: most often one, for some none, for a failure also the end of its output."""
        before = self._state_of(event)
        self.snapshot.apply(event)
        match event:
            case UnitEvent():
                self._has_news = True
                said = self._say(event)
                lines = [self._line(event.at, f"{event.unit:{self._column}}  {said}")] if said else []
                is_told = isinstance(event, UnitEnded) and event.outcome in FAILURES and before != "waiting"
                return lines + (self._output(event.unit) if is_told else [])
            case RunStarted():
                self._column = min(max(map(len, event.units), default=0), _WIDEST_NAME)
                return [self._line(event.at, f"run {event.run}: {say_count(len(event.units), 'unit')}")]
            case StartupFinished() | RunEnded() if self._has_news:
                self._has_news = False
                optional = {name for name, view in self.snapshot.units.items() if view.optional}
                return [self._line(event.at, say_summary(event, self.snapshot, optional))]
            case UnitsChanged():
                return [self._line(event.at, f"unit files read anew: {say_changes(event)}")]
        return []

    def failures(self, before: Snapshot) -> list[str]:
        """The lines of what has failed by now and had not in an earlier snapshot, for somebody who looks only now."""
        lines: list[str] = []
        for name, view in self.snapshot.units.items():
            known = before.units.get(name)
            is_known = known is not None and (known.outcome, known.invocation) == (view.outcome, view.invocation)
            if view.outcome in FAILURES and not is_known:
                lines.append(self._line(view.since, f"{name:{self._column}}  {say_end(view, view.optional)}"))
                lines += self._output(name)
        return lines

    def still(self, at: float) -> list[str]:
        """The line that says what still runs and what waits for what; none where all is done or stands as it should."""
        said = say_what_runs(self.snapshot, at)
        return [self._line(at, said)] if said else []

    def log_line(self, unit: str, line: str) -> str:
        """A line that a unit wrote, behind its name."""
        return printable(f"{unit:{self._column}} | {line}")

    def gap(self, at: float, missed: int) -> str:
        """The line that stands for pieces of output that were left out, because nobody read them in time."""
        return self._line(at, f"{say_count(missed, 'piece')} of output left out here: the reader was too slow")

    def _line(self, at: float, said: str) -> str:
        time = self._began + timedelta(seconds=at)
        return f"{time:%H:%M:%S}.{time.microsecond // 1000:03}  {printable(said)}"

    def _state_of(self, event: Decided) -> State:
        """The state of the unit that an event is about, before it; a script's that nobody knows yet is idle."""
        view = self.snapshot.units.get(event.unit) if isinstance(event, UnitEvent) else None
        return view.state if view else "idle"

    def _say(self, event: UnitEvent) -> str:
        match event:
            case UnitWaiting():
                return _say_wait(event) if self.snapshot.units[event.unit].is_declared else ""
            case UnitStarted():
                because = self.snapshot.units[event.unit].because
                return (
                    f"started (attempt {event.attempt})" if event.attempt > 1 else f"started: {because}" if because else "started"
                )
            case UnitReady():
                return f"ready after {say_duration(event.after)}" if event.after else "ready"
            case UnitRetrying():
                if event.attempt == 1:
                    return f"begins anew: {event.reason}"
                return f"tries again in {say_duration(event.delay)} (attempt {event.attempt}): {event.reason}"
            case UnitStopping():
                return f"stopping: {event.reason}"
            case UnitEnded():
                view = self.snapshot.units[event.unit]
                return say_end(view, view.optional)
        return ""

    def _output(self, unit: str) -> list[str]:
        """How the output of a failed unit ended and where all of it is, if there is any."""
        log = self.snapshot.units[unit].log
        lines = [_INDENT + printable(line) for line in self._tail(unit)] if log else []
        return [*lines, f"{_INDENT}log: {printable(log)}"] if lines else []  # a unit that wrote nothing has no file


def _say_wait(event: UnitWaiting) -> str:
    told = [one for one in event.waits_for if one.lock is not UNSET or one.call is not UNSET]
    return f"waits for {say_waits(told)}" if told else ""
