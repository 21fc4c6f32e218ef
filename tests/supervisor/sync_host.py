"""A sync socket that is served in this thread: a test says something to it, lets it have its turns, and hears the answer.

Nothing here waits: what a peer says is in the kernel when the supervisor's turn comes, and the answer is when it is over.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.core.engine import Engine
from runner.core.graph import link
from runner.core.unit import Unit
from runner.rpc.connection import ClientConnection
from runner.rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, MessageReceived, SendClosed
from runner.rpc.methods import PING, Method
from runner.rpc.proto import Message
from runner.supervisor.endpoint import Endpoint
from runner.supervisor.journal import new_run_id
from runner.supervisor.paths import StatePaths
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.sync_socket import SyncSocket

from .harness import deadline
from .sync_site import files_of


class Host:
    """A supervisor with its socket, and no loop but :meth:`turn`."""

    def __init__(self, supervisor: Supervisor, path: str) -> None:
        self.supervisor = supervisor
        self.path = path

    def turn(self) -> None:
        """Let the supervisor do all that it has to do now."""
        while self.supervisor.turn():
            pass

    def connect(self) -> Peer:
        """A new peer."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)
        sock.setblocking(False)
        return Peer(self, sock)

    def call(self, method: Method, request: Message | None = None) -> bytes | str | None:
        """What is answered to one call over a connection of its own: a message, the text of an error, or nothing (yet)."""
        with self.connect() as peer:
            return peer.call(method.path, bytes(request) if request else b"")

    def pings(self) -> bool:
        """Whether somebody who asks gets an answer."""
        return self.call(PING) == b""


@dataclass
class Peer:
    """The other end of a connection."""

    host: Host
    sock: socket.socket
    is_over: bool = False
    """The server has hung up."""

    def __post_init__(self) -> None:
        self.rpc = ClientConnection()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()
        self.host.turn()

    def say(self, data: bytes) -> None:
        """Send, as fast as the server takes it."""
        while data and not self.is_over:
            try:
                data = data[self.sock.send(data) :]
            except BlockingIOError:
                self.host.turn()
            except OSError:
                self.is_over = True
        self.host.turn()

    def hear(self) -> bytes:
        """All that comes by now."""
        heard = bytearray()
        while True:
            self.host.turn()
            try:
                data = self.sock.recv(65_536)
            except BlockingIOError:
                return bytes(heard)
            except OSError:
                data = b""
            if not data:
                self.is_over = True
                return bytes(heard)
            heard += data

    def begin(self, rpc: str, request: bytes = b"") -> None:
        """Make a call; its answer is :meth:`answer`."""
        self.say(self.rpc.call(rpc, request)[1])

    def call(self, rpc: str, request: bytes = b"") -> bytes | str | None:
        """Make a call, and what is answered to it by now."""
        self.begin(rpc, request)
        return self.answer()

    def answer(self) -> bytes | str | None:
        """A message, the text of an error, or None: nothing yet."""
        answer: bytes | str | None = None
        heard = self.hear()
        for event in self.rpc.receive(heard) if heard else ():
            match event:
                case MessageReceived(_, data):
                    answer = data
                case ErrorReceived():
                    answer = event.text
                case SendClosed(stream):
                    self.say(self.rpc.close(stream))
                case CallCancelled() | ConnectionEnded():
                    raise AssertionError(event)
        return answer


@contextmanager
def hosted(*units: Unit, agent: str = "/no/agent.sock", keep: bool = True) -> Iterator[Host]:
    """A supervisor of these units that serves, and is closed at the end."""
    with TemporaryDirectory(prefix="runner-") as root, deadline():
        endpoint = Endpoint(f"{root}/r/s")
        environment = {"XDG_RUNTIME_DIR": root, "PATH": os.environ["PATH"], "CODER_AGENT_SOCKET_PATH": agent}
        graph, problems = link(units)
        assert not problems
        run = new_run_id()
        engine = Engine(graph, run=run, keep=keep)
        supervisor = Supervisor(engine, run=run, paths=StatePaths(f"{root}/state"), environment=environment)
        sync = SyncSocket(supervisor, endpoint, files_of(graph))
        try:
            supervisor.begin("0", ())
            yield Host(supervisor, endpoint.path)
        finally:
            sync.close()
            supervisor.abandon()
            for invocation in supervisor.invocations.values():
                if invocation.is_running:  # as good as dead, but close() waits for nobody
                    os.waitid(os.P_PID, invocation.pid, os.WEXITED | os.WNOWAIT)
            supervisor.close()
            endpoint.close()
        assert list(Path(root, "r").iterdir()) == []


@contextmanager
def peers(host: Host, number: int) -> Iterator[list[Peer]]:
    """So many peers at a time; those whom the server does not accept wait in its queue."""
    made: list[Peer] = []
    try:
        for _ in range(number):
            made.append(host.connect())
            if len(made) % 64 == 0:
                host.turn()
        yield made
    finally:
        for peer in made:
            with suppress(OSError):
                peer.sock.close()
        host.turn()
