"""Predictions to show: the graphs of ``units.py`` with durations that are easy to add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.core.graph import Graph
from runner.core.simulate import simulate
from runner.show.plan import Plan, make_plan
from runner.show.what_if import WhatIf, make_what_if

DURATIONS = {
    "apt/update": 3.2,
    "apt/base": 12.0,
    "apt/build-tools": 21.5,
    "apt/graphviz": 8.0,
    "git/identity": 0.004,
    "git/clone": 6.5,
    "git/submodules": 2.0,
    "git/hooks": 0.08,
    "secrets": 4.0,
    "dotfiles": 1.5,
    "python/install": 30.0,
    "python/venv": 2.2,
    "python/packages": 75.0,
    "node/install": 18.0,
    "node/packages": 94.0,
    "node/bundle": 22.0,
    "data/migrate": 4.5,
    "data/seed": 9.0,
    "checks/lint": 14.0,
    "checks/test": 41.0,
    "checks/report": 1.0,
}


def plan(graph: Graph, durations: Mapping[str, float] = {}, *, names: Sequence[str] = ()) -> Plan:
    """The plan as it is predicted with these durations."""
    return make_plan(graph, simulate(graph, durations, names=names), names)


def what_if(graph: Graph, durations: Mapping[str, float], changes: Mapping[str, float], *failing: str) -> WhatIf:
    """What other durations and failures would make of it."""
    before, after = simulate(graph, durations), simulate(graph, {**durations, **changes}, failing=failing)
    return make_what_if(before, after, changes, failing)
