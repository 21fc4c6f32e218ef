"""Shows what would run and in which order, before anything does."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from ..core.graph import Edge, Graph
from ..core.unit import Kind, Requires
from ..core.words import say_count
from .subgraph import subgraph
from .text import chain, listed, printable
from .trigger import Trigger, triggers_of

_WIDTH = 80
_WIDEST_NAME = 30
_KIND_WIDTH = len("external")
_WAITS_SHOWN = 12


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


class Plan(Struct, frozen=True):
    """What would run."""

    steps: tuple[tuple[PlannedUnit, ...], ...]
    """Units by how many others come before them in a row. A unit waits for its own dependencies, not for a whole step."""
    conditional: tuple[PlannedUnit, ...]
    """Units that start only when another one ended so or so, with those that only they need."""
    longest_chain: tuple[str, ...]
    """The most units that have to run one after the other."""


def make_plan(graph: Graph, names: Sequence[str] = ()) -> Plan:
    """The plan for these units and groups, or for all units. The graph must have no cycle."""
    part = subgraph(graph, names) if names else graph
    wanted = part.closure(part.select(names) if names else part.units.keys() - part.handlers)
    triggers = triggers_of(part)
    steps = ([_planned(part, name, triggers) for name in layer if name in wanted] for layer in part.layers())
    return Plan(
        steps=tuple(tuple(step) for step in steps if step),
        conditional=tuple(_planned(part, name, triggers) for name in part.order() if name not in wanted),
        longest_chain=tuple(part.critical_path(dict.fromkeys(wanted, 1.0))) if wanted else (),
    )


def render_json(plan: Plan) -> str:
    """The plan as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2).decode() + "\n"


def render_text(plan: Plan) -> str:
    """The plan for people, in 80 columns as far as names allow."""
    column = _column(plan)
    lines = [_headline(plan)]
    for number, step in enumerate(plan.steps, 1):
        lines += ["", f"step {number}"]
        for unit in step:
            lines += _unit_lines(unit, column)
    if plan.conditional:
        lines += ["", "only if another unit succeeds or fails"]
        for unit in plan.conditional:
            lines += _unit_lines(unit, column)
    if len(plan.longest_chain) > 1:
        lines += ["", *_chain_lines(plan.longest_chain)]
    return "\n".join(lines) + "\n"


def _planned(graph: Graph, name: str, triggers: Mapping[str, Sequence[Trigger]]) -> PlannedUnit:
    unit = graph.units[name]
    return PlannedUnit(
        name=name,
        kind=unit.kind,
        optional=unit.optional,
        locks=unit.locks,
        after=tuple(_wait(edge) for edge in graph.after[name].values()),
        triggers=tuple(triggers.get(name, ())),
    )


def _wait(edge: Edge) -> Wait:
    return Wait(edge.dependency, edge.requires, edge.lenient and edge.requires == "success")


def _headline(plan: Plan) -> str:
    units = sum(map(len, plan.steps))
    headline = f"{say_count(units, 'unit')} in {say_count(len(plan.steps), 'step')}"
    return f"{headline}; each starts as soon as what it waits for is done" if len(plan.steps) > 1 else headline


def _column(plan: Plan) -> int:
    names = [unit.name for step in (*plan.steps, plan.conditional) for unit in step]
    return min(max(map(len, names), default=0), _WIDEST_NAME)


def _unit_lines(unit: PlannedUnit, column: int) -> list[str]:
    head = f"  {printable(unit.name):{column}}  {unit.kind:{_KIND_WIDTH}}  "
    indent = " " * (column + _KIND_WIDTH + 6)
    return _wrap("; ".join(_details(unit)), head, indent) or [head.rstrip()]


def _details(unit: PlannedUnit) -> Iterable[str]:
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


def _chain_lines(names: Sequence[str]) -> list[str]:
    title = f"longest chain: {len(names)} units one after the other (durations are not known yet)"
    return [title, *_wrap(chain(names, 40), "  ", "  ")]


def _wrap(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        printable(text), _WIDTH, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
