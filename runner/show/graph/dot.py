"""Draws a graph for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ...core.graph import Graph
from ...core.unit import Kind
from ..text import printable
from ..trigger import triggers_of
from .edges import edges_of, note_of
from .groups import Group, group_tree

_SHAPES: Final[Mapping[Kind, str]] = {"oneshot": "box", "service": "component", "external": "cds", "target": "ellipse"}


def render_dot(graph: Graph) -> str:
    """A drawing for Graphviz: groups as clusters, an arrow from each dependency to those that wait for it."""
    lines = ["digraph units {", "  rankdir=LR;", *_group(group_tree(graph), "  ")]
    lines += [_arrow(edge.dependency, edge.unit, note_of(edge), "dashed") for edge in edges_of(graph)]
    for name, triggers in triggers_of(graph).items():
        lines += [_arrow(trigger.unit, name, f"on {trigger.on}", "dotted") for trigger in triggers]
    return "\n".join([*lines, "}"]) + "\n"


def _group(group: Group, indent: str) -> Iterator[str]:
    for unit in group.units:
        dashed = ", style=dashed" if unit.optional else ""
        yield f"{indent}{_quote(unit.name)} [shape={_SHAPES[unit.kind]}{dashed}];"
    for inner in group.groups.values():
        yield f"{indent}subgraph {_quote('cluster_' + inner.name)} {{"
        yield f"{indent}  label={_quote(inner.name)};"
        yield from _group(inner, indent + "  ")
        yield f"{indent}}}"


def _quote(text: str) -> str:
    """A quoted string, in which a quote and a backslash stand for themselves."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _arrow(tail: str, head: str, note: str, style: str) -> str:
    attributes = f" [label={_quote(note)}, style={style}]" if note else ""
    return f"  {_quote(tail)} -> {_quote(head)}{attributes};"
