"""What the sync socket tells about units: the questions that change nothing."""

from __future__ import annotations

from msgspec import Struct

from .node import Node
from .run import Run
from .want import release_of


class SyncEdge(Struct, frozen=True):
    """A dependency, as the sync socket tells it."""

    depends_on: str
    current: str
    is_satisfied: bool


class SyncState(Struct, frozen=True):
    """A unit, as the sync socket tells it."""

    unit: str
    state: str
    """Empty for a name that nobody has brought, else ``pending``, ``started``, ``completed`` or how it ended otherwise."""
    is_ready: bool
    dependencies: tuple[SyncEdge, ...] = ()


def state_of(run: Run, name: str) -> SyncState:
    """What the sync socket tells about one name, its dependencies sorted."""
    node = run.nodes.get(name)
    if node is None or not node.is_registered:
        return SyncState(name, "", True)
    edges = sorted(run.graph.after[name].items())
    dependencies = tuple(
        SyncEdge(other, _word(run.nodes[other]), release_of(edge, run.nodes[other]) == "met") for other, edge in edges
    )
    return SyncState(name, _word(node), all(edge.is_satisfied for edge in dependencies), dependencies)


def all_states(run: Run) -> list[SyncState]:
    """Every unit that is declared or that a script has brought."""
    return [state_of(run, name) for name, node in run.nodes.items() if node.is_registered]


def _word(node: Node) -> str:
    """A node's state in the words of the wire."""
    if not node.is_registered:
        return ""
    if node.state == "ended" and node.outcome not in ("succeeded", "unneeded"):
        return node.outcome or ""
    match node.state:
        case "idle" | "waiting":
            return "pending"
        case "ready" | "ended":
            return "completed"
        case _:
            return "started"
