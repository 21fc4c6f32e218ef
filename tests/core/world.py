"""A world in virtual time that plays the supervisor: it does what the engine orders and tells it what came of it.

What the units' programs do is data, a :class:`Life` for each invocation. Every step is held against the rules of ``rules.py``,
so a test that only lets a world run has already shown much.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, Literal

from msgspec import Struct

from runner.core.effect import (
    Answer,
    CancelTimer,
    Effect,
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
from runner.core.event import Decided, Peer, RunStarted
from runner.core.graph import link
from runner.core.observed import (
    CheckEnded,
    ControlRequested,
    DurationsLearned,
    KillRequested,
    Observed,
    ProbeFailed,
    ProbeSucceeded,
    ProcessExited,
    ProcessSpawned,
    RestartRequested,
    RetryRequested,
    ScriptEnded,
    SpawnFailed,
    Stage,
    StartRequested,
    StatusReported,
    StopCommandEnded,
    StopRequested,
    SyncAwaited,
    SyncCompleted,
    SyncFailed,
    SyncForgotten,
    SyncStarted,
    SyncWanted,
    TimeoutExtended,
    TimerFired,
    TreeEnded,
    UnitsReloaded,
    ValuesRead,
)
from runner.core.run import Step
from runner.core.unit import Command, Unit

from .rules import Rules


class Life(Struct, frozen=True, forbid_unknown_fields=True):
    """What the program of one invocation does. Times are seconds, ``inf`` is never."""

    fails_at: Stage | None = None
    """The spawn fails, at this stage."""
    runs: float = inf
    exit: int | str = 0
    """The exit code, or the signal, that it ends with by itself."""
    ready: float = inf
    """From the spawn until the readiness probe says yes."""
    obeys: float = 0.0
    """From the stop signal to the end of the main process."""
    leaves: float = 0.0
    """How long the processes that it started outlive it."""
    left_obey: bool = True
    """Whether these go at the stop signal."""
    immortal: bool = False
    """Not even SIGKILL ends it."""
    stop_command: float = 0.0
    stop_command_ends_it: bool = False
    health: tuple[bool, ...] = ()
    """The answers of the health probe, one a second."""
    extends: tuple[tuple[float, float], ...] = ()
    """When it asks for more time, and how much."""
    says: tuple[tuple[float, str], ...] = ()
    gives: dict[str, str] = {}
    """What it gives to the units after it, from its beginning on."""
    fault: str = ""
    """Why what it gives cannot be used."""
    luck: float = 0.5


class Look(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes of one look whether a unit need run, and how long it takes."""

    verdict: Literal["needed", "unneeded", "failed"] = "needed"
    reason: str = ""
    runs_if: tuple[str, ...] = ()
    gives: dict[str, str] = {}
    """What it gave when it last succeeded."""
    takes: float = 0.0
    """``inf``: nobody can ever tell."""
    forced: Literal["needed", "unneeded", "failed"] = "needed"
    """The verdict where it is to run though it is up to date."""


class Process:
    """The processes of one invocation."""

    def __init__(self, unit: str, invocation: str, life: Life) -> None:
        self.unit = unit
        self.invocation = invocation
        self.life = life
        self.main_is_there = True
        self.others_are_there = life.leaves > 0
        self.probed: set[str] = set()


CALLS: dict[str, Callable[[dict[str, Any], str], Observed]] = {
    "want": lambda about, more: SyncWanted(**about, depends_on=more),
    "start": lambda about, _: SyncStarted(**about),
    "complete": lambda about, more: SyncCompleted(**about, exit_status=int(more or 0)),
    "fail": lambda about, more: SyncFailed(**about, reason=more),
    "await": lambda about, _: SyncAwaited(**about, until="may-start"),
    "reach": lambda about, _: SyncAwaited(**about, until="reached"),
}
"""What a script can call, made from what every call says and one more word."""


def make_external(name: str, **fields: Any) -> Unit:
    """A declared unit that scripts bring."""
    return Unit(name=name, kind="external", **fields)


def make_unit(name: str, **fields: Any) -> Unit:
    """A oneshot with a command, where the fields say nothing else."""
    return Unit(**{"name": name, "kind": "oneshot", "command": Command(argv=(name,)), **fields})


class World:
    """One run: an engine, the programs, a clock and the journal."""

    def __init__(
        self,
        units: Iterable[Unit],
        lives: dict[str, list[Life]] | None = None,
        looks: dict[str, list[Look]] | None = None,
        *,
        jobs: int | None = None,
        fail_fast: bool = False,
        keep: bool = False,
    ) -> None:
        self.units = list(units)
        graph, faults = link(self.units)
        assert not faults, faults
        self.options: dict[str, Any] = {"jobs": jobs, "fail_fast": fail_fast, "keep": keep}
        self.engine = Engine(graph, run="r", **self.options)
        self.lives = lives or {}
        self.looks = looks or {}
        self._looked: dict[str, int] = {}
        self.now = 0.0
        self.facts: list[Observed] = []
        self.steps: list[Step] = []
        begun = RunStarted(at=0.0, run="r", version="1", pid=1, units=tuple(graph.units))
        self.journal: list[Decided] = [begun]
        self.history: list[tuple[float, Decided | Effect]] = []
        self.rules = Rules(self.engine, begun, jobs)
        self.processes: dict[str, Process] = {}
        self._spawned: dict[str, int] = {}
        self._numbers = count(1)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._answers: deque[Observed] = deque()
        self._called: dict[int, str] = {}
        """The unit of each call, by number."""
        self._asked = 0
        self.reports: dict[int, Report] = {}
        """What came of what somebody asked for, by number."""
        self.answers: dict[int, Answer] = {}
        """The calls of scripts that were answered, by number."""
        self.scripts: dict[str, str] = {}
        """The invocation of each unit whose script is watched."""

    def __repr__(self) -> str:
        return f"World({list(self.engine.graph.units.values())}, {self.lives}, facts={self.facts})"

    # ------------------------------------------------------------------ what a test says

    def start(self, *units: str, at: float = 0.0) -> int:
        return self._ask(at, StartRequested, units=units)

    def stop(self, *units: str, at: float, reason: str = "SIGTERM") -> int:
        self.rules.stop_reasons.add(reason)
        return self._ask(at, StopRequested, units=units, reason=reason)

    def restart(self, *units: str, at: float, reason: str = "restarted") -> int:
        return self._ask(at, RestartRequested, units=units, reason=reason)

    def retry(self, *units: str, at: float) -> int:
        return self._ask(at, RetryRequested, units=units)

    def reload(self, units: Iterable[Unit], *, at: float, restart: bool = False) -> int:
        """The unit files say something else from now on."""
        return self._ask(at, UnitsReloaded, units=tuple(units), restart=restart, reason="reloaded")

    def _ask(self, at: float, kind: type[ControlRequested], **fields: Any) -> int:
        """Somebody asks for something; the number of the call."""
        self._asked += 1
        call = self._asked
        self.later(at, lambda: self.tell(kind(at=self.now, call=call, **fields)))
        return call

    def kill(self, *, at: float, reason: str = "second SIGTERM") -> None:
        self.later(at, lambda: self.tell(KillRequested(at=self.now, reason=reason)))

    def learn(self, durations: dict[str, float], *, at: float = 0.0) -> None:
        """How long units took in earlier runs becomes known."""
        self.later(at, lambda: self.tell(DurationsLearned(at=self.now, durations=durations)))

    def call(self, verb: str, unit: str, more: str = "", *, at: float = 0.0, by: str = "") -> int:
        """A script calls, from the process tree of the unit ``by`` where one is named; the number of the call."""
        number = len(self._called) + 1
        self._called[number] = unit
        peer = Peer(pid=100 + number, uid=1000, unit=by)
        self.later(at, lambda: self.tell(CALLS[verb]({"at": self.now, "call": number, "unit": unit, "peer": peer}, more)))
        return number

    def forget(self, call: int, *, at: float) -> None:
        """Whoever made a call wants no answer any more."""
        self.later(at, lambda: self.tell(SyncForgotten(at=self.now, call=call, unit=self._called.get(call, ""))))

    def end_script(self, unit: str, *, at: float) -> None:
        """All processes of the script that started a unit go, if there are any."""

        def end() -> None:
            if unit in self.scripts:
                self.tell(ScriptEnded(at=self.now, unit=unit, invocation=self.scripts.pop(unit)))

        self.later(at, end)

    def later(self, at: float, deed: Callable[[], None]) -> None:
        """Do something at a time; nothing ever happens at ``inf``."""
        if at < inf:
            heappush(self._due, (at, next(self._numbers), deed))

    def run(self, until: float = inf) -> World:
        """Let time pass until nothing is to come any more."""
        while self._due and self._due[0][0] <= until:
            self.now, _, deed = heappop(self._due)
            deed()
        self.rules.check_all(self.journal)
        return self

    # ------------------------------------------------------------------ between the engine and the programs

    def tell(self, fact: Observed) -> None:
        """One fact, and the answers to the spawns that follow from it, before anything else happens."""
        self._answers.append(fact)
        while self._answers:
            fact = self._answers.popleft()
            step = self.engine.apply(fact)
            self.facts.append(fact)
            self.steps.append(step)
            self.journal.extend(step.events)
            self.history.extend((fact.at, event) for event in step.events)
            self.history.extend((fact.at, effect) for effect in step.effects)
            self.rules.check(fact, step)
            for effect in step.effects:
                self._do(effect)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Spawn():
                self._answers.append(self._spawn(effect))
            case Signal():
                self._signal(self.processes[effect.invocation], effect)
            case RunStopCommand():
                self._run_stop_command(self.processes[effect.invocation])
            case StartProbe(purpose="ready"):
                self._probe_readiness(self.processes[effect.invocation])
            case StartProbe():
                self._probe_health(self.processes[effect.invocation])
            case StopProbes():
                self.processes[effect.invocation].probed.clear()
            case SetTimer():
                self.later(effect.at, lambda: self._fire(effect))
            case StartCheck():
                self._look(effect)
            case CancelTimer() | StopCheck():
                pass
            case _:
                self._do_more(effect)

    def _do_more(self, effect: Effect) -> None:
        match effect:
            case ReadValues():
                self._answers.append(self._read_values(self.processes[effect.invocation]))
            case Answer():
                self.answers[effect.call] = effect
            case Report():
                self.reports[effect.call] = effect
            case WatchScript():
                self.scripts[effect.unit] = effect.invocation
            case _:
                raise AssertionError(effect)

    def _fire(self, effect: SetTimer) -> None:
        if self.rules.timers.get(effect.timer) == effect.at:
            self.tell(TimerFired(at=self.now, timer=effect.timer))

    def _look(self, effect: StartCheck) -> None:
        unit = effect.unit
        number = self._looked[unit] = self._looked.get(unit, 0) + 1
        looks = self.looks.get(unit) or [Look()]
        look = looks[min(number, len(looks)) - 1]
        verdict = look.forced if effect.is_forced else look.verdict
        reason, runs_if = (look.reason, look.runs_if) if verdict == look.verdict else ("", ())
        about: dict[str, Any] = {"unit": unit, "check": effect.check, "verdict": verdict, "reason": reason, "runs_if": runs_if}
        about["gives"] = look.gives if verdict == "unneeded" else {}
        if look.takes:
            self.later(self.now + look.takes, lambda: self._tell_check(CheckEnded(at=self.now, **about)))
        else:
            self._answers.append(CheckEnded(at=self.now, **about))

    def _tell_check(self, fact: CheckEnded) -> None:
        if self.rules.checks.get(fact.unit) == fact.check:
            self.tell(fact)

    def _spawn(self, effect: Spawn) -> Observed:
        unit, invocation = effect.unit, effect.invocation
        lives = self.lives.get(unit) or [Life(runs=1.0)]
        number = self._spawned[unit] = self._spawned.get(unit, 0) + 1
        life = lives[min(number, len(lives)) - 1]
        if life.fails_at:
            reason = f"cannot run: {life.fails_at}"
            return SpawnFailed(at=self.now, unit=unit, invocation=invocation, stage=life.fails_at, reason=reason, luck=life.luck)
        process = self.processes[invocation] = Process(unit, invocation, life)
        self.later(self.now + life.runs, lambda: self._exit(process, life.exit))
        for after, seconds in life.extends:
            self._from(process, after, TimeoutExtended(at=self.now + after, unit=unit, invocation=invocation, seconds=seconds))
        for after, text in life.says:
            self._from(process, after, StatusReported(at=self.now + after, unit=unit, invocation=invocation, text=text))
        return ProcessSpawned(at=self.now, unit=unit, invocation=invocation, pid=next(self._numbers))

    def _from(self, process: Process, after: float, fact: Observed) -> None:
        """A program speaks, if its main process is still there."""
        self.later(self.now + after, lambda: self.tell(fact) if process.main_is_there else None)

    # ------------------------------------------------------------------ the programs

    def _exit(self, process: Process, how: int | str) -> None:
        if not process.main_is_there:
            return
        process.main_is_there = False
        left, life = process.others_are_there, process.life
        if left:
            self.later(self.now + life.leaves, lambda: self._end_others(process))
        code, signal = (how, None) if isinstance(how, int) else (None, how)
        about: dict[str, Any] = {"unit": process.unit, "invocation": process.invocation, "exit_code": code, "signal": signal}
        given: dict[str, Any] = {} if code else {"gives": life.gives, "fault": life.fault}
        self.tell(ProcessExited(at=self.now, **about, **given, cpu=0.1, max_rss=1, left=left, luck=life.luck))

    def _read_values(self, process: Process) -> Observed:
        life, about = process.life, {"unit": process.unit, "invocation": process.invocation}
        return ValuesRead(at=self.now, **about, gives={} if life.fault else life.gives, fault=life.fault)

    def _end_others(self, process: Process) -> None:
        if process.others_are_there:
            process.others_are_there = False
            if not process.main_is_there:
                unit, invocation = process.unit, process.invocation
                self.tell(TreeEnded(at=self.now, unit=unit, invocation=invocation, luck=process.life.luck))

    def _signal(self, process: Process, effect: Signal) -> None:
        life, signal = process.life, effect.signal
        if signal == "SIGKILL":
            if not life.immortal:
                self.later(self.now, lambda: self._die(process))
            return
        self.later(self.now + life.obeys, lambda: self._exit(process, signal))
        if effect.to == "tree" and life.left_obey:
            self.later(self.now + life.obeys, lambda: self._end_others(process))

    def _die(self, process: Process) -> None:
        if process.main_is_there:
            process.others_are_there = False
            self._exit(process, "SIGKILL")
        else:
            self._end_others(process)

    def _run_stop_command(self, process: Process) -> None:
        def end() -> None:
            if process.life.stop_command_ends_it:
                self._exit(process, 0)
            self.tell(StopCommandEnded(at=self.now, unit=process.unit, invocation=process.invocation))

        self.later(self.now + process.life.stop_command, end)

    def _probe_readiness(self, process: Process) -> None:
        process.probed.add("ready")

        def answer() -> None:
            if "ready" in process.probed:
                process.probed.discard("ready")
                self.tell(ProbeSucceeded(at=self.now, unit=process.unit, invocation=process.invocation, purpose="ready"))

        self.later(self.now + process.life.ready, answer)

    def _probe_health(self, process: Process) -> None:
        process.probed.add("health")
        unit, invocation = process.unit, process.invocation

        def answer(is_well: bool) -> None:
            if "health" not in process.probed:
                return
            if is_well:
                self.tell(ProbeSucceeded(at=self.now, unit=unit, invocation=invocation, purpose="health"))
            else:
                self.tell(ProbeFailed(at=self.now, unit=unit, invocation=invocation, reason="no answer"))

        for second, is_well in enumerate(process.life.health, start=1):
            self.later(self.now + second, lambda is_well=is_well: answer(is_well))  # type: ignore[misc]
