"""Scripts in the graph: what calls on the sync socket mean.

A script brings a unit by name: it says what the unit waits for (``want``), waits until it may start (``await``), begins
(``start``) and is done (``complete``). Such a unit is an ordinary node of kind ``external`` in the one graph, with ordinary
edges, so it is let go, skipped and explained like every other. Only its beginning and its end come over the socket.

Who may say what
================

A unit that scripts brought, or that is declared ``external``, is everybody's. Any other declared unit belongs to its own
process tree: from there it may wait for more (``want``, ``start``) and say that its dependents may go on (``complete``).
From elsewhere that is refused.

A start that did not succeed
============================

Legacy scripts complete their unit in an exit trap, whether it ever started or not, and a failed script then looks like one
that is done. So a ``complete`` of a unit whose script waited to start it, and that has not started since, releases nobody:
the unit has failed. A ``complete`` without any ``start`` is a milestone, and counts.

While the whole run is being stopped nothing starts any more, whoever asks.

An answer is an effect like every other. One that must wait is held by the node it is about and given in the step in which
what it waits for comes to pass; nothing asks twice.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from .attempt import end, get_ready
from .effect import Answer, Refusal, RefusalReason, StopProbes, WatchScript
from .event import Peer, SyncCalled, UnitStarted, UnitStarting
from .graph import Edge, Origin
from .node import Node
from .observed import ScriptEnded, SyncAwaited, SyncCompleted, SyncFailed, SyncForgotten, SyncRequested, SyncStarted, SyncWanted
from .release import release
from .run import Run
from .want import enter, release_of, said_of, say_obstacle, skip
from .words import say_exit

CallName = Literal["want", "start", "complete", "fail"]


# ------------------------------------------------------------------ calls


def wanted(run: Run, call: SyncWanted) -> None:
    """``want``: the unit waits for another, or for all members of a group."""
    node = _named(run, call)
    if node is None:
        return
    names = [call.depends_on]
    if call.depends_on not in run.nodes:
        names = run.graph.members(call.depends_on) or names
    new = [name for name in names if name not in run.graph.after[node.name]]
    refusal = _reason_against(run, node, call.depends_on, new)
    if refusal is None:
        _emit(run, call, "want", call.depends_on)
        _add_edges(run, node, call.depends_on, new)
    elif not node.is_registered:
        _emit(run, call, "want")
    node.is_registered = True
    run.order(Answer(call.call, refusal))


def _reason_against(run: Run, node: Node, name: str, dependencies: list[str]) -> Refusal | None:
    if not name:
        return Refusal("no dependency name")
    return next((cycle for other in dependencies if (cycle := _cycle(run, node.name, other))), None)


def _add_edges(run: Run, node: Node, name: str, dependencies: list[str]) -> None:
    """Let a unit wait for what a name stands for: a unit or, as in unit files, the members of a group."""
    for other in map(run.register, dependencies):
        index = len(run.graph.after[node.name])
        lenient = other.name != name and other.unit.optional
        run.graph.add(Edge(node.name, other.name, "success", Origin(node.name, "want", index), lenient))
        run.values.take_edges(node.name)
        if node.name in run.wave and other.name in run.wave:
            run.wave[other.name] += 1
    if not dependencies:
        return
    if node.state == "waiting" and (node.unmet or node.is_scripts):
        enter(run, node)
    if node.holds:
        run.holding.append(node)


def _cycle(run: Run, unit: str, dependency: str) -> Refusal | None:
    """Why an edge cannot be added: there is a way back, which is told whole where unit files have a part in it."""
    if unit == dependency:
        return Refusal("cycle")
    way = run.graph.path(dependency, unit) if dependency in run.nodes else None
    if way is None:
        return None
    if all(edge.origin.key == "want" for edge in way):
        return Refusal("cycle")
    path = " -> ".join([unit, *(edge.unit for edge in way), unit])
    return Refusal("cycle", f"dependency cycle: {path}; {unit} -> {dependency} by this call, {', '.join(map(_say_edge, way))}")


def _say_edge(edge: Edge) -> str:
    by = "a call" if edge.origin.key == "want" else f'"{edge.origin.key}" of {edge.origin.unit}'
    return f"{edge.unit} -> {edge.dependency} by {by}"


def started(run: Run, call: SyncStarted) -> None:
    """``start``: the unit begins, where all that it waits for is there."""
    node = _named(run, call)
    if node is None:
        return
    node.is_registered = True
    if _has_started(node):
        _refuse(run, call, "same status")
        return
    refusal = _reason_not_to_start(run, node)
    if refusal is None:
        _start(run, call, node)
        return
    obstacle = _obstacle(run, node)
    if obstacle and node.is_scripts and node.state != "ended":
        skip(run, node, obstacle)
    node.gave_up = True
    run.order(Answer(call.call, refusal))


def _reason_not_to_start(run: Run, node: Node) -> Refusal | None:
    if run.stop_reason is not None:
        return Refusal("impossible", f"the run is being stopped: {run.stop_reason}")
    if run.wave and node.name in run.graph.dependents_closure(run.wave):
        return Refusal("impossible", "it, or what it waits for, is being stopped")
    if _may_start(run, node):
        return None
    if obstacle := _obstacle(run, node):
        return Refusal("impossible", say_obstacle(run, obstacle))
    if node.state == "ended" and node.outcome in ("timed-out", "cancelled"):
        return Refusal("impossible", f"it {said_of(node)}")
    return Refusal("not ready")


def _was_ended(node: Node) -> bool:
    """It ended without having been completed: it waited too long, or somebody stopped it."""
    return node.state == "ended" and node.outcome != "succeeded"


def _has_started(node: Node) -> bool:
    return node.state == "running" if node.is_scripts else node.called == "start"


def _start(run: Run, call: SyncStarted, node: Node) -> None:
    if node.is_scripts:
        run.cancel_timers(node, "wait")
        run.failed.pop(node.name, None)
        if node.state != "waiting":
            node.renew()
        node.begin_attempt(run.next_invocation())
        node.started_at = run.now
        _emit(run, call, "start")
        invocation = node.invocation
        run.emit(UnitStarting(at=run.now, unit=node.name, invocation=invocation, attempt=1))
        pid = call.peer.pid
        run.emit(UnitStarted(at=run.now, unit=node.name, pid=pid, invocation=invocation, attempt=1, command=""))
        if node.unit.timeout is not None:
            run.set_timer(node, "timeout", run.now + node.unit.timeout)
        run.order(WatchScript(node.name, invocation, pid))
    else:
        _emit(run, call, "start")
    node.called, node.gave_up = "start", False
    run.order(Answer(call.call))


def completed(run: Run, call: SyncCompleted) -> None:
    """``complete``: the unit is done with its work, and its dependents may go on."""
    node = _known(run, call)
    if node is None:
        return
    if node.called == "complete" or (node.is_scripts and node.state == "ended" and node.outcome == "succeeded"):
        _refuse(run, call, "same status")
        return
    _emit(run, call, "complete")
    run.order(Answer(call.call))
    if node.is_scripts:
        _complete(run, node, call.exit_status)
    elif not node.gave_up and call.exit_status == 0:
        node.called = "complete"
        if node.state == "running":
            _make_ready(run, node)


def _make_ready(run: Run, node: Node) -> None:
    """The word of its script counts more than any other question that is still asked."""
    run.cancel_timers(node, "ready")
    ready = node.unit.ready
    is_the_question = ready is not None and ready.probe is not None and ready.probe.by == "sync"
    if ready and is_the_question and ready.delay:
        run.set_timer(node, "ready", run.now + ready.delay)
        return
    if ready and ready.probe and not is_the_question:
        run.order(StopProbes(node.name, node.invocation))
    get_ready(run, node)


def _complete(run: Run, node: Node, exit_status: int) -> None:
    if node.state == "ended":  # skipped, failed or cancelled: an exit trap does not change that
        return
    if exit_status:
        end(run, node, "failed", say_exit(exit_status, None))
    elif node.gave_up and node.state != "running":
        end(run, node, "failed", "its script completed it, but had not been able to start it")
    else:
        end(run, node, "succeeded", "completed by its script")
        node.called = "complete"


def failed(run: Run, call: SyncFailed) -> None:
    """``fail``: the unit gives up on purpose. Units with a process of their own fail by their exit status."""
    node = _known(run, call)
    if node is None:
        return
    if not node.is_scripts:
        _refuse(run, call, "not a script")
        return
    _emit(run, call, "fail")
    run.order(Answer(call.call))
    if node.state != "ended":
        end(run, node, "failed", call.reason or "its script said so")


def awaited(run: Run, call: SyncAwaited) -> None:
    """Wait until the unit may start, or has reached its goal. What is so already, or cannot be any more, is answered now."""
    if not call.unit:
        _refuse(run, call, "no name")
        return
    node = run.nodes.get(call.unit)
    if call.until == "may-start" and (node is None or not node.is_registered or run.stop_reason is not None):
        run.order(Answer(call.call))
        return
    node = run.register(call.unit)
    node.holds[call.call] = call.until
    if call.until == "may-start" and _may_speak_for(call.peer, node) and not _has_started(node):
        if node.is_scripts and (node.state == "idle" or _was_ended(node)) and not _may_start(run, node):
            node.renew()
            enter(run, node)
        node.gave_up = True
    run.holding.append(node)


def forgotten(run: Run, call: SyncForgotten) -> None:
    """Whoever made the call waits no more."""
    node = run.nodes.get(call.unit)
    if node:
        node.holds.pop(call.call, None)


def script_ended(run: Run, node: Node, _: ScriptEnded) -> None:
    """The script that started a unit is gone without a word."""
    if node.is_scripts:
        end(run, node, "failed", "abandoned: its script exited without complete")


# ------------------------------------------------------------------ answers


def answer_holds(run: Run, node: Node) -> None:
    """Answer the calls that wait for a node, as far as what they wait for has come to pass or cannot any more."""
    for call, until in list(node.holds.items()):
        if until == "may-start":
            is_over, refusal = _is_wait_over(run, node), None
        else:
            is_over, refusal = _reached(node)
        if is_over:
            del node.holds[call]
            run.order(Answer(call, refusal))


def _is_wait_over(run: Run, node: Node) -> bool:
    """It may start, or never will."""
    if node.is_scripts and node.state == "waiting":
        return not node.unmet and not node.check
    return _was_ended(node) or _may_start(run, node) or _obstacle(run, node) is not None


def _reached(node: Node) -> tuple[bool, Refusal | None]:
    goal = Edge("", node.name, "success", Origin("", "want", 0))
    match release(goal, node.unit.kind, node.state, node.outcome):
        case "pending":
            return False, None
        case "met":
            return True, None
        case _:
            return True, Refusal("impossible", f'unit "{node.name}" {said_of(node)}')


def _obstacle(run: Run, node: Node) -> Node | None:
    """A dependency because of which the unit can never start."""
    edges = run.graph.after[node.name].values()
    return next((run.nodes[e.dependency] for e in edges if release_of(e, run.nodes[e.dependency]) == "impossible"), None)


def _may_start(run: Run, node: Node) -> bool:
    if node.check:
        return False
    return all(release_of(edge, run.nodes[edge.dependency]) == "met" for edge in run.graph.after[node.name].values())


def _named(run: Run, call: SyncRequested) -> Node | None:
    """The node that a call may be made for; made, where nobody knows it. None: the call has been refused."""
    if not call.unit:
        _refuse(run, call, "no name")
        return None
    node = run.register(call.unit)
    if not _may_speak_for(call.peer, node):
        _refuse(run, call, "declared", node.name)
        return None
    return node


def _may_speak_for(peer: Peer, node: Node) -> bool:
    return node.is_scripts or peer.unit == node.name


def _known(run: Run, call: SyncRequested) -> Node | None:
    if call.unit and (call.unit not in run.nodes or not run.nodes[call.unit].is_registered):
        _refuse(run, call, "not found")
        return None
    return _named(run, call)


def _refuse(run: Run, call: SyncRequested, why: RefusalReason, about: str = "") -> None:
    run.order(Answer(call.call, Refusal(why, about)))


def _emit(run: Run, call: SyncRequested, name: CallName, depends_on: str | None = None) -> None:
    about = UNSET if depends_on is None else depends_on
    run.emit(SyncCalled(at=run.now, unit=call.unit, call=name, peer=call.peer, depends_on=about))
