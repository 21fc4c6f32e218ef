"""Every fact that can happen, past tense: the vocabulary of the whole program.

Two sorts of events. The supervisor **observes**: a process exited, a timer fired, somebody asked for a stop; these are in
``observed.py``. The engine **decides** what that means: a unit started, became ready, ended. What was decided is the journal,
the JSON output and the input of every screen; readers fold it and never run the engine again.

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


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=_kebab, rename={"at": "elapsed"}):
    """Something that happened, and when."""

    at: float


class Decided(Event, frozen=True, kw_only=True):
    """A fact that the engine made. These are the journal."""


class Need(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dependency of a unit."""

    unit: str
    """Its name."""
    requires: Requires = "success"
    """What is needed of it."""
    lenient: bool = False
    """It is an optional member of the group that was named: its failure is put aside."""


class Declaration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader of the journal must know of a unit and cannot learn from what becomes of it."""

    unit: str
    """Its name."""
    kind: Kind = "oneshot"
    """What sort of unit it is."""
    description: str = ""
    """A line for people."""
    optional: bool = False
    """Its failure does not fail the startup."""
    is_handler: bool = False
    """It starts only when another unit ended so or so."""
    after: tuple[Need, ...] = ()
    """What it waits for, groups as their members."""
    locks: tuple[str, ...] = ()
    """What it holds while it runs."""
    on_success: tuple[str, ...] = ()
    """The units that start when it has succeeded."""
    on_failure: tuple[str, ...] = ()
    """The units that start when it has failed or timed out."""


class RunStarted(Decided, frozen=True, kw_only=True):
    """A supervisor began its life. The supervisor makes this one, for it alone knows its pid."""

    run: str
    """Its id, which sorts by time."""
    version: str
    """That of the runner."""
    pid: int
    """That of the supervisor."""
    units: tuple[str, ...]
    """The names of all declared units."""
    socket: str = ""
    """Where it is spoken to."""
    jobs: int | UnsetType = UNSET
    """How many units may work at a time, where that is limited."""
    declared: tuple[Declaration, ...] = ()
    """What the unit files say of each."""


class UnitsChanged(Decided, frozen=True, kw_only=True):
    """The unit files say something else than before."""

    added: tuple[str, ...] = ()
    """Units that are new."""
    changed: tuple[str, ...] = ()
    """Units of which they say something else. One that runs goes on as it was until its next start."""
    removed: tuple[str, ...] = ()
    """Units that they speak of no more."""
    declared: tuple[Declaration, ...] = ()
    """What they say of each that was added or changed, and of each that waits for something else now."""


class DurationsExpected(Decided, frozen=True, kw_only=True):
    """How long units are expected to take until they reach their goal, from earlier runs. May come while they run."""

    durations: dict[str, float]
    """Seconds, by unit."""


class WaitsFor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a unit waits for: a unit, a lock and who holds it, one of so many jobs, or a call by its script."""

    unit: str | UnsetType = UNSET
    """A dependency."""
    requires: Requires | UnsetType = UNSET
    """What is needed of it."""
    lock: str | UnsetType = UNSET
    """A lock."""
    holder: str | UnsetType = UNSET
    """Who holds it or, where nobody does, who is first in its queue."""
    jobs: int | UnsetType = UNSET
    """So many units may work at a time, and do."""
    call: Literal["start"] | UnsetType = UNSET
    """The call that its script has not made."""
    check: tuple[str, ...] | UnsetType = UNSET
    """The keys that say whether it need run: somebody looks whether it need."""
    asks: str | UnsetType = UNSET
    """The command of its condition, which is executed where all else says that it need run."""


class UnitEvent(Decided, frozen=True, kw_only=True):
    """Something that became of a unit."""

    unit: str
    """Its name."""


class UnitWaiting(UnitEvent, frozen=True, kw_only=True, rename={"at": "elapsed", "waits_for": "for"}):
    """It is wanted, and this is what it waits for."""

    waits_for: tuple[WaitsFor, ...]
    """All that is not there yet."""


class UnitStarting(UnitEvent, frozen=True, kw_only=True):
    """Its command is about to be executed. Written before the deed, so that no crash can hide an invocation."""

    invocation: str
    """The id of this attempt."""
    attempt: int
    """Its number, from 1."""
    because: str | UnsetType = UNSET
    """Why it is not up to date, of a unit that could be."""


class UnitStarted(UnitEvent, frozen=True, kw_only=True):
    """Its command has been executed."""

    pid: int
    """Its main process."""
    invocation: str
    """The id of this attempt."""
    attempt: int
    """Its number, from 1."""
    command: str
    """What is executed, on one line."""
    log: str = ""
    """The file that its output goes to."""


class UnitReady(UnitEvent, frozen=True, kw_only=True):
    """Its dependents may go on."""

    after: float
    """Seconds since it started."""
    gives: tuple[str, ...] | UnsetType = UNSET
    """The names of the values that it gives to the units after it, where it gives any."""


class UnitReported(UnitEvent, frozen=True, kw_only=True):
    """It said what it is doing."""

    text: str
    """In its own words."""


class UnitRetrying(UnitEvent, frozen=True, kw_only=True):
    """An attempt, or the life of a service, is over, and another follows."""

    attempt: int
    """The number of the attempt to come."""
    delay: float
    """Seconds until then."""
    reason: str
    """Why this attempt is over."""
    exit_code: int | UnsetType = UNSET
    """How its main process ended, where it ended by itself."""
    signal: str | UnsetType = UNSET
    """What killed it, where a signal did."""


class UnitStopping(UnitEvent, frozen=True, kw_only=True):
    """It is being stopped."""

    reason: str
    """Why."""


class UnitEnded(UnitEvent, frozen=True, kw_only=True):
    """It has its outcome."""

    outcome: Outcome
    """How it went."""
    reason: str
    """Why, in words."""
    cause: str | UnsetType = UNSET
    """For a skipped unit: the unit at the root of it."""
    runs_if: tuple[str, ...] | UnsetType = UNSET
    """For an unneeded unit: what would make it run, each in words that follow "it runs if"."""
    exit_code: int | UnsetType = UNSET
    """How its main process ended, where it ended by itself."""
    signal: str | UnsetType = UNSET
    """What killed it, where a signal did."""
    duration: float = 0.0
    """Seconds since its last attempt started; 0 where none did."""
    cpu: float = 0.0
    """Seconds of processor time, of all its processes that were waited for."""
    max_rss: int = 0
    """The most memory that one of its processes had, in bytes."""
    gives: tuple[str, ...] | UnsetType = UNSET
    """The names of the values that it gives to the units after it, where it gives any."""


class Peer(Struct, frozen=True, kw_only=True):
    """The process that made a call on the sync socket, and the unit in whose process tree it is, if it is in one."""

    pid: int
    """Its process."""
    uid: int
    """Its user."""
    unit: str = ""
    """The unit in whose process tree it is, if it is in one."""


class SyncCalled(UnitEvent, frozen=True, kw_only=True, tag="sync"):
    """A script's call had an effect."""

    call: Literal["want", "start", "complete", "fail"]
    """What it called."""
    peer: Peer
    """Who called."""
    depends_on: str | UnsetType = UNSET
    """What it wants to wait for."""


class StartupFinished(Decided, frozen=True, kw_only=True):
    """Every wanted unit has reached its goal or will not reach it any more."""

    outcome: RunOutcome
    """How it went."""
    duration: float
    """Seconds since the run began."""
    failed: tuple[str, ...] = ()
    """The units that are not optional and missed their goal."""
    critical_path: tuple[str, ...] = ()
    """The chain of units that made it as long as it was, first unit first."""


class RunEnded(Decided, frozen=True, kw_only=True):
    """Nothing runs any more, and the supervisor goes."""

    outcome: RunOutcome
    """How it went."""
    duration: float
    """Seconds since the run began."""


JournalEvent = (
    RunStarted
    | UnitsChanged
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
