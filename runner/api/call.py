"""One call to a supervisor: what to say, and the answer out of what comes. It touches no socket."""

from __future__ import annotations

from ..rpc.connection import ClientConnection
from ..rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, MessageReceived, SendClosed
from ..rpc.failure import ErrorAnswered, NoAnswer


class Call:
    """A call that has a connection of its own."""

    def __init__(self, rpc: str, request: bytes) -> None:
        self._connection = ClientConnection()
        _, self.said = self._connection.call(rpc, request)
        """What to send."""

    def receive(self, data: bytes) -> bytes | None:
        """Take what came, where nothing means its end; the answer, if that was it. Raises ErrorAnswered or NoAnswer."""
        for event in self._connection.receive(data):
            match event:
                case MessageReceived():
                    return event.data
                case ErrorReceived():
                    raise ErrorAnswered(event.code, event.text)
                case SendClosed() | CallCancelled() | ConnectionEnded():
                    raise NoAnswer("cannot get an answer: the supervisor ended the call")
        return None
