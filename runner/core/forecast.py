"""When the startup will be finished, and what that depends on most: a look ahead from a snapshot.

Every unit that is not there yet starts as soon as all is there that it waits for, and takes as long as it is expected to.
Locks and jobs are taken to go to whoever asks first. The engine knows better who should (core/urgency.py), and has other finer
points (core/simulate.py has all of them); without them it is quick enough to be said anew with every picture of a live view.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, heapreplace
from math import inf

from msgspec import UNSET, Struct

from .event import WaitsFor
from .snapshot import Snapshot, UnitView
from .unit import Kind

_HAVE_JOBS: tuple[Kind, ...] = ("oneshot", "service")
LEAST = 0.001
"""Seconds that a unit takes at least, for it has to be started. So the more units of which nobody knows anything come after
each other, the longer the chain, and one that takes longer than expected is not forgotten."""


class Forecast(Struct, frozen=True):
    """What is to come until the startup is finished."""

    left: float | None
    """Seconds; 0 where it is finished. None: nothing is known of any of the units that are not there yet."""
    path: tuple[str, ...]
    """The chain of units on which that depends most: first the one that runs now or has to be waited for, last the one with
    which the startup will be finished. A unit that waits for a lock or a job comes after the one that has it."""
    is_partial: bool = False
    """Of some units nothing is known: it takes at least so long."""


def forecast(snapshot: Snapshot, at: float) -> Forecast:
    """Look ahead from ``at``, in seconds since the run began.

    Those units count that the startup waits for: wanted, and their goal not reached. What scripts brought counts where one of
    these waits for it. A dependent is taken to go on when the goal is reached, although a oneshot that says that it is ready
    lets it go before; a service is taken to give its locks back when it is ready. Units that wait for each other, as only
    a recording of strange origin can have them, never start: of them nothing is known.
    """
    if snapshot.startup:
        return Forecast(0.0, ())
    finishing = {name for name, view in snapshot.units.items() if view.is_declared and not _has_settled(view)}
    if not finishing:
        return Forecast(None, ())
    ahead = _Ahead(snapshot, at)
    ahead.collect(finishing)
    ahead.pass_time()
    within_reach = [name for name in ahead.ends if name in finishing]
    if not within_reach:
        return Forecast(None, ())
    last = max(reversed(within_reach), key=ahead.ends.__getitem__)
    is_partial = ahead.is_partial or len(within_reach) < len(finishing)
    return Forecast(ahead.ends[last] if ahead.is_known else None, tuple(ahead.chain(last)), is_partial)


class _Ahead:
    """The units that are not there yet, in the order in which they ask to start. Times are seconds from now."""

    def __init__(self, snapshot: Snapshot, at: float) -> None:
        self.units = snapshot.units
        self.at = at
        self.ends: dict[str, float] = {}
        self.is_known = self.is_partial = False
        self._unmet: dict[str, int] = {}
        self._dependents: dict[str, list[str]] = {}
        self._asks: dict[str, float] = {}
        self._let_go_by: dict[str, str] = {}
        self._locks: dict[str, tuple[float, str]] = {}
        """When each lock is given back, and by whom."""
        jobs = snapshot.run.jobs if snapshot.run else UNSET
        self._jobs: list[tuple[float, str]] = [] if jobs is UNSET else [(0.0, "")] * jobs
        """The same of each job, the next one first."""

    def collect(self, finishing: Iterable[str]) -> None:
        """Find out what these wait for, and who waits for that."""
        units, unmet, dependents = self.units, self._unmet, self._dependents
        names = list(finishing)
        while names:
            name = names.pop()
            if name in unmet:
                continue
            waits = _pending(units.get(name), units)
            unmet[name] = len(waits)
            for other in waits:
                dependents.setdefault(other, []).append(name)
            names += waits

    def pass_time(self) -> None:
        """Let all start and end, those first that have started already."""
        queue = [(self._asked(name), name) for name, count in self._unmet.items() if not count]
        heapify(queue)
        asks, unmet = self._asks, self._unmet
        while queue:
            asked, name = heappop(queue)
            end = self.ends[name] = self._run(name, asked)
            for other in self._dependents.get(name, ()):
                if end > asks.get(other, -1.0):
                    asks[other], self._let_go_by[other] = end, name
                unmet[other] -= 1
                if not unmet[other]:
                    heappush(queue, (asks[other], other))

    def chain(self, last: str) -> list[str]:
        """The units that let each other go, up to the last one."""
        names = [last]
        while names[-1] in self._let_go_by:
            names.append(self._let_go_by[names[-1]])
        return names[::-1]

    def _asked(self, name: str) -> float:
        """When a unit that waits for no other asked to start, or will."""
        view = self.units.get(name)
        if view is None or view.state == "idle":
            return 0.0
        if view.state == "waiting":
            return 0.0 if view.asked_at is None else view.asked_at - self.at
        return -inf if view.retry_at is None else max(view.retry_at - self.at, 0.0)

    def _run(self, name: str, asked: float) -> float:
        """Let a unit start as soon as its locks and a job are free; when it ends."""
        view = self.units.get(name)
        start = max(asked, 0.0)
        needs_job = bool(self._jobs) and view is not None and view.kind in _HAVE_JOBS and view.state != "ready"
        if view is None or not (view.locks or needs_job):
            return start + self._left(view)
        if asked > -inf:
            held = [self._locks[lock] for lock in view.locks if lock in self._locks] + self._jobs[:needs_job]
            free, holder = max(held, default=(0.0, ""))
            if free > start:
                start, self._let_go_by[name] = free, holder
        end = start + self._left(view)
        for lock in view.locks:
            self._locks[lock] = (end, name)
        if needs_job:
            heapreplace(self._jobs, (end, name))
        return end

    def _left(self, view: UnitView | None) -> float:
        """Seconds from the start, or from now where it has started, until it reaches its goal."""
        if view and view.kind == "target":
            return 0.0
        if view is None or view.expected is None or view.state == "stopping":
            self.is_partial = True
            return LEAST
        self.is_known = True
        if view.started_at is None or view.state not in ("running", "ready"):
            return max(view.expected, LEAST)
        return max(view.started_at + view.expected - self.at, LEAST)


def _has_settled(view: UnitView) -> bool:
    return view.state in ("idle", "ended") or (view.state == "ready" and view.kind == "service")


def _pending(view: UnitView | None, units: dict[str, UnitView]) -> list[str]:
    """The units that a unit waits for and that are not there yet, one that nobody has brought among them."""
    if view is None or view.state != "waiting":
        return []
    return [one.unit for one in view.waits_for if one.unit is not UNSET and not _is_there(units.get(one.unit), one)]


def _is_there(view: UnitView | None, wait: WaitsFor) -> bool:
    if view is None or view.state != "ready":
        return view is not None and view.state == "ended"
    return view.kind == "service" or wait.requires == "success"
