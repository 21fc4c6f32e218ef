"""Says in one line what of a run still goes on and what waits for what."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.snapshot import Snapshot
from ..core.words import say_duration
from .text import listed
from .waiting import obstacles_by_unit

_UNITS_SHOWN = 10


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
    for obstacle, names in obstacles_by_unit(snapshot).items():
        yield f"{listed(names, _UNITS_SHOWN)} (for {obstacle})"
