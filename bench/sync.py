"""The sync socket: how long scripts wait after their release, what a thousand of them cost, and whether anything is left.

Clients speak to a supervisor in a process of its own. A *waiter* is a connection that says what a script says: ``want``, then
the wait, then ``start``. A thousand of them are in this process, for a thousand processes would measure the machine; where
``start`` itself is measured, it is a process.
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from runner.rpc.client import Client
from runner.rpc.connection import ClientConnection
from runner.rpc.event import Event, MessageReceived
from runner.rpc.failure import CallError, CannotConnect
from runner.rpc.messages import SyncWantRequest, UnitRequest
from runner.rpc.methods import PING, REACH, SNAPSHOT, SYNC_COMPLETE, SYNC_READY, SYNC_START, SYNC_STATUS, SYNC_WANT, WAIT, Method

from .figure import Figure, Measure
from .timing import RUNNER, CannotMeasure, Spread, alternate, ratios, time_command

SECTION = "sync socket"
WAITERS = 1_000
PROCESSES = 50
CONNECTIONS = 10_000
WARM_UP = 1_000
"""Connections that do not count: after them the supervisor has what it keeps."""
SETTLING = 0.05
"""Seconds that a process has from saying that it waits until it does."""
ONE_UNIT = {"there": 'command = ["/bin/true"]\n'}
PATIENCE = 10.0
"""Seconds that a supervisor has to serve."""

RELEASE_AIM = 0.020
ABANDON_AIM = 0.100
MEMORY_AIM = 150_000_000
GROWTH_AIM = 1_000_000


@dataclass
class Found:
    """One round."""

    release_median: float = 0.0
    release_max: float = 0.0
    all_went_on: float = 0.0
    peak_memory: float = 0.0
    one_start: float = 0.0
    processes: float = 0.0
    abandoned: float = 0.0
    connection: float = 0.0
    memory_growth: float = 0.0
    descriptor_growth: float = 0.0


ROWS: dict[str, tuple[str, Measure, float | None]] = {
    "one_start": ("release of a waiting start process", "ms", RELEASE_AIM),
    "release_median": (f"release, median of {WAITERS} waiters", "ms", None),
    "release_max": (f"release, last of {WAITERS} waiters", "ms", None),
    "all_went_on": (f"until all {WAITERS} have started", "ms", None),
    "peak_memory": (f"memory of the supervisor, {WAITERS} waiters", "MB", MEMORY_AIM),
    "processes": (f"until {PROCESSES} start processes have ended", "ms", None),
    "abandoned": ("kill of a script to failure of its waiters", "ms", ABANDON_AIM),
    "connection": ("a connection with one call", "ms", None),
    "memory_growth": (f"memory more after {CONNECTIONS} connections", "MB", GROWTH_AIM),
    "descriptor_growth": (f"descriptors more after {CONNECTIONS} connections", "", 0.0),
}
PING_NAME = "runner sync ping"
BARE = "python -S -c pass"


def measure(scratch: Path, env: Mapping[str, str], rounds: int) -> list[Figure]:
    """All of it, over so many rounds after one that does not count, each with a supervisor of its own."""
    found = [_round(scratch / f"sync-{turn}", env) for turn in range(rounds + 1)][1:]
    values = {name: [getattr(one, name) for one in found] for name in ROWS}
    figures = [Figure(SECTION, said, Spread.of(values[name]), unit, aim) for name, (said, unit, aim) in ROWS.items()]
    with serving(scratch / "sync-ping", env) as supervisor:
        commands = {
            BARE: (sys.executable, "-S", "-c", "pass"),
            PING_NAME: (*RUNNER, "sync", "ping"),
            "coder exp sync ping": (supervisor.coder, "exp", "sync", "ping"),
        }
        timers = {name: partial(time_command, command, supervisor.env) for name, command in commands.items()}
        seconds = alternate(timers, 3 * rounds)
    for name in list(commands)[1:]:
        times = f"{median(seconds[name]) * 1000:.1f} ms against {median(seconds[BARE]) * 1000:.1f} ms"
        figures.append(Figure(SECTION, f"{name} / {BARE}", ratios(seconds[name], seconds[BARE]), "x", None, times))
    return figures


def _round(directory: Path, env: Mapping[str, str]) -> Found:
    found = Found()
    with serving(directory, env) as supervisor:
        found.connection, found.memory_growth, found.descriptor_growth = time_connections(supervisor)
        found.one_start = time_one_start(supervisor)
        found.abandoned = time_abandonment(supervisor)
        found.processes = time_processes(supervisor)
    with serving(directory / "waiters", env) as supervisor:
        releases, found.all_went_on = time_waiters(supervisor)
        found.release_median, found.release_max = median(releases), max(releases)
        found.peak_memory = supervisor.memory("VmHWM")
    return found


# ------------------------------------------------------------------ the supervisor


@dataclass
class Serving:
    """A supervisor that serves scripts, in a process of its own."""

    pid: int
    socket: str
    env: Mapping[str, str]

    @property
    def coder(self) -> str:
        """The stand-in that its units have."""
        return f"{self.socket}.bin/coder"

    def memory(self, which: str) -> int:
        """Bytes: ``VmRSS``, what it has now, or ``VmHWM``, the most that it had (proc_pid_status(5))."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{which}:"))

    def descriptors(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def tell(self, method: Method, request: UnitRequest | SyncWantRequest) -> None:
        """One call on a connection of its own."""
        with Client(self.socket) as client:
            client.call(method.path, bytes(request))


@contextmanager
def serving(directory: Path, env: Mapping[str, str], units: Mapping[str, str] = ONE_UNIT) -> Iterator[Serving]:
    """A supervisor with these units, until the block is left. Raises :class:`CannotMeasure` where it does not serve."""
    (directory / "units").mkdir(parents=True)
    for name, text in units.items():
        (directory / "units" / f"{name}.toml").write_text(text, encoding="utf-8")
    (directory / "run").mkdir(mode=0o700)
    path = str(directory / "run" / "runner.sock")
    env = {**env, "RUNNER_SOCKET": path}
    command = [*RUNNER, "up", "--keep", "--units", str(directory / "units"), "--output", "json"]
    with (
        (directory / "events").open("wb") as events,
        subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=events) as process,
    ):
        try:
            _wait_until_served(path, process)
            yield Serving(_pid_of(path), path, env)
        finally:
            process.send_signal(signal.SIGTERM)


def _pid_of(path: str) -> int:
    """The supervisor itself, which is not the process that was started: that one is its keeper."""
    with Client(path) as client:
        return int(json.loads(client.call(SNAPSHOT.path, b"{}"))["snapshot"]["run"]["pid"])


def _wait_until_served(path: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(CannotConnect), Client(path) as client:
            client.call(PING.path)
            return
        time.sleep(0.01)
    raise CannotMeasure(f'cannot measure the sync socket: nobody serves "{path}"')


# ------------------------------------------------------------------ what is timed


def time_connections(supervisor: Serving) -> tuple[float, float, float]:
    """Seconds for a connection with one call; bytes and descriptors that so many of them left in the supervisor."""
    for _ in range(WARM_UP):
        _ping(supervisor)
    memory, descriptors = supervisor.memory("VmRSS"), supervisor.descriptors()
    begin = time.perf_counter()
    for _ in range(CONNECTIONS):
        _ping(supervisor)
    seconds = (time.perf_counter() - begin) / CONNECTIONS
    time.sleep(SETTLING)  # the last of them may not be gone yet
    return seconds, max(supervisor.memory("VmRSS") - memory, 0), max(supervisor.descriptors() - descriptors, 0)


def _ping(supervisor: Serving) -> None:
    with Client(supervisor.socket) as client:
        client.call(PING.path)


@contextmanager
def _start(supervisor: Serving, unit: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ``start`` for a unit that has to wait, from when it waits; it has ended when the block is left."""
    command = [supervisor.coder, "exp", "sync", "start", unit]
    with subprocess.Popen(command, env=supervisor.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        yield process


def time_one_start(supervisor: Serving) -> float:
    """Seconds from the completion of a unit until the process that waited for it says that it goes on."""
    supervisor.tell(SYNC_WANT, SyncWantRequest("one", "gate-of-one"))
    with _start(supervisor, "one") as process:
        time.sleep(SETTLING)
        supervisor.tell(SYNC_START, UnitRequest("gate-of-one"))
        begin = time.perf_counter()
        supervisor.tell(SYNC_COMPLETE, UnitRequest("gate-of-one"))
        assert process.stdout
        said = process.stdout.readline()
        seconds = time.perf_counter() - begin
    if process.returncode or "finished waiting" not in said:
        raise CannotMeasure(f"cannot time a release: start ended with exit status {process.returncode} and said {said!r}")
    return seconds


def time_processes(supervisor: Serving) -> float:
    """Seconds from the completion of a unit until all processes that waited for it have ended."""
    with ExitStack() as stack:
        for number in range(PROCESSES):
            supervisor.tell(SYNC_WANT, SyncWantRequest(f"process-{number}", "gate-of-processes"))
            stack.enter_context(_start(supervisor, f"process-{number}"))
        time.sleep(SETTLING)
        supervisor.tell(SYNC_START, UnitRequest("gate-of-processes"))
        begin = time.perf_counter()
        supervisor.tell(SYNC_COMPLETE, UnitRequest("gate-of-processes"))
    return time.perf_counter() - begin


def time_abandonment(supervisor: Serving) -> float:
    """Seconds from SIGKILL to a script that has started a unit until somebody who waits for the unit hears of its failure."""
    script = f"{supervisor.coder} exp sync start doomed; read -r _"
    with subprocess.Popen(
        ["bash", "-c", script],
        env=supervisor.env,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        waiter = Waiter(supervisor.socket, "")
        waiter.say(REACH, UnitRequest("doomed"))
        with Client(supervisor.socket) as client:  # its answer says that the waiter was heard before
            client.call(SYNC_STATUS.path, bytes(UnitRequest("doomed")))
        begin = time.perf_counter()
        process.kill()
        waiter.hear()
        seconds = time.perf_counter() - begin
        waiter.close()
    with suppress(CallError):
        supervisor.tell(REACH, UnitRequest("doomed"))
        raise CannotMeasure("cannot time an abandonment: the unit was completed")
    return seconds


@dataclass
class Waiter:
    """A connection that waits for its unit to be released, and then starts it."""

    path: str
    unit: str
    rpc: ClientConnection = field(default_factory=ClientConnection)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)

    def say(self, method: Method, request: UnitRequest | SyncWantRequest) -> None:
        """Make a call, and wait for nothing."""
        self.socket.sendall(self.rpc.call(method.path, bytes(request))[1])

    def hear(self) -> list[Event]:
        """What comes next."""
        return list(self.rpc.receive(self.socket.recv(65_536)))

    def call(self, method: Method, request: UnitRequest | SyncWantRequest) -> None:
        """Make a call that is answered at once. Raises :class:`CannotMeasure` where the answer is an error."""
        self.say(method, request)
        answer = self.hear()
        if not isinstance(answer[0], MessageReceived):
            raise CannotMeasure(f'cannot time releases: {method.path} of "{self.unit}" is refused: {answer}')

    def close(self) -> None:
        self.socket.close()


def time_waiters(supervisor: Serving) -> tuple[list[float], float]:
    """Seconds from one completion until each of so many waiters hears of it, and until all have started their units."""
    waiters = [Waiter(supervisor.socket, f"unit-{number}") for number in range(WAITERS)]
    with selectors.DefaultSelector() as selector:
        for number, waiter in enumerate(waiters):
            waiter.call(SYNC_WANT, SyncWantRequest(waiter.unit, "gate"))
            waiter.say(WAIT if number % 2 else SYNC_READY, UnitRequest(waiter.unit))
            selector.register(waiter.socket, selectors.EVENT_READ, waiter)
        supervisor.tell(SYNC_START, UnitRequest("gate"))
        begin = time.perf_counter()
        supervisor.tell(SYNC_COMPLETE, UnitRequest("gate"))
        releases = _go_on(selector, begin)
        seconds = time.perf_counter() - begin
    for waiter in waiters:
        waiter.close()
    return releases, seconds


def _go_on(selector: selectors.BaseSelector, begin: float) -> list[float]:
    """Let each waiter start its unit as soon as it hears that it may; when each heard so."""
    releases: dict[str, float] = {}
    started = 0
    while started < WAITERS:
        for key, _ in selector.select():
            waiter: Waiter = key.data
            if waiter.unit in releases:
                started += any(isinstance(event, MessageReceived) for event in waiter.hear())
            elif any(isinstance(event, MessageReceived) for event in waiter.hear()):
                releases[waiter.unit] = time.perf_counter() - begin
                waiter.say(SYNC_START, UnitRequest(waiter.unit))
    return list(releases.values())
