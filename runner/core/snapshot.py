"""The one read model: what decided events, folded in order, say about a run and its units.

Live view, plain output, status and history all read this, never the engine. It holds nothing that is not in the journal, so
a snapshot that is folded from a recorded journal equals the one that the supervisor had.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct, UnsetType, field

from .event import (
    Decided,
    Outcome,
    RunEnded,
    RunStarted,
    StartupFinished,
    SyncCalled,
    UnitEnded,
    UnitEvent,
    UnitReady,
    UnitReported,
    UnitRetrying,
    UnitStarted,
    UnitStarting,
    UnitStopping,
    UnitWaiting,
    WaitsFor,
)
from .state import State, next_state

_T = TypeVar("_T")


class UnitView(Struct):
    """What is known of a unit. Times are seconds since the run began."""

    state: State = "idle"
    is_declared: bool = True
    """False: a script brought it over the sync socket."""
    since: float = 0.0
    """When it entered this state."""
    outcome: Outcome | None = None
    reason: str = ""
    """Why it ended, is being stopped, or makes another attempt."""
    cause: str = ""
    waits_for: tuple[WaitsFor, ...] = ()
    """What it waited for when it last began to wait; some of it may be there by now."""
    invocation: str = ""
    attempt: int = 0
    pid: int | None = None
    """The main process, while it is there."""
    command: str = ""
    log: str = ""
    text: str = ""
    """What it last said of itself."""
    called: str = ""
    """The last call with an effect that its script made over the sync socket."""
    started_at: float | None = None
    ready_at: float | None = None
    retry_at: float | None = None
    """In backoff: when the next attempt is due."""
    exit_code: int | None = None
    signal: str | None = None
    duration: float = 0.0
    cpu: float = 0.0
    max_rss: int = 0


class Snapshot(Struct):
    """A run at one moment."""

    run: RunStarted | None = None
    units: dict[str, UnitView] = field(default_factory=dict)
    startup: StartupFinished | None = None
    ended: RunEnded | None = None

    def apply(self, event: Decided) -> None:
        """Fold one more event."""
        match event:
            case UnitEvent():
                view = self.units.setdefault(event.unit, UnitView(is_declared=False))
                state = next_state(view.state, event)
                if state != view.state:
                    view.state, view.since = state, event.at
                _fold_into(view, event)
            case RunStarted():
                self.run = event
                self.units = {name: UnitView() for name in event.units}
            case StartupFinished():
                self.startup = event
            case RunEnded():
                self.ended = event


def fold(events: Iterable[Decided]) -> Snapshot:
    """The snapshot after these events, the first of which is the run's beginning."""
    snapshot = Snapshot()
    for event in events:
        snapshot.apply(event)
    return snapshot


def _fold_into(view: UnitView, event: UnitEvent) -> None:
    match event:
        case UnitWaiting():
            view.waits_for = event.waits_for
            view.outcome, view.reason, view.cause, view.retry_at = None, "", "", None
        case UnitStarting():
            _begin_attempt(view, event)
        case UnitStarted():
            view.pid, view.started_at = event.pid, event.at
            view.command, view.log = event.command, event.log
        case UnitReady():
            view.ready_at = event.at
        case UnitReported():
            view.text = event.text
        case SyncCalled():
            view.called = event.call
        case UnitStopping():
            view.reason = event.reason
        case UnitRetrying():
            view.pid, view.reason = None, event.reason
            view.exit_code, view.signal = _given(event.exit_code), _given(event.signal)
            view.retry_at = event.at + event.delay
        case _:
            assert isinstance(event, UnitEnded), "the table of transitions has no other"
            _end(view, event)


def _begin_attempt(view: UnitView, event: UnitStarting) -> None:
    view.invocation, view.attempt = event.invocation, event.attempt
    view.outcome, view.reason, view.cause, view.text = None, "", "", ""
    view.waits_for = ()
    view.pid = view.started_at = view.ready_at = view.retry_at = view.exit_code = view.signal = None
    view.duration, view.cpu, view.max_rss = 0.0, 0.0, 0


def _end(view: UnitView, event: UnitEnded) -> None:
    view.pid = view.retry_at = None
    view.outcome, view.reason, view.cause = event.outcome, event.reason, event.cause or ""
    view.exit_code, view.signal = _given(event.exit_code), _given(event.signal)
    view.duration, view.cpu, view.max_rss = event.duration, event.cpu, event.max_rss


def _given(value: _T | UnsetType) -> _T | None:
    return None if isinstance(value, UnsetType) else value
