"""Draws a graph for Mermaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ...core.graph import Graph
from ...core.unit import Kind
from ..text import printable
from ..trigger import triggers_of
from .edges import edges_of, note_of
from .groups import Group, group_tree

_SHAPES: Final[Mapping[Kind, tuple[str, str]]] = {
    "oneshot": ("[", "]"),
    "service": ("([", "])"),
    "external": ("[/", "/]"),
    "target": ("{{", "}}"),
}
_CODES: Final = {character: f"#{ord(character)};" for character in '"#&<>`\\'}


def render_mermaid(graph: Graph) -> str:
    """A drawing for Mermaid: groups as subgraphs, an arrow from each dependency to those that wait for it."""
    ids = {name: f"u{number}" for number, name in enumerate(graph.units)}
    lines = ["flowchart LR", *_group(group_tree(graph), ids, "  ")]
    for edge in edges_of(graph):
        note = note_of(edge)
        arrow = f"-. {note} .->" if note else "-->"
        lines.append(f"  {ids[edge.dependency]} {arrow} {ids[edge.unit]}")
    for name, triggers in triggers_of(graph).items():
        lines += [f"  {ids[trigger.unit]} -. on {trigger.on} .-> {ids[name]}" for trigger in triggers]
    if optional := [ids[name] for name, unit in graph.units.items() if unit.optional]:
        lines += ["  classDef optional stroke-dasharray: 5 5", f"  class {','.join(optional)} optional"]
    return "\n".join(lines) + "\n"


def _group(group: Group, ids: Mapping[str, str], indent: str) -> Iterator[str]:
    for unit in group.units:
        begin, end = _SHAPES[unit.kind]
        yield f"{indent}{ids[unit.name]}{begin}{_quote(unit.name)}{end}"
    for inner in group.groups.values():
        yield f"{indent}subgraph g{inner.number}[{_quote(inner.name)}]"
        yield from _group(inner, ids, indent + "  ")
        yield f"{indent}end"


def _quote(text: str) -> str:
    """A quoted label, in which whatever means something to Mermaid is written as its code."""
    return '"' + "".join(_CODES.get(character, character) for character in printable(text)) + '"'
