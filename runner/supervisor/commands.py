"""Serves what people ask for by hand: start, stop, restart, retry, reload.

A request becomes an event for the engine, like everything that happens, so none is ever refused because of another. The
engine reports in the same step what that sets in motion, and that is the answer; whoever wants to know how it goes on follows
the stream of events. ``at`` in the answer is the moment of the request: what has become of a unit since then comes after it.

Only where unit files are read anew there is something to be done before the engine hears of it. That is done in a thread, one
reading after the other. Whoever asks while one goes on may have written something that it has passed already, and waits for
the next one, together with all others who do: so nobody waits for more than two, however many ask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import DecodeError, Struct
from msgspec.json import Encoder, decode
from msgspec.structs import replace

from ..core.effect import ReloadUnit, Report
from ..core.names import hint_for
from ..core.observed import (
    ControlRequested,
    ReloadRequested,
    RestartRequested,
    RetryRequested,
    StartRequested,
    StopRequested,
    UnitsReloaded,
)
from ..errors import Problem
from ..rpc.methods import RELOAD, RESTART, RETRY, START, STOP

if TYPE_CHECKING:
    from ..unitfile import Loaded
    from .callers import Call
    from .supervisor import Supervisor
    from .unit_files import UnitFiles

_encode = Encoder().encode


class Request(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What somebody asks for. A field that is not known is refused: without it, a request may mean everything."""

    units: tuple[str, ...] = ()
    """Units, or groups for all of their members."""
    reason: str = "by hand"
    """Why, for those who read later why a unit was stopped."""
    restart: bool = False
    """Where unit files are read anew: restart the units that have changed."""


class Refused(Struct, frozen=True, omit_defaults=True):
    """Why nothing was done."""

    what: str
    hint: str = ""
    is_wrong_use: bool = False
    """It asks for what is not there, and would be refused at any time."""


class Answer(Struct, frozen=True, omit_defaults=True):
    """What a request has set in motion."""

    at: float = 0.0
    """The moment of the request, in seconds since the run began."""
    units: tuple[str, ...] = ()
    """The units that are concerned, in the order in which it is their turn."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """How the unit files differ from what they said."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with them."""
    failed: dict[str, str] = {}
    """Units that could not be told to reload, each with the reason."""
    refused: Refused | None = None


class _Pending(Struct, frozen=True):
    """A call that was not answered yet."""

    call: Call
    at: float
    loaded: Loaded | None


class CommandService:
    """The requests that wait for the engine's report, or for a reload to be done, by number."""

    def __init__(self, supervisor: Supervisor, files: UnitFiles) -> None:
        self._supervisor = supervisor
        self._files = files
        self._calls = 0
        self._pending: dict[int, _Pending] = {}
        self._reloads: dict[int, dict[str, str | None]] = {}
        """Of each reload the units, with why they could not be told: empty, they were; None, they are being told."""
        self._is_telling = False
        """Some units of a reload were told, and others are about to be."""
        self._readers: list[tuple[Call, Request]] = []
        """Who waits for the next reading of the unit files."""
        self._is_reading = False
        self._methods: dict[str, Callable[[Call, Request], None]] = {
            START.path: self._start,
            STOP.path: self._stop,
            RESTART.path: self._restart,
            RETRY.path: self._retry,
            RELOAD.path: self._reload,
        }
        supervisor.deeds[Report] = self._report
        supervisor.deeds[ReloadUnit] = self._reload_unit

    def serves(self, rpc: str) -> bool:
        """Whether this service has a method of this path."""
        return rpc in self._methods

    def serve(self, call: Call, body: bytes) -> None:
        """Take a request; the answer comes now or later."""
        try:
            request = decode(body, type=Request)
        except DecodeError as error:
            call.refuse(f"cannot understand the request: {error}")
            return
        if refused := self._find_unknown(request.units):
            self._say(call, Answer(refused=refused))
        else:
            self._methods[call.rpc](call, request)

    def _find_unknown(self, names: tuple[str, ...]) -> Refused | None:
        """Why one of these names cannot be meant, if that is so."""
        graph = self._supervisor.engine.graph
        for name in names:
            if not graph.select([name]):
                hint = hint_for(name, graph.units, 'see "runner list"; what is new in the unit files: "runner reload"')
                return Refused(f'cannot find unit or group "{name}" in this run', hint, is_wrong_use=True)
        return None

    # ---------------------------------------------------------------- requests

    def _start(self, call: Call, request: Request) -> None:
        self._ask(call, partial(StartRequested, units=request.units))

    def _stop(self, call: Call, request: Request) -> None:
        self._ask(call, partial(StopRequested, units=request.units, reason=f"stopped {request.reason}"))

    def _restart(self, call: Call, request: Request) -> None:
        self._ask(call, partial(RestartRequested, units=request.units, reason=f"restarted {request.reason}"))

    def _retry(self, call: Call, request: Request) -> None:
        self._ask(call, partial(RetryRequested, units=request.units))

    def _reload(self, call: Call, request: Request) -> None:
        if not request.units:
            self._readers.append((call, request))
            if not self._is_reading:
                self._read_files()
            return
        self._is_telling = True
        number = self._ask(call, partial(ReloadRequested, units=request.units))
        self._is_telling = False
        self._answer_reload(number)

    def _ask(self, call: Call, make: Callable[..., ControlRequested], loaded: Loaded | None = None) -> int:
        """Let the engine hear of a request; it reports before this returns."""
        self._calls += 1
        at = self._supervisor.now()
        self._pending[self._calls] = _Pending(call, at, loaded)
        self._supervisor.observe(make(at=at, call=self._calls))
        return self._calls

    def _say(self, call: Call, answer: Answer) -> None:
        """Give an answer without secrets, those too that only a run knows of: of an env-file."""
        if secrets := self._supervisor.secrets:
            from ..core.mask_value import mask_value
            from ..unitfile.secrets import mask_problem

            problems = tuple(mask_problem(problem, secrets) for problem in answer.problems)
            answer = mask_value(replace(answer, problems=problems), secrets.mask_text)
        call.answer(_encode(answer))

    def _report(self, report: Report) -> None:
        pending = self._pending.pop(report.call, None)
        if pending is None:
            return
        if pending.loaded and not report.refusal:
            self._files.loaded = pending.loaded
        answer = Answer(
            at=pending.at,
            units=report.units,
            added=report.added,
            changed=report.changed,
            removed=report.removed,
            problems=tuple(pending.loaded.problems) if pending.loaded else (),
            refused=Refused(report.refusal) if report.refusal else None,
        )
        self._say(pending.call, answer)

    def _read_files(self) -> None:
        """Read the unit files for all who have asked by now."""
        readers, self._readers = self._readers, []
        self._is_reading = True

        def take(loaded: Loaded) -> None:
            self._is_reading = False
            for call, request in readers:
                self._take_files(call, request, loaded)
            if self._readers and not self._is_reading:
                self._read_files()

        self._supervisor.work(self._files.read, take)

    def _take_files(self, call: Call, request: Request, loaded: Loaded) -> None:
        """Files with mistakes change nothing; what is sound takes the place of what was."""
        if loaded.errors:
            self._say(call, Answer(problems=tuple(loaded.problems)))
            return
        units = tuple(loaded.graph.units.values())
        self._supervisor.secrets.declare(units)
        self._ask(call, partial(UnitsReloaded, units=units, restart=request.restart), loaded)

    # ---------------------------------------------------------------- a unit's own way to reload

    def _reload_unit(self, order: ReloadUnit) -> None:
        """Have a unit told, by a signal or by a command of its own, which may take a while."""
        told = self._reloads.setdefault(order.call, {})
        told[order.unit] = None
        self._supervisor.invocations[order.unit].reload(partial(self._was_told, order))

    def _was_told(self, order: ReloadUnit, failure: str) -> None:
        self._reloads[order.call][order.unit] = failure
        self._answer_reload(order.call)

    def _answer_reload(self, number: int) -> None:
        """Answer when all units were told. A request that was refused has its answer already."""
        told = self._reloads.get(number, {})
        if self._is_telling or number not in self._pending or any(failure is None for failure in told.values()):
            return
        pending = self._pending.pop(number)
        self._reloads.pop(number, None)
        failed = {unit: failure for unit, failure in told.items() if failure}
        self._say(pending.call, Answer(at=pending.at, units=tuple(told), failed=failed))
