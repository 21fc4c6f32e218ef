"""What it means that a service is to read its configuration again.

It goes on as it is: its state does not change, so there is nothing to write down. All that were named are told, or none is:
whoever asks for two and hears that one of them cannot knows that nothing was done.
"""

from __future__ import annotations

from .effect import ReloadUnit, Report
from .node import Node
from .observed import ReloadRequested
from .run import Run


def reload(run: Run, request: ReloadRequested) -> None:
    """Order it of all units that are meant, or say which of them cannot."""
    chosen = run.graph.select(request.units)
    nodes = [node for name, node in run.nodes.items() if name in chosen]
    refusal = next((why for node in nodes if (why := _obstacle(node))), "")
    if refusal:
        run.order(Report(request.call, refusal=refusal))
        return
    for node in nodes:
        run.order(ReloadUnit(node.name, node.invocation, request.call))


def _obstacle(node: Node) -> str:
    """Why a unit cannot be told to; empty where it can. One that runs is still what its file said when it began."""
    if node.unit.reload is None:
        return f'cannot reload {node.name}: its unit file does not say how, with "reload"'
    if node.state not in ("running", "ready") or node.pid is None:
        return f"cannot reload {node.name}: it does not run"
    return ""
