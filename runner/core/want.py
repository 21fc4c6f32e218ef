"""How units come to be wanted, wait, are let go and are skipped.

Wants travel along edges by a queue to a fixed point: whoever is wanted wants what it depends on. Only when all are known
does each look at its dependencies, once; from then on it hears of a dependency only when that one's state changes. So the
work of a step is proportional to the neighbours that it touches, and a unit without news costs nothing.

A unit that was let go is not called back when a dependency falls behind later. One that still waits for something else
is: it looks at what is, not at what was. So is a script's unit until its script has started it.

A unit whose keys ask whether it need run is looked at when its dependencies are met, and only then asks for its locks. One
that had to queue for these is looked at once more when it has them: the unit before it may have done the work.

Nor is a unit that was skipped lost: when what stood in its way reaches its goal after all, because somebody had it run
again, the unit is wanted again, and so are those that were skipped because of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable

from msgspec import UNSET

from .attempt import drop_check, end, start
from .effect import Cause, StartCheck
from .event import UnitWaiting, WaitsFor
from .graph import Edge
from .node import Node
from .observed import CheckEnded
from .release import Release, release
from .run import Run
from .words import say_duration


def want(run: Run, names: Iterable[str], because_of: Cause | None = None) -> list[str]:
    """Make units wanted, and all that they need and that is not there.

    A unit that is being stopped, or depends on such a one, is wanted as soon as the stop is over. A unit that is named and
    has ended runs again. A dependency that has ended runs again only where its end is what stands in the way, and not for a
    unit that is wanted ``because_of`` another's end: what has failed is not tried again by the unit that mourns it. Those that
    are named then know of that end, and no others; one that was skipped has yet to run for the end that it knows of.

    Returns who is wanted now and was not, or will be when the stop is over.
    """
    going = run.graph.dependents_closure(run.wave)
    now, later = [], []
    for name in names:
        if name in going:
            run.postponed[name] = because_of
            later.append(name)
        else:
            now.append(name)
    return [*_want(run, now, because_of), *later]


def want_postponed(run: Run) -> bool:
    """Hear the wants that fell into a stop which is now over; says whether there were any."""
    if run.wave or not run.postponed:
        return False
    postponed = list(run.postponed.items())
    run.postponed.clear()
    _want(run, [name for name, because_of in postponed if because_of is None], None)
    for name, because_of in postponed:
        if because_of:
            _want(run, [name], because_of)
    return True


def _want(run: Run, names: list[str], because_of: Cause | None) -> list[str]:
    newly: dict[str, Node] = {}
    named = set(names)
    queue = deque(run.nodes[name] for name in names)
    while queue:
        node = queue.popleft()
        if node.name in newly or _is_wanted(run, node):
            continue
        newly[node.name] = node
        for dependency, edge in run.graph.after[node.name].items():
            other = run.nodes[dependency]
            may_run = other.state == "idle" if because_of else not _is_wanted(run, other)
            if may_run and release_of(edge, other) != "met":
                queue.append(other)
    for node in newly.values():
        node.because_of = (because_of if node.name in named else None) or (node.because_of if node.outcome == "skipped" else None)
        node.renew()
        node.unit = run.graph.units[node.name]
        node.released_by = because_of.unit if because_of else None
        enter(run, node, newly)
    return list(newly)


def release_of(edge: Edge, dependency: Node) -> Release:
    """What an edge says of its dependency now."""
    return release(edge, dependency.unit.kind, dependency.state, dependency.outcome)


def _is_wanted(run: Run, node: Node) -> bool:
    """Also where it has asked to be admitted in this very step, and its state does not show it yet."""
    return (node.is_active and not node.is_to_begin_anew) or run.admission.is_waiting(node.name)


def revivable(run: Run, names: Iterable[str]) -> list[str]:
    """The units that were skipped because of these, directly or not, and in whose way nothing else stands."""
    gone = set(names)
    revived: dict[str, None] = {}
    queue = deque(gone)
    while queue:
        for name in run.graph.dependents[queue.popleft()]:
            is_skipped = run.nodes[name].outcome == "skipped" and name not in revived
            if is_skipped and not _obstacles(run, name).difference(gone, revived):
                revived[name] = None
                queue.append(name)
    return list(revived)


def _obstacles(run: Run, name: str) -> set[str]:
    """The dependencies because of which a unit cannot run."""
    edges = run.graph.after[name].items()
    return {other for other, edge in edges if release_of(edge, run.nodes[other]) == "impossible"}


def enter(run: Run, node: Node, newly: Container[str] = ()) -> None:
    """Let a unit that is wanted wait, or go, or be skipped."""
    run.failed.pop(node.name, None)
    drop_check(run, node)
    obstacle: Node | None = None
    for dependency, edge in run.graph.after[node.name].items():
        other = run.nodes[dependency]
        state = "pending" if dependency in newly else release_of(edge, other)
        if state == "pending":
            node.unmet[dependency] = edge
        elif state == "impossible":
            obstacle = obstacle or other
    if obstacle:
        skip(run, node, obstacle)
    elif node.unmet:
        waits_for = tuple(WaitsFor(unit=edge.dependency, requires=edge.requires) for edge in node.unmet.values())
        run.emit(UnitWaiting(at=run.now, unit=node.name, waits_for=waits_for))
        if node.unit.wait_timeout is not None:
            run.set_timer(node, "wait", run.now + node.unit.wait_timeout)
    else:
        go(run, node)


def tell_dependents(run: Run, node: Node) -> None:
    """Let those who wait for a node know its news, and those who were skipped because of it.

    The latter are called back before anybody is let go: who waits for such a one too must not go without it.
    """
    revived: list[str] = []
    free: list[Node] = []
    for name, edge in run.graph.dependents[node.name].items():
        dependent = run.nodes[name]
        if dependent.holds:
            run.holding.append(dependent)
        if dependent.outcome == "skipped" and _is_way_free(run, dependent):
            revived.append(name)
        if dependent.state != "waiting" or not (dependent.unmet or dependent.is_scripts):
            continue
        state = release_of(edge, node)
        if state == "impossible":
            skip(run, dependent, node)
        elif state == "pending" and not dependent.unmet:
            enter(run, dependent)
        elif state == "pending":
            dependent.unmet[node.name] = edge
        elif dependent.unmet.pop(node.name, None) and not dependent.unmet:
            free.append(dependent)
    if revived and run.stop_reason is None:
        want(run, revivable(run, [node.name]))
    _let_go(run, free, node, is_any_revived=bool(revived))


def _let_go(run: Run, free: list[Node], by: Node, *, is_any_revived: bool) -> None:
    """The news of a unit let these go, except who waits for one that was called back by the same news."""
    for node in free:
        node.unmet = _unmet(run, node) if is_any_revived else {}
        if not node.unmet:
            node.released_by = by.name
            run.cancel_timers(node, "wait")
            go(run, node)


def _unmet(run: Run, node: Node) -> dict[str, Edge]:
    """The dependencies that a unit has to wait for."""
    edges = run.graph.after[node.name].items()
    return {name: edge for name, edge in edges if release_of(edge, run.nodes[name]) == "pending"}


def _is_way_free(run: Run, node: Node) -> bool:
    """Whether what stood in the way of a unit does so no more; whether something else does, is another matter."""
    edge = run.graph.after[node.name].get(node.released_by or "")
    return edge is not None and release_of(edge, run.nodes[edge.dependency]) == "met"


def go(run: Run, node: Node) -> None:
    """All dependencies are met: a target is reached, anything else asks to be admitted.

    From here on it is what its file says now.
    """
    node.unit = run.graph.units[node.name]
    if node.unit.checks and not node.is_checked:
        check(run, node)
    elif node.unit.kind == "target":
        end(run, node, "succeeded", "reached")
    elif node.is_scripts:
        run.emit(UnitWaiting(at=run.now, unit=node.name, waits_for=(WaitsFor(call="start"),)))
    else:
        ask(run, node)


def check(run: Run, node: Node) -> None:
    """Have somebody look whether a unit need run. It waits for that as for anything else."""
    drop_check(run, node)
    node.check = run.next_check()
    command = node.unit.conditions.command if node.unit.conditions else None
    look = WaitsFor(check=node.unit.checks, asks=str(command) if command else UNSET)
    run.emit(UnitWaiting(at=run.now, unit=node.name, waits_for=(look,)))
    run.order(StartCheck(node.name, node.check, node.is_forced))
    if node.unit.timeout is not None:
        run.set_timer(node, "timeout", run.now + node.unit.timeout)


def check_ended(run: Run, fact: CheckEnded) -> None:
    """Somebody has looked: the unit goes on as if it had no conditions, or has its outcome.

    One that has been admitted meanwhile was looked at a second time, because much can happen while it waits for a lock.
    """
    node = run.nodes.get(fact.unit)
    if node is None or node.check != fact.check:
        return
    node.check = 0
    run.cancel_timers(node, "timeout")
    if fact.verdict != "needed":
        run.values.give(node.name, fact.gives)
        end(run, node, fact.verdict, fact.reason, fact.runs_if)
        return
    node.is_checked, node.because = True, fact.reason
    if node.holds:
        run.holding.append(node)
    if run.admission.is_admitted(node.name):
        start(run, node)
    else:
        go(run, node)


def ask(run: Run, node: Node) -> None:
    """Ask for the locks and a job."""
    run.admission.request(node.name, node.unit.locks, run.urgency(node))
    run.asking[node.name] = node


def admit(run: Run) -> bool:
    """Start all whose turn it is; says whether there were any."""
    granted = run.admission.grant()
    for name in granted:
        node = run.nodes[name]
        if name not in run.asking:
            node.released_by = run.admission.last_holder(node.unit.locks) or node.released_by
            if node.unit.checks and node.attempt == 0:
                check(run, node)
                continue
        start(run, node)
    return bool(granted)


def tell_waiting(run: Run) -> None:
    """Write down what those wait for who asked in this step and were not admitted."""
    for name in run.asking:
        if run.admission.is_waiting(name):
            locks = tuple(WaitsFor(lock=lock, holder=holder) for lock, holder in run.admission.blockers(name))
            jobs = (WaitsFor(jobs=run.admission.jobs),) if run.admission.jobs is not None else ()
            run.emit(UnitWaiting(at=run.now, unit=name, waits_for=locks or jobs))
    run.asking.clear()


def wait_timed_out(run: Run, node: Node) -> None:
    """It has waited for its dependencies as long as it may."""
    names = ", ".join(f'"{name}"' for name in node.unmet)
    end(run, node, "timed-out", f"waited {say_duration(node.unit.wait_timeout or 0)} for {names}")


def skip(run: Run, node: Node, obstacle: Node) -> None:
    """A dependency has made it impossible for the unit to run."""
    node.cause = obstacle.cause or obstacle.name
    node.released_by = obstacle.name
    node.unmet = {}
    end(run, node, "skipped", say_obstacle(run, obstacle))


def say_obstacle(run: Run, obstacle: Node) -> str:
    """Why a dependency stands in the way, with the unit at the root of it."""
    said = f'dependency "{obstacle.name}" {said_of(obstacle)}'
    if obstacle.cause:
        root = run.nodes[obstacle.cause]
        said += f', because "{root.name}" {said_of(root)}'
    return said


def said_of(node: Node) -> str:
    """How a dependency's end is told to those that it concerns."""
    match node.outcome:
        case "skipped":
            return "was skipped"
        case "cancelled":
            return f"was cancelled: {node.reason}"
        case "timed-out":
            return f"timed out: {node.reason}"
        case "failed":
            return f"failed: {node.reason}"
        case _:
            return f"is over: {node.reason}"
