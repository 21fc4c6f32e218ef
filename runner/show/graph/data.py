"""Tells a graph as data."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from ...core.graph import Edge, Graph, OriginKey
from ...core.unit import Kind, Requires
from ..trigger import triggers_of
from .edges import edges_of, note_of


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
        edges=[_json_edge(edge) for edge in edges_of(graph)],
        triggers=[_JsonTrigger(one.unit, one.on, name) for name, triggers in triggers_of(graph).items() for one in triggers],
    )
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def _json_edge(edge: Edge) -> _JsonEdge:
    return _JsonEdge(edge.unit, edge.dependency, edge.requires, note_of(edge) == "may fail", edge.origin.unit, edge.origin.key)
