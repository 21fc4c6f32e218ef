"""What the facts about an invocation mean for its unit.

Every fact names the invocation that it is about; the engine drops those of an earlier one, and those that come out of
their time, before they come here. A unit's main process decides its outcome. What else it started is its tree: after a
success it is left alone (a script may start a daemon), after anything else it is ended before the next attempt or the end,
so that no two attempts meet.
"""

from __future__ import annotations

from . import ladder
from .attempt import become_ready, conclude, duration, end, get_ready
from .effect import StartProbe, StopProbes
from .event import UnitReported, UnitStarted
from .node import Node, Then, TimerKind, Verdict
from .observed import (
    ProbeFailed,
    ProbeSucceeded,
    ProcessExited,
    ProcessSpawned,
    SpawnFailed,
    StatusReported,
    StopCommandEnded,
    TimeoutExtended,
    TreeEnded,
    ValuesRead,
)
from .run import Run
from .words import say_count, say_duration, say_exit


def spawned(run: Run, node: Node, fact: ProcessSpawned) -> None:
    """The program is being executed: its time counts from now, and its readiness is asked for."""
    node.pid, node.started_at = fact.pid, run.now
    run.emit(
        UnitStarted(
            at=run.now,
            unit=node.name,
            pid=fact.pid,
            invocation=node.invocation,
            attempt=node.attempt,
            command=str(node.unit.command or ""),
            log=fact.log,
        )
    )
    if node.unit.timeout is not None:
        run.set_timer(node, "timeout", run.now + node.unit.timeout)
    ready = node.unit.ready
    if ready and ready.probe and ready.probe.by == "sync":
        return
    if ready and ready.probe:
        run.order(StartProbe(node.name, node.invocation, "ready"))
    elif ready:
        run.set_timer(node, "ready", run.now + ready.delay)
    elif node.unit.kind == "service":
        become_ready(run, node)


def spawn_failed(run: Run, node: Node, fact: SpawnFailed) -> None:
    """The program could not be executed, which is a failed attempt."""
    conclude(run, node, Verdict("failed", fact.reason, _policy(node)), fact.luck)


def exited(run: Run, node: Node, fact: ProcessExited) -> None:
    """The main process is gone."""
    if node.pid is None:
        return
    node.pid, node.exit = None, fact
    if node.state == "stopping":
        ladder.main_exited(run, node, fact)
        return
    verdict = _verdict(node, fact)
    if fact.left and (verdict.outcome != "succeeded" or node.unit.kind == "service"):
        ladder.begin(run, node, verdict, f"{verdict.reason}, but processes that it started are still there")
        return
    run.cancel_timers(node, "timeout", "ready")
    if node.unit.ready or node.unit.health:
        run.order(StopProbes(node.name, node.invocation))
    conclude(run, node, verdict, fact.luck)


def _verdict(node: Node, fact: ProcessExited) -> Verdict:
    said = say_exit(fact.exit_code, fact.signal)
    if node.unit.kind == "service":
        if node.state != "ready":
            return Verdict("failed", f"ended before it was ready: {said}", _policy(node))
        return Verdict("succeeded" if fact.exit_code == 0 else "failed", said, "restart")
    if fact.exit_code == 0 and fact.fault:
        return Verdict("failed", fact.fault, "retry")
    return Verdict("succeeded", said) if fact.exit_code == 0 else Verdict("failed", said, "retry")


def _policy(node: Node) -> Then:
    """A service that has been ready is for ``restart`` to judge, everything else for ``retry``."""
    return "restart" if node.was_ready and node.unit.kind == "service" else "retry"


def tree_ended(run: Run, node: Node, fact: TreeEnded) -> None:
    """What the main process had left behind is gone too."""
    if node.state == "stopping" and node.pid is None:
        ladder.finish(run, node, fact.luck)


def stop_command_ended(run: Run, node: Node, _: StopCommandEnded) -> None:
    """The first step of the ladder is done."""
    if node.state == "stopping" and not node.killed:
        ladder.send_signal(run, node)


def probe_succeeded(run: Run, node: Node, fact: ProbeSucceeded) -> None:
    """The unit is there, or still alive."""
    if fact.purpose == "health":
        node.failures = 0
    elif node.state == "running" and node.unit.ready:
        if node.unit.ready.delay:
            run.set_timer(node, "ready", run.now + node.unit.ready.delay)
        else:
            get_ready(run, node)


def values_read(run: Run, node: Node, fact: ValuesRead) -> None:
    """What stood between a unit and its readiness is done, or has shown that the attempt is a failure."""
    if node.state != "running" or not node.is_getting_ready:
        return
    node.is_getting_ready = False
    if fact.fault:
        ladder.begin(run, node, Verdict("failed", fact.fault, _policy(node)))
        return
    run.values.give(node.name, fact.gives)
    become_ready(run, node)


def probe_failed(run: Run, node: Node, fact: ProbeFailed) -> None:
    """A ready service did not answer; after too many times it is restarted."""
    health = node.unit.health
    if health is None or node.state != "ready":
        return
    node.failures += 1
    if node.failures >= health.failures:
        reason = f"health check failed {say_count(node.failures, 'time')} in a row: {fact.reason}"
        ladder.begin(run, node, Verdict("failed", reason, "restart", forced=True))


def timed_out(run: Run, node: Node) -> None:
    """An attempt has had its time."""
    if node.check:
        said = say_duration(node.unit.timeout or 0.0)
        end(run, node, "timed-out", f"nobody could tell within {said} whether it need run")
        return
    if node.is_scripts:
        end(run, node, "timed-out", f"not completed after {say_duration(duration(run, node))}")
        return
    missed = "not ready" if node.unit.kind == "service" else "still running"
    ladder.begin(run, node, Verdict("timed-out", f"{missed} after {say_duration(duration(run, node))}", _policy(node)))


def timeout_extended(run: Run, node: Node, fact: TimeoutExtended) -> None:
    """The unit asked for more time, for its start or for its stop, and gets at least that much from now on."""
    kinds: tuple[TimerKind, ...] = ("timeout", "stop")
    for kind in kinds:
        if not node.killed:
            run.prolong_timer(node, kind, run.now + fact.seconds)


def status_reported(run: Run, node: Node, fact: StatusReported) -> None:
    """The unit says what it is doing."""
    run.emit(UnitReported(at=run.now, unit=node.name, text=fact.text))
