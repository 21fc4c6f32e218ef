"""Draws a graph: as a tree for people, for Graphviz and Mermaid, and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ..core.graph import Edge, Graph, OriginKey
from ..core.unit import Kind, Requires, Unit
from .text import printable
from .trigger import Trigger, triggers_of

# ------------------------------------------------------------------ text


class _Branch(Struct, frozen=True):
    """A line of the tree that is still to be drawn."""

    unit: str
    first: str
    """What stands before the name."""
    further: str
    """What stands before all that is below it."""
    note: str


def render_text(graph: Graph) -> str:
    """A tree for every unit that nothing waits for, with what it waits for below it. The graph must have no cycle.

    What a unit waits for is drawn once, where the unit first appears; later it says that this is to be seen above.
    """
    triggers = triggers_of(graph)
    lines: list[str] = []
    drawn: set[str] = set()
    # A stack of our own, the next branch last: a chain of units may be deeper than Python's stack.
    stack = [_Branch(name, "", "", "") for name in reversed(graph.units) if not graph.dependents[name]]
    while stack:
        branch = stack.pop()
        edges = list(graph.after[branch.unit].values())
        is_above = branch.unit in drawn and bool(edges)
        label = _label(graph.units[branch.unit], triggers.get(branch.unit, ()), branch.note, is_above)
        lines.append(f"{branch.first}{label}\n")
        if branch.unit not in drawn:
            drawn.add(branch.unit)
            stack += reversed(list(_branches(edges, branch.further)))
    return "".join(lines)


def _branches(edges: Sequence[Edge], indent: str) -> Iterator[_Branch]:
    for edge in edges:
        fork, line = ("└─ ", "   ") if edge is edges[-1] else ("├─ ", "│  ")
        yield _Branch(edge.dependency, indent + fork, indent + line, _note(edge))


def _label(unit: Unit, triggers: Sequence[Trigger], note: str, is_above: bool) -> str:
    words = [
        *([unit.kind] if unit.kind != "oneshot" else []),
        *(["optional"] if unit.optional else []),
        *([note] if note else []),
        *(["if " + " or ".join(map(str, triggers))] if triggers else []),
        *(["see above"] if is_above else []),
    ]
    return printable(f"{unit.name} ({', '.join(words)})" if words else unit.name)


def _note(edge: Edge) -> str:
    """What an edge asks for, where it is not the usual success."""
    if edge.requires == "completion":
        return "completion"
    return "may fail" if edge.lenient else ""


def _edges(graph: Graph) -> Iterator[Edge]:
    for edges in graph.after.values():
        yield from edges.values()


# ------------------------------------------------------------------ groups, for both drawings


class _Group(Struct):
    """A group with its own units and the groups in it."""

    name: str
    number: int
    units: list[Unit] = []
    groups: dict[str, _Group] = {}


def _group_tree(graph: Graph) -> _Group:
    groups = [_Group("", 0)]
    for unit in graph.units.values():
        group = groups[0]
        for segment in unit.name.split("/")[:-1]:
            if segment not in group.groups:
                groups.append(_Group(f"{group.name}/{segment}".removeprefix("/"), len(groups)))
                group.groups[segment] = groups[-1]
            group = group.groups[segment]
        group.units.append(unit)
    return groups[0]


# ------------------------------------------------------------------ Graphviz

_DOT_SHAPES: Final[Mapping[Kind, str]] = {"oneshot": "box", "service": "component", "external": "cds", "target": "ellipse"}


def render_dot(graph: Graph) -> str:
    """A drawing for Graphviz: groups as clusters, an arrow from each dependency to those that wait for it."""
    lines = ["digraph units {", "  rankdir=LR;", *_dot_group(_group_tree(graph), "  ")]
    lines += [_dot_arrow(edge.dependency, edge.unit, _note(edge), "dashed") for edge in _edges(graph)]
    for name, triggers in triggers_of(graph).items():
        lines += [_dot_arrow(trigger.unit, name, f"on {trigger.on}", "dotted") for trigger in triggers]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_group(group: _Group, indent: str) -> Iterator[str]:
    for unit in group.units:
        dashed = ", style=dashed" if unit.optional else ""
        yield f"{indent}{_dot(unit.name)} [shape={_DOT_SHAPES[unit.kind]}{dashed}];"
    for inner in group.groups.values():
        yield f"{indent}subgraph {_dot('cluster_' + inner.name)} {{"
        yield f"{indent}  label={_dot(inner.name)};"
        yield from _dot_group(inner, indent + "  ")
        yield f"{indent}}}"


def _dot(text: str) -> str:
    """A quoted string, in which a quote and a backslash stand for themselves."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _dot_arrow(tail: str, head: str, note: str, style: str) -> str:
    attributes = f" [label={_dot(note)}, style={style}]" if note else ""
    return f"  {_dot(tail)} -> {_dot(head)}{attributes};"


# ------------------------------------------------------------------ Mermaid

_MERMAID_SHAPES: Final[Mapping[Kind, tuple[str, str]]] = {
    "oneshot": ("[", "]"),
    "service": ("([", "])"),
    "external": ("[/", "/]"),
    "target": ("{{", "}}"),
}
_MERMAID_CODES: Final = {character: f"#{ord(character)};" for character in '"#&<>`\\'}


def render_mermaid(graph: Graph) -> str:
    """A drawing for Mermaid: groups as subgraphs, an arrow from each dependency to those that wait for it."""
    ids = {name: f"u{number}" for number, name in enumerate(graph.units)}
    lines = ["flowchart LR", *_mermaid_group(_group_tree(graph), ids, "  ")]
    for edge in _edges(graph):
        note = _note(edge)
        arrow = f"-. {note} .->" if note else "-->"
        lines.append(f"  {ids[edge.dependency]} {arrow} {ids[edge.unit]}")
    for name, triggers in triggers_of(graph).items():
        lines += [f"  {ids[trigger.unit]} -. on {trigger.on} .-> {ids[name]}" for trigger in triggers]
    if optional := [ids[name] for name, unit in graph.units.items() if unit.optional]:
        lines += ["  classDef optional stroke-dasharray: 5 5", f"  class {','.join(optional)} optional"]
    return "\n".join(lines) + "\n"


def _mermaid_group(group: _Group, ids: Mapping[str, str], indent: str) -> Iterator[str]:
    for unit in group.units:
        begin, end = _MERMAID_SHAPES[unit.kind]
        yield f"{indent}{ids[unit.name]}{begin}{_mermaid(unit.name)}{end}"
    for inner in group.groups.values():
        yield f"{indent}subgraph g{inner.number}[{_mermaid(inner.name)}]"
        yield from _mermaid_group(inner, ids, indent + "  ")
        yield f"{indent}end"


def _mermaid(text: str) -> str:
    """A quoted label, in which whatever means something to Mermaid is written as its code."""
    return '"' + "".join(_MERMAID_CODES.get(character, character) for character in printable(text)) + '"'


# ------------------------------------------------------------------ data


class _JsonNode(Struct, frozen=True):
    name: str
    kind: Kind
    group: str
    description: str
    optional: bool


class _JsonEdge(Struct, frozen=True):
    """``unit`` waits for ``dependency``, because an entry of ``key`` in ``declared_by`` says so."""

    unit: str
    dependency: str
    requires: Requires
    may_fail: bool
    declared_by: str
    key: OriginKey


class _JsonTrigger(Struct, frozen=True):
    """The end of ``unit`` starts ``starts``."""

    unit: str
    on: Literal["success", "failure"]
    starts: str


class _JsonGraph(Struct, frozen=True):
    nodes: list[_JsonNode]
    edges: list[_JsonEdge]
    triggers: list[_JsonTrigger]


def render_json(graph: Graph) -> str:
    """The graph as one JSON object: ``nodes``, ``edges``, and in ``triggers`` what the end of a unit starts."""
    data = _JsonGraph(
        nodes=[_JsonNode(unit.name, unit.kind, unit.group, unit.description, unit.optional) for unit in graph.units.values()],
        edges=[_json_edge(edge) for edge in _edges(graph)],
        triggers=[_JsonTrigger(one.unit, one.on, name) for name, triggers in triggers_of(graph).items() for one in triggers],
    )
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def _json_edge(edge: Edge) -> _JsonEdge:
    return _JsonEdge(edge.unit, edge.dependency, edge.requires, _note(edge) == "may fail", edge.origin.unit, edge.origin.key)


RENDERERS: Final[Mapping[str, Callable[[Graph], str]]] = {
    "text": render_text,
    "dot": render_dot,
    "mermaid": render_mermaid,
    "json": render_json,
}
"""What ``--format`` can name."""
