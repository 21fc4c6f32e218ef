"""Why a unit is where it is: the chain from it down to what it hangs on.

What counts as the reason
=========================

A chain begins with the unit that was asked about. Every link is a unit with what is known of it and, where another has a
part in its fate, a *hold*: what held it up, and the unit that comes next. The state decides what is looked for.

*Waiting.* What is not there yet: a lock before everything else (a unit asks for its locks when all its dependencies are
there), then a job, a look whether it need run, the call of its script, or dependencies. The chain goes on through those that
wait themselves, and ends with the first that does not: it runs, tries again, is being stopped, or nobody has brought or asked
for it. That one is what everybody above it waits for *now*.

*Which of several.* Of all that a unit waits for the chain follows what will take longest, for when all else has come, that
will still be waited for. What nobody can foretell (the call of a script) counts as longest of all, then so many seconds as
the expected durations of the units on the way add up to, then so many units. The others are named beside it. With jobs it is
the other way round: the first that is free will do.

*Locks.* What was written when a unit began to wait is the holder of that time. Since then others may have had the lock, so
the holder is looked up: whoever declares the lock and has processes. A free lock may be waited for too, behind one that comes
first in its queue and waits for another lock; then the chain leads through that one.

*Skipped.* The dependency that made it impossible, and so on down to the one that was not skipped: the root. A dependency that
has run again since does not explain it any more; then only the root's name and the recorded reason are left.

*Given up waiting.* A ``wait-timeout`` is explained by a dependency that had not come by then, and that one by why it was late.

*Failed, cancelled, tries again, is being stopped.* Its own reason says it all, and the chain has one link.

*Has started.* Why it started when it did and not earlier: what let it go last. That is the last holder of a lock that it had
to wait for, or whoever gave back a job, else the dependency that came last, else for a handler the unit whose end it is
there for. A unit that waited for none of these started as soon as it was wanted. The same is asked of the next one, so the
chain is the critical path of this unit. Of a unit with several attempts the first counts: the others have their own reasons.

*Idle.* A handler is explained by the unit whose end it is there for; anything else was not asked for in this run.

Chains cannot loop, for the graph has no cycles and who waits for a lock holds none. A journal with lines missing might say
otherwise, so no unit comes twice.

All of this is read from a snapshot alone, so a run that goes on and one that is long over are explained alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import Final, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from .event import Need, Outcome, WaitsFor
from .release import release
from .snapshot import Snapshot, UnitView
from .state import State

HoldKind = Literal["dependency", "lock", "job", "script", "check", "obstacle", "handled"]

_FAILURES: Final[frozenset[Outcome]] = frozenset({"failed", "timed-out"})
_WITH_PROCESSES: Final[frozenset[State]] = frozenset({"running", "ready", "stopping"})


class Hold(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds a unit up or, where ``until`` is there, held it up. Times are seconds since the run began."""

    by: HoldKind
    """``obstacle``: the dependency because of which it was skipped; ``handled``: the unit whose end it is there for."""
    unit: str = ""
    """Who stands behind it: the next in the chain. Empty: nobody, or nobody knows."""
    others: tuple[str, ...] = ()
    """Units of which the same can be said: further dependencies that are not there, earlier holders, who has the other jobs."""
    lock: str = ""
    check: tuple[str, ...] = ()
    """The keys that say whether it need run, while somebody looks at what they speak of."""
    asks: str = ""
    """The command of its condition that is asked for it, if there is one."""
    jobs: int = 0
    """How many units may work at a time, where it waits for a job."""
    on: Literal["", "success", "failure"] = ""
    """Which end it is there for, where it is a handler."""
    since: float | None = None
    until: float | None = None


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit of the chain."""

    unit: str
    view: UnitView | None = None
    """All that is known of it. None: a script named it, but no script has brought it."""
    hold: Hold | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a unit is where it is."""

    unit: str
    at: float
    """The moment that it is about, in seconds since the run began."""
    chain: tuple[Link, ...]
    """The unit itself, and then each on which the one before it hangs."""


def explainable(snapshot: Snapshot) -> list[str]:
    """Every name that can be asked about: the units of the run, and what they wait for though nobody has brought it."""
    waited_for = (need.unit for name, view in snapshot.units.items() for need in view.after.values())
    return list(dict.fromkeys([*snapshot.units, *waited_for]))


def explain(snapshot: Snapshot, unit: str, at: float) -> Explanation:
    """Why a unit of :func:`explainable` is where it is ``at`` seconds after the run's beginning."""
    reasons = _Reasons(snapshot, at)
    chain: dict[str, Link] = {}
    name, hold = unit, None
    while name and name not in chain:
        view = snapshot.units.get(name)
        hold = reasons.hold(name, view, hold) if view else None
        chain[name] = Link(unit=name, view=view and replace(view), hold=hold)
        name = hold.unit if hold else ""
    return Explanation(unit=unit, at=at, chain=tuple(chain.values()))


def _let_go_at(need: Need, view: UnitView) -> float | None:
    """When a dependency let its dependents go; None where it has not."""
    if release(need, view.kind, view.state, view.outcome) != "met":
        return None
    if view.kind == "service":
        return view.since if view.reached_at is None else view.reached_at
    if need.requires == "success" and view.ready_at is not None:
        return view.ready_at
    return view.since


class _Reasons:
    """What holds units up, at one moment of one run."""

    def __init__(self, snapshot: Snapshot, at: float) -> None:
        self.snapshot = snapshot
        self.units = snapshot.units
        self.at = at
        self._left: dict[str, tuple[float, int]] = {}

    def hold(self, name: str, view: UnitView, before: Hold | None) -> Hold | None:
        """What held a unit up, or does; ``before`` is the hold that led to it."""
        if view.state == "waiting":
            return self._worst(self._waits(view))
        if view.outcome == "skipped":
            return self._obstacle(view)
        if view.outcome == "timed-out" and view.first_started_at is None:
            return self._overdue(view)
        if view.state == "idle":
            return None if before else self._handled(name)
        if before:
            return self._past(name, view) if before.until is not None else None
        has_begun = view.state in ("running", "ready") or view.outcome == "succeeded"
        return self._past(name, view) if has_begun else None

    # -------------------------------------------------------------- what holds it up now

    def _waits(self, view: UnitView) -> list[Hold]:
        """All that a unit waits for now."""
        first = next(iter(view.waits_for), WaitsFor())
        if first.lock is not UNSET:
            locks = [(str(one.lock), str(one.holder or "")) for one in view.waits_for]
            return [Hold(by="lock", lock=lock, unit=self._ahead(lock, holder), since=view.asked_at) for lock, holder in locks]
        if first.jobs is not UNSET:
            return [self._job(first.jobs, view)]
        if first.check is not UNSET:
            return [Hold(by="check", check=first.check, asks=first.asks or "", since=view.since)]
        if first.call is not UNSET:
            return [Hold(by="script", since=self._last_come(view, self.at)[0])]
        pending = [need.unit for need in view.after.values() if self._is_pending(need)]
        return [Hold(by="dependency", unit=unit, since=view.since) for unit in pending]

    def _worst(self, holds: list[Hold]) -> Hold | None:
        """That which will take longest, with the others named beside it."""
        if len(holds) < 2:
            return holds[0] if holds else None
        worst = max(holds, key=lambda hold: self._time_left(hold.unit))
        return replace(worst, others=tuple(hold.unit for hold in holds if hold is not worst and hold.unit))

    def _ahead(self, lock: str, recorded: str) -> str:
        """Who has a lock or, where it is free, is known to come first in its queue."""
        holders = (name for name, view in self.units.items() if lock in view.locks and view.state in _WITH_PROCESSES)
        is_queued = recorded in self.units and self.units[recorded].state == "waiting"
        return next(holders, recorded if is_queued else "")

    def _job(self, jobs: int, view: UnitView) -> Hold:
        """Who has the jobs: first the one that will be done first. A unit that is ready has given its job back."""
        working = [
            name
            for name, other in self.units.items()
            if other.kind != "external" and other.state in ("running", "stopping") and other.ready_at is None
        ]
        first = min(working, key=self._time_left, default="")
        return Hold(by="job", jobs=jobs, unit=first, others=tuple(name for name in working if name != first), since=view.asked_at)

    def _is_pending(self, need: Need) -> bool:
        view = self.units.get(need.unit)
        return view is None or release(need, view.kind, view.state, view.outcome) == "pending"

    def _time_left(self, unit: str) -> tuple[float, int]:
        """Seconds that a unit will still take as far as anybody knows, with all that it waits for; and over how many units."""
        left, stack, entered = self._left, [unit], set[str]()
        while stack:
            name = stack.pop()
            if name in left:
                continue
            view = self.units.get(name)
            waits = [hold.unit for hold in self._waits(view)] if view and view.state == "waiting" else []
            if name in entered or not any(waits):
                seconds, units = max((left.get(other, (0.0, 0)) for other in waits), default=(0.0, 0))
                left[name] = (seconds + self._own_time_left(view), units + 1)
            else:
                entered.add(name)
                stack += [name, *waits]
        return left[unit]

    def _own_time_left(self, view: UnitView | None) -> float:
        """Seconds that it will take by itself; infinite where nobody knows whether it ever starts, 0 where nothing is known."""
        if view is None or view.state == "idle" or any(one.call is not UNSET for one in view.waits_for):
            return inf
        expected = view.expected or 0.0
        match view.state:
            case "running":
                return max(expected - (self.at - view.since), 0.0)
            case "backoff":
                return expected + max((view.retry_at or self.at) - self.at, 0.0)
            case "waiting":
                return expected
        return 0.0

    # -------------------------------------------------------------- what brought it to its end

    def _obstacle(self, view: UnitView) -> Hold:
        """The dependency that made a unit impossible, of several the one that leads to the recorded root."""
        impossible = [
            need.unit
            for need in view.after.values()
            if (other := self.units.get(need.unit)) and release(need, other.kind, other.state, other.outcome) == "impossible"
        ]
        to_root = (name for name in impossible if view.cause in (name, self.units[name].cause))
        return Hold(by="obstacle", unit=next(to_root, ""))

    def _overdue(self, view: UnitView) -> Hold | None:
        """A dependency that had not come when a unit gave up waiting, of several the one that came last."""
        came = {need.unit: self._came_at(need) for need in view.after.values()}
        late = [name for name, at in came.items() if at > view.since]
        last = max(late, key=lambda name: came[name], default="")
        others = tuple(name for name in late if name != last)
        return Hold(by="dependency", unit=last, others=others, since=view.wanted_at, until=view.since)

    def _handled(self, name: str) -> Hold | None:
        """The units whose end a handler is there for: first one that ended so, else one that has not ended."""
        handled = list(self._handled_units(name))
        if not handled:
            return None
        unit, on = min(handled, key=lambda one: (not _ended_so(self.units[one[0]], one[1]), self.units[one[0]].state == "ended"))
        return Hold(by="handled", unit=unit, on=on, others=tuple(other for other, so in handled if other != unit and so == on))

    def _handled_units(self, name: str) -> Iterator[tuple[str, Literal["success", "failure"]]]:
        for other, view in self.units.items():
            if name in view.on_success:
                yield other, "success"
            if name in view.on_failure:
                yield other, "failure"

    # -------------------------------------------------------------- what held it up before it began

    def _past(self, name: str, view: UnitView) -> Hold | None:
        """What let a unit go last; None where it began as soon as it was wanted."""
        begun = view.since if view.first_started_at is None else view.first_started_at
        wanted = begun if view.wanted_at is None else view.wanted_at
        if view.asked_at is not None and view.asked_at < begun:
            return self._queued(name, view, view.asked_at, begun)
        came, last = self._last_come(view, begun)
        if view.kind == "external" and came < begun:
            return Hold(by="script", unit=last, since=came, until=begun)
        if last or wanted < begun:
            return Hold(by="dependency", unit=last, since=wanted, until=begun)
        for other, on in self._handled_units(name):
            if _ended_so(self.units[other], on) and self.units[other].since <= wanted:
                return Hold(by="handled", unit=other, on=on, until=wanted)
        return None

    def _last_come(self, view: UnitView, begun: float) -> tuple[float, str]:
        """When all dependencies were there, and which of them came last; no unit where they were all there from the first.

        What came only after the unit began has lived again since, and nobody knows when it came in its life before.
        """
        wanted = begun if view.wanted_at is None else view.wanted_at
        came = ((self._came_at(need), need.unit) for need in view.after.values())
        return max(((at, unit) for at, unit in came if wanted < at <= begun), default=(wanted, ""))

    def _came_at(self, need: Need) -> float:
        """When a dependency came; infinite where it has not."""
        view = self.units.get(need.unit)
        at = _let_go_at(need, view) if view else None
        return inf if at is None else at

    def _queued(self, name: str, view: UnitView, asked: float, begun: float) -> Hold:
        """The lock or job that a unit had to wait for, and who gave it back last."""
        first = view.held_up_by[0]
        if first.jobs is not UNSET:
            givers = self._givers(name, asked, begun, _job_given_back_at)
            return Hold(by="job", jobs=first.jobs, unit=givers[-1][1] if givers else "", since=asked, until=begun)
        found: list[tuple[float, Hold]] = []
        for one in view.held_up_by:
            lock = str(one.lock)
            givers = self._givers(name, asked, begun, partial(_lock_given_back_at, lock)) or [(asked, str(one.holder or ""))]
            *others, (at, unit) = givers
            earlier = tuple(other for _, other in others)
            found.append((at, Hold(by="lock", lock=lock, unit=unit, others=earlier, since=asked, until=begun)))
        return max(found, key=lambda one: one[0])[1]

    def _givers(
        self, name: str, asked: float, begun: float, given_back_at: Callable[[UnitView], float | None]
    ) -> list[tuple[float, str]]:
        """Who gave something back while a unit waited for it, and when; the last of them at the end."""
        times = ((given_back_at(view), other) for other, view in self.units.items() if other != name)
        return sorted((at, other) for at, other in times if at is not None and asked < at <= begun)


def _lock_given_back_at(lock: str, view: UnitView) -> float | None:
    """When a unit gave a lock back: at its end, or at that of an attempt."""
    return view.since if lock in view.locks and view.state in ("ended", "backoff") else None


def _job_given_back_at(view: UnitView) -> float | None:
    """The same of a job, which a unit gives back as soon as it is ready."""
    if view.first_started_at is None or view.kind == "external":
        return None
    return view.since if view.ready_at is None and view.state in ("ended", "backoff") else view.ready_at


def _ended_so(view: UnitView, on: Literal["success", "failure"]) -> bool:
    return view.outcome == "succeeded" if on == "success" else view.outcome in _FAILURES
