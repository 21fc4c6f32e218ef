"""A host for an invocation that has no engine: it keeps what it is told."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from runner.core.mask import Secrets
from runner.core.observed import Observed
from runner.core.unit import Unit
from runner.supervisor.environment import unit_environment
from runner.supervisor.invocation import Invocation
from runner.supervisor.notify import NotifySocket
from runner.supervisor.output import LogFile
from runner.supervisor.poller import Poller
from runner.supervisor.spawn import Setting
from runner.supervisor.tree import Birth, Census, send_signal

E = TypeVar("E", bound=Observed)


class FakeHost:
    """Keeps the facts in order; time stands still, and luck is even."""

    def __init__(self) -> None:
        self.poller = Poller()
        self.on_line: Callable[[str, bytes], None] | None = None
        self.on_output: list[Callable[[str], None]] = []
        self.on_values: list[Callable[[str, Mapping[str, str]], None]] = []
        self.secrets = Secrets()
        self.birth = Birth.now()
        self.facts: list[Observed] = []

    def observe(self, event: Observed) -> None:
        self.facts.append(event)

    def now(self) -> float:
        return 7.0

    def luck(self) -> float:
        return 0.5

    def census(self) -> Census:
        return Census()

    def run_until(self, kind: type[E], count: int = 1) -> E:
        """Have the news brought until there are so many facts of a kind; the last of them."""
        while len(found := [fact for fact in self.facts if isinstance(fact, kind)]) < count:
            select.select([self.poller], [], [])
            self.poller.dispatch()
        return found[count - 1]


@contextmanager
def invoked(host: FakeHost, unit: Unit, root: Path, extra: Mapping[bytes, bytes] = {}, notify: str = "") -> Iterator[Invocation]:
    """An invocation that is let go at the end. A name of a notify socket makes one."""
    name = f"fake{os.getpid()}-{id(host)}.1"
    socket = NotifySocket(notify) if notify else None
    environment = {**unit_environment({b"PATH": os.environb[b"PATH"]}, unit, name, 1), **extra}
    if socket:
        environment[b"NOTIFY_SOCKET"] = os.fsencode(notify)
    log = LogFile(f"{root}/log", 1_000_000, 1)
    invocation = Invocation(host, unit, name, Setting(environment, unit.cwd or None), log, socket)
    try:
        yield invocation
    finally:
        for pid in Census().members(invocation.pid, name):
            send_signal(pid, signal.SIGKILL)
        if invocation._main.is_running:
            os.waitid(os.P_PID, invocation.pid, os.WEXITED | os.WNOWAIT)
        invocation.close()
        host.poller.close()
