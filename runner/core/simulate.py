"""What a startup would come to, before anything is started: the engine in virtual time, on durations that are known.

The engine that decides here is the one that decides in a real run, with its locks, jobs, timeouts, retries and handlers. Only
the world around it is made up: a program takes as long as is said and ends well, or in vain where it is to fail; a stop
signal ends it at once, health checks are always content, and a script calls as soon as its unit may start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from heapq import heappop, heappush
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from .declare import declarations
from .effect import CancelTimer, Effect, ReadValues, RunStopCommand, SetTimer, Signal, Spawn, StartCheck
from .engine import Engine
from .event import Peer, RunStarted, UnitWaiting
from .forecast import LEAST
from .freshness import NEEDED, Judgement
from .graph import Graph
from .observed import (
    CheckEnded,
    DurationsLearned,
    Observed,
    ProbeSucceeded,
    ProcessExited,
    ProcessSpawned,
    SpawnFailed,
    StartRequested,
    StopCommandEnded,
    SyncCompleted,
    SyncFailed,
    SyncStarted,
    TimerFired,
    ValuesRead,
)
from .snapshot import Snapshot
from .unit import Unit

_RUN = "predicted"
_SCRIPT = Peer(pid=0, uid=0)


class Prediction(Struct, frozen=True):
    """What a startup would come to. Times are seconds since the run began."""

    snapshot: Snapshot
    """The run at the moment when its startup is finished, or when nothing would happen any more. What is idle in it would not
    run at all."""
    unknown: tuple[str, ...]
    """The units that would run and of which nobody knows how long they take. So all that is later may be later still."""

    @property
    def total(self) -> float | None:
        """How long the startup would take. None: it would never be finished, because a unit waits for what never comes."""
        return self.snapshot.startup.duration if self.snapshot.startup else None

    @property
    def critical_path(self) -> tuple[str, ...]:
        """The chain of units, each let go by the one before, that would make the startup as long as it is."""
        return self.snapshot.startup.critical_path if self.snapshot.startup else ()


def simulate(
    graph: Graph,
    durations: Mapping[str, float],
    *,
    jobs: int | None = None,
    names: Iterable[str] = (),
    failing: Collection[str] = frozenset(),
    judgements: Mapping[str, Judgement] | None = None,
) -> Prediction:
    """Play the startup of these units and groups, by default of all.

    ``durations`` are the seconds from a unit's start until it reaches its goal; one that is not there takes next to no time.
    ``failing`` units fail in each of their attempts: one with a process ends with exit status 1 after its time, and a service
    that nobody asks whether it is ready cannot even be executed. ``judgements`` say which units need not run; the others need.
    """
    world = _World(graph, durations, jobs, failing, judgements or {})
    world.begin(tuple(names))
    world.run()
    ran = (name for name, view in world.snapshot.units.items() if view.first_started_at is not None)
    unknown = tuple(name for name in ran if name not in durations and takes_time(graph.units[name]))
    return Prediction(world.snapshot, unknown)


def takes_time(unit: Unit) -> bool:
    """Whether it depends on what the unit does when its goal is reached.

    A target does nothing, and a service that nobody asks counts as ready when it has been executed, or a fixed delay later.
    """
    return unit.kind in ("oneshot", "external") or (unit.kind == "service" and _is_asked(unit))


def _is_asked(unit: Unit) -> bool:
    return unit.ready is not None and unit.ready.probe is not None


class _World:
    """All that the engine does not decide, as a heap of facts that are to come."""

    def __init__(
        self,
        graph: Graph,
        durations: Mapping[str, float],
        jobs: int | None,
        failing: Collection[str],
        judgements: Mapping[str, Judgement],
    ) -> None:
        self.snapshot = Snapshot()
        self._engine = Engine(graph, run=_RUN, jobs=jobs)
        self._durations = durations
        self._failing = failing
        self._judgements = judgements
        self._to_come: list[tuple[float, int, Observed]] = []
        self._facts = 0
        self._timers: dict[int, float] = {}

    def begin(self, names: tuple[str, ...]) -> None:
        """Begin as a supervisor does."""
        graph, jobs = self._engine.graph, self._engine.jobs
        self.snapshot.apply(
            RunStarted(
                at=0.0,
                run=_RUN,
                version="",
                pid=0,
                units=tuple(graph.units),
                jobs=UNSET if jobs is None else jobs,
                declared=declarations(graph),
            )
        )
        self._tell(StartRequested(at=0.0, units=names))
        self._tell(DurationsLearned(at=0.0, durations=dict(self._durations)))

    def run(self) -> None:
        """Let time pass until the startup is finished, or nothing is to come any more."""
        while self._to_come and not self.snapshot.startup:
            at, _, fact = heappop(self._to_come)
            if not isinstance(fact, TimerFired) or self._timers.get(fact.timer) == at:
                self._tell(fact)

    def _tell(self, fact: Observed) -> None:
        """One fact, and the answers to the orders that follow from it, before anything else happens."""
        answers = deque([fact])
        while answers:
            step = self._engine.apply(answers.popleft())
            for event in step.events:
                self.snapshot.apply(event)
                if isinstance(event, UnitWaiting) and any(one.call is not UNSET for one in event.waits_for):
                    self._call(event.unit, event.at)
            for effect in step.effects:
                if isinstance(effect, Spawn):
                    answers.append(self._spawn(effect, fact.at))
                elif isinstance(effect, StartCheck):
                    answers.append(self._check(effect, fact.at))
                elif isinstance(effect, ReadValues):
                    answers.append(ValuesRead(at=fact.at, unit=effect.unit, invocation=effect.invocation))
                else:
                    self._do(effect, fact.at)

    def _do(self, effect: Effect, now: float) -> None:
        match effect:
            case Signal():
                about: dict[str, Any] = {"unit": effect.unit, "invocation": effect.invocation}
                self._expect(ProcessExited(at=now, **about, signal=effect.signal))
            case RunStopCommand():
                self._expect(StopCommandEnded(at=now, unit=effect.unit, invocation=effect.invocation))
            case SetTimer():
                self._timers[effect.timer] = effect.at
                self._expect(TimerFired(at=effect.at, timer=effect.timer))
            case CancelTimer():
                del self._timers[effect.timer]

    def _check(self, effect: StartCheck, now: float) -> Observed:
        judgement = self._judgements.get(effect.unit, NEEDED)
        return CheckEnded(at=now, unit=effect.unit, check=effect.check, **msgspec.structs.asdict(judgement))

    def _spawn(self, effect: Spawn, now: float) -> Observed:
        unit, fails = self._engine.graph.units[effect.unit], effect.unit in self._failing
        about: dict[str, Any] = {"unit": effect.unit, "invocation": effect.invocation}
        takes = self._durations.get(unit.name, LEAST)
        if unit.kind == "service" and not fails:
            delay = unit.ready.delay if unit.ready else 0.0
            if _is_asked(unit):
                self._expect(ProbeSucceeded(at=now + max(takes - delay, 0.0), **about, purpose="ready"))
        elif unit.kind == "service" and not _is_asked(unit):
            return SpawnFailed(at=now, **about, stage="spawn", reason="it is to fail")
        else:
            self._expect(ProcessExited(at=now + takes, **about, exit_code=int(fails)))
        return ProcessSpawned(at=now, **about, pid=0)

    def _call(self, unit: str, now: float) -> None:
        """A script brings its unit from beginning to end."""
        about: dict[str, Any] = {"unit": unit, "call": 0, "peer": _SCRIPT}
        self._expect(SyncStarted(at=now, **about))
        end = now + self._durations.get(unit, LEAST)
        fails = unit in self._failing
        self._expect(SyncFailed(at=end, **about, reason="it is to fail") if fails else SyncCompleted(at=end, **about))

    def _expect(self, fact: Observed) -> None:
        self._facts += 1
        heappush(self._to_come, (fact.at, self._facts, fact))
