"""Serves what the other commands ask of a supervisor: the run as it is, and all that becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import DecodeError, Struct
from msgspec.json import Encoder, decode

from ..core.event import Decided, Event, RunEnded, UnitEnded
from ..core.stream import Gap, SnapshotTaken, UnitWrote
from ..rpc.methods import EVENTS, SNAPSHOT, USAGE
from .last_lines import LastLines
from .usage import measure
from .watcher import Watcher

if TYPE_CHECKING:
    from .callers import Call
    from .supervisor import Supervisor

_encode = Encoder().encode


class EventsRequest(Struct, frozen=True):
    """What a watcher wants."""

    output: bool = False
    """Also what the units write."""


def take_snapshot(supervisor: Supervisor) -> SnapshotTaken:
    """The run as it is, with all that a reader must know to go on from there."""
    return SnapshotTaken(at=supervisor.now(), begun_at=supervisor.begun_at, seq=supervisor.seq, snapshot=supervisor.snapshot)


def lines_of(events: Iterable[Event]) -> bytes:
    """Events that are not in the journal, as lines of a stream."""
    return b"".join(_encode(event) + b"\n" for event in events)


class ControlService:
    """The methods of ``/runner.v1.Control``. Bodies are JSON; a message of a stream holds one line or more, each with its end.

    Events are told once in a turn of the loop, after everything else that is due in it: nobody who is released waits for them.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._methods: dict[str, Callable[[Call, bytes], None]] = {
            SNAPSHOT.path: lambda call, _: call.answer(_encode(take_snapshot(supervisor))),
            EVENTS.path: self._watch,
            USAGE.path: lambda call, _: call.answer(_encode(measure(supervisor))),
        }
        self._watchers: dict[Watcher, None] = {}
        self._is_due = False
        self._last_lines = LastLines(supervisor, self._tell_output)
        supervisor.listeners.append(self._hear)

    def serves(self, rpc: str) -> bool:
        """Whether this service has a method of this path."""
        return rpc in self._methods

    def serve(self, call: Call, request: bytes) -> None:
        """Take a request; the answer comes now or later."""
        self._methods[call.rpc](call, request)

    def close(self) -> None:
        """Listen to the run no more."""
        self._last_lines.end()
        self._supervisor.listeners.remove(self._hear)

    def _watch(self, call: Call, request: bytes) -> None:
        try:
            wanted = decode(request, type=EventsRequest)
        except DecodeError as error:
            call.refuse(f"cannot understand the request: {error}")
            return
        watcher = Watcher(call, wanted.output, self._welcome)
        if self._supervisor.snapshot.ended:
            watcher.end()
            return
        self._watchers[watcher] = None
        call.forget = lambda: self._forget(watcher)
        if wanted.output:
            self._last_lines.begin()

    def _forget(self, watcher: Watcher) -> None:
        self._watchers.pop(watcher, None)
        if not any(other.wants_output for other in self._watchers):
            self._last_lines.end()

    def _welcome(self, watcher: Watcher) -> Iterator[bytes]:
        at = self._supervisor.now()
        self._tell_events()  # the snapshot holds them
        if watcher.missed:
            yield lines_of([Gap(at=at, missed=watcher.missed)])
        yield lines_of([take_snapshot(self._supervisor)])
        if watcher.wants_output and (said := self._last_lines.look_at_all(at)):
            yield lines_of(said)

    def _hear(self, events: Sequence[Decided], lines: bytes) -> None:
        if not self._watchers:
            return
        for event in events:
            if isinstance(event, UnitEnded) and event.outcome in ("failed", "timed-out"):
                self._take_output([self._last_lines.look_at_end(event.unit, event.at)])
        for watcher in self._watchers:
            watcher.take(lines)
        if isinstance(events[-1], RunEnded):
            self._end()
        elif not self._is_due:
            self._is_due = True
            self._supervisor.call_at(self._supervisor.now(), self._tell_events)

    def _end(self) -> None:
        """Tell the last events at once, for the loop has no turn any more."""
        for watcher in self._watchers:
            watcher.end()
        self._watchers.clear()

    def _tell_events(self) -> None:
        self._is_due = False
        for watcher in self._watchers:
            watcher.flush()

    def _tell_output(self, said: Sequence[UnitWrote]) -> None:
        self._take_output(said)
        self._tell_events()

    def _take_output(self, said: Sequence[UnitWrote]) -> None:
        lines = lines_of(one for one in said if one.lines)
        for watcher in self._watchers:
            if watcher.wants_output:
                watcher.take(lines)
