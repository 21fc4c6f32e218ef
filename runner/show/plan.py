"""Shows what would run, in which order and for how long, before anything does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from ..core.graph import Edge, Graph
from ..core.simulate import Prediction
from ..core.unit import Kind, Requires, Unit
from ..core.words import say_count, say_duration
from .outlook import Outlook, is_anything_known, make_outlook, path_lines, say_total, stuck_lines, takes, wrap
from .subgraph import subgraph
from .text import chain, listed, printable
from .trigger import Trigger, triggers_of

_WIDEST_NAME = 30
_KIND_WIDTH = len("external")
_WAITS_SHOWN = 12
_STARTS, _TAKES = "starts at", "takes"


class Wait(Struct, frozen=True):
    """What a unit waits for."""

    unit: str
    requires: Requires
    may_fail: bool
    """It is an optional member of the group that was named, so its failure is put aside."""


class PlannedUnit(Struct, frozen=True):
    """What the plan says of a unit."""

    name: str
    kind: Kind
    optional: bool
    locks: tuple[str, ...]
    after: tuple[Wait, ...]
    triggers: tuple[Trigger, ...]
    starts: float | None
    """Seconds from the beginning. None: not known, or it has nothing to execute, or is not predicted to come to it."""
    takes: float | None
    """Seconds from then until it reaches its goal or fails. None: not known."""
    is_critical: bool
    """It is on the critical path."""
    unneeded: str = ""
    """Why it would not run, though it is wanted."""
    because: str = ""
    """Why it is not up to date, of a unit that could be."""
    asks: str = ""
    """The command of its condition, which a plan takes to hold; empty where it has none, or would not be asked."""


class Plan(Struct, frozen=True):
    """What would run."""

    steps: tuple[tuple[PlannedUnit, ...], ...]
    """Units by how many others come before them in a row. A unit waits for its own dependencies, not for a whole step."""
    conditional: tuple[PlannedUnit, ...]
    """Units that start only when another one ended so or so, with those that only they need."""
    longest_chain: tuple[str, ...]
    """The most units that have to run one after the other."""
    outlook: Outlook
    """What it comes to."""


def make_plan(graph: Graph, prediction: Prediction, names: Sequence[str] = ()) -> Plan:
    """The plan for these units and groups, or for all units, as it was predicted. The graph must have no cycle."""
    part = subgraph(graph, names) if names else graph
    wanted = part.closure(part.select(names) if names else part.units.keys() - part.handlers)
    planned = _planned(part, prediction)
    steps = ([planned[name] for name in layer if name in wanted] for layer in part.layers())
    return Plan(
        steps=tuple(tuple(step) for step in steps if step),
        conditional=tuple(planned[name] for name in part.order() if name not in wanted),
        longest_chain=tuple(part.critical_path(dict.fromkeys(wanted, 1.0))) if wanted else (),
        outlook=make_outlook(prediction),
    )


def render_json(plan: Plan) -> str:
    """The plan as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2).decode() + "\n"


def render_text(plan: Plan) -> str:
    """The plan for people, in 80 columns as far as names allow."""
    table = _Table(plan)
    lines = [*wrap(_headline(plan), ""), *table.caption()]
    for number, step in enumerate(plan.steps, 1):
        lines += ["", f"step {number}"]
        for unit in step:
            lines += table.row(unit)
    if plan.conditional:
        lines += ["", "only if another unit succeeds or fails"]
        for unit in plan.conditional:
            lines += table.row(unit)
    return "\n".join([*lines, *_end(plan)]) + "\n"


def _planned(graph: Graph, prediction: Prediction) -> dict[str, PlannedUnit]:
    triggers = triggers_of(graph)
    is_known = is_anything_known(prediction)
    return {
        name: PlannedUnit(
            name=name,
            kind=unit.kind,
            optional=unit.optional,
            locks=unit.locks,
            after=tuple(_wait(edge) for edge in graph.after[name].values()),
            triggers=tuple(triggers.get(name, ())),
            starts=prediction.snapshot.units[name].first_started_at if is_known else None,
            takes=takes(prediction, name) if is_known else None,
            is_critical=is_known and name in prediction.critical_path,
            unneeded=view.reason if (view := prediction.snapshot.units[name]).outcome == "unneeded" else "",
            because=view.because,
            asks="" if view.outcome == "unneeded" else _asked_by(unit),
        )
        for name, unit in graph.units.items()
    }


def _asked_by(unit: Unit) -> str:
    """The command of a unit's condition; empty where it has none."""
    return str(unit.conditions.command or "") if unit.conditions else ""


def _wait(edge: Edge) -> Wait:
    return Wait(edge.dependency, edge.requires, edge.lenient and edge.requires == "success")


def _headline(plan: Plan) -> str:
    units = sum(map(len, plan.steps))
    headline = f"{say_count(units, 'unit')} in {say_count(len(plan.steps), 'step')}"
    unneeded = sum(bool(unit.unneeded) for step in plan.steps for unit in step)
    if unneeded:
        headline += f", {'all' if unneeded == units else unneeded} of which need not run"
        if unneeded == units:
            return headline
    return f"{headline}; each starts as soon as what it waits for is done" if len(plan.steps) > 1 else headline


class _Table:
    """The columns of a plan: names, and kinds or, as soon as some are known, durations."""

    def __init__(self, plan: Plan) -> None:
        self._units = [unit for step in (*plan.steps, plan.conditional) for unit in step]
        self._is_timed = plan.outlook.is_known
        self._name = min(max((len(printable(unit.name)) for unit in self._units), default=0), _WIDEST_NAME)
        times = [time for unit in self._units for time in _times(unit)]
        self._time = max(map(len, [*times, _STARTS]))

    def caption(self) -> list[str]:
        """What the columns mean, where that is not plain."""
        return ["", f"  {'':{self._name}}  {_STARTS:>{self._time}}  {_TAKES:>{self._time}}"] if self._is_timed else []

    def row(self, unit: PlannedUnit) -> list[str]:
        """A unit, in as many lines as it needs."""
        mark = "*" if unit.is_critical else " "
        name = f"{mark} {printable(unit.name):{self._name}}  "
        if self._is_timed:
            starts, took = _times(unit)
            head, details = f"{name}{starts:>{self._time}}  {took:>{self._time}}   ", [*_kind(unit), *_details(unit)]
            width = self._name + 2 * self._time + 9
        else:
            head, details = f"{name}{unit.kind:{_KIND_WIDTH}}  ", list(_details(unit))
            width = self._name + _KIND_WIDTH + 6
        return wrap("; ".join(details), head, " " * width) or [head.rstrip()]


def _times(unit: PlannedUnit) -> tuple[str, str]:
    """When it starts and how long it takes, in words; a target does neither."""
    if unit.starts is None:
        return "", ""
    return say_duration(unit.starts), "?" if unit.takes is None else say_duration(unit.takes)


def _kind(unit: PlannedUnit) -> Iterable[str]:
    return [] if unit.kind == "oneshot" else [unit.kind]


def _details(unit: PlannedUnit) -> Iterable[str]:
    if unit.unneeded:
        yield f"need not run: {unit.unneeded}"
    if unit.because:
        yield f"runs because {unit.because}"
    if unit.asks:
        yield f'only if "{printable(unit.asks)}" ends with exit status 0'
    if unit.triggers:
        yield "if " + " or ".join(map(str, unit.triggers))
    if unit.optional:
        yield "optional"
    if unit.locks:
        yield f"lock{'s' * (len(unit.locks) > 1)} {', '.join(unit.locks)}"
    if unit.after:
        yield "after " + listed([_say_wait(wait) for wait in unit.after], _WAITS_SHOWN)


def _say_wait(wait: Wait) -> str:
    if wait.requires == "completion":
        return f"{wait.unit} (completion)"
    return f"{wait.unit} (may fail)" if wait.may_fail else wait.unit


def _end(plan: Plan) -> Iterable[str]:
    """The longest chain or, as soon as durations are known, what takes how long and why."""
    outlook = plan.outlook
    if outlook.outcome == "unfinished" or outlook.is_known:
        yield from ("", f"startup: {say_total(outlook)}{_say_unknown(outlook)}", *stuck_lines(outlook))
    if outlook.is_known and outlook.critical_path:
        yield from ("", *path_lines("critical path (*)", outlook))
    elif len(plan.longest_chain) > 1:
        count = len(plan.longest_chain)
        yield from ("", f"longest chain: {count} units one after the other (durations are not known yet)")
        yield from wrap(chain(plan.longest_chain, 40), "  ")


def _say_unknown(outlook: Outlook) -> str:
    count = len(outlook.unknown)
    return f"; of {say_count(count, 'unit')} it is not known yet (?)" if count else ""
