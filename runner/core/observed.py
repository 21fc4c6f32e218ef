"""What the supervisor observes: the facts from outside from which the engine makes its decisions.

None of them is ever written down as it is. What they mean is decided, and only that is read by anybody (``event.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .event import Event, Peer
from .unit import Unit

Stage = Literal["cwd", "user", "env-file", "log", "program not found", "not executable", "limits", "spawn"]


class Observed(Event, frozen=True, kw_only=True):
    """A fact from outside the engine."""


class ControlRequested(Observed, frozen=True, kw_only=True):
    """Somebody wants something of units. The effect ``Report`` with the same number tells what that set in motion."""

    call: int = 0
    """0: nobody waits for that."""


class StartRequested(ControlRequested, frozen=True, kw_only=True):
    """Somebody wants units to reach their goal, and with them all that they depend on."""

    units: tuple[str, ...] = ()
    """Empty: every unit that is not reserved for ``on-success`` or ``on-failure``."""


class StopRequested(ControlRequested, frozen=True, kw_only=True):
    """Somebody wants units to end, and before them all that depends on them."""

    units: tuple[str, ...] = ()
    """Empty: everything, and then the run."""
    reason: str


class RestartRequested(ControlRequested, frozen=True, kw_only=True):
    """Somebody wants units that run to end and to begin anew, and others to run."""

    units: tuple[str, ...]
    reason: str


class RetryRequested(ControlRequested, frozen=True, kw_only=True):
    """Somebody wants what failed or timed out to run again, and then what was skipped because of it."""

    units: tuple[str, ...] = ()
    """Empty: all that failed or timed out."""


class ReloadRequested(ControlRequested, frozen=True, kw_only=True):
    """Somebody wants services to read their configuration again. Of this only a refusal is reported."""

    units: tuple[str, ...]


class UnitsReloaded(ControlRequested, frozen=True, kw_only=True):
    """The unit files were read anew, and there is nothing wrong with them."""

    units: tuple[Unit, ...]
    """All that are declared now."""
    restart: bool = False
    """Those that changed are to follow at once, not only at their next start."""
    reason: str = "the unit files were read anew"
    """Why those stop that are not declared any more, and why those that changed begin anew."""


class KillRequested(Observed, frozen=True, kw_only=True):
    """Patience is over: whatever still runs is killed at once."""

    reason: str


class DurationsLearned(Observed, frozen=True, kw_only=True):
    """How long units took to reach their goal in earlier runs is known now."""

    durations: dict[str, float]
    """Seconds, by unit; one that is not here has never done what it does now."""


class CheckEnded(Observed, frozen=True, kw_only=True):
    """Somebody has looked whether a unit need run."""

    unit: str
    check: int
    verdict: Literal["needed", "unneeded", "failed"]
    """``failed``: nobody can tell."""
    reason: str = ""
    """Why, in words; of one that is needed only where it could have been up to date."""
    runs_if: tuple[str, ...] = ()
    """What would make one run that is unneeded, in words that follow "it runs if"."""
    gives: Mapping[str, str] = {}
    """What one that is unneeded gave to the units after it when it last succeeded."""


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
    gives: Mapping[str, str] = {}
    """What it gives to the units after it, where it has ended well and is a oneshot."""
    fault: str = ""
    """Why that cannot be used, in words."""


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


class ValuesRead(Observed, frozen=True, kw_only=True):
    """What an invocation gives to the units after it was read, before its end."""

    unit: str
    invocation: str
    gives: Mapping[str, str] = {}
    fault: str = ""
    """Why it cannot be used, in words."""


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
