"""Every fact that can happen, past tense: the vocabulary of the whole program.

Two sorts of events. The supervisor **observes**: a process exited, a timer fired, somebody asked for a stop. The engine
**decides** what that means: a unit started, became ready, ended. What was decided is the journal, the JSON output and the
input of every screen; readers fold it and never run the engine again.

``at`` is in seconds since the run began, on a clock that never steps; on paper it is called ``elapsed``, because there
``at`` is the wall clock, which the journal adds.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from .unit import Kind, Requires

Outcome = Literal["succeeded", "failed", "timed-out", "skipped", "unneeded", "cancelled"]
RunOutcome = Literal["succeeded", "failed", "cancelled"]
Stage = Literal["cwd", "user", "env-file", "log", "program not found", "not executable", "limits", "spawn"]


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=_kebab, rename={"at": "elapsed"}):
    """Something that happened, and when."""

    at: float


# ------------------------------------------------------------------ observed by the supervisor


class Observed(Event, frozen=True, kw_only=True):
    """A fact from outside the engine."""


class StartRequested(Observed, frozen=True, kw_only=True):
    """Somebody wants units to reach their goal, and with them all that they depend on."""

    units: tuple[str, ...] = ()
    """Empty: every unit that is not reserved for ``on-success`` or ``on-failure``."""


class StopRequested(Observed, frozen=True, kw_only=True):
    """Somebody wants units to end, and before them all that depends on them."""

    units: tuple[str, ...] = ()
    """Empty: everything, and then the run."""
    reason: str


class KillRequested(Observed, frozen=True, kw_only=True):
    """Patience is over: whatever still runs is killed at once."""

    reason: str


class DurationsLearned(Observed, frozen=True, kw_only=True):
    """How long units took to reach their goal in earlier runs is known now."""

    durations: dict[str, float]
    """Seconds, by unit; one that is not here has never done what it does now."""


class ProcessSpawned(Observed, frozen=True, kw_only=True):
    """The program of an invocation has been executed."""

    unit: str
    invocation: str
    pid: int
    log: str = ""


class SpawnFailed(Observed, frozen=True, kw_only=True):
    """The program of an invocation could not be executed."""

    unit: str
    invocation: str
    stage: Stage
    reason: str
    luck: float = 0.5


class ProcessExited(Observed, frozen=True, kw_only=True):
    """The main process of an invocation is gone and was waited for."""

    unit: str
    invocation: str
    exit_code: int | None = None
    signal: str | None = None
    cpu: float = 0.0
    max_rss: int = 0
    left: bool = False
    """Processes that it started are still there. :class:`TreeEnded` tells when they are gone."""
    luck: float = 0.5
    """A random number in [0, 1), from which jitter is made: the engine itself has no randomness."""


class TreeEnded(Observed, frozen=True, kw_only=True):
    """The last process that an invocation left behind is gone."""

    unit: str
    invocation: str
    luck: float = 0.5


class StopCommandEnded(Observed, frozen=True, kw_only=True):
    """The ``stop.command`` of an invocation has run its course, well or not."""

    unit: str
    invocation: str


class ProbeSucceeded(Observed, frozen=True, kw_only=True):
    """A probe's answer was yes."""

    unit: str
    invocation: str
    purpose: Literal["ready", "health"]


class ProbeFailed(Observed, frozen=True, kw_only=True):
    """A health probe's answer was no. (A readiness probe has no such answer: it goes on asking.)"""

    unit: str
    invocation: str
    reason: str


class TimerFired(Observed, frozen=True, kw_only=True):
    """A timer that the engine set has come to its time."""

    timer: int


class TimeoutExtended(Observed, frozen=True, kw_only=True):
    """A unit asked over its notify socket for more time (sd_notify(3), ``EXTEND_TIMEOUT_USEC``)."""

    unit: str
    invocation: str
    seconds: float


class StatusReported(Observed, frozen=True, kw_only=True):
    """A unit said over its notify socket what it is doing (sd_notify(3), ``STATUS``)."""

    unit: str
    invocation: str
    text: str


class Peer(Struct, frozen=True, kw_only=True):
    """The process that made a call on the sync socket, and the unit in whose process tree it is, if it is in one."""

    pid: int
    uid: int
    unit: str = ""


class SyncRequested(Observed, frozen=True, kw_only=True):
    """A script made a call on the sync socket. The effect ``Answer`` with the same number answers it."""

    call: int
    unit: str
    peer: Peer


class SyncWanted(SyncRequested, frozen=True, kw_only=True):
    """A unit is to wait for another."""

    depends_on: str


class SyncStarted(SyncRequested, frozen=True, kw_only=True):
    """A unit begins its work."""


class SyncCompleted(SyncRequested, frozen=True, kw_only=True):
    """A unit is done with its work."""

    exit_status: int = 0
    """Other than 0: it was done in vain."""


class SyncFailed(SyncRequested, frozen=True, kw_only=True):
    """A unit gives up."""

    reason: str


class SyncAwaited(SyncRequested, frozen=True, kw_only=True):
    """A script waits until a unit may start, or until it has reached its goal."""

    until: Literal["may-start", "reached"]


class SyncForgotten(Observed, frozen=True, kw_only=True):
    """Nobody waits for the answer of a call any more."""

    call: int
    unit: str


class ScriptEnded(Observed, frozen=True, kw_only=True):
    """All processes of the script that started a unit over the sync socket are gone."""

    unit: str
    invocation: str


# ------------------------------------------------------------------ decided by the engine


class Decided(Event, frozen=True, kw_only=True):
    """A fact that the engine made. These are the journal."""


class Need(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dependency of a unit."""

    unit: str
    requires: Requires = "success"
    lenient: bool = False
    """It is an optional member of the group that was named: its failure is put aside."""


class Declaration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader of the journal must know of a unit and cannot learn from what becomes of it."""

    unit: str
    kind: Kind = "oneshot"
    description: str = ""
    optional: bool = False
    is_handler: bool = False
    """It starts only when another unit ended so or so."""
    after: tuple[Need, ...] = ()
    locks: tuple[str, ...] = ()


class RunStarted(Decided, frozen=True, kw_only=True):
    """A supervisor began its life. The supervisor makes this one, for it alone knows its pid."""

    run: str
    version: str
    pid: int
    units: tuple[str, ...]
    socket: str = ""
    jobs: int | UnsetType = UNSET
    """How many units may work at a time, where that is limited."""
    declared: tuple[Declaration, ...] = ()


class DurationsExpected(Decided, frozen=True, kw_only=True):
    """How long units are expected to take until they reach their goal, from earlier runs. May come while they run."""

    durations: dict[str, float]
    """Seconds, by unit."""


class WaitsFor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a unit waits for: a unit, a lock and who holds it, one of so many jobs, or a call by its script."""

    unit: str | UnsetType = UNSET
    requires: Requires | UnsetType = UNSET
    lock: str | UnsetType = UNSET
    holder: str | UnsetType = UNSET
    jobs: int | UnsetType = UNSET
    call: Literal["start"] | UnsetType = UNSET


class UnitEvent(Decided, frozen=True, kw_only=True):
    """Something that became of a unit."""

    unit: str


class UnitWaiting(UnitEvent, frozen=True, kw_only=True, rename={"at": "elapsed", "waits_for": "for"}):
    """It is wanted, and this is what it waits for."""

    waits_for: tuple[WaitsFor, ...]


class UnitStarting(UnitEvent, frozen=True, kw_only=True):
    """Its command is about to be executed. Written before the deed, so that no crash can hide an invocation."""

    invocation: str
    attempt: int


class UnitStarted(UnitEvent, frozen=True, kw_only=True):
    """Its command has been executed."""

    pid: int
    invocation: str
    attempt: int
    command: str
    log: str = ""


class UnitReady(UnitEvent, frozen=True, kw_only=True):
    """Its dependents may go on."""

    after: float
    """Seconds since it started."""


class UnitReported(UnitEvent, frozen=True, kw_only=True):
    """It said what it is doing."""

    text: str


class UnitRetrying(UnitEvent, frozen=True, kw_only=True):
    """An attempt, or the life of a service, is over, and another follows."""

    attempt: int
    """The number of the attempt to come."""
    delay: float
    reason: str
    exit_code: int | UnsetType = UNSET
    signal: str | UnsetType = UNSET


class UnitStopping(UnitEvent, frozen=True, kw_only=True):
    """It is being stopped."""

    reason: str


class UnitEnded(UnitEvent, frozen=True, kw_only=True):
    """It has its outcome."""

    outcome: Outcome
    reason: str
    cause: str | UnsetType = UNSET
    """For a skipped unit: the unit at the root of it."""
    exit_code: int | UnsetType = UNSET
    signal: str | UnsetType = UNSET
    duration: float = 0.0
    """Seconds since its last attempt started; 0 where none did."""
    cpu: float = 0.0
    max_rss: int = 0


class SyncCalled(UnitEvent, frozen=True, kw_only=True, tag="sync"):
    """A script's call had an effect."""

    call: Literal["want", "start", "complete", "fail"]
    peer: Peer
    depends_on: str | UnsetType = UNSET


class StartupFinished(Decided, frozen=True, kw_only=True):
    """Every wanted unit has reached its goal or will not reach it any more."""

    outcome: RunOutcome
    duration: float
    failed: tuple[str, ...] = ()
    critical_path: tuple[str, ...] = ()


class RunEnded(Decided, frozen=True, kw_only=True):
    """Nothing runs any more, and the supervisor goes."""

    outcome: RunOutcome
    duration: float


JournalEvent = (
    RunStarted
    | DurationsExpected
    | UnitWaiting
    | UnitStarting
    | UnitStarted
    | UnitReady
    | UnitReported
    | UnitRetrying
    | UnitStopping
    | UnitEnded
    | SyncCalled
    | StartupFinished
    | RunEnded
)
"""What can stand in a journal, as one type to decode into."""
