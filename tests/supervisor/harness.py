"""Runs a supervisor in this process on units that are values, with real processes, and holds every run to what all promise.

After each run: the journal, read back and folded, is the snapshot that the supervisor had; no process of the run is left, no
child unreaped, no descriptor open that was not open before. What a test wants in the middle of a run it asks for in reaction
to an event, so nothing here waits for a time to pass.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, TypeVar

import pytest

from runner.core.engine import Engine
from runner.core.event import Decided, UnitEnded, UnitEvent, UnitReady, UnitStarted, UnitStarting
from runner.core.graph import link
from runner.core.observed import KillRequested, StopRequested
from runner.core.snapshot import Snapshot, UnitView, fold
from runner.core.unit import Command, Dependency, Kind, Unit
from runner.supervisor.cgroup import ControlGroups
from runner.supervisor.journal import read_journal
from runner.supervisor.loop import run_to_end
from runner.supervisor.paths import StatePaths
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.tree import Census, send_signal

PATIENCE = 60
"""Seconds after which a run hangs; most take a tenth of one."""
PYTHON = (sys.executable, "-S", "-E", "-c")

_numbers = count(1)

React = Callable[[Supervisor, Decided], None]
E = TypeVar("E", bound=UnitEvent)


def make(name: str, command: str | Sequence[str] | Command = "", after: Iterable[str | Dependency] = (), **more: Any) -> Unit:
    """A unit. A string is run by the shell, a list is an argv; without a command it is a target."""
    if isinstance(command, str):
        command = Command(shell=command)
    elif not isinstance(command, Command):
        command = Command(argv=tuple(command))
    dependencies = tuple(Dependency(unit=one) if isinstance(one, str) else one for one in after)
    kind: Kind = more.pop("kind", "oneshot" if command != Command() else "target")
    return Unit(name=name, kind=kind, command=command if command != Command() else None, after=dependencies, **more)


def service(name: str, command: str | Sequence[str] | Command, after: Iterable[str | Dependency] = (), **more: Any) -> Unit:
    """A service."""
    return make(name, command, after, kind="service", **more)


def python(code: str) -> Command:
    """A Python program that starts quickly."""
    return Command(argv=(*PYTHON, code))


@dataclass
class Ran:
    """What a run came to."""

    state: Path
    snapshot: Snapshot = field(default_factory=Snapshot)
    events: list[Decided] = field(default_factory=list)
    tails: dict[str, list[str]] = field(default_factory=dict)
    """The last lines of each unit's output, as they were when it ended."""
    stopped_by: signal.Signals | None = None

    def __getitem__(self, unit: str) -> UnitView:
        return self.snapshot.units[unit]

    @property
    def outcome(self) -> str:
        """How the run ended."""
        assert self.snapshot.ended
        return self.snapshot.ended.outcome

    def outcomes(self) -> dict[str, str | None]:
        """How each unit ended."""
        return {name: view.outcome for name, view in self.snapshot.units.items()}

    def of(self, kind: type[E], unit: str | None = None) -> list[E]:
        """The events of a kind, of one unit or of all."""
        return [event for event in self.events if isinstance(event, kind) and unit in (None, event.unit)]

    def place(self, kind: type[UnitEvent], unit: str) -> int:
        """Where in the run such an event of a unit stands for the first time."""
        return next(place for place, event in enumerate(self.events) if isinstance(event, kind) and event.unit == unit)

    def log(self, unit: str) -> bytes:
        """All that a unit wrote."""
        return Path(self[unit].log).read_bytes()

    def text(self, unit: str) -> str:
        """The same as text, without the last newline."""
        return self.log(unit).decode().rstrip("\n")


def nothing(_: Supervisor, __: Decided) -> None:
    """No reaction."""


def supervise(
    state: Path,
    *units: Unit,
    react: React = nothing,
    prepare: Callable[[Supervisor], None] = lambda _: None,
    names: Sequence[str] = (),
    jobs: int | None = None,
    fail_fast: bool = False,
    environment: Mapping[str, str] = os.environ,
    has_journal: bool = True,
) -> Ran:
    """Run units to their end, and see that the run kept its promises."""
    graph, faults = link(units)
    assert not faults
    run = f"test{os.getpid()}-{next(_numbers)}"
    ran = Ran(state)
    with TemporaryDirectory(prefix="r", dir="/tmp") as runtime, deadline(), no_process_left(run), no_descriptor_left():
        supervisor = Supervisor(
            Engine(graph, run=run, jobs=jobs, fail_fast=fail_fast),
            run=run,
            paths=StatePaths(str(state)),
            environment={**environment, "XDG_RUNTIME_DIR": runtime},
        )

        def listen(events: Sequence[Decided], _: bytes) -> None:
            for event in events:
                ran.events.append(event)
                if isinstance(event, UnitEnded):
                    ran.tails[event.unit] = supervisor.tail(event.unit)
                react(supervisor, event)

        supervisor.listeners.append(listen)
        try:
            prepare(supervisor)
            supervisor.begin("0", names)
            run_to_end(supervisor)
        finally:
            supervisor.close()
        assert list(Path(runtime).glob("runner/*")) == []
    ran.snapshot = supervisor.snapshot
    ran.stopped_by = supervisor.stopped_by
    if has_journal:
        recorded = read_journal(state / "journal" / f"{run}.jsonl")
        assert recorded == ran.events
        assert fold(recorded) == supervisor.snapshot
    return ran


@contextmanager
def deadline(seconds: int = PATIENCE) -> Iterator[None]:
    """Whatever hangs in here, hangs not for ever."""

    def give_up(_: int, __: FrameType | None) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def no_process_left(run: str) -> Iterator[None]:
    """Whoever is left of a run at its end is killed, and the test fails."""
    try:
        yield
    finally:
        left = {pid for pids in Census().members_of_run(run).values() for pid in pids}
        for pid in left:
            send_signal(pid, signal.SIGKILL)
        unreaped = []
        with suppress(ChildProcessError):
            while pair := os.waitpid(-1, 0 if left else os.WNOHANG):
                unreaped.append(pair)
    assert not left
    assert not unreaped


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Descriptors are closed that were opened in here; the one of /dev/null is kept for good."""
    before = open_files()
    yield
    assert {fd: name for fd, name in open_files().items() if before.get(fd) != name} == {}


def open_files() -> dict[int, str]:
    """The open descriptors of this process, and what they are open for."""
    files = {}
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            files[int(entry.name)] = str(entry.readlink())
    return {fd: name for fd, name in files.items() if name != "/dev/null"}


# ---------------------------------------------------------------- reactions


def stop(supervisor: Supervisor, *units: str) -> None:
    """Ask for the end of units, or of everything."""
    supervisor.observe(StopRequested(at=supervisor.now(), units=units, reason="stopped by hand"))


def kill(supervisor: Supervisor) -> None:
    """Ask for the end of everything at once."""
    supervisor.observe(KillRequested(at=supervisor.now(), reason="killed by hand"))


def on(kind: type[UnitEvent], unit: str, do: Callable[[Supervisor], None] = stop) -> React:
    """Do something as soon as such an event of a unit is decided, by default stop everything."""

    def react(supervisor: Supervisor, event: Decided) -> None:
        if isinstance(event, kind) and event.unit == unit:
            do(supervisor)

    return react


# ---------------------------------------------------------------- what runs must keep


def assert_order(ran: Ran, units: Iterable[Unit]) -> None:
    """No unit was started before all that it waits for had ended or was ready."""
    there: set[str] = set()
    after = {unit.name: {dependency.unit for dependency in unit.after} for unit in units}
    for event in ran.events:
        if isinstance(event, UnitEnded | UnitReady):
            there.add(event.unit)
        elif isinstance(event, UnitStarting | UnitStarted):
            assert after[event.unit] <= there


def is_there(pid: int) -> bool:
    """Whether a process lives, and is not merely unreaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


NOBODY = 65_534
"""A user who owns nothing (``nobody``)."""


def _has_groups() -> bool:
    """Whether control groups can be made here. To find out, one is made."""
    groups = ControlGroups(f"test{os.getpid()}")
    groups.get_ready()
    groups.close()
    return not groups.why_not


needs_groups = pytest.mark.skipif(not _has_groups(), reason="no control groups of version 2 can be made here")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
