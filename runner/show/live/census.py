"""Counts the units of a run, group by group, in one pass: what every decision about a screen is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ...core.event import Outcome
from ...core.snapshot import UnitView

_UNMET: frozenset[Outcome | None] = frozenset({"failed", "timed-out", "skipped"})


class Tally(Struct):
    """A group. Units that nobody wants do not count."""

    group: str
    total: int = 0
    done: int = 0
    """They have an outcome, or reached their goal as a service does that is ready."""
    failed: int = 0
    skipped: int = 0
    waiting: int = 0
    active: list[str] = []
    """Those at work: that run and have not reached their goal, or try again, or are being stopped."""
    unfinished: list[str] = []
    """Those at work and those that wait."""
    all: list[str] = []

    @property
    def is_over(self) -> bool:
        """Nothing of it is to come, and nothing has gone wrong."""
        return self.done == self.total and not self.active and not self.failed and not self.skipped


class Census(Struct):
    """All groups that have a unit which counts, in their order, and the sums."""

    groups: list[Tally]
    total: int = 0
    done: int = 0
    failed: bool = False
    is_stopping: bool = False
    """A person or a signal ends the run, or a part of it."""


def count_units(groups: Mapping[str, Sequence[str]], units: Mapping[str, UnitView]) -> Census:
    """Count them. Those without a group come last, for what stands alone most often comes after the rest."""
    census = Census([])
    for group in sorted(groups, key=lambda group: not group):
        tally = Tally(group)
        for name in groups[group]:
            _count(tally, name, units[name])
        if tally.total:
            census.groups.append(tally)
            census.total += tally.total
            census.done += tally.done
    for tally in census.groups:
        census.failed |= tally.failed > 0
        census.is_stopping |= any(_is_being_stopped(units[name]) for name in tally.active)
    return census


def _count(tally: Tally, name: str, view: UnitView) -> None:
    state = view.state
    if state == "idle":
        return
    tally.total += 1
    tally.all.append(name)
    if state == "ended":
        tally.done += 1
        if view.outcome in _UNMET:
            tally.failed += view.outcome != "skipped"
            tally.skipped += view.outcome == "skipped"
        return
    tally.done += view.reached_at is not None
    if state == "ready" and view.kind == "service":
        return
    tally.unfinished.append(name)
    if state == "waiting":
        tally.waiting += 1
    else:
        tally.active.append(name)


def _is_being_stopped(view: UnitView) -> bool:
    return view.state == "stopping" and view.reason.startswith("stopped by")
