"""A small agent on a socket of its own, in the thread of the supervisor that is tested against it."""

from __future__ import annotations

import socket
from pathlib import Path

from runner.rpc.event import Event, Invoked, MessageReceived, SendClosed
from runner.supervisor.poller import Poller
from runner.supervisor.wire import Wire
from tests.rpc.service import TEST, Graph, Session

CHAT = "/agent.v9.Agent/Chat"
"""An rpc of days to come: each message is answered, in capitals, until there are no more."""
SLOW = f"{TEST}/Slow"
"""One that is answered when the agent says so."""
CODE = f"{TEST}/Code"
"""One that is refused, with a code and a text."""


class Visit(Session):
    """One connection to the agent."""

    def serve(self, event: Event) -> None:
        match event:
            case Invoked(stream, rpc, _) if rpc == CHAT:
                self.calls[stream] = event
            case MessageReceived(stream, data) if self._is_chat(stream):
                self.said += self.connection.send_message(stream, data.upper())
            case SendClosed(stream) if self._is_chat(stream):
                self.said += self.connection.close_send(stream)
            case _:
                super().serve(event)

    def _is_chat(self, stream: int) -> bool:
        return stream in self.calls and self.calls[stream].rpc == CHAT


class Agent:
    """Listens until it goes. Its memory goes with it, unless another is given the same graph."""

    def __init__(self, poller: Poller, path: Path, graph: Graph | None = None) -> None:
        self.graph = graph or Graph()
        self.path = path
        self.visits: list[Visit] = []
        self._poller = poller
        self._wires: list[Wire] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        poller.add(self._listener.fileno(), self._accept)

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.go()

    @property
    def heard(self) -> list[Event]:
        """All that it has heard, connection by connection."""
        return [event for visit in self.visits for event in visit.events]

    @property
    def calls(self) -> list[str]:
        """The rpcs that were called, by the last part of their paths."""
        return [event.rpc.rpartition("/")[2] for event in self.heard if isinstance(event, Invoked)]

    def has_heard(self, kind: type[Event]) -> bool:
        return any(isinstance(event, kind) for event in self.heard)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        visit = Visit(self.graph)
        self.visits.append(visit)

        def receive(data: bytes) -> None:
            visit.hear(data)
            if visit.error is not None:
                wire.close()
            self.speak()

        wire = Wire(self._poller, sock, receive)
        self._wires.append(wire)

    def speak(self) -> None:
        """Say what there is to say."""
        for visit, wire in zip(self.visits, self._wires, strict=True):
            wire.write(visit.said)
            visit.said = b""

    def say(self, data: bytes) -> None:
        """Say these bytes on the last connection, whatever they mean."""
        self._wires[-1].write(data)

    def release(self) -> None:
        """Answer what is held."""
        for visit in self.visits:
            visit.release()
        self.speak()

    def cancel(self) -> None:
        """Give up the call of the last connection."""
        visit = self.visits[-1]
        self.say(visit.connection.cancel(max(visit.calls, default=1)))

    def hang_up(self) -> None:
        """Close all connections, and stay."""
        for wire in self._wires:
            wire.close()

    def go(self) -> None:
        """Be gone, and leave no socket."""
        self.hang_up()
        if self._listener.fileno() >= 0:
            self._poller.remove(self._listener.fileno())
            self._listener.close()
            self.path.unlink()
