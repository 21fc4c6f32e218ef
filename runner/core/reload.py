"""What it means that the unit files say something else.

The files are read and checked elsewhere; what comes here is whole and without a fault, but for one that only the engine can
see: a cycle through what scripts have asked for. Then nothing changes at all.

What is declared takes the place of what was in one step, and each unit follows from where it is:

- one that is **new** is wanted, if all units are, and it does not wait for another's end to start it;
- one that is **gone** is stopped, and its name is free for anybody who brings it again;
- one that has **changed** follows at its next start. If it waits, that is now: it looks at its dependencies again. If it
  runs, it goes on as it was, and is stopped as it was; only whom it waits for, and so the order of a stop, is new. With
  ``restart`` it begins anew at once, and runs again if it has failed; so does one that still runs as an earlier file said,
  because it changed before and had no new start since.

A unit of which its own file says nothing new can wait for something else all the same: a member was added to a group, another
unit says ``before``. It looks at its dependencies again if it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from . import control, stop, urgency
from .declare import declarations
from .effect import Report
from .event import UnitsChanged
from .graph import Cycle, Edge, Graph, link
from .node import Node
from .observed import UnitsReloaded
from .run import Run
from .unit import Unit
from .want import enter, want


class Changes(Struct, frozen=True):
    """How what is declared differs from what was, by the names of units."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def reload(run: Run, request: UnitsReloaded) -> None:
    """Put what is declared now in the place of what was, and let each unit follow."""
    if run.stop_reason is not None:
        _refuse(run, request, f"the run is being stopped: {run.stop_reason}")
        return
    graph, faults = link(request.units)
    if faults:
        raise ValueError(f"unit files with faults are not for the engine: {faults}")
    _take_over(run, graph)
    if cycles := graph.cycles():
        _refuse(run, request, _say_cycle(cycles[0]))
        return
    changes = compare(run, request.units, to_restart=request.restart)
    waiting = list(_that_wait_for_something_else(run, graph, changes))
    _replace(run, graph, changes, [*waiting, *changes.changed])
    if request.call:
        run.order(Report(request.call, (), changes.added, changes.changed, changes.removed))
    stop.stop(run, changes.removed, request.reason)
    stop.recount(run)
    if request.restart:
        control.restart_units(run, [name for name in changes.changed if _is_to_follow(run.nodes[name])], request.reason)
    for name in waiting:  # now that all that is to stop does
        _look_again(run, run.nodes[name])
    if run.wants_all:
        want(run, [name for name in changes.added if name not in graph.handlers])
    urgency.reckon(run)


def compare(run: Run, units: Iterable[Unit], *, to_restart: bool = False) -> Changes:
    """How these units differ from those that are declared and, where they are ``to_restart``, from those that run."""

    def has_changed(name: str, unit: Unit) -> bool:
        node = run.nodes[name]
        return unit != before[name] or (to_restart and node.has_invocation and unit != node.unit)

    before = {name: run.graph.units[name] for name, node in run.nodes.items() if node.is_declared}
    now = {unit.name: unit for unit in units}
    return Changes(
        added=tuple(name for name in now if name not in before),
        changed=tuple(name for name, unit in now.items() if name in before and has_changed(name, unit)),
        removed=tuple(name for name in before if name not in now),
    )


def _take_over(run: Run, graph: Graph) -> None:
    """Let a graph know all that there is beside what is declared.

    These are the units of scripts, what scripts have asked for, and what is declared no more: while it runs, it still needs
    what it needed.
    """
    kept = {name for name, node in run.nodes.items() if name not in graph.units and node.is_active}
    for name, node in run.nodes.items():
        if name not in graph.units:
            graph.add_unit(node.unit)
    for name, edges in run.graph.after.items():
        for edge in edges.values():
            if (name in kept or edge.origin.key == "want") and edge.dependency not in graph.after[name]:
                graph.add(edge)


def _say_cycle(cycle: Cycle) -> str:
    asked = ", ".join(f"{edge.unit} -> {edge.dependency}" for edge in cycle.edges if edge.origin.key == "want")
    return f"dependency cycle: {cycle}; a script asked for {asked}"


def _that_wait_for_something_else(run: Run, graph: Graph, changes: Changes) -> Iterator[str]:
    """The units that wait and that the new graph, or the unit itself, gives another thing to wait for."""
    changed = set(changes.changed)
    for name, node in run.nodes.items():
        is_waiting = node.state == "waiting" or run.admission.is_waiting(name)
        if is_waiting and (name in changed or _needs(run.graph, name) != _needs(graph, name)):
            yield name


def _needs(graph: Graph, name: str) -> dict[str, tuple[str, bool]]:
    edges: dict[str, Edge] = graph.after[name]
    return {dependency: (edge.requires, edge.lenient) for dependency, edge in edges.items()}


def _replace(run: Run, graph: Graph, changes: Changes, also: list[str]) -> None:
    run.graph = graph
    run.values.take_graph(graph)
    for name in changes.removed:
        run.values.give(name, {})
        run.set_declared(run.nodes[name], is_declared=False)
    for name in changes.added:
        if name not in run.nodes:
            run.nodes[name] = Node(graph.units[name])
        run.set_declared(run.nodes[name], is_declared=True)
    for name in (*changes.added, *changes.changed):
        node = run.nodes[name]
        if not node.has_invocation:
            node.unit = graph.units[name]
    concerned = {*changes.added, *also}
    declared = tuple(one for one in declarations(graph) if one.unit in concerned and run.nodes[one.unit].is_declared)
    if declared or changes.removed:
        run.emit(
            UnitsChanged(at=run.now, added=changes.added, changed=changes.changed, removed=changes.removed, declared=declared)
        )


def _look_again(run: Run, node: Node) -> None:
    """Let a unit that waits look at its dependencies as if it had just come to be wanted."""
    if not node.is_active and not run.admission.is_waiting(node.name):
        return
    run.admission.withdraw(node.name)
    run.asking.pop(node.name, None)
    run.cancel_timers(node, "wait")
    node.unmet = {}
    enter(run, node)


def _is_to_follow(node: Node) -> bool:
    return node.is_active or node.outcome in ("failed", "timed-out", "skipped")


def _refuse(run: Run, request: UnitsReloaded, why: str) -> None:
    if request.call:
        run.order(Report(request.call, refusal=why))
