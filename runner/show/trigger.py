"""Says which units start only because another one succeeded or failed."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ..core.graph import Graph


class Trigger(Struct, frozen=True):
    """A unit whose end starts another."""

    unit: str
    on: Literal["success", "failure"]

    def __str__(self) -> str:
        return f"{self.unit} {'succeeds' if self.on == 'success' else 'fails'}"


def triggers_of(graph: Graph) -> dict[str, list[Trigger]]:
    """What starts each of the units that do not start by themselves."""
    triggers: dict[str, list[Trigger]] = {}
    for unit in graph.units.values():
        for name in unit.on_success:
            triggers.setdefault(name, []).append(Trigger(unit.name, "success"))
        for name in unit.on_failure:
            triggers.setdefault(name, []).append(Trigger(unit.name, "failure"))
    return triggers
