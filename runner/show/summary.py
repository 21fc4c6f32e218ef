"""Says in one line what a startup or a run came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from typing import Final

from ..core.event import Outcome, RunEnded, StartupFinished
from ..core.snapshot import Snapshot
from ..core.words import say_duration
from .text import chain, listed

OUTCOME_WORDS: Final[dict[Outcome, str]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "timed-out": "timed out",
    "skipped": "skipped",
    "unneeded": "unneeded",
    "cancelled": "cancelled",
}
"""Each outcome as people read it, in the order in which they are counted."""

_NAMES_SHOWN = 5
_CHAIN_SHOWN = 8


def say_summary(event: StartupFinished | RunEnded, snapshot: Snapshot, optional: Container[str]) -> str:
    """How it went, how long it took, how many units came to what, and the critical path of a startup."""
    what = "startup" if isinstance(event, StartupFinished) else "run"
    said = f"{what} {event.outcome} after {say_duration(event.duration)}: {say_counts(snapshot, optional)}"
    if isinstance(event, StartupFinished) and len(event.critical_path) > 1:
        said += f"; critical path: {chain(event.critical_path, _CHAIN_SHOWN)}"
    return said


def say_counts(snapshot: Snapshot, optional: Container[str]) -> str:
    """How many units came to what: ``9 succeeded, 1 failed (lint), 2 skipped``."""
    return ", ".join(_counts(snapshot, optional)) or "no units"


def _counts(snapshot: Snapshot, optional: Container[str]) -> Iterator[str]:
    """How many units there are of each outcome, with their names where it is a failure, and of those without one."""
    names: dict[Outcome, list[str]] = {outcome: [] for outcome in OUTCOME_WORDS}
    living: Counter[str] = Counter()
    for name, view in snapshot.units.items():
        if view.outcome is not None:
            names[view.outcome].append(name)
        elif view.state != "idle":
            living[view.state] += 1
    for outcome, words in OUTCOME_WORDS.items():
        if outcome in ("failed", "timed-out"):
            yield from _named(words, [name for name in names[outcome] if name not in optional])
            yield from _named(f"{words} but optional", [name for name in names[outcome] if name in optional])
        elif names[outcome]:
            yield f"{len(names[outcome])} {words}"
    for state, count in living.items():
        yield f"{count} {state}"


def _named(words: str, names: list[str]) -> Iterator[str]:
    if names:
        yield f"{len(names)} {words} ({listed(names, _NAMES_SHOWN)})"
