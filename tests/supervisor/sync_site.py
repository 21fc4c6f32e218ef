"""A supervisor with a sync socket and no loop: it has its turns while a test waits for something, all in one thread.

So clients, scripts and the agent that a test brings meet it in an order that the test decides.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from runner.core.engine import Engine
from runner.core.event import Decided, UnitEvent
from runner.core.graph import Graph, link
from runner.core.observed import StopRequested
from runner.core.unit import Unit
from runner.rpc.connection import ClientConnection
from runner.rpc.event import ConnectionEnded, ErrorReceived, Event, MessageReceived
from runner.rpc.messages import SyncStatusResponse, UnitRequest
from runner.rpc.methods import SYNC_STATUS, Method
from runner.rpc.proto import Message, parse_message
from runner.supervisor.endpoint import Endpoint
from runner.supervisor.paths import StatePaths
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.sync_socket import SyncSocket
from runner.supervisor.tree import Census, send_signal
from runner.supervisor.unit_files import UnitFiles
from runner.supervisor.wire import Wire
from runner.unitfile import Loaded

from .harness import deadline, no_descriptor_left, no_process_left

PATIENCE = 20
"""Seconds after which a test hangs; most take a tenth of one."""

E = TypeVar("E", bound=UnitEvent)
_numbers = count(1)


class Site:
    """What a test has in its hands while the supervisor serves."""

    def __init__(self, root: Path, supervisor: Supervisor, endpoint: Endpoint) -> None:
        self.root = root
        self.supervisor = supervisor
        self.path = endpoint.path
        self.events: list[Decided] = []
        self.scripts: list[subprocess.Popen[str]] = []
        supervisor.listeners.append(lambda events, _: self.events.extend(events))

    def until(self, condition: Callable[[], object], *descriptors: int) -> None:
        """Let the supervisor have its turns until something is so. Descriptors are looked at too, besides its own."""
        supervisor = self.supervisor
        while True:
            while supervisor.turn():
                pass
            if condition():
                return
            next_at = supervisor.timers.next_at()
            timeout = None if next_at is None else max(next_at - supervisor.now(), 0)
            select.select([supervisor.poller.fileno(), *descriptors], [], [], timeout)

    def settle(self) -> None:
        """Let everything come to pass that waits for nothing."""
        self.until(lambda: True)

    def beat(self) -> None:
        """Do now what the loop would do over and over."""
        for _, call in self.supervisor.periodic:
            call()

    def of(self, kind: type[E], unit: str) -> list[E]:
        """The events of a kind, of one unit."""
        return [event for event in self.events if isinstance(event, kind) and event.unit == unit]

    def until_decided(self, kind: type[E], unit: str, count: int = 1) -> E:
        """Wait for an event of a unit, or for so many of them; the last."""
        self.until(lambda: len(self.of(kind, unit)) >= count)
        return self.of(kind, unit)[-1]

    def run(self, text: str, *, leads: bool = True) -> subprocess.Popen[str]:
        """Start a bash script that has the stand-in as ``coder``, as the leader of a session or in that of the supervisor."""
        script = subprocess.Popen(
            ["bash", "-euc", f'sync() {{ coder exp sync "$@"; }}\n{text}'],
            cwd=self.root,
            env={"PATH": f"{self.path}.bin:{os.environ['PATH']}", "RUNNER_SOCKET": self.path},
            start_new_session=leads,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.scripts.append(script)
        return script

    def finish(self, script: subprocess.Popen[str]) -> int:
        """Wait for the end of a script and let that be known; its exit status, negative where a signal ended it."""
        pidfd = os.pidfd_open(script.pid)
        self.until(lambda: script.poll() is not None, pidfd)
        os.close(pidfd)
        self.settle()
        return script.returncode


def files_of(graph: Graph) -> UnitFiles:
    """The files that declare these units, in a directory that is not there."""
    return UnitFiles(lambda: [Path("units")], {}, Loaded(graph, [], {name: f"units/{name}.toml" for name in graph.units}))


@contextmanager
def served(*units: Unit, agent: str = "/nowhere", bridge: bool = False) -> Iterator[Site]:
    """Serve these units until the block is left; then stop them. Nothing is left of it."""
    graph, faults = link(units)
    assert not faults
    run = f"site{os.getpid()}-{next(_numbers)}"
    with TemporaryDirectory(prefix="s", dir="/tmp") as name, deadline(PATIENCE), no_process_left(run), no_descriptor_left():
        environment = {**os.environ, "XDG_RUNTIME_DIR": name, "CODER_AGENT_SOCKET_PATH": agent}
        with closing(Endpoint(f"{name}/runner/runner.sock")) as endpoint:
            supervisor = Supervisor(Engine(graph, run=run, keep=True), run=run, paths=StatePaths(name), environment=environment)
            site = Site(Path(name), supervisor, endpoint)
            try:
                supervisor.offer_socket(endpoint.path)
                supervisor.begin("0", ())
                with closing(SyncSocket(supervisor, endpoint, files_of(graph), has_bridge=bridge)):
                    yield site
                    supervisor.observe(StopRequested(at=supervisor.now(), reason="the test is over"))
                    site.until(lambda: supervisor.engine.is_over)
            finally:
                supervisor.close()
                _end(site.scripts)


def _end(scripts: list[subprocess.Popen[str]]) -> None:
    for script in scripts:
        for pid in Census().session(script.pid):
            send_signal(pid, signal.SIGKILL)
        with script:
            script.kill()


class Caller:
    """A client of the socket, in the same thread: says something, and hears while the supervisor has its turns.

    ``path`` is another of its sockets, ``uid`` somebody else to be while connecting, which is when the kernel looks.
    """

    def __init__(self, site: Site, path: str | None = None, uid: int | None = None) -> None:
        self.events: list[Event] = []
        self.rpc = ClientConnection()
        self._site = site
        sock = socket.socket(socket.AF_UNIX)
        before = os.geteuid()
        os.seteuid(before if uid is None else uid)
        try:
            sock.connect(path or site.path)
        except OSError:
            sock.close()
            raise
        finally:
            os.seteuid(before)
        self.wire = Wire(site.supervisor.poller, sock, self._receive)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def _receive(self, data: bytes) -> None:
        for event in self.rpc.receive(data):
            self.events.append(event)
            if isinstance(event, ConnectionEnded):
                self.wire.close()

    def open(self, rpc: str, metadata: bytes = b"") -> int:
        """Begin a call; its stream."""
        stream, data = self.rpc.open(rpc, metadata)
        self.wire.write(data)
        return stream

    def call(self, method: Method | str, request: Message | bytes = b"") -> int:
        """Make a whole call, and wait for nothing; its stream."""
        stream, data = self.rpc.call(method if isinstance(method, str) else method.path, bytes(request))
        self.wire.write(data)
        return stream

    def of(self, stream: int) -> list[Event]:
        """What was heard in a call."""
        return [event for event in self.events if getattr(event, "stream", 0) == stream]

    def hear(self, kind: type[Event], count: int = 1) -> None:
        """Wait for so many events of a kind."""
        self._site.until(lambda: sum(isinstance(event, kind) for event in self.events) >= count)

    def ask(self, method: Method | str, request: Message | bytes = b"") -> bytes | str:
        """Make a call and wait for its end: the answer, or the text of the error."""
        stream = self.call(method, request)
        self._site.until(lambda: self.of(stream))
        event = self.of(stream)[0]
        assert isinstance(event, MessageReceived | ErrorReceived), event
        return event.data if isinstance(event, MessageReceived) else event.text

    def state(self, unit: str) -> str:
        """How far a unit is, in the words of the wire."""
        answer = self.ask(SYNC_STATUS, UnitRequest(unit))
        assert isinstance(answer, bytes), answer
        return parse_message(SyncStatusResponse, answer).status
