"""Who may run now: locks and jobs.

A unit whose dependencies are met asks to be admitted. It takes all of its locks and a job in one go, or nothing, so two
units can never hold what the other one needs. Every lock has a queue; a unit is admitted when it is the first in the queue
of each of its locks, all of them are free, and a job is.

A lock is held until the invocation is over, a job only until the unit is ready or over: a service that has come up no
longer counts against ``--jobs``.

Why nobody waits for ever
=========================

All queues, that of the jobs too, are in one and the same order: the more urgent request first, of two that are equally
urgent the one that came first. So of all who wait one is the first everywhere, and it gets its turn as soon as the holders
are done, who wait for nobody: there is no deadlock.

Nor is there starvation, because few can overtake. As long as nothing is urgent, nobody does: whoever asked first goes first.
Where urgency is known (``urgency``), only a unit's first request since it was wanted has any; its further attempts and
restarts queue with none, behind all who ask for the first time and behind those who asked before. So a unit is overtaken at
most once by each other one for each time that somebody wants that, and however often a service is restarted, it overtakes
nobody.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from heapq import heappop, heappush

from msgspec import Struct


class Ticket(Struct, frozen=True):
    """A request to be admitted."""

    urgency: float
    number: int
    locks: tuple[str, ...]

    @property
    def place(self) -> tuple[float, int]:
        """What the order of all queues is made of: the least is first."""
        return -self.urgency, self.number


class Admission:
    """The queues, the holders and the jobs of a run. Work is proportional to the locks of the unit at hand."""

    def __init__(self, jobs: int | None) -> None:
        self.jobs = jobs
        self.holders: dict[str, str] = {}
        """The unit that holds each lock that is held."""
        self.last_holders: dict[str, str] = {}
        """The unit that gave each lock back last, the lock that was given back last at the end."""
        self.queues: dict[str, list[str]] = {}
        """The units that wait for each lock, in order."""
        self._waiting: dict[str, Ticket] = {}
        self._admitted: dict[str, Ticket] = {}
        self._working: set[str] = set()
        self._eligible: list[tuple[tuple[float, int], str]] = []
        """Units, by their place, whose turn had come when they were put here. It may have passed since."""
        self._tickets = 0

    def request(self, unit: str, locks: tuple[str, ...], urgency: float = 0.0) -> None:
        """Queue a unit; :meth:`grant` tells when its turn has come. A lock that is named twice is one lock."""
        self._tickets += 1
        locks = tuple(dict.fromkeys(locks))
        self._waiting[unit] = Ticket(urgency, self._tickets, locks)
        for lock in locks:
            insort(self.queues.setdefault(lock, []), unit, key=self._place)
        self._consider(unit)

    def reorder(self, urgency: Callable[[str], float]) -> None:
        """Give all who wait the urgency that they have now; those who are equally urgent keep their order."""
        for unit, ticket in self._waiting.items():
            self._waiting[unit] = Ticket(urgency(unit), ticket.number, ticket.locks)
        for queue in self.queues.values():
            queue.sort(key=self._place)
        self._eligible.clear()
        for unit in self._waiting:
            self._consider(unit)

    def withdraw(self, unit: str) -> None:
        """Forget a request, if there is one."""
        ticket = self._waiting.pop(unit, None)
        for lock in ticket.locks if ticket else ():
            self.queues[lock].remove(unit)
            self._consider_first(lock)

    def grant(self) -> list[str]:
        """Admit all whose turn it is, the most urgent first."""
        granted = []
        while self._eligible and (self.jobs is None or len(self._working) < self.jobs):
            place, unit = heappop(self._eligible)
            ticket = self._waiting.get(unit)
            if ticket is None or ticket.place != place or not self._has_turn(unit):
                continue
            self._admitted[unit] = self._waiting.pop(unit)
            self._working.add(unit)
            for lock in ticket.locks:
                self.queues[lock].pop(0)
                self.holders[lock] = unit
            granted.append(unit)
        return granted

    def free_job(self, unit: str) -> None:
        """Give the job back but keep the locks: the unit is ready."""
        self._working.discard(unit)

    def release(self, unit: str) -> None:
        """Give back all that a unit holds."""
        self._working.discard(unit)
        ticket = self._admitted.pop(unit, None)
        for lock in ticket.locks if ticket else ():
            del self.holders[lock]
            self.last_holders.pop(lock, None)
            self.last_holders[lock] = unit
            self._consider_first(lock)

    def blockers(self, unit: str) -> list[tuple[str, str]]:
        """The locks that a waiting unit cannot have, each with its holder or, where it is free, the first in its queue."""
        ticket = self._waiting.get(unit)
        found = []
        for lock in ticket.locks if ticket else ():
            ahead = self.holders.get(lock) or self.queues[lock][0]
            if ahead != unit:
                found.append((lock, ahead))
        return found

    def last_holder(self, locks: tuple[str, ...]) -> str | None:
        """The unit that was the last to give one of these locks back."""
        return next((unit for lock, unit in reversed(self.last_holders.items()) if lock in locks), None)

    def is_waiting(self, unit: str) -> bool:
        """Whether a unit's request still stands."""
        return unit in self._waiting

    def is_admitted(self, unit: str) -> bool:
        """Whether it has its locks."""
        return unit in self._admitted

    def _place(self, unit: str) -> tuple[float, int]:
        return self._waiting[unit].place

    def _has_turn(self, unit: str) -> bool:
        return all(lock not in self.holders and self.queues[lock][0] == unit for lock in self._waiting[unit].locks)

    def _consider_first(self, lock: str) -> None:
        if self.queues[lock]:
            self._consider(self.queues[lock][0])

    def _consider(self, unit: str) -> None:
        if self._has_turn(unit):
            heappush(self._eligible, (self._waiting[unit].place, unit))
