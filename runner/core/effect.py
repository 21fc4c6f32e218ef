"""Every order that the engine can give.

An order is not a fact: it is never written down as if it had happened. The supervisor does it, and what came of it returns
to the engine as an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from .event import Outcome

RefusalReason = Literal[
    "no name", "no dependency name", "cycle", "not ready", "same status", "not found", "declared", "impossible", "not a script"
]


class Refusal(Struct, frozen=True):
    """Why a call on the sync socket is refused. How that is said on the wire is another matter."""

    why: RefusalReason
    about: str = ""
    """What the reason is about, in words: the dependency that failed, the edges of the cycle that are declared."""


class Effect(Struct, frozen=True):
    """Something to do."""


class Cause(Struct, frozen=True):
    """The end of another unit, because of which a unit is started that its ``on-success`` or ``on-failure`` names."""

    unit: str
    outcome: Outcome
    reason: str


class Spawn(Effect, frozen=True):
    """Execute the unit's command. Answered by ``ProcessSpawned`` or ``SpawnFailed`` before any other event."""

    unit: str
    invocation: str
    attempt: int
    values: Mapping[str, str] = {}
    """What units before it give it, by the name of the variable."""
    cause: Cause | None = None
    """Because of whose end it is started, where that is why."""


class Signal(Effect, frozen=True):
    """Send a signal to an invocation's main process alone, or to all of its processes."""

    unit: str
    invocation: str
    signal: str
    to: Literal["main", "tree"]


class RunStopCommand(Effect, frozen=True):
    """Execute the unit's ``stop.command`` beside it. Answered by ``StopCommandEnded``."""

    unit: str
    invocation: str


class ReloadUnit(Effect, frozen=True):
    """Have an invocation read its configuration again, as its unit's ``reload`` says. The doer tells whoever made the call."""

    unit: str
    invocation: str
    call: int


class StartCheck(Effect, frozen=True):
    """Look whether a unit need run, as its keys ask. Answered by ``CheckEnded`` with the same number."""

    unit: str
    check: int
    is_forced: bool
    """Somebody wants it to run though it is up to date. Its conditions hold or not all the same."""


class StopCheck(Effect, frozen=True):
    """Nobody wants to know any more whether a unit need run."""

    unit: str
    check: int


class StartProbe(Effect, frozen=True):
    """Begin to ask: once yes for readiness, over and over for health."""

    unit: str
    invocation: str
    purpose: Literal["ready", "health"]


class StopProbes(Effect, frozen=True):
    """Stop to ask, whatever the purpose."""

    unit: str
    invocation: str


class ReadValues(Effect, frozen=True):
    """Read what an invocation gives, before its dependents are let go. Answered by ``ValuesRead``."""

    unit: str
    invocation: str


class Answer(Effect, frozen=True):
    """Answer a call on the sync socket: it is done, or why it is refused."""

    call: int
    refusal: Refusal | None = None


class Report(Effect, frozen=True):
    """Tell whoever asked for something what that has set in motion, or why it is refused."""

    call: int
    units: tuple[str, ...] = ()
    """In the order in which it is their turn: for a stop the dependents first, else the dependencies."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """What the unit files say now and did not, where they were read anew."""
    refusal: str = ""
    """Why nothing was done, in words."""


class WatchScript(Effect, frozen=True):
    """Tell by ``ScriptEnded`` when all processes of the script that this process belongs to are gone."""

    unit: str
    invocation: str
    pid: int


class SetTimer(Effect, frozen=True):
    """Send ``TimerFired`` at a time. Setting a timer again moves it."""

    timer: int
    at: float


class CancelTimer(Effect, frozen=True):
    """Forget a timer."""

    timer: int
