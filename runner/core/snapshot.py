"""The one read model: what decided events, folded in order, say about a run and its units.

Live view, plain output, status and history all read this, never the engine. It holds nothing that is not in the journal, so
a snapshot that is folded from a recorded journal equals the one that the supervisor had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from .event import (
    Decided,
    Declaration,
    DurationsExpected,
    Need,
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
    UnitsChanged,
    UnitStarted,
    UnitStarting,
    UnitStopping,
    UnitWaiting,
    WaitsFor,
)
from .state import State, next_state
from .unit import Kind

_T = TypeVar("_T")


class UnitView(Struct, omit_defaults=True):
    """What is known of a unit. Times are seconds since the run began."""

    is_declared: bool = True
    """False: a script brought it over the sync socket, or its unit file is gone."""
    is_removed: bool = False
    """Its unit file is gone."""
    kind: Kind = "oneshot"
    description: str = ""
    optional: bool = False
    is_handler: bool = False
    """It starts only when another unit ended so or so."""
    after: dict[str, Need] = field(default_factory=dict)
    """What it depends on, whether a file says so or a script."""
    locks: tuple[str, ...] = ()
    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    expected: float | None = None
    """Seconds that it is expected to take from its start until it reaches its goal."""

    state: State = "idle"
    since: float = 0.0
    """When it entered this state."""
    outcome: Outcome | None = None
    reason: str = ""
    """Why it ended, is being stopped, or makes another attempt."""
    because: str = ""
    """Why it was not up to date when it was started, if it could have been."""
    runs_if: tuple[str, ...] = ()
    """What would make it run, where it was not needed."""
    cause: str = ""
    waits_for: tuple[WaitsFor, ...] = ()
    """What it waited for when it last began to wait; some of it may be there by now."""
    wanted_at: float | None = None
    """When it last came to be wanted."""
    asked_at: float | None = None
    """When it began to wait for a lock or a job, if it had to since it was wanted."""
    held_up_by: tuple[WaitsFor, ...] = ()
    """The locks, each with its holder, or the jobs that it had to wait for then."""
    invocation: str = ""
    attempt: int = 0
    pid: int | None = None
    """The main process, while it is there."""
    command: str = ""
    log: str = ""
    text: str = ""
    """What it last said of itself."""
    gives: tuple[str, ...] = ()
    """The names of the values that it gives to the units after it."""
    called: str = ""
    """The last call with an effect that its script made over the sync socket."""
    first_started_at: float | None = None
    """When its first attempt began since it was wanted."""
    started_at: float | None = None
    """When its last attempt started."""
    ready_at: float | None = None
    reached_at: float | None = None
    """When it first reached its goal since it was wanted: a service became ready, anything else ended well."""
    retry_at: float | None = None
    """In backoff: when the next attempt is due."""
    exit_code: int | None = None
    signal: str | None = None
    duration: float = 0.0
    cpu: float = 0.0
    max_rss: int = 0


class Snapshot(Struct, omit_defaults=True):
    """A run at one moment."""

    at: float = 0.0
    """When the last event happened, in seconds since the run began."""
    run: RunStarted | None = None
    units: dict[str, UnitView] = field(default_factory=dict)
    startup: StartupFinished | None = None
    ended: RunEnded | None = None

    def apply(self, event: Decided) -> None:
        """Fold one more event."""
        self.at = event.at
        match event:
            case UnitEvent():
                self._apply_to_unit(event)
            case RunStarted():
                self.run = event
                self.units = {name: UnitView() for name in event.units}
                for declaration in event.declared:
                    _declare(self.units[declaration.unit], declaration)
            case UnitsChanged():
                self._change(event)
            case DurationsExpected():
                self._expect(event.durations)
            case StartupFinished():
                self.startup = event
            case RunEnded():
                self.ended = event

    def fork(self) -> Snapshot:
        """One like this that goes on by itself. Quick, for what is folded into it never changes; what is changed is copied."""
        return replace(self, units={name: replace(view, after=dict(view.after)) for name, view in self.units.items()})

    def _apply_to_unit(self, event: UnitEvent) -> None:
        view = self.units.get(event.unit) or self._welcome(event.unit)
        state = next_state(view.state, event)
        if state != view.state:
            view.state, view.since = state, event.at
        _FOLDS[type(event)](view, event)
        if isinstance(event, SyncCalled) and event.depends_on is not UNSET:
            for need in self._stands_for(event.depends_on):
                view.after.setdefault(need.unit, need)

    def _stands_for(self, name: str) -> list[Need]:
        """What a script depends on that wants a unit or, as in unit files, the members of a group."""
        if name in self.units:
            return [Need(unit=name)]
        members = [other for other in self.units if other.startswith(f"{name}/") and not self.units[other].is_handler]
        return [Need(unit=member, lenient=self.units[member].optional) for member in members] or [Need(unit=name)]

    def _welcome(self, unit: str) -> UnitView:
        """Make the view of a unit that a script has brought."""
        self.units[unit] = view = UnitView(is_declared=False, kind="external")
        return view

    def _expect(self, durations: dict[str, float]) -> None:
        for name in durations.keys() & self.units.keys():
            self.units[name].expected = durations[name]

    def _change(self, event: UnitsChanged) -> None:
        for name in event.removed:
            view = self.units[name]
            view.is_declared, view.is_removed, view.gives = False, True, ()
        for declaration in event.declared:
            view = self.units.setdefault(declaration.unit, UnitView())
            view.is_declared, view.is_removed = True, False
            _declare(view, declaration)


def fold(events: Iterable[Decided]) -> Snapshot:
    """The snapshot after these events, the first of which is the run's beginning."""
    snapshot = Snapshot()
    for event in events:
        snapshot.apply(event)
    return snapshot


def _declare(view: UnitView, declaration: Declaration) -> None:
    view.kind, view.description = declaration.kind, declaration.description
    view.optional, view.is_handler = declaration.optional, declaration.is_handler
    view.after = {need.unit: need for need in declaration.after}
    view.locks = declaration.locks
    view.on_success, view.on_failure = declaration.on_success, declaration.on_failure


def _wait(view: UnitView, event: UnitWaiting) -> None:
    _be_wanted(view, event.at)
    view.waits_for = event.waits_for
    view.outcome, view.reason, view.cause, view.retry_at = None, "", "", None
    view.runs_if = ()
    if any(one.lock is not UNSET or one.jobs is not UNSET for one in event.waits_for):
        view.asked_at, view.held_up_by = event.at, event.waits_for


def _be_wanted(view: UnitView, at: float) -> None:
    """Forget the life before this one, where it is over."""
    if view.wanted_at is None or view.outcome is not None:
        view.wanted_at, view.asked_at, view.held_up_by = at, None, ()
        view.first_started_at = view.reached_at = None


def _begin_attempt(view: UnitView, event: UnitStarting) -> None:
    _be_wanted(view, event.at)
    view.invocation, view.attempt = event.invocation, event.attempt
    if view.first_started_at is None:
        view.first_started_at = event.at
    view.outcome, view.reason, view.cause, view.text = None, "", "", ""
    view.waits_for = view.runs_if = ()
    if event.attempt == 1:
        view.because = event.because or ""
    view.pid = view.started_at = view.ready_at = view.retry_at = view.exit_code = view.signal = None
    view.duration, view.cpu, view.max_rss = 0.0, 0.0, 0


def _start(view: UnitView, event: UnitStarted) -> None:
    view.pid, view.started_at = event.pid, event.at
    view.command, view.log = event.command, event.log


def _become_ready(view: UnitView, event: UnitReady) -> None:
    view.ready_at, view.gives = event.at, event.gives or ()
    if view.kind == "service" and view.reached_at is None:
        view.reached_at = event.at


def _report(view: UnitView, event: UnitReported) -> None:
    view.text = event.text


def _take_call(view: UnitView, event: SyncCalled) -> None:
    view.called = event.call


def _stop(view: UnitView, event: UnitStopping) -> None:
    view.reason = event.reason


def _back_off(view: UnitView, event: UnitRetrying) -> None:
    view.pid, view.reason = None, event.reason
    view.exit_code, view.signal = _given(event.exit_code), _given(event.signal)
    view.retry_at = event.at + event.delay


def _end(view: UnitView, event: UnitEnded) -> None:
    view.pid = view.retry_at = None
    if event.outcome in ("succeeded", "unneeded") and view.kind != "service":
        view.reached_at = event.at
    view.outcome, view.reason, view.cause = event.outcome, event.reason, event.cause or ""
    view.runs_if = event.runs_if or ()
    view.exit_code, view.signal = _given(event.exit_code), _given(event.signal)
    view.duration, view.cpu, view.max_rss = event.duration, event.cpu, event.max_rss
    view.gives = event.gives or ()


def _given(value: _T | UnsetType) -> _T | None:
    return None if isinstance(value, UnsetType) else value


_FOLDS: dict[type[UnitEvent], Callable[[UnitView, Any], None]] = {
    UnitWaiting: _wait,
    UnitStarting: _begin_attempt,
    UnitStarted: _start,
    UnitReady: _become_ready,
    UnitReported: _report,
    UnitRetrying: _back_off,
    UnitStopping: _stop,
    UnitEnded: _end,
    SyncCalled: _take_call,
}
"""What an event changes beside the state: one for each in the table of transitions."""
