"""The supervisor: facts in, orders out, by way of the engine.

Everything here is synchronous and short. A fact (``observe``) goes to the engine; what it decided is written to the journal
and told to the listeners; what it ordered is queued and carried out, one order after the other, and the answer of an order
goes to the engine before the next order is carried out. So the journal is always ahead of the deeds, and nothing that
happens to one unit waits for another.

Spawns have a queue of their own, and every other order goes first: a spawn is the only one that takes long, so only so many
are done in a turn, and what the engine orders of a process that was just spawned (to listen for the line that makes it
ready) must be done before the poller brings the first of its news.

It needs no event loop: the first units run before there is one. The loop only calls :meth:`Supervisor.turn` when the poller
or a timer has something.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from ..core.declare import declarations
from ..core.effect import CancelTimer, Effect, ReadValues, RunStopCommand, SetTimer, Signal, Spawn
from ..core.engine import Engine
from ..core.event import Decided, RunStarted
from ..core.observed import DurationsLearned, Observed, ProcessSpawned, SpawnFailed, StartRequested, TimerFired
from ..core.secret import secrets_of
from ..core.snapshot import Snapshot
from .annex import Annex
from .asking import Asking
from .environment import as_text, tell_cause
from .grouping import Grouping
from .invocation import Invocation
from .journal import Journal, Lines
from .notify import NotifySocket
from .orphans import Orphans
from .output import TAIL_LINES
from .paths import StatePaths
from .poller import Poller
from .secrets import RunSecrets
from .settings import Settings, make_log
from .spawn import SpawnError
from .stop_requests import StopRequests
from .timers import Timers
from .tree import Birth, Census, kill_run
from .warning import warn_on_stderr

if TYPE_CHECKING:
    import trio

Listener = Callable[[Sequence[Decided], bytes], None]
"""Gets what was decided, and the same as lines of JSON."""

_T = TypeVar("_T")

_SPAWNS_A_TURN = 16
"""After so many spawns the poller has its turn, so that a thousand do not hide a signal."""


class Supervisor:
    """One run: an engine, the processes that it ordered, and the journal of what it decided.

    ``passed_on`` is where its keeper writes the signals that it gets; None: it has none.
    """

    def __init__(
        self, engine: Engine, *, run: str, paths: StatePaths, environment: dict[str, str], passed_on: int | None = None
    ) -> None:
        self.engine = engine
        self.run = run
        self.paths = paths
        self.snapshot = Snapshot()
        self.poller = Poller()
        self.timers = Timers()
        self.listeners: list[Listener] = []
        self.on_line: Callable[[str, bytes], None] | None = None
        """Gets every line that a unit writes, where somebody wants them."""
        self.on_output: list[Callable[[str], None]] = []
        """Get the name of a unit whenever something was read of what it writes."""
        self.on_values: list[Callable[[str, Mapping[str, str]], None]] = [self._learn_values]
        """Get the name of a unit and what it gives to those after it, as it is read and before anything is made of it."""
        self.on_warning: Callable[[str], None] = warn_on_stderr
        """Gets what costs no unit but should be known."""
        self.invocations: dict[str, Invocation] = {}
        """The latest invocation of each unit that has one."""
        self.wake: Callable[[], None] = lambda: None
        """Called when something is to be done that the loop does not know of."""
        self.periodic: list[tuple[float, Callable[[], None]]] = []
        """What the loop is to call over and over, and how often."""
        self.environment = environment
        self.annex = Annex()
        self.secrets = RunSecrets(engine.graph.units.values(), environment)
        """What is masked in all that the run writes and tells."""
        self._settings = Settings(environment, self.annex, self.secrets.learn, self.warn)
        self.birth = Birth.now()
        """Every process of this run is younger."""
        self._begun = time.monotonic()
        self._lines = Lines(time.time())
        self._journal = Journal(paths.journals, run, self.warn_of_state)
        self.stop_requests = StopRequests(self.poller, self.observe, self.now, passed_on)
        self.orphans = Orphans(self.poller) if passed_on is not None else None
        """None: they become children of somebody else."""
        self._nursery: trio.Nursery | None = None
        self._later: dict[int, Callable[[], None]] = {}
        """What is to be called once, by its timer. The engine's timers are positive, these are negative."""
        self._later_made = 0
        self._units: dict[str, str] = {}
        """The unit of each invocation of this run."""
        self._inbox: deque[Observed] = deque()
        self._orders: deque[Effect] = deque()
        self._spawns: deque[Spawn] = deque()
        self.grouping = Grouping(self, self._spawns)
        self._budget = _SPAWNS_A_TURN
        self._is_draining = False
        self._is_state_lost = False
        self._census: Census | None = None
        self._asking = Asking(self, self._settings)
        self.deeds: dict[type[Effect], Callable[[Any], None]] = {
            Signal: self._signal,
            RunStopCommand: self._run_stop_command,
            ReadValues: self._read_values,
            SetTimer: lambda effect: self.timers.set(effect.timer, effect.at),
            CancelTimer: lambda effect: self.timers.cancel(effect.timer),
            **self._asking.deeds,
        }

    def offer_socket(self, path: str) -> None:
        """Let the units know the sync socket, and let those who have no ``coder`` find one."""
        self._settings.offer_socket(path)

    def _learn_values(self, unit: str, values: Mapping[str, str]) -> None:
        """Mask from now on what is secret of that which a unit gives."""
        self.secrets.add(secrets_of(self.engine.graph.units[unit], values))

    @property
    def seq(self) -> int:
        """The number of the last event that was written down."""
        return self._lines.seq

    @property
    def stopped_by(self) -> signal.Signals | None:
        """The signal that asked for the end."""
        return self.stop_requests.stopped_by

    @property
    def begun_at(self) -> float:
        """The wall clock at the run's beginning, in seconds since the epoch."""
        return self._lines.begun_at

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    def luck(self) -> float:
        """A random number in [0, 1), for jitter."""
        return random.random()  # noqa: S311

    def census(self) -> Census:
        """The processes as they were when somebody first asked in this turn."""
        if self._census is None:
            self._census = Census(self.birth)
        return self._census

    def warn(self, text: str) -> None:
        """Say what costs no unit but should be known."""
        self.on_warning(self.secrets.mask_text(text))

    def warn_of_state(self, text: str) -> None:
        """Say once that something in the state directory cannot be written: it is the same for a thousand logs."""
        if not self._is_state_lost:
            self._is_state_lost = True
            self.warn(text)

    # ---------------------------------------------------------------- facts

    def begin(self, version: str, names: Sequence[str], durations: dict[str, float] | None = None) -> None:
        """Write down that the run has begun, and want these units; none: all. ``durations`` are those of earlier runs."""
        self._settings.offer_values()
        graph, jobs = self.engine.graph, self.engine.jobs
        started = RunStarted(
            at=self.now(),
            run=self.run,
            version=version,
            pid=os.getpid(),
            units=tuple(graph.units),
            socket=self._settings.socket,
            jobs=UNSET if jobs is None else jobs,
            declared=declarations(graph),
        )
        self._record([started])
        if durations:
            self.observe(DurationsLearned(at=self.now(), durations=durations))
        self.observe(StartRequested(at=self.now(), units=tuple(names)))

    def observe(self, event: Observed) -> None:
        """Take a fact, and do what follows from it. May be called from anywhere, also by what is done."""
        self._inbox.append(event)
        if not self._is_draining:
            self._drain()

    def turn(self) -> bool:
        """Do what is due, without waiting; says whether there may be more."""
        self._census = None
        self._budget = _SPAWNS_A_TURN
        is_busy = self.poller.dispatch()
        now = self.now()
        while (timer := self.timers.take_due(now)) is not None:
            is_busy = True
            call = self._later.pop(timer, None)
            if call:
                call()
            else:
                self.observe(TimerFired(at=now, timer=timer))
        self._drain()
        self._census = None
        return is_busy or bool(self._spawns)

    def _drain(self) -> None:
        self._is_draining = True
        try:
            while self._do_next():
                pass
        finally:
            self._is_draining = False
        self.wake()

    def _do_next(self) -> bool:
        """Take one fact to the engine, or carry out one order; says whether there was any."""
        if self._inbox:
            step = self.engine.apply(self._inbox.popleft())
            if step.events:
                self._record(step.events)
            for effect in step.effects:
                if isinstance(effect, Spawn):
                    self._spawns.append(effect)
                else:
                    self._orders.append(effect)
        elif self._orders:
            order = self._orders.popleft()
            self.deeds[type(order)](order)
        elif self._spawns and self._budget:
            self._budget -= 1
            self._spawn(self._spawns.popleft())
        else:
            return False
        return True

    def _record(self, events: Sequence[Decided]) -> None:
        events = self.secrets.hide(events)
        lines = self._lines.encode(events)
        self._journal.write(lines)
        for event in events:
            self.snapshot.apply(event)
        for listener in self.listeners:
            listener(events, lines)

    # ---------------------------------------------------------------- orders

    def _spawn(self, order: Spawn) -> None:
        unit = self.engine.graph.units[order.unit]
        if self.grouping.holds(order, unit):
            return
        notify: NotifySocket | None = None
        try:
            notify = self._settings.make_notify_socket(unit, order.invocation)
            cause = tell_cause(order.cause, self._log_of(order.cause.unit)) if order.cause else {}
            setting = self._settings.make(unit, order.invocation, order.attempt, notify, order.values, cause)
            log = make_log(unit, setting, self.paths, self.warn, self.warn_of_state)
            group = self.grouping.make(unit, order.invocation)
            invocation = Invocation(self, unit, order.invocation, setting, log, notify, group)
        except SpawnError as error:
            if notify:
                notify.close()
            self.observe(
                SpawnFailed(
                    at=self.now(),
                    unit=order.unit,
                    invocation=order.invocation,
                    stage=error.stage,
                    reason=as_text(error.reason),
                    luck=self.luck(),
                )
            )
        else:
            self.invocations[order.unit] = invocation
            self.grouping.note(invocation)
            self._units[order.invocation] = order.unit
            at, path = self.now(), as_text(log.path)
            self.observe(ProcessSpawned(at=at, unit=order.unit, invocation=order.invocation, pid=invocation.pid, log=path))

    def _log_of(self, unit: str) -> str:
        """The log of a unit as it is, and not as it is told, which may be masked; empty where it was never executed."""
        invocation = self.invocations.get(unit)
        return invocation.log.path if invocation else ""

    def _signal(self, order: Signal) -> None:
        invocation = self.current(order.unit, order.invocation)
        if invocation:
            invocation.send(signal.Signals[order.signal], to_tree=order.to == "tree")

    def _run_stop_command(self, order: RunStopCommand) -> None:
        invocation = self.current(order.unit, order.invocation)
        if invocation and invocation.unit.stop.command:
            invocation.run_stop_command(invocation.unit.stop.command)

    def _read_values(self, order: ReadValues) -> None:
        invocation = self.current(order.unit, order.invocation)
        if invocation:
            invocation.tell_values()

    def attach(self, nursery: trio.Nursery) -> None:
        """Have a nursery for tasks from now on."""
        self._nursery = nursery
        self._asking.attach(nursery)
        self.grouping.has_loop = True

    def current(self, unit: str, name: str) -> Invocation | None:
        """An invocation, where it is still the latest of its unit."""
        invocation = self.invocations.get(unit)
        return invocation if invocation and invocation.name == name else None

    def tail(self, unit: str, n: int = TAIL_LINES) -> list[str]:
        """The last lines of a unit's output, at most so many."""
        invocation = self.invocations.get(unit)
        return invocation.tail(n) if invocation else []

    def call_at(self, at: float, call: Callable[[], None]) -> None:
        """Call something once, at a time in seconds since the run began."""
        self._later_made += 1
        self._later[-self._later_made] = call
        self.timers.set(-self._later_made, at)
        self.wake()

    def unit_of(self, invocation: str) -> str:
        """The unit that an invocation of this run is of; empty for any other name."""
        return self._units.get(invocation, "")

    def every(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something over and over while the run goes on, first after so many seconds."""
        self.periodic.append((seconds, call))

    def work(self, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Have something done that takes long, in a thread, and take what comes of it. The loop must run."""
        assert self._nursery, "only the loop has threads"
        from .work import in_thread

        self._nursery.start_soon(in_thread, work, then)

    def abandon(self) -> None:
        """Kill all that the run has started: for a supervisor that cannot go on, after which nobody would look after it."""
        self._census = None
        for name, view in self.snapshot.units.items():
            if view.state in ("running", "ready", "stopping") and name in self.invocations:
                self.invocations[name].send(signal.SIGKILL, to_tree=True)
        self.grouping.groups.kill()
        kill_run(self.run)

    def close(self) -> None:
        """Let go of everything that the run held."""
        for invocation in self.invocations.values():
            invocation.close()
        self.grouping.close()
        self._settings.close()
        self.annex.close()
        self.stop_requests.close()
        if self.orphans:
            self.orphans.close()
        self._journal.close()
        self.poller.close()
