"""Reads a file that has kept what a supervisor's stream said: a journal, or the lines of ``watch --json``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..core.event import RunStarted
from ..core.line import parse_event, sensible_beginning
from ..core.snapshot import Snapshot
from ..core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from ..errors import IllegalTransition, UsageError


class _Written(Struct):
    """When an event was, where somebody with a wall clock wrote it down."""

    at: datetime | None = None


class Recording(Struct, frozen=True):
    """A run, or the part of one that somebody watched."""

    begun_at: float
    """The wall clock at the run's beginning, in seconds since the epoch."""
    events: tuple[StreamEvent, ...]
    complaints: tuple[str, ...]
    """What in the file cannot be used, each with its line."""


_decode_written = Decoder(_Written).decode


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise UsageError where the system does not let a file be read."""
    try:
        yield
    except OSError as error:
        raise UsageError(f'cannot read "{path}": {error.strerror}') from None


def read_recording(path: Path) -> Recording:
    """What a file has kept. Raises UsageError where it cannot be read or has no run in it."""
    with reading(path):
        data = path.read_bytes()
    reader = _Reader()
    events = tuple(reader.read(data))
    if not events:
        raise UsageError(
            f'cannot find a run in "{path}"' + (f": {reader.complaints[0]}" if reader.complaints else ": it is empty"),
            hint='it takes a journal, or what "runner watch --json" has printed',
        )
    return Recording(reader.begun_at, events, tuple(reader.complaints))


class _Reader:
    """Takes the lines of a file in order, and notes which of them do not follow from those before."""

    def __init__(self) -> None:
        self.begun_at = 0.0
        self.complaints: list[str] = []
        self._snapshot = Snapshot()

    def read(self, data: bytes) -> Iterator[StreamEvent]:
        for number, line in enumerate(data.splitlines(), 1):
            try:
                event = parse_event(line)
                if event is not None:
                    self._follow(event, line)
                    yield event
            except KeyError as error:
                self.complaints.append(f"line {number}: there is no unit {error}")
            except (DecodeError, IllegalTransition, ValueError) as error:
                self.complaints.append(f"line {number}: {error}")

    def _follow(self, event: StreamEvent, line: bytes) -> None:
        """Fold an event, which raises IllegalTransition, KeyError or ValueError where it cannot come now."""
        if isinstance(event, SnapshotTaken):
            self.begun_at = sensible_beginning(event.begun_at)
            self._snapshot = event.snapshot.fork()
        elif isinstance(event, RunStarted):
            self._begin(event, line)
        elif self._snapshot.run is None:
            raise ValueError("no run has begun before it")
        elif not isinstance(event, Gap | UnitWrote):
            self._snapshot.apply(event)

    def _begin(self, event: RunStarted, line: bytes) -> None:
        if self._snapshot.run is not None:
            raise ValueError("another run begins, and there can be only one")
        snapshot = Snapshot()
        snapshot.apply(event)
        self._snapshot = snapshot
        at = _decode_written(line).at
        self.begun_at = sensible_beginning(at.timestamp() - event.at) if at else 0.0
