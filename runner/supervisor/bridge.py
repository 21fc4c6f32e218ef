"""Joins our graph to the agent's: scripts that the agent starts talk to its socket, and know nothing of ours.

An ``external`` unit with ``bridge = true`` is completed here when the agent's socket shows the unit of that name as completed.
Any other unit with ``bridge = true`` is started and completed there as it is here, so that those scripts can ``want`` it. The
agent tells nobody of its own accord, so it is asked, four times a second, about those that are not there yet.

The agent may come later than the supervisor, and go, and come back without any memory. So nothing is merely told to it: for
each unit of ours there is a goal, and on every connection the agent is asked how far the unit is there and told what is
missing. It has no words for a unit that failed; there such a one stays started.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ..core.event import Decided, Peer, UnitEnded, UnitReady, UnitStarted, UnitWaiting
from ..core.observed import SyncCompleted
from ..rpc.connection import ClientConnection
from ..rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, Event, MessageReceived, SendClosed
from ..rpc.messages import SyncStatusResponse, UnitRequest
from ..rpc.methods import SYNC_COMPLETE, SYNC_START, SYNC_STATUS, Method
from ..rpc.proto import ProtoError, parse_message
from .relay import AgentSocket
from .wire import Wire

if TYPE_CHECKING:
    from ..core.snapshot import UnitView
    from .supervisor import Supervisor

INTERVAL = 0.25
"""Seconds from one question to the next."""
_NO_CALL = 0

Goal = Literal["started", "completed"]


class Bridge:
    """A client of the agent's socket for the units of a run that say ``bridge = true``."""

    def __init__(self, supervisor: Supervisor, agent: AgentSocket) -> None:
        self._supervisor = supervisor
        self._agent = agent
        units = {name: unit for name, unit in supervisor.engine.graph.units.items() if unit.bridge}
        self._theirs = {name for name, unit in units.items() if unit.kind == "external"}
        self._ours = units.keys() - self._theirs
        self._asked = set(self._theirs)
        """Units of theirs that are not completed yet."""
        self._goals: dict[str, Goal] = {}
        """How far each of our units is to be there."""
        self._queue: deque[tuple[Method, str]] = deque()
        self._call: tuple[Method, str] | None = None
        """The call that has no answer yet."""
        self._rpc = ClientConnection()
        self._wire: Wire | None = None
        if units:
            self._catch_up()
            supervisor.listeners.append(self._listen)
            supervisor.every(INTERVAL, self._ask)

    # ---------------------------------------------------------------- what is to be

    def _catch_up(self) -> None:
        """Units may have begun, and ended, before there was a bridge."""
        for name, view in self._supervisor.snapshot.units.items():
            goal = _goal_of(view)
            if name in self._ours and goal:
                self._goals[name] = goal
            elif view.state == "ended":
                self._asked.discard(name)

    def _listen(self, events: Sequence[Decided], _: bytes) -> None:
        for event in events:
            match event:
                case UnitStarted(unit=name) if name in self._ours:
                    self._aim(name, "started")
                case UnitReady(unit=name) | UnitEnded(unit=name, outcome="succeeded" | "unneeded") if name in self._ours:
                    self._aim(name, "completed")
                case UnitWaiting(unit=name) if name in self._theirs:
                    self._asked.add(name)
                case UnitEnded(unit=name):
                    self._asked.discard(name)

    def _aim(self, unit: str, goal: Goal) -> None:
        if self._goals.get(unit) == goal:
            return
        self._goals[unit] = goal
        if self._wire:
            self._queue.append((SYNC_STATUS, unit))
        else:
            self._connect()
        self._go_on()

    # ---------------------------------------------------------------- calls

    def _ask(self) -> None:
        if self._wire is None:
            self._connect()
        elif self._call is None and not self._queue:
            self._queue.extend((SYNC_STATUS, name) for name in sorted(self._asked))
        self._go_on()

    def _connect(self) -> None:
        """Go to the agent, if it is there. It may be another than before, so it is asked about all units."""
        try:
            sock = self._agent.connect()
        except OSError:
            return
        self._rpc = ClientConnection()
        self._wire = Wire(self._supervisor.poller, sock, self._receive)
        self._queue = deque((SYNC_STATUS, name) for name in (*self._goals, *sorted(self._asked)))

    def _go_on(self) -> None:
        """Make the next call, if none runs and the agent is there."""
        if self._wire is None:
            self._queue.clear()
        elif self._call is None and self._queue:
            self._call = method, unit = self._queue.popleft()
            _, data = self._rpc.call(method.path, bytes(UnitRequest(unit)))
            self._wire.write(data)

    def _receive(self, data: bytes) -> None:
        for event in self._rpc.receive(data):
            self._take(event)
        self._go_on()

    def _take(self, event: Event) -> None:
        match event:
            case MessageReceived(_, data) if self._call:
                method, unit = self._call
                if method is SYNC_STATUS:
                    self._take_state(unit, data)
            case SendClosed() | ErrorReceived() | CallCancelled():
                self._call = None
            case ConnectionEnded():
                self.close()

    def _take_state(self, unit: str, answer: bytes) -> None:
        try:
            state = parse_message(SyncStatusResponse, answer).status
        except ProtoError:
            return
        if unit in self._asked:
            if state == "completed":
                supervisor = self._supervisor
                peer = Peer(pid=os.getpid(), uid=os.getuid())
                supervisor.observe(SyncCompleted(at=supervisor.now(), call=_NO_CALL, unit=unit, peer=peer))
        elif goal := self._goals.get(unit):
            self._queue.extendleft((method, unit) for method in reversed(_missing(state, goal)))

    def close(self) -> None:
        """Let go of the connection."""
        self._call = None
        if self._wire:
            self._wire.close()
            self._wire = None


def _goal_of(view: UnitView) -> Goal | None:
    """How far a unit of ours is to be there; None where it has not begun."""
    if view.state == "ready" or view.outcome in ("succeeded", "unneeded"):
        return "completed"
    return None if view.started_at is None else "started"


def _missing(state: str, goal: Goal) -> list[Method]:
    """The calls that bring a unit from its state there to the goal. What nobody registered yet cannot be completed."""
    if state == goal:
        return []
    if goal == "started":
        return [SYNC_START]
    return [SYNC_COMPLETE] if state == "started" else [SYNC_START, SYNC_COMPLETE]
