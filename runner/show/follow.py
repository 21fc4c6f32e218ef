"""Tells a stream of events line by line, from wherever in the run it begins."""

from __future__ import annotations

from datetime import datetime

from ..core.event import RunEnded, StartupFinished, UnitStarting
from ..core.snapshot import Snapshot
from ..core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from .plain import Plain


class Follower:
    """The plain lines of a stream. What units wrote is told where they fail, as far as the stream tells it."""

    def __init__(self, begun_at: float) -> None:
        """Say what the wall clock was at the run's beginning, in seconds since the epoch."""
        self._tails: dict[str, list[str]] = {}
        self._taken: SnapshotTaken | None = None
        """What is yet to be told: what units wrote by then comes after it."""
        self._plain = Plain(
            tail=lambda unit: self._tails.get(unit, []),
            began=datetime.fromtimestamp(begun_at),
        )

    def feed(self, event: StreamEvent) -> list[str]:
        """The lines that an event deserves."""
        if isinstance(event, UnitWrote):
            self._tails[event.unit] = list(event.lines)
            return []
        lines = self.settle()
        match event:
            case SnapshotTaken():
                self._taken = event
                return lines
            case Gap():
                return [*lines, self._plain.gap(event.at, event.missed)]
            case UnitStarting():
                self._tails.pop(event.unit, None)
        return lines + self._plain.feed(event)

    def settle(self) -> list[str]:
        """The lines that a snapshot deserves, where all that came with it was fed."""
        taken, self._taken = self._taken, None
        return self._begin(taken) if taken else []

    def still(self, at: float) -> list[str]:
        """The line that says what still runs and what waits for what; none where all is done or stands as it should."""
        return self._plain.still(at)

    def log_line(self, unit: str, line: str) -> str:
        """A line that a unit wrote, behind its name."""
        return self._plain.log_line(unit, line)

    def _begin(self, taken: SnapshotTaken) -> list[str]:
        """Go on from a snapshot: say which run it is where that is news, what has failed, what it came to, and how it stands."""
        plain, before, now = self._plain, self._plain.snapshot, taken.snapshot
        lines = plain.feed(now.run) if now.run and before.run is None else []
        plain.snapshot = now
        lines += plain.failures(before)
        for event in _news(before, now):
            lines += plain.feed(event)
        return lines + plain.still(taken.at)


def _news(before: Snapshot, now: Snapshot) -> list[StartupFinished | RunEnded]:
    """What the startup and the run have come to since."""
    return [
        event
        for event, was_there in ((now.startup, before.startup), (now.ended, before.ended))
        if event is not None and was_there is None
    ]
