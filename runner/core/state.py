"""The states of a unit and the one table of transitions.

Theory of operation
===================

A unit is in one of seven states, and only a decided event moves it. The engine, the snapshot and the diagram in the docs
all read the one table below, so they cannot disagree.

Rule 1. A state says what is going on, never how it went. How it went is the *outcome*, which only an ended unit has, and
the *reason*, which says it in words.

Rule 2. ``running`` begins with the order to execute, not with its success: ``UnitStarting`` is in the journal before the
deed. ``UnitStarted`` adds the pid; a spawn that fails goes from ``running`` to ``ended`` or ``backoff`` without it.

Rule 3. ``stopping`` is the only way to end what has processes and will not end by itself: a person's stop, a timeout, a
health check that failed, processes that a failed attempt left behind. Why it is being stopped is kept beside the state, and
decides what comes next: ``ended``, or ``backoff`` where another attempt follows.

Rule 4. ``ended`` is not the last word. A unit that is wanted again goes back to ``waiting`` or ``running``.

Rule 5. What is not in the table is a bug. The engine raises ``IllegalTransition`` rather than write down nonsense.
"""

from __future__ import annotations

from typing import Final, Literal

from ..errors import IllegalTransition
from .event import (
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
)

State = Literal["idle", "waiting", "running", "ready", "backoff", "stopping", "ended"]

STATES: Final[dict[State, str]] = {
    "idle": "nobody wants it",
    "waiting": "wanted; its dependencies, a lock, a job, the call of its script or a look whether it need run are not there yet",
    "running": "its command is being executed",
    "ready": "its command runs, and dependents may go on",
    "backoff": "an attempt is over and the next one waits for its time",
    "stopping": "its processes are being ended",
    "ended": "it has an outcome",
}

TRANSITIONS: Final[dict[type[UnitEvent], dict[State, State]]] = {
    UnitWaiting: {"idle": "waiting", "ended": "waiting", "waiting": "waiting", "backoff": "waiting"},
    UnitStarting: {"idle": "running", "ended": "running", "waiting": "running", "backoff": "running"},
    UnitStarted: {"running": "running"},
    UnitReady: {"running": "ready"},
    SyncCalled: {state: state for state in STATES},
    UnitReported: {"running": "running", "ready": "ready", "stopping": "stopping"},
    UnitRetrying: {"running": "backoff", "ready": "backoff", "stopping": "backoff"},
    UnitStopping: {"running": "stopping", "ready": "stopping"},
    UnitEnded: {
        "idle": "ended",
        "ended": "ended",
        "waiting": "ended",
        "running": "ended",
        "ready": "ended",
        "backoff": "ended",
        "stopping": "ended",
    },
}


def next_state(state: State, event: UnitEvent) -> State:
    """The state that an event leads to; raises :class:`IllegalTransition` where the table has none."""
    try:
        return TRANSITIONS[type(event)][state]
    except KeyError:
        raise IllegalTransition(f"unit {event.unit!r} is {state}: {type(event).__name__} is not possible") from None
