"""What must hold at every step of every run, told anew: nothing here asks the engine how it came to its decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.core.effect import (
    Answer,
    CancelTimer,
    ReadValues,
    Report,
    RunStopCommand,
    SetTimer,
    Signal,
    Spawn,
    StartCheck,
    StartProbe,
    StopCheck,
    StopProbes,
    WatchScript,
)
from runner.core.engine import Engine
from runner.core.event import (
    Decided,
    Outcome,
    RunStarted,
    SyncCalled,
    UnitEnded,
    UnitEvent,
    UnitReady,
    UnitRetrying,
    UnitsChanged,
    UnitStarting,
    UnitStopping,
    UnitWaiting,
)
from runner.core.graph import Edge, Graph
from runner.core.observed import (
    CheckEnded,
    ControlRequested,
    KillRequested,
    Observed,
    ProcessExited,
    StartRequested,
    StopRequested,
    SyncAwaited,
    SyncCompleted,
    SyncForgotten,
    SyncRequested,
    TimerFired,
    ValuesRead,
)
from runner.core.run import Step
from runner.core.snapshot import Snapshot, UnitView, fold

from .inheritance import inherit

DONE: set[Outcome | None] = {"succeeded", "unneeded"}
BAD: set[Outcome | None] = {"failed", "timed-out", "skipped"}


def lets_go(kind: str, edge: Edge, view: UnitView) -> bool:
    """The table of the unit files, row by row."""
    is_ready, has_ended, outcome = view.state == "ready", view.state == "ended", view.outcome
    if edge.lenient and has_ended and outcome in BAD:
        return True
    table = {
        ("oneshot", "success"): is_ready or (has_ended and outcome in DONE),
        ("oneshot", "completion"): has_ended and outcome != "cancelled",
        ("service", "success"): is_ready or (has_ended and outcome == "unneeded"),
        ("service", "completion"): is_ready or has_ended,
        ("external", "success"): has_ended and outcome in DONE,
        ("external", "completion"): has_ended and outcome != "cancelled",
        ("target", "success"): has_ended and outcome in DONE,
        ("target", "completion"): has_ended,
    }
    return table[kind, edge.requires]


class Rules:
    """Folds the journal as it grows, and holds each step against what was promised."""

    def __init__(self, engine: Engine, begun: RunStarted, jobs: int | None) -> None:
        self.engine = engine
        self.jobs = jobs
        self.snapshot = Snapshot()
        self.snapshot.apply(begun)
        self.stop_reasons: set[str] = set()
        self.timers: dict[int, float] = {}
        self.checks: dict[str, int] = {}
        """The units of which somebody looks whether they need run, and the number of the look."""
        self.locks: dict[str, str] = {}
        self.working: set[str] = set()
        self.live: dict[str, str] = {}
        """The invocation that each unit has now."""
        self.let_go: set[str] = set()
        self.above: dict[str, set[str]] = {}
        """Who has to go before each unit that was to stop. A script may wait for one that is already on its way."""
        self.calls: set[int] = set()
        """Calls of scripts that have no answer yet."""
        self.given: dict[str, Mapping[str, str]] = {}
        """What each unit gives."""
        self.received: dict[str, dict[str, str]] = {}
        """What each invocation that begins is to get."""
        self.has_started = False
        self.is_killing = False

    @property
    def graph(self) -> Graph:
        """What is declared now, and what scripts have brought."""
        return self.engine.graph

    def check(self, fact: Observed, step: Step) -> None:
        """Fold one step, looking at each of its events before and after."""
        self._note(fact)
        live_before = set(self.live.items())
        for event in step.events:
            assert event.at == fact.at
            self._before(event)
            self._note_values(fact, event)
            self.snapshot.apply(event)
            if isinstance(event, UnitEvent):
                self._after(event)
        for event in step.events:
            if isinstance(event, UnitEvent):
                self._compare(event.unit)
        self._check_calls(fact, step)
        self._check_reports(fact, step)
        self._check_effects(fact, step, live_before | set(self.live.items()))

    def _check_effects(self, fact: Observed, step: Step, live: set[tuple[str, str]]) -> None:
        """What is ordered can be done."""
        for effect in step.effects:
            match effect:
                case Spawn() | Signal() | RunStopCommand() | StartProbe() | StopProbes() | WatchScript() | ReadValues():
                    assert (effect.unit, effect.invocation) in live, effect
                    assert not isinstance(effect, Spawn) or effect.values == self.received.pop(effect.invocation)
                case SetTimer():
                    assert effect.at >= fact.at
                    self.timers[effect.timer] = effect.at
                case CancelTimer():
                    del self.timers[effect.timer]
                case StartCheck():
                    assert effect.unit not in self.checks, effect
                    self.checks[effect.unit] = effect.check
                case StopCheck():
                    assert self.checks.pop(effect.unit) == effect.check, effect
        for event in step.events:
            assert not isinstance(event, UnitStarting) or event.unit not in self.checks, event

    def _note(self, fact: Observed) -> None:
        self.is_killing = self.is_killing or isinstance(fact, KillRequested)
        self.has_started = self.has_started or isinstance(fact, StartRequested)
        if isinstance(fact, TimerFired):
            self.timers.pop(fact.timer, None)
        if isinstance(fact, CheckEnded) and self.checks.get(fact.unit) == fact.check:
            del self.checks[fact.unit]
        if isinstance(fact, StopRequested):
            names = self.graph.select(fact.units or self.graph.units)
            self.above |= {name: self.graph.dependents_closure([name]) for name in self.graph.dependents_closure(names)}

    def _note_values(self, fact: Observed, event: Decided) -> None:
        """Who is about to be executed gets what is given now, and not if two say different things."""
        match event:
            case UnitStarting() if self.graph.units[event.unit].kind != "external":
                received = inherit(self.graph, self.given, event.unit, self.graph.units[event.unit].env)
                assert isinstance(received, dict), (event, received)
                self.received[event.invocation] = received
            case UnitReady() if isinstance(fact, ValuesRead):
                self.given[event.unit] = fact.gives
            case UnitEnded(outcome="succeeded") if isinstance(fact, ProcessExited) and fact.unit == event.unit:
                if self.graph.units[event.unit].kind == "oneshot":
                    self.given[event.unit] = fact.gives
            case UnitEnded(outcome="unneeded") if isinstance(fact, CheckEnded) and fact.unit == event.unit:
                self.given[event.unit] = fact.gives
            case UnitEnded() if event.reason.startswith("cannot tell what "):
                name = event.reason.split()[3]
                assert inherit(self.graph, self.given, event.unit, self.graph.units[event.unit].env) == name
                self.given[event.unit] = {}
            case UnitEnded() if event.outcome not in DONE:
                self.given[event.unit] = {}
            case UnitsChanged():
                self.given |= {name: {} for name in event.removed}

    def _check_calls(self, fact: Observed, step: Step) -> None:
        """Every call is answered once: a wait now or later, every other now. Only a call completes what scripts bring."""
        if isinstance(fact, SyncRequested) and (step.events or step.effects or not self.engine.is_over):
            self.calls.add(fact.call)
        if isinstance(fact, SyncForgotten) and not self.engine.is_over:
            self.calls.discard(fact.call)
        for effect in step.effects:
            if isinstance(effect, Answer):
                self.calls.remove(effect.call)
        if isinstance(fact, SyncRequested) and not isinstance(fact, SyncAwaited):
            assert fact.call not in self.calls, fact
        for event in step.events:
            if isinstance(event, UnitEnded) and self.graph.units[event.unit].kind == "external":
                assert event.outcome != "succeeded" or isinstance(fact, SyncCompleted), event
            assert not isinstance(event, SyncCalled) or isinstance(fact, SyncRequested)

    def _check_reports(self, fact: Observed, step: Step) -> None:
        """Whoever asks for something is told at once what came of it, and nobody else is."""
        told = [effect.call for effect in step.effects if isinstance(effect, Report)]
        is_heard = isinstance(fact, ControlRequested) and fact.call and (step.effects or not self.engine.is_over)
        assert told == ([fact.call] if is_heard and isinstance(fact, ControlRequested) else []), (fact, step)

    def check_all(self, journal: Iterable[Decided]) -> None:
        """Look at the whole: the journal folded anew, every unit, every timer."""
        assert fold(journal) == self.snapshot
        for name in self.graph.units:
            self._compare(name)
        owned = [timer for node in self.engine.nodes.values() for timer in node.timers.values()]
        assert sorted(owned) == sorted(self.timers), "each timer belongs to one unit and one kind"
        held = [call for node in self.engine.nodes.values() for call in node.holds]
        assert sorted(held) == sorted(self.calls), "each call is answered or held"
        if self.engine.is_over:
            assert not self.timers
            assert not self.live
            assert not self.checks

    def _compare(self, unit: str) -> None:
        node, view = self.engine.nodes[unit], self.snapshot.units.get(unit, UnitView(is_declared=False))
        assert (node.state, node.outcome, node.is_declared) == (view.state, view.outcome, view.is_declared), unit
        assert (view.outcome is not None) == (view.state == "ended"), unit
        assert view.gives == tuple(self.engine.values.given(unit)) == tuple(self.given.get(unit, {})), unit

    def _before(self, event: Decided) -> None:
        match event:
            case UnitStarting():
                if event.unit not in self.let_go or self.graph.units[event.unit].kind == "external":
                    self._assert_released(event.unit)
                self.let_go.add(event.unit)
                for lock in set(self.graph.units[event.unit].locks):
                    assert lock not in self.locks, (event.unit, lock, self.locks)
                    self.locks[lock] = event.unit
            case UnitWaiting() if event.waits_for and isinstance(event.waits_for[0].unit, str):
                self.let_go.discard(event.unit)
            case UnitWaiting():
                assert event.waits_for
                if event.unit not in self.let_go:
                    self._assert_released(event.unit)
                self.let_go.add(event.unit)
            case UnitStopping() if self._is_orderly(event.reason):
                above = self.graph.dependents_closure([event.unit])
                running = above & self.above.get(event.unit, above) & set(self.live)
                assert running <= {event.unit}, (event, running)
            case UnitEnded(outcome="succeeded") if self._is_target(event.unit) and event.unit not in self.let_go:
                self._assert_released(event.unit)

    def _after(self, event: UnitEvent) -> None:
        unit = event.unit
        match event:
            case UnitStarting():
                self.live[unit] = event.invocation
                if self.graph.units[unit].kind != "external":
                    self.working.add(unit)
                assert self.jobs is None or len(self.working) <= self.jobs, self.working
            case UnitReady():
                self.working.discard(unit)
            case UnitRetrying() | UnitEnded():
                self.live.pop(unit, None)
                self.working.discard(unit)
                self.locks = {lock: holder for lock, holder in self.locks.items() if holder != unit}
        if isinstance(event, UnitEnded):
            self.let_go.discard(unit)

    def _is_orderly(self, reason: str) -> bool:
        return not self.is_killing and (reason in self.stop_reasons or reason.endswith("--fail-fast was given"))

    def _is_target(self, unit: str) -> bool:
        return self.graph.units[unit].kind == "target"

    def _assert_released(self, unit: str) -> None:
        for dependency, edge in self.graph.after[unit].items():
            view = self.snapshot.units[dependency]
            assert lets_go(self.graph.units[dependency].kind, edge, view), (unit, dependency, view.state, view.outcome)
