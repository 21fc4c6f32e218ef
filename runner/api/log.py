"""Bytes of ``up --output json`` into events, kept for as many readers as there are, each at its own place.

A reader has all events of the run, from the first; but not more than so many are kept. When there are more, a snapshot takes
their place, and a reader who was still among them gets a word about the gap and then the snapshot: what a slow reader of the
supervisor itself gets, too.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Final

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..core.event import RunStarted
from ..core.line import parse_event
from ..core.snapshot import Snapshot
from ..core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote

KEPT: Final = 10_000
"""Events that are kept."""
_KEPT_STRAYS: Final = 19
"""Lines that are no events and that are kept besides the last."""


class _Written(Struct):
    """Where in the run an event stands."""

    seq: int = 0
    at: datetime | None = None


_decode_written = Decoder(_Written).decode


class EventLog:
    """What a supervisor has told so far."""

    def __init__(self, kept: int = KEPT) -> None:
        self.snapshot = Snapshot()
        """All events, folded."""
        self._kept = kept
        self._events: list[StreamEvent] = []
        self._first = 0
        """The number of the first that is kept, from 0."""
        self._seq = 0
        self._begun_at = 0.0
        self._rest = b""
        """A line whose end has not come."""
        self.strays: list[str] = []
        """The last lines that are no events: not the supervisor's, but of something else in its process that writes there."""

    @property
    def run(self) -> RunStarted | None:
        """The run's beginning, if that has come."""
        return self.snapshot.run

    def feed(self, data: bytes) -> None:
        """Take what came."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                event = parse_event(line)
            except DecodeError:
                self.strays = [*self.strays[-_KEPT_STRAYS:], line.decode(errors="replace")]
                continue
            if event is not None:
                self._take(event, _decode_written(line))

    def read(self, number: int) -> tuple[list[StreamEvent], int]:
        """The events from one with a number on, and the number of the next to come."""
        told: list[StreamEvent] = []
        if number < self._first:
            told = [Gap(at=self._events[0].at, missed=self._first - number)]
        return told + self._events[max(number - self._first, 0) :], self._first + len(self._events)

    def _take(self, event: StreamEvent, written: _Written) -> None:
        self._fold(event, written)
        if len(self._events) < self._kept:
            self._events.append(event)
        else:
            self._first += len(self._events)
            taken = SnapshotTaken(at=event.at, begun_at=self._begun_at, seq=self._seq, snapshot=deepcopy(self.snapshot))
            self._events = [taken]

    def _fold(self, event: StreamEvent, written: _Written) -> None:
        if isinstance(event, SnapshotTaken):
            self.snapshot = deepcopy(event.snapshot)
            self._seq, self._begun_at = event.seq, event.begun_at
        elif not isinstance(event, Gap | UnitWrote):
            self.snapshot.apply(event)
            self._seq = written.seq
            if isinstance(event, RunStarted) and written.at:
                self._begun_at = written.at.timestamp() - event.at
