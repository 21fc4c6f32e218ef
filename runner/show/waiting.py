"""Says what a unit waits for: units, locks with those who hold them, a job, a look whether it need run, its script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import UNSET

from ..core.event import Need, WaitsFor
from ..core.release import release
from ..core.snapshot import Snapshot, UnitView
from .text import listed

_SHOWN = 4
"""Obstacles that are named; of more, the first."""


def lock_holders(units: Mapping[str, UnitView]) -> dict[str, str]:
    """The unit that has each lock now, as far as the units' locks are known."""
    return {lock: name for name, view in units.items() if view.locks and _has_invocation(view) for lock in view.locks}


def say_obstacles(view: UnitView, units: Mapping[str, UnitView], holders: Mapping[str, str]) -> str:
    """What a waiting unit still waits for: ``clone, lock "apt" of base``. What has come since it began is left out.

    That a lock has changed hands since then is not written down, so who has it is to be found out (:func:`lock_holders`).
    """
    missing = [one for one in view.waits_for if one.unit is UNSET or _is_missing(one, one.unit, units)]
    return say_waits(missing, lambda one: _holder(one, units, holders)) or "its turn"


def say_waits(waits: Iterable[WaitsFor], find_holder: Callable[[WaitsFor], str] = lambda one: one.holder or "") -> str:
    """These obstacles in a row, locks by their holder."""
    said: list[str] = []
    locks: dict[str, list[str]] = {}
    for one in waits:
        if one.lock is not UNSET:
            locks.setdefault(find_holder(one), []).append(f'"{one.lock}"')
        elif one.check is not UNSET:
            said.append("a look whether it need run" if one.asks is UNSET else f'the answer of "{one.asks}"')
        elif one.call is not UNSET:
            said.append(f"its script to call {one.call}")
        else:
            said.append("a job" if one.jobs is not UNSET else str(one.unit))
    for holder, names in locks.items():
        said.append(f"lock{'s' * (len(names) > 1)} {' and '.join(names)}" + (f" of {holder}" if holder else ""))
    return listed(said, _SHOWN)


def obstacles_by_unit(snapshot: Snapshot) -> dict[str, list[str]]:
    """What is waited for, in words, each with the units that wait for it: in the order of the units."""
    holders = lock_holders(snapshot.units)
    by_obstacle: dict[str, list[str]] = {}
    for name, view in snapshot.units.items():
        if view.state == "waiting":
            by_obstacle.setdefault(say_obstacles(view, snapshot.units, holders), []).append(name)
    return by_obstacle


def _is_missing(one: WaitsFor, unit: str, units: Mapping[str, UnitView]) -> bool:
    """Whether a unit may still wait for this one. What it waited for first is written once; what has come since is not."""
    other = units.get(unit)
    need = Need(unit=unit, requires="success" if one.requires is UNSET else one.requires)
    return other is None or release(need, other.kind, other.state, other.outcome) == "pending"


def _holder(one: WaitsFor, units: Mapping[str, UnitView], holders: Mapping[str, str]) -> str:
    """Who has a lock; nobody where that is not known, or where it is free and the queue's first has only to take it."""
    if one.lock is not UNSET and one.lock in holders:
        return holders[one.lock]
    then = units.get(one.holder) if one.holder is not UNSET else None
    return str(one.holder) if then is not None and _has_invocation(then) else ""


def _has_invocation(view: UnitView) -> bool:
    """There are processes of it, or will be at once: it has all of its locks."""
    return view.state in ("running", "ready", "stopping")
