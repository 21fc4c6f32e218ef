"""When a dependency lets a dependent go: the table of the file format, as one function."""

from __future__ import annotations

from typing import Literal

from .event import Need, Outcome
from .graph import Edge
from .state import State
from .unit import Kind

Release = Literal["pending", "met", "impossible"]

_GOOD: frozenset[Outcome] = frozenset({"succeeded", "unneeded"})
_PUT_ASIDE: frozenset[Outcome] = frozenset({"failed", "timed-out", "skipped"})


def release(edge: Edge | Need, kind: Kind, state: State, outcome: Outcome | None) -> Release:
    """What an edge says of a dependency of this kind that is in this state, with this outcome where it has ended.

    It looks at what is, not at what was: a service that was ready and is being restarted is ``pending`` again for those that
    still wait. Whoever was let go already is not called back.
    """
    if state == "ready":
        return "met" if edge.requires == "success" or kind == "service" else "pending"
    if state != "ended" or outcome is None:
        return "pending"
    if edge.requires == "success":
        return _success(edge, kind, outcome)
    return "impossible" if outcome == "cancelled" and kind in ("oneshot", "external") else "met"


def _success(edge: Edge | Need, kind: Kind, outcome: Outcome) -> Release:
    good = outcome == "unneeded" if kind == "service" else outcome in _GOOD
    return "met" if good or (edge.lenient and outcome in _PUT_ASIDE) else "impossible"
