"""Passes calls that are not for us on to the agent's own socket, both ways, whatever they are.

Every call gets a connection of its own to the agent. What one side says is said to the other as it came: the codec only
gives it the stream that it has there.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping

from ..rpc.connection import ClientConnection
from ..rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, Event, MessageReceived
from .callers import Call
from .poller import Poller
from .wire import Wire

DEFAULT_AGENT_SOCKET = "/tmp/coder-agent.sock"  # noqa: S108
AGENT_GONE = "the agent closed the connection"
"""What the caller is told where the agent goes in the middle of a call."""


def agent_socket_path(environment: Mapping[str, str], own: str) -> str:
    """Where the agent's socket would be: what the supervisor was started with, unless that is our own, else the usual place."""
    given = environment.get("CODER_AGENT_SOCKET_PATH", "")
    return given if given and given != own else DEFAULT_AGENT_SOCKET


class AgentSocket:
    """The way to the agent. ``own`` is the path of the supervisor's socket, to which it must not lead."""

    def __init__(self, environment: Mapping[str, str], own: str) -> None:
        self.path = agent_socket_path(environment, own)
        self._own = own

    def connect(self) -> socket.socket:
        """A connection to the agent, made without waiting. Raises ``OSError`` where nobody takes it.

        A link at the agent's place may lead to us, and a call passed on would come back for ever. The name of the other end is
        the one that its owner gave it (unix(7)), whichever way led there.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            sock.connect(self.path)
            if sock.getpeername() == self._own:
                raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        except OSError:
            sock.close()
            raise
        return sock


class Relay:
    """One call, between its caller and the agent. It owns the connection to the agent."""

    def __init__(self, poller: Poller, agent: socket.socket, call: Call) -> None:
        self._call = call
        self._rpc = ClientConnection()
        self._wire = Wire(poller, agent, self._receive)
        call.hear = self._from_caller
        self._stream, invoke = self._rpc.open(call.rpc, call.metadata)
        self._wire.write(invoke)

    def _from_caller(self, event: Event) -> None:
        self._wire.write(self._rpc.relay(self._stream, event))
        if isinstance(event, CallCancelled | ErrorReceived | ConnectionEnded):
            self._wire.close()

    def _receive(self, data: bytes) -> None:
        for event in self._rpc.receive(data):
            self._from_agent(event)

    def _from_agent(self, event: Event) -> None:
        connection, stream = self._call.connection, self._call.stream
        match event:
            case ConnectionEnded(error):
                connection.send(connection.rpc.send_error(stream, 0, error or AGENT_GONE))
            case CallCancelled() if self._rpc.has_ended:
                return  # the end of the connection, which comes next, says why
            case _:
                connection.send(connection.rpc.relay(stream, event))
        if not isinstance(event, MessageReceived):
            self._wire.close()
