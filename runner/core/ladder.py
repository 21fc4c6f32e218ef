"""The stop ladder of one unit: its stop command, then its signal, then SIGKILL.

The whole ladder has one timeout, counted from its first step. A main process that is gone while processes that it started
are still there does not end the ladder: the unit is over when nothing of it is left. After SIGKILL there is no further step;
what the kernel does not let die (a process that hangs in a dead file system) is given up after a moment and said, so that
nobody's stop hangs with it.
"""

from __future__ import annotations

from msgspec.structs import replace

from .attempt import conclude, end
from .effect import RunStopCommand, Signal, StopProbes
from .event import UnitStopping
from .node import Node, Verdict
from .observed import ProcessExited
from .run import Run
from .words import say_duration

KILL_PATIENCE = 5.0
"""Seconds from SIGKILL until a process counts as one that cannot be killed."""


def begin(run: Run, node: Node, verdict: Verdict, reason: str = "") -> None:
    """Set about to end all processes of a unit that is running or ready; the verdict is carried out when they are gone.

    ``reason`` is why they must be ended, where that is not why the attempt is over.
    """
    node.verdict, node.stopping_since = verdict, run.now
    run.emit(UnitStopping(at=run.now, unit=node.name, reason=reason or verdict.reason))
    run.cancel_timers(node, "timeout", "ready")
    if node.unit.ready or node.unit.health:
        run.order(StopProbes(node.name, node.invocation))
    if run.is_killing:
        kill(run, node)
        return
    run.set_timer(node, "stop", run.now + node.unit.stop.timeout)
    if node.unit.stop.command and node.pid is not None:
        run.order(RunStopCommand(node.name, node.invocation))
    else:
        send_signal(run, node)


def send_signal(run: Run, node: Node) -> None:
    """The second step; the stop command, if there is one, has had its turn."""
    to_main = node.unit.stop.mode == "main" and node.pid is not None
    run.order(Signal(node.name, node.invocation, node.unit.stop.signal, "main" if to_main else "tree"))


def kill(run: Run, node: Node, why: str = "") -> None:
    """The last step. ``why`` it is taken, where it is not the first too, is told beside what led to the first."""
    if why:
        verdict = _verdict(node)
        node.verdict = replace(verdict, reason=f"{verdict.reason}, {why}")
    node.killed = True
    run.order(Signal(node.name, node.invocation, "SIGKILL", "tree"))
    run.set_timer(node, "stop", run.now + KILL_PATIENCE)


def main_exited(run: Run, node: Node, fact: ProcessExited) -> None:
    """The main process went while the unit was being stopped."""
    if not fact.left:
        finish(run, node, fact.luck)
    elif node.unit.stop.mode == "main" and not node.killed:
        send_signal(run, node)


def timed_out(run: Run, node: Node) -> None:
    """A step's time is over."""
    if node.killed:
        verdict = _verdict(node)
        run.postponed.pop(node.name, None)  # what does not go must not meet its successor
        end(run, node, verdict.outcome, f"{verdict.reason}, but its processes did not go")
    else:
        kill(run, node, f"killed after {say_duration(run.now - node.stopping_since)}" if node.pid is not None else "")


def finish(run: Run, node: Node, luck: float) -> None:
    """Nothing of the unit is left."""
    run.cancel_timers(node, "stop")
    conclude(run, node, _verdict(node), luck)


def _verdict(node: Node) -> Verdict:
    assert node.verdict is not None, "the ladder begins with a verdict"
    return node.verdict
