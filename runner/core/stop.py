"""Who is stopped, and in which order: the reverse of the order in which units depend on each other.

A stop goes as a wave over the units it names and all that depend on them. Every unit of the wave counts its dependents
that are not yet gone; when the count is zero and the unit itself has ended, it is gone, and its dependencies count one less.
Units that ended long ago are part of the wave too: a database waits for the web server that came after the migration that
came after the database, though the migration is over.

There is one wave. A second stop adds its units to it, those too that were gone already; a start that falls into it is
postponed until it is over (``want``), so nobody depends on what is about to go.

A restart by hand is a wave too, over the units that it names and those of their dependents that ask to be restarted with
them, and over nobody else. Its units do not end: they are gone as soon as they are about to begin anew, which they do when
the wave is over. Whoever still waits for one of them goes on waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from . import ladder
from .attempt import end
from .node import Node, Verdict
from .run import Run


def stop(run: Run, names: Iterable[str], reason: str) -> None:
    """Stop units, and before each of them all that depend on it."""
    wave = [run.nodes[name] for name in sorted(run.graph.dependents_closure(names))]
    _join(run, wave)
    for node in wave:
        if node.state == "stopping" and node.verdict and (node.verdict.then == "restart" or node.restart_reason):
            node.verdict = Verdict("cancelled", reason)
        node.stop_reason, node.restart_reason = reason, None
        run.postponed.pop(node.name, None)
    for node in wave:
        if node.state in ("waiting", "backoff") or run.admission.is_waiting(node.name):
            end(run, node, "cancelled", reason)
    for node in wave:
        proceed(run, node)


def restart(run: Run, names: Iterable[str], reason: str) -> None:
    """End units that run or wait for their next attempt, and begin them anew as soon as all of them are gone.

    Those that are being stopped, and those that do not run, are not concerned.
    """
    nodes = [run.nodes[name] for name in sorted(names)]
    wave = [node for node in nodes if node.stop_reason is None and _has_attempt(run, node)]
    _join(run, wave)
    for node in wave:
        node.restart_reason = reason
        run.cancel_timers(node, "backoff")
        run.postponed[node.name] = None
    for node in wave:
        proceed(run, node)


def _has_attempt(run: Run, node: Node) -> bool:
    """An attempt at it goes on, or is over and the next one waits for its time."""
    if node.is_scripts or run.admission.is_waiting(node.name):
        return False
    return node.has_invocation or node.state == "backoff"


def _join(run: Run, wave: list[Node]) -> None:
    """Let units be counted by those of the wave that they depend on, once each, and count their dependents anew."""
    joining = {node.name for node in wave}
    for name in joining - set(run.wave):
        for dependency in run.graph.after[name]:
            if dependency in run.wave:
                run.wave[dependency] += 1
    for name in joining:
        run.wave[name] = sum(dependent in joining or dependent in run.wave for dependent in run.graph.dependents[name])


def recount(run: Run) -> None:
    """Take the wave on over edges that have changed."""
    for name in run.wave:
        run.wave[name] = sum(dependent in run.wave for dependent in run.graph.dependents[name])
    for name in list(run.wave):
        proceed(run, run.nodes[name])


def stop_all(run: Run, reason: str) -> None:
    """Stop everything, and then the run."""
    if run.stop_reason is None:
        run.stop_reason = reason
        stop(run, run.nodes, reason)


def proceed(run: Run, node: Node) -> None:
    """Take the wave as far as it goes from a unit that has news: it was spawned, it ended, or a dependent is gone."""
    queue = deque([node])
    while queue:
        node = queue.popleft()
        if run.wave.get(node.name) != 0:
            continue
        if not node.is_active or node.is_to_begin_anew:
            del run.wave[node.name]
            for dependency in run.graph.after[node.name]:
                if dependency in run.wave:
                    run.wave[dependency] -= 1
                    queue.append(run.nodes[dependency])
        elif node.is_scripts:
            end(run, node, "cancelled", node.stop_reason or "stopped")
        elif node.state in ("running", "ready") and node.pid is not None:
            ladder.begin(run, node, Verdict("cancelled", node.stop_reason or node.restart_reason or "stopped"))


def kill_all(run: Run, reason: str) -> None:
    """Kill whatever has a process, in no order at all."""
    run.is_killing = True
    stop_all(run, reason)
    for node in run.nodes.values():
        if node.is_scripts:
            continue
        if node.state in ("running", "ready") and node.pid is not None:
            ladder.begin(run, node, Verdict("cancelled", reason))
        elif node.state == "stopping" and not node.killed:
            ladder.kill(run, node, reason)
