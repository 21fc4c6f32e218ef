"""The engine decides: one event in, the facts and orders that follow from it out.

Theory of operation
===================

``Engine.apply`` takes one observed event and returns a :class:`~runner.core.run.Step`. It has no clock (time is in the
event), no randomness (luck is in the event), and touches nothing outside itself, so the same events give the same steps on
any machine, and a whole startup can be played in a test, in a simulation, or again after a crash.

A step has three parts, always in this order.

1. *What the event means for its unit* (``life``, ``stop``, ``want``). The unit's state moves through the table of
   transitions, and a unit with news for its neighbours is put on the queue of the touched.
2. *What it means for others*, until nothing is touched any more: dependents are let go or skipped, a look is ordered at
   those that may have nothing to do, units are admitted to locks and jobs, handlers of an end are started, a stop's wave goes
   on to the dependencies, and what was wanted while it went is wanted when it is over. Nothing looks at every unit; the work
   is proportional to the neighbours of what changed.
3. *What it means for the run*: the startup is finished when no unit is left that it waits for, the run is over when nothing
   is active any more.

The facts of a step must be in the journal before its orders are carried out. Spawn is ordered, not done, by the engine, so
between the order and its answer a unit is ``running`` without a pid; a stop that falls in between waits for the answer.

What has to be read from a disk is ordered too, and answered by an event: whether a unit need run (``StartCheck``), before it
runs, and what it gives to those after it (``ReadValues``), before it lets them go. A oneshot's last values come with its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import control, ladder, life, reload, reload_unit, stop, sync, sync_view, urgency, want
from .attempt import get_ready
from .effect import Cause
from .event import RunEnded, RunOutcome, StartupFinished
from .graph import Graph
from .node import Node, TimerKind
from .observed import (
    CheckEnded,
    DurationsLearned,
    KillRequested,
    Observed,
    ProbeFailed,
    ProbeSucceeded,
    ProcessExited,
    ProcessSpawned,
    ReloadRequested,
    RestartRequested,
    RetryRequested,
    ScriptEnded,
    SpawnFailed,
    StartRequested,
    StatusReported,
    StopCommandEnded,
    StopRequested,
    SyncAwaited,
    SyncCompleted,
    SyncFailed,
    SyncForgotten,
    SyncStarted,
    SyncWanted,
    TimeoutExtended,
    TimerFired,
    TreeEnded,
    UnitsReloaded,
    ValuesRead,
)
from .run import Run, Step
from .values import Values

_ABOUT_AN_INVOCATION: dict[type[Observed], Callable[[Run, Node, Any], None]] = {
    ProcessSpawned: life.spawned,
    SpawnFailed: life.spawn_failed,
    ProcessExited: life.exited,
    TreeEnded: life.tree_ended,
    StopCommandEnded: life.stop_command_ended,
    ProbeSucceeded: life.probe_succeeded,
    ProbeFailed: life.probe_failed,
    ValuesRead: life.values_read,
    TimeoutExtended: life.timeout_extended,
    StatusReported: life.status_reported,
    ScriptEnded: sync.script_ended,
}

_ABOUT_THE_RUN: dict[type[Observed], Callable[[Run, Any], None]] = {
    StartRequested: control.start,
    StopRequested: control.stop,
    KillRequested: control.kill,
    RestartRequested: control.restart,
    RetryRequested: control.retry,
    ReloadRequested: reload_unit.reload,
    UnitsReloaded: reload.reload,
    DurationsLearned: urgency.learned,
    CheckEnded: want.check_ended,
    SyncWanted: sync.wanted,
    SyncStarted: sync.started,
    SyncCompleted: sync.completed,
    SyncFailed: sync.failed,
    SyncAwaited: sync.awaited,
    SyncForgotten: sync.forgotten,
}

_TIMERS: dict[TimerKind, Callable[[Run, Node], None]] = {
    "wait": want.wait_timed_out,
    "timeout": life.timed_out,
    "ready": get_ready,
    "backoff": want.go,
    "stop": ladder.timed_out,
}


class Engine:
    """The decisions of one run over one graph.

    ``run`` is the run's identifier, from which those of invocations are made. ``jobs`` limits how many units may be on their
    way to ready or to their end at a time; ``fail_fast`` stops everything at the first failure that is not optional;
    ``keep`` lets the run go on though nothing is active.
    """

    def __init__(self, graph: Graph, *, run: str, jobs: int | None = None, fail_fast: bool = False, keep: bool = False) -> None:
        self._run = Run(graph, run, jobs=jobs, fail_fast=fail_fast, keep=keep)

    @property
    def graph(self) -> Graph:
        """The units and edges that it decides over."""
        return self._run.graph

    @property
    def jobs(self) -> int | None:
        """How many units may work at a time; None: any number."""
        return self._run.admission.jobs

    @property
    def nodes(self) -> dict[str, Node]:
        """What it knows of each unit; for reading only."""
        return self._run.nodes

    @property
    def values(self) -> Values:
        """What units give to those after them; for reading only."""
        return self._run.values

    @property
    def is_over(self) -> bool:
        """The run has ended; no event changes anything any more."""
        return self._run.is_over

    def sync_state(self, unit: str) -> sync_view.SyncState:
        """What the sync socket tells about a unit."""
        return sync_view.state_of(self._run, unit)

    def sync_states(self) -> list[sync_view.SyncState]:
        """What the sync socket tells about all units."""
        return sync_view.all_states(self._run)

    def apply(self, event: Observed) -> Step:
        """Decide what an event means. Facts out of their time, and timers that were cancelled, mean nothing."""
        run = self._run
        if run.is_over:
            return Step()
        run.now = event.at
        self._apply(event)
        self._settle()
        return run.take_step()

    def _apply(self, event: Observed) -> None:
        run = self._run
        if handle := _ABOUT_AN_INVOCATION.get(type(event)):
            self._apply_to_invocation(event, handle)
        elif hear := _ABOUT_THE_RUN.get(type(event)):
            hear(run, event)
        elif isinstance(event, TimerFired):
            if found := run.take_timer(event.timer):
                _TIMERS[found[1]](run, found[0])
        else:
            raise TypeError(f"no observed event: {event!r}")

    def _apply_to_invocation(self, event: Any, handler: Callable[[Run, Node, Any], None]) -> None:
        node = self._run.nodes.get(event.unit)
        if node is None or event.invocation != node.invocation or not node.has_invocation:
            return
        if isinstance(event, ProcessSpawned | SpawnFailed) != node.awaits_spawn:
            return
        handler(self._run, node, event)
        stop.proceed(self._run, node)

    def _settle(self) -> None:
        run = self._run
        while True:
            while run.touched:
                node = run.touched.popleft()
                if node.holds:
                    run.holding.append(node)
                want.tell_dependents(run, node)
                if node.state == "ended":
                    self._after_end(node)
            if not want.admit(run) and not want.want_postponed(run):
                break
        want.tell_waiting(run)
        while run.holding:
            sync.answer_holds(run, run.holding.pop())
        self._conclude_run()

    def _after_end(self, node: Node) -> None:
        run = self._run
        stop.proceed(run, node)
        if run.stop_reason is not None:
            return
        if run.fail_fast and node.name in run.failed and node.outcome != "cancelled" and not run.has_finished:
            stop.stop_all(run, f'"{node.name}" did not succeed, and --fail-fast was given')
            return
        handlers: tuple[str, ...] = ()
        if node.outcome == "succeeded":
            handlers = node.unit.on_success
        elif node.outcome in ("failed", "timed-out"):
            handlers = node.unit.on_failure
        if handlers and node.outcome:
            cause = Cause(node.name, node.outcome, node.reason)
            want.want(run, (name for name in handlers if run.nodes[name].state == "idle"), because_of=cause)

    def _conclude_run(self) -> None:
        run = self._run
        if run.has_begun and not run.has_finished and run.stop_reason is None and not run.unsettled:
            run.has_finished = True
            run.emit(
                StartupFinished(
                    at=run.now,
                    outcome="failed" if run.failed else "succeeded",
                    duration=run.now,
                    failed=tuple(run.failed),
                    critical_path=tuple(run.critical_path()),
                )
            )
        may_end = run.stop_reason is not None or (run.has_finished and not run.keep)
        if may_end and not run.active:
            run.is_over = True
            run.emit(RunEnded(at=run.now, outcome=self._outcome(), duration=run.now))

    def _outcome(self) -> RunOutcome:
        if self._run.failed:
            return "failed"
        return "succeeded" if self._run.has_finished else "cancelled"
