"""What the engine knows of one unit while it lives: the mutable side of a unit."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from .effect import Cause
from .event import Outcome
from .graph import Edge
from .observed import ProcessExited
from .state import State
from .unit import Unit

TimerKind = Literal["wait", "timeout", "ready", "backoff", "stop"]
Then = Literal["end", "retry", "restart"]
Until = Literal["may-start", "reached"]


class Verdict(Struct, frozen=True):
    """What an attempt came to, and what may follow it.

    It is made when the attempt is over or, where processes must be ended first, when that begins: so a unit in ``stopping``
    always knows why.
    """

    outcome: Outcome
    reason: str
    then: Then = "end"
    """``retry`` and ``restart`` say which policy is asked whether another attempt follows."""
    forced: bool = False
    """Restart whatever the policy's ``when`` says: a health check asked for it."""


_RESTARTS_REMEMBERED = 64
"""Enough for any backoff to reach its most, where a service may be restarted without limit."""


@dataclass(slots=True, eq=False)
class Node:
    """One unit's state, its current invocation, and what it waits for."""

    unit: Unit
    name: str = field(init=False)
    state: State = "idle"
    outcome: Outcome | None = None
    reason: str = ""
    cause: str = ""
    """For a skipped unit: the one at the root of it."""

    because_of: Cause | None = None
    """For whom it was started whose ``on-success`` or ``on-failure`` names it; all of its attempts are for that."""

    unmet: dict[str, Edge] = field(default_factory=dict)
    """Dependencies that are pending; empty as soon as it was released."""
    released_by: str | None = None
    """The dependency, or the last holder of its lock, whose end let it go: a link of the critical path."""

    attempt: int = 0
    invocation: str = ""
    pid: int | None = None
    """The main process; None before it was spawned and after it was reaped."""
    started_at: float | None = None
    is_getting_ready: bool = False
    """It is ready as soon as what it gives has been read."""
    was_ready: bool = False
    """Since it was wanted, so its end is for ``restart`` to judge rather than for ``retry``."""
    exit: ProcessExited | None = None
    """How the main process of the last invocation ended."""
    failures: int = 0
    """Health probes that said no, in a row."""
    restarts: deque[float] = field(default_factory=deque)

    is_declared: bool = True
    """It comes from a unit file; otherwise a script brought it over the sync socket."""
    is_registered: bool = True
    """False: somebody waits for a name that nobody has brought yet, or the unit file that brought it is gone."""
    called: Literal["", "start", "complete"] = ""
    """How far its script has come with it over the sync socket."""
    check: int = 0
    """The number of the look whether it need run, while somebody looks."""
    is_checked: bool = False
    """Since it was wanted somebody has looked whether it need run, and it need."""
    is_forced: bool = False
    """Somebody wants it to run once though it is up to date."""
    because: str = ""
    """Why it is not up to date."""
    gave_up: bool = False
    """Its script waited to start it, and its start has not succeeded since."""
    holds: dict[int, Until] = field(default_factory=dict)
    """Calls on the sync socket that are answered when it may start, or has reached its goal."""

    verdict: Verdict | None = None
    """Why it is being stopped, while it is."""
    killed: bool = False
    """SIGKILL was sent to the current invocation."""
    stopping_since: float = 0.0
    stop_reason: str | None = None
    """Somebody wants it to end."""
    restart_reason: str | None = None
    """Somebody wants it to end and to begin anew."""
    timers: dict[TimerKind, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.unit.name
        self.restarts = deque(maxlen=self.unit.restart.limit or _RESTARTS_REMEMBERED)

    @property
    def is_active(self) -> bool:
        """It is wanted and has no outcome yet."""
        return self.state not in ("idle", "ended")

    @property
    def holds_run(self) -> bool:
        """The run goes on for its sake. A script's unit that has not started does not hold it."""
        return self.is_active and (self.is_declared or self.state != "waiting")

    @property
    def is_scripts(self) -> bool:
        """It is brought to its end over the sync socket, not by a process of ours."""
        return self.unit.kind == "external"

    @property
    def has_invocation(self) -> bool:
        """Its command is ordered to be executed, or there are processes of it."""
        return self.state in ("running", "ready", "stopping")

    @property
    def awaits_spawn(self) -> bool:
        """Its command is ordered to be executed, and what came of that is not known yet."""
        return self.state == "running" and self.started_at is None

    @property
    def is_to_begin_anew(self) -> bool:
        """It has come to the end that somebody wanted before it begins anew."""
        return self.state == "backoff" and self.restart_reason is not None

    @property
    def is_vacant(self) -> bool:
        """Nothing is left of it but the name, which anybody may bring again."""
        return not self.is_registered and not self.is_active

    @property
    def has_settled(self) -> bool:
        """The startup need not wait for it any more."""
        return not self.is_active or not self.is_declared or (self.state == "ready" and self.unit.kind == "service")

    def renew(self) -> None:
        """Forget the life before this one: the unit is wanted again."""
        self.attempt = 0
        self.outcome, self.reason, self.cause = None, "", ""
        self.unmet, self.released_by = {}, None
        self.was_ready = False
        self.restarts.clear()
        self.stop_reason = self.restart_reason = None
        self.is_checked, self.because = False, ""
        self.begin_attempt("")
        self.attempt = 0

    def begin_attempt(self, invocation: str) -> None:
        """Forget the attempt before this one."""
        self.attempt += 1
        self.invocation = invocation
        self.pid = self.started_at = self.exit = self.verdict = None
        self.called, self.gave_up = "", False
        self.killed = self.is_getting_ready = False
        self.failures = 0
