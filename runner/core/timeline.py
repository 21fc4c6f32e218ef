"""What each unit of a run did when: its life as phases, folded from the journal.

A phase begins with the event that moves the unit and ends with the next one that does, so the phases of a unit follow each
other without gap or overlap from the moment it is wanted until it ends. Between two lives, when nobody wants it, it has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from .event import (
    Decided,
    RunEnded,
    StartupFinished,
    UnitEnded,
    UnitEvent,
    UnitReady,
    UnitRetrying,
    UnitStarting,
    UnitStopping,
    UnitWaiting,
    WaitsFor,
)
from .snapshot import Snapshot, UnitView

PhaseKind = Literal["waiting", "lock-wait", "job-wait", "running", "not-ready", "ready", "backoff", "stopping"]

PHASES: Final[dict[PhaseKind, str]] = {
    "waiting": "wanted; a dependency, or the call of its script, is not there yet",
    "lock-wait": "all it depends on is there; another unit holds a lock",
    "job-wait": "all it depends on is there; as many units work as may",
    "running": "its command is being executed",
    "not-ready": "its command is being executed; dependents wait until it is ready",
    "ready": "its command runs, and dependents may go on",
    "backoff": "an attempt is over and the next one waits for its time",
    "stopping": "its processes are being ended",
}
"""Every kind of phase, in the order in which a unit goes through them."""

WAITS: Final = frozenset[PhaseKind]({"waiting", "lock-wait", "job-wait"})
"""Phases in which others decide when it goes on."""
WORK: Final = frozenset[PhaseKind]({"running", "not-ready"})
"""Phases in which it is on its way to its goal by its own strength."""

_TURNS: Final = (UnitWaiting, UnitStarting, UnitReady, UnitRetrying, UnitStopping, UnitEnded)
"""The events with which a phase ends, another begins, or both."""


class Phase(Struct, frozen=True, omit_defaults=True, rename={"waits_for": "for"}):
    """One stretch of a unit's life. Times are seconds since the run began."""

    kind: PhaseKind
    begin: float
    end: float
    attempt: int = 0
    """The number of the attempt, of a backoff that of the one before it; 0 while it waits."""
    waits_for: tuple[WaitsFor, ...] = ()
    """What it waited for when the phase began; some of it may have come before the phase's end."""
    reason: str = ""
    """Why it is being stopped, or makes another attempt."""

    @property
    def duration(self) -> float:
        """In seconds."""
        return self.end - self.begin


class Row(Struct, frozen=True):
    """A unit with its phases, of all of its lives, in order."""

    unit: str
    view: UnitView
    """What is known of it at the end of the timeline."""
    phases: tuple[Phase, ...]

    @property
    def work(self) -> float:
        """How long all of its attempts worked towards its goal, in seconds."""
        return sum(phase.duration for phase in self.phases if phase.kind in WORK)


class Stretch(Struct, frozen=True):
    """A part of the critical path: from when a unit was let go until it let the next one go, or reached its own goal.

    One stretch begins when the one before it ends, or later, where the unit then had to wait for a job.
    """

    unit: str
    begin: float
    end: float


class Timeline(Struct, frozen=True):
    """A run as far as its journal goes."""

    run: str
    end: float
    """When the last event happened, in seconds since the run began."""
    rows: tuple[Row, ...]
    """In the order of the unit files; those that scripts brought, as they came."""
    startup: StartupFinished | None
    """None: the journal ends before the startup was finished."""
    over: RunEnded | None
    """None: the run goes on, or its supervisor was killed. The timeline ends with the last event that there is."""
    critical_path: tuple[Stretch, ...]
    """Empty where the startup was not finished."""


def timeline(events: Iterable[Decided]) -> Timeline:
    """Fold a journal. The work for an event does not depend on how many came before."""
    snapshot = Snapshot()
    tracks: dict[str, _Track] = {}
    path: tuple[Stretch, ...] = ()
    for event in events:
        snapshot.apply(event)
        match event:
            case UnitEvent():
                track = tracks.get(event.unit)
                if track is None:
                    track = tracks[event.unit] = _Track()
                if isinstance(event, _TURNS):
                    track.turn(event, snapshot.units[event.unit])
            case StartupFinished():
                path = tuple(_stretches(event, snapshot, tracks))[::-1]
    return Timeline(
        run=snapshot.run.run if snapshot.run else "",
        end=snapshot.at,
        rows=tuple(Row(name, view, tracks.get(name, _NOTHING).until(snapshot.at)) for name, view in snapshot.units.items()),
        startup=snapshot.startup,
        over=snapshot.ended,
        critical_path=path,
    )


class _Track:
    """The phases of a unit while they come."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.current: Phase | None = None
        """The phase that goes on; its end is not known yet."""
        self.released_at = 0.0
        """When it was last let go: what it had to wait for was there."""

    def turn(self, event: UnitEvent, view: UnitView) -> None:
        """Go on to the phase that an event begins; ``view`` is the unit after it."""
        before = self.current
        if before:
            if isinstance(event, UnitReady):  # it had a readiness of its own, which nothing said before
                before = replace(before, kind="not-ready")
            self.phases.append(replace(before, end=event.at))
        self.current = _phase(event.at, view)
        if before is None or _is_held(before):
            self.released_at = event.at

    def until(self, at: float) -> tuple[Phase, ...]:
        """All phases, the current one as far as time has come."""
        return (*self.phases, replace(self.current, end=at)) if self.current else tuple(self.phases)


_NOTHING: Final = _Track()
"""Of a unit that nothing became of."""


def _phase(at: float, view: UnitView) -> Phase | None:
    """The phase that begins now; None where the unit has ended."""
    match view.state:
        case "waiting":
            return Phase(kind=_wait(view.waits_for), begin=at, end=at, waits_for=view.waits_for)
        case "running":
            return Phase(kind="not-ready" if view.kind == "service" else "running", begin=at, end=at, attempt=view.attempt)
        case "ready" | "backoff" | "stopping" as kind:
            return Phase(kind=kind, begin=at, end=at, attempt=view.attempt, reason=view.reason)
    return None


def _wait(waits_for: Sequence[WaitsFor]) -> PhaseKind:
    if any(one.lock is not UNSET for one in waits_for):
        return "lock-wait"
    return "job-wait" if any(one.jobs is not UNSET for one in waits_for) else "waiting"


def _is_held(phase: Phase) -> bool:
    """Whether another unit decides when this phase ends; its own script is no other unit."""
    return phase.kind in WAITS and all(one.call is UNSET for one in phase.waits_for)


def _stretches(event: StartupFinished, snapshot: Snapshot, tracks: dict[str, _Track]) -> Iterable[Stretch]:
    """The critical path in time, the last stretch first, as it was when the startup was finished."""
    limit = event.at
    for name in reversed([name for name in event.critical_path if name in tracks]):
        view = snapshot.units[name]
        begin = min(tracks[name].released_at, limit)  # one that was begun anew had let the next one go before that
        settled_at = view.since if view.reached_at is None else view.reached_at
        yield Stretch(name, begin, max(begin, min(settled_at, limit)))
        limit = begin
