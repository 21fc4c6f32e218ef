"""A small service with the semantics of the reference, for connections under test to answer from."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from runner.rpc.connection import ServerConnection
from runner.rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, Event, Invoked, MessageReceived, SendClosed
from runner.rpc.messages import (
    DependencyInfo,
    Empty,
    SyncListResponse,
    SyncReadyResponse,
    SyncStatusResponse,
    SyncWantRequest,
    UnitInfo,
    UnitRequest,
)
from runner.rpc.methods import METHODS, NO_REQUEST, SYNC_COMPLETE, SYNC_LIST, SYNC_READY, SYNC_START, SYNC_STATUS, say_unknown
from runner.rpc.proto import STRING, Message, ProtoError, parse_message

TEST = "/ref.Test"
"""The service with which the reference server was tried."""
ONE_REQUEST = {*METHODS, *(f"{TEST}/{name}" for name in ("Code", "EmptyError", "Meta", "Slow", "Stubborn"))}


class Text(Message):
    """What the test service asks and answers."""

    FIELDS = {1: ("text", STRING)}
    text: str = ""


class Pair(Message):
    FIELDS = {1: ("key", STRING), 2: ("value", STRING)}
    key: str = ""
    value: str = ""


class Metadata(Message):
    """What InvokeMetadata holds."""

    FIELDS = {1: ("pairs", Pair)}
    pairs: tuple[Pair, ...] = ()


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


@dataclass
class Graph:
    """Units, how far they are, and what they wait for."""

    status: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, list[str]] = field(default_factory=dict)

    def run(self, verb: str, *names: str) -> None:
        """One verb as the command line has it."""
        if verb == "want":
            for name in names[1:]:
                self.want(names[0], name)
        else:
            {"start": self.start, "complete": self.complete}[verb](*names)

    def is_ready(self, unit: str) -> bool:
        return all(self.status.get(name) == "completed" for name in self.wanted.get(unit, []))

    def reaches(self, start: str, goal: str) -> bool:
        return start == goal or any(self.reaches(name, goal) for name in self.wanted.get(start, []))

    def want(self, unit: str, name: str) -> None:
        self.status.setdefault(unit, "pending")
        if self.reaches(name, unit):
            edge = f"adding edge ({unit} -> {name}): cycle detected"
            raise Refusal(f'cannot add dependency: adding edge for unit "{unit}": failed to add dependency\n{edge}')
        self.wanted.setdefault(unit, []).append(name)

    def start(self, unit: str) -> None:
        self.status.setdefault(unit, "pending")
        if not self.is_ready(unit):
            raise Refusal(f'cannot start unit "{unit}": unit not ready')
        self.move("start", unit, "started")

    def complete(self, unit: str) -> None:
        if unit not in self.status:
            raise Refusal(f'cannot complete unit "{unit}": unit "{unit}" must be registered first: unit not found')
        self.move("complete", unit, "completed")

    def move(self, verb: str, unit: str, status: str) -> None:
        if self.status[unit] == status:
            raise Refusal(f'cannot {verb} unit "{unit}": checking status for unit "{unit}": same status already set')
        self.status[unit] = status

    def describe(self, unit: str) -> SyncStatusResponse:
        infos = (
            DependencyInfo(unit, name, "completed", self.status.get(name, ""), self.status.get(name) == "completed")
            for name in sorted(self.wanted.get(unit, []))
        )
        return SyncStatusResponse(self.status.get(unit, ""), self.is_ready(unit), tuple(infos))


@dataclass
class Session:
    """One connection that is served. What it has to say collects in ``said``."""

    graph: Graph = field(default_factory=Graph)
    held: Container[str] = (f"{TEST}/Slow", f"{TEST}/Stubborn")
    """The rpcs that are answered when :meth:`release` says so."""
    limit: int = 4 * 1_048_576
    events: list[Event] = field(default_factory=list)
    said: bytes = b""
    calls: dict[int, Invoked] = field(default_factory=dict)
    waiting: dict[int, tuple[Invoked, bytes]] = field(default_factory=dict)
    """The calls that are held, with their requests."""

    def __post_init__(self) -> None:
        self.connection = ServerConnection(ONE_REQUEST, limit=self.limit)

    @property
    def error(self) -> str | None:
        """How the client broke the protocol; empty where it went away, None while it is there."""
        last = self.events[-1] if self.events else None
        return last.error if isinstance(last, ConnectionEnded) else None

    def hear(self, data: bytes) -> None:
        for event in self.connection.receive(data):
            self.events.append(event)
            self.serve(event)

    def serve(self, event: Event) -> None:
        match event:
            case Invoked(stream, rpc, _):
                self.calls[stream] = event
                if rpc not in ONE_REQUEST:
                    self.said += self.connection.send_error(stream, 0, say_unknown(rpc))
            case MessageReceived(stream, data):
                call = self.calls.pop(stream)
                if call.rpc in self.held:
                    self.waiting[stream] = call, data
                else:
                    self.answer(call, data)
            case SendClosed(stream) if stream in self.calls:
                self.said += self.connection.send_error(stream, 0, NO_REQUEST)
            case CallCancelled(stream, _) | ErrorReceived(stream, _) if stream in self.waiting:
                del self.waiting[stream]

    def release(self) -> None:
        """Answer what is held."""
        while self.waiting:
            _, (call, request) = self.waiting.popitem()
            self.answer(call, request)

    def answer(self, call: Invoked, request: bytes) -> None:
        try:
            answer = handle(self.graph, call, request)
        except Refusal as error:
            self.said += self.connection.send_error(call.stream, error.code, error.text)
        except ProtoError as error:
            self.said += self.connection.send_error(call.stream, 0, str(error))
        else:
            self.said += self.connection.answer(call.stream, bytes(answer))


def handle(graph: Graph, call: Invoked, request: bytes) -> Message:
    """The answer to one request."""
    if call.rpc.startswith(f"{TEST}/"):
        return handle_test(call, request)
    asked = parse_message(METHODS[call.rpc].request or Empty, request)
    if isinstance(asked, SyncWantRequest):
        graph.want(asked.unit, asked.depends_on)
    elif isinstance(asked, UnitRequest):
        return handle_unit(graph, call.rpc, asked.unit)
    elif call.rpc == SYNC_LIST.path:
        units = (UnitInfo(unit, status, graph.is_ready(unit)) for unit, status in graph.status.items())
        return SyncListResponse(tuple(units))
    return Empty()


def handle_unit(graph: Graph, rpc: str, unit: str) -> Message:
    match rpc:
        case SYNC_START.path:
            graph.start(unit)
        case SYNC_COMPLETE.path:
            graph.complete(unit)
        case SYNC_READY.path:
            return SyncReadyResponse(graph.is_ready(unit))
        case SYNC_STATUS.path:
            return graph.describe(unit)
    return Empty()


def handle_test(call: Invoked, request: bytes) -> Message:
    text = parse_message(Text, request).text
    match call.rpc.rpartition("/")[2]:
        case "Code":
            code, _, words = text.partition(":")
            raise Refusal(words, int(code))
        case "EmptyError":
            raise Refusal("")
        case "Slow" | "Stubborn":
            return Text("slept")
    pairs = parse_message(Metadata, call.metadata).pairs
    return Text(";".join(sorted(f"{pair.key}={pair.value}" for pair in pairs)))
