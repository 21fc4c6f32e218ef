"""Says in one line what of a run still goes on and what waits for what."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from ..core.event import WaitsFor
from ..core.snapshot import Snapshot, UnitView
from ..core.words import say_duration
from .text import listed

_UNITS_SHOWN = 10
_DEPENDENCIES_SHOWN = 4


def say_what_runs(snapshot: Snapshot, at: float) -> str:
    """What runs, tries again, is being stopped and waits, each with its time; empty where nothing does.

    A service that is ready stands as it should, so it is not in the line.
    """
    said = [
        f"{words}: {listed(units, _UNITS_SHOWN)}"
        for words, units in (
            ("still running", list(_running(snapshot, at))),
            ("tries again", list(_backing_off(snapshot, at))),
            ("stopping", list(_stopping(snapshot, at))),
            ("waiting", list(_waiting(snapshot))),
        )
        if units
    ]
    return "; ".join(said)


def _running(snapshot: Snapshot, at: float) -> Iterator[str]:
    for name, view in snapshot.units.items():
        if view.state == "running":
            yield f"{name} ({say_duration(at - view.since)}{f': {view.text}' if view.text else ''})"


def _backing_off(snapshot: Snapshot, at: float) -> Iterator[str]:
    for name, view in snapshot.units.items():
        if view.state == "backoff" and view.retry_at is not None:
            yield f"{name} (in {say_duration(view.retry_at - at)})"


def _stopping(snapshot: Snapshot, at: float) -> Iterator[str]:
    for name, view in snapshot.units.items():
        if view.state == "stopping":
            yield f"{name} (for {say_duration(at - view.since)})"


def _waiting(snapshot: Snapshot) -> Iterator[str]:
    """Units that wait for the same are told together."""
    by_obstacle: dict[str, list[str]] = {}
    for name, view in snapshot.units.items():
        if view.state == "waiting":
            by_obstacle.setdefault(_obstacle(snapshot, view), []).append(name)
    for obstacle, names in by_obstacle.items():
        yield f"{listed(names, _UNITS_SHOWN)} (for {obstacle})"


def _obstacle(snapshot: Snapshot, view: UnitView) -> str:
    missing = [_say(snapshot, one) for one in view.waits_for if _is_missing(snapshot, one)]
    return listed(missing, _DEPENDENCIES_SHOWN) or "its turn"


def _is_missing(snapshot: Snapshot, one: WaitsFor) -> bool:
    """Whether a unit may still wait for this. What it waited for first is written once; what has come since is not."""
    dependency = snapshot.units.get(one.unit) if one.unit is not UNSET else None
    return dependency is None or dependency.state not in ("ready", "ended")


def _say(snapshot: Snapshot, one: WaitsFor) -> str:
    if one.lock is not UNSET:
        holder = snapshot.units.get(one.holder) if one.holder is not UNSET else None
        is_held = holder is not None and holder.state not in ("idle", "ended", "waiting")
        return f'lock "{one.lock}"' + (f" of {one.holder}" if is_held else "")
    if one.call is not UNSET:
        return "its script to call start"
    return "a job" if one.jobs is not UNSET else str(one.unit)
