"""Who has the locks and the jobs of a run, and who waits for them.

Whose turn is next is not told: where durations are expected, the more urgent goes first (``core/urgency.py``), and how urgent
each is, the engine alone knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Literal

from msgspec import UNSET, Struct

from ..core.snapshot import Snapshot, UnitView
from ..core.words import say_count
from .reason import named
from .waiting import lock_holders


class Queue(Struct, frozen=True):
    """A lock, or the jobs, with those who have it and those who wait for it, who asked first first."""

    by: Literal["lock", "jobs"]
    name: str
    """That of the lock; for jobs how many there are."""
    holders: tuple[str, ...]
    waiting: tuple[str, ...]


def queues_of(snapshot: Snapshot) -> list[Queue]:
    """The jobs where their number is limited, and every lock that somebody has or waits for."""
    found = list(_jobs(snapshot))
    holders = lock_holders(snapshot.units)
    for lock in dict.fromkeys(lock for view in snapshot.units.values() for lock in view.locks):
        waiting = _waiting(snapshot, partial(_wants_lock, lock))
        if lock in holders or waiting:
            found.append(Queue("lock", lock, (holders[lock],) if lock in holders else (), waiting))
    return found


def lock_queues(units: Mapping[str, UnitView]) -> dict[str, set[str]]:
    """The units that wait for each lock that anybody waits for."""
    found: dict[str, set[str]] = {}
    for name, view in units.items():
        if view.state == "waiting":
            for one in view.waits_for:
                if one.lock is not UNSET:
                    found.setdefault(one.lock, set()).add(name)
    return found


def say_queue(queue: Queue) -> str:
    """``lock "apt": base has it; tools and extras wait``."""
    holders, waiting = queue.holders, queue.waiting
    wait = f"; {named(waiting)} wait{'s' * (len(waiting) == 1)}" if waiting else ""
    if queue.by == "jobs":
        taken = f"{named(holders)} {'have' if len(holders) > 1 else 'has'} {len(holders)} of them" if holders else "all free"
        return f"{say_count(int(queue.name), 'job')}: {taken}{wait}"
    return f'lock "{queue.name}": {f"{named(holders)} has it" if holders else "free"}{wait}'


def _jobs(snapshot: Snapshot) -> Iterator[Queue]:
    jobs = snapshot.run.jobs if snapshot.run else UNSET
    if jobs is not UNSET:
        units = snapshot.units.items()
        at_work = tuple(name for name, view in units if view.state == "running" and view.kind != "external")
        yield Queue("jobs", str(jobs), at_work, _waiting(snapshot, _wants_a_job))


def _wants_lock(lock: str, view: UnitView) -> bool:
    return any(one.lock == lock for one in view.held_up_by)


def _wants_a_job(view: UnitView) -> bool:
    return any(one.jobs is not UNSET for one in view.held_up_by)


def _waiting(snapshot: Snapshot, is_meant: Callable[[UnitView], bool]) -> tuple[str, ...]:
    found = [
        (view.asked_at, name)
        for name, view in snapshot.units.items()
        if view.state == "waiting" and view.asked_at is not None and is_meant(view)
    ]
    return tuple(name for _, name in sorted(found, key=lambda one: one[0]))
