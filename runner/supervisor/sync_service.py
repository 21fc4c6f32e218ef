"""Serves the sync socket: a call becomes an event for the engine, and the engine's answer becomes bytes.

What the answers mean is decided in ``core/sync.py``; how they are said, to the letter, stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from ..core.effect import Answer, Refusal
from ..core.observed import SyncAwaited, SyncCompleted, SyncFailed, SyncForgotten, SyncStarted, SyncWanted
from ..rpc.messages import (
    DependencyInfo,
    Empty,
    SyncFailRequest,
    SyncListResponse,
    SyncReadyResponse,
    SyncStatusResponse,
    SyncWantRequest,
    UnitInfo,
    UnitRequest,
)
from ..rpc.methods import (
    FAIL,
    LONGEST_NAME,
    METHODS,
    PING,
    REACH,
    SYNC_COMPLETE,
    SYNC_LIST,
    SYNC_READY,
    SYNC_START,
    SYNC_STATUS,
    SYNC_WANT,
    WAIT,
)
from ..rpc.proto import Message, ProtoError, parse_message
from ..rpc.quote import quote

if TYPE_CHECKING:
    from .callers import Call
    from .supervisor import Supervisor

HOLD = 30.0
"""Seconds that an answer of SyncReady is held, where it would be no."""

MOST_FIELDS = 10_000
"""Fields of a request that are read. The largest packet has room for millions, which would take seconds."""
_LONGEST_REASON = 4_096
"""Characters of why a unit has failed; the rest is left out."""
_ONLY_ASK = {SYNC_READY.path, SYNC_STATUS.path, WAIT.path}
"""What is asked about a name that nobody has brought leaves nothing behind, so it may be of any length."""

Until = Literal["may-start", "reached"]
Say = Callable[[Refusal], str]


class SyncService:
    """The calls that wait for the engine's answer, by number."""

    def __init__(self, supervisor: Supervisor, declared_in: Callable[[str], str]) -> None:
        """``declared_in`` names the file of a declared unit."""
        self._supervisor = supervisor
        self._declared_in = declared_in
        self._calls = 0
        self._pending: dict[int, tuple[Call, Message, Say]] = {}
        self._methods: dict[str, Callable[[Call, Message], None]] = {
            PING.path: lambda call, _: call.answer(b""),
            SYNC_WANT.path: self._want,
            SYNC_START.path: self._start,
            SYNC_COMPLETE.path: self._complete,
            SYNC_READY.path: self._ready,
            SYNC_STATUS.path: self._status,
            SYNC_LIST.path: self._list,
            WAIT.path: self._wait,
            REACH.path: self._reach,
            FAIL.path: self._fail,
        }

    def serves(self, rpc: str) -> bool:
        """Whether this service has a method of this path."""
        return rpc in self._methods

    def serve(self, call: Call, request: bytes) -> None:
        """Take a request; the answer comes now or later."""
        try:
            message = parse_message(METHODS[call.rpc].request or Empty, request, most_fields=MOST_FIELDS)
        except ProtoError as error:
            call.refuse(str(error))
            return
        length = max(len(getattr(message, field, "")) for field in ("unit", "depends_on"))
        if length > LONGEST_NAME and call.rpc not in _ONLY_ASK:
            call.refuse(f"cannot use a unit name of {length} characters: it has at most {LONGEST_NAME}")
        else:
            self._methods[call.rpc](call, message)

    def answer(self, answer: Answer) -> None:
        """Give the engine's answer to whoever waits for it."""
        pending = self._pending.pop(answer.call, None)
        if pending is None:
            return
        call, message, say = pending
        if answer.refusal:
            call.refuse(say(answer.refusal))
        else:
            call.answer(bytes(message))

    # ---------------------------------------------------------------- methods

    def _want(self, call: Call, request: Message) -> None:
        assert isinstance(request, SyncWantRequest)
        number = self._expect(call, Empty(), lambda refusal: self._say_want(request, refusal))
        at, peer = self._supervisor.now(), call.connection.peer
        event = SyncWanted(at=at, call=number, unit=request.unit, peer=peer, depends_on=request.depends_on)
        self._supervisor.observe(event)

    def _start(self, call: Call, request: Message) -> None:
        assert isinstance(request, UnitRequest)
        number = self._expect(call, Empty(), lambda refusal: self._say("start", request.unit, refusal))
        at, peer = self._supervisor.now(), call.connection.peer
        self._supervisor.observe(SyncStarted(at=at, call=number, unit=request.unit, peer=peer))

    def _complete(self, call: Call, request: Message) -> None:
        assert isinstance(request, UnitRequest)
        number = self._expect(call, Empty(), lambda refusal: self._say("complete", request.unit, refusal))
        at, peer = self._supervisor.now(), call.connection.peer
        self._supervisor.observe(SyncCompleted(at=at, call=number, unit=request.unit, peer=peer))

    def _fail(self, call: Call, request: Message) -> None:
        assert isinstance(request, SyncFailRequest)
        number = self._expect(call, Empty(), lambda refusal: self._say("fail", request.unit, refusal))
        at, peer = self._supervisor.now(), call.connection.peer
        reason = self._supervisor.secrets.mask_text(request.reason)[:_LONGEST_REASON]  # no half of a secret is left at the end
        self._supervisor.observe(SyncFailed(at=at, call=number, unit=request.unit, peer=peer, reason=reason))

    def _ready(self, call: Call, request: Message) -> None:
        """Old clients ask this each second until it is true; the answer that would be no is held, so one question does."""
        assert isinstance(request, UnitRequest)
        number = self._await(call, request, "may-start")
        if number in self._pending:
            self._supervisor.call_at(self._supervisor.now() + HOLD, lambda: self._hold_no_longer(number))

    def _hold_no_longer(self, number: int) -> None:
        call = self._pending[number][0] if number in self._pending else None
        if call and call.forget:
            call.forget()
            call.answer(bytes(SyncReadyResponse(ready=False)))

    def _wait(self, call: Call, request: Message) -> None:
        assert isinstance(request, UnitRequest)
        self._await(call, request, "may-start")

    def _reach(self, call: Call, request: Message) -> None:
        assert isinstance(request, UnitRequest)
        self._await(call, request, "reached")

    def _await(self, call: Call, request: UnitRequest, until: Until) -> int:
        message = SyncReadyResponse(ready=True)
        number = self._expect(call, message, _say_not_ready)
        at, unit = self._supervisor.now(), request.unit

        def forget() -> None:
            self._pending.pop(number, None)
            self._supervisor.observe(SyncForgotten(at=self._supervisor.now(), call=number, unit=unit))

        call.forget = forget
        self._supervisor.observe(SyncAwaited(at=at, call=number, unit=unit, peer=call.connection.peer, until=until))
        return number

    def _status(self, call: Call, request: Message) -> None:
        assert isinstance(request, UnitRequest)
        if not request.unit:
            call.refuse(_NO_NAME_TO_CHECK)
            return
        state, said = self._supervisor.engine.sync_state(request.unit), self._supervisor.secrets.mask_text
        dependencies = tuple(
            DependencyInfo(said(state.unit), said(edge.depends_on), "completed", edge.current, edge.is_satisfied)
            for edge in state.dependencies
        )
        call.answer(bytes(SyncStatusResponse(state.state, state.is_ready, dependencies)))

    def _list(self, call: Call, _: Message) -> None:
        said = self._supervisor.secrets.mask_text
        states = self._supervisor.engine.sync_states()
        call.answer(bytes(SyncListResponse(tuple(UnitInfo(said(state.unit), state.state, state.is_ready) for state in states))))

    def _expect(self, call: Call, message: Message, say: Say) -> int:
        """Number a call that the engine will answer, with what is said then."""
        self._calls += 1
        self._pending[self._calls] = (call, message, say)
        return self._calls

    # ---------------------------------------------------------------- texts

    def _say_want(self, request: SyncWantRequest, refusal: Refusal) -> str:
        unit, dependency = request.unit, request.depends_on
        match refusal.why:
            case "no name":
                return 'cannot add dependency: registering unit "": unit name is required'
            case "no dependency name":
                return "cannot add dependency: dependency name cannot be empty: unit name is required"
            case "cycle":
                said = f"cannot add dependency: adding edge for unit {quote(unit)}: failed to add dependency\n"
                said += f"adding edge ({unit} -> {dependency}): cycle detected"
                return f"{said}\n{refusal.about}" if refusal.about else said
        return f"cannot add dependency to unit {quote(unit)}: {self._say_declared(unit)}"

    def _say(self, verb: str, unit: str, refusal: Refusal) -> str:
        cannot = f"cannot {verb} unit {quote(unit)}: "
        match refusal.why:
            case "no name" if verb == "start":
                return 'SyncStart: registering unit "": unit name is required'
            case "no name":
                return cannot + f"updating status for unit {quote(unit)}: unit name is required"
            case "not ready":
                return cannot + "unit not ready"
            case "same status":
                return cannot + f"checking status for unit {quote(unit)}: same status already set"
            case "not found":
                return cannot + f"unit {quote(unit)} must be registered first: unit not found"
            case "impossible":
                return cannot + refusal.about
            case "not a script":
                return cannot + "it fails by the exit status of its command"
        return cannot + self._say_declared(unit)

    def _say_declared(self, unit: str) -> str:
        return f"it is declared in {self._declared_in(unit)}"


_NO_NAME_TO_CHECK = "cannot check readiness: unit ID cannot be empty: unit name is required"


def _say_not_ready(refusal: Refusal) -> str:
    return _NO_NAME_TO_CHECK if refusal.why == "no name" else refusal.about
