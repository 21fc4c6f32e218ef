"""A process that was spawned here: watched by its pidfd, reaped with wait4, its output read to the end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

from msgspec import Struct

from .output import Output
from .poller import Poller
from .spawn import note_reaped


class Exit(Struct, frozen=True):
    """How a process ended, and what it and its descendants that were waited for have used (getrusage(2))."""

    exit_code: int | None = None
    signal: str | None = None
    cpu: float = 0.0
    """Seconds, user and system."""
    max_rss: int = 0
    """Bytes of the largest process."""


class Child:
    """A process and its output, from the spawn until the one is reaped and the other at its end.

    The two ends are independent: a grandchild may hold the pipe for long after the process is gone, and is read meanwhile.
    """

    def __init__(
        self,
        poller: Poller,
        process: subprocess.Popen[bytes],
        output: Output,
        on_exit: Callable[[Exit], None],
        on_output: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_output`` is called when something was read, however much that was."""
        self.pid = process.pid
        self.output = output
        self.is_running = True
        self._poller = poller
        self._process = process
        self._on_exit = on_exit
        self._on_output = on_output
        self._pidfd = os.pidfd_open(process.pid)
        poller.add(self._pidfd, self._exited)
        poller.add(output.fileno(), self.read_output)

    def read_output(self) -> None:
        """Take what is there, without waiting for more: a pipe holds less than one read takes."""
        if self.output.fileno() < 0:
            return
        is_open = self.output.read()
        self._on_output()
        if not is_open:
            self._close_output()

    def _exited(self) -> None:
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = code = os.waitstatus_to_exitcode(status)
        note_reaped(self.pid)
        self._forget()
        self.read_output()  # what it wrote last belongs to it
        cpu = usage.ru_utime + usage.ru_stime
        max_rss = usage.ru_maxrss * 1024
        self._on_exit(Exit(None, signal_name(-code), cpu, max_rss) if code < 0 else Exit(code, None, cpu, max_rss))

    def close(self) -> None:
        """Let go of both, for a supervisor that ends. A process that is gone already is reaped."""
        self.read_output()
        self._close_output()
        if self.is_running:
            pid, status, _ = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                note_reaped(self.pid)
            self._forget()

    def _forget(self) -> None:
        self.is_running = False
        self._poller.remove(self._pidfd)
        os.close(self._pidfd)

    def _close_output(self) -> None:
        if self.output.fileno() >= 0:
            self._poller.remove(self.output.fileno())
            self.output.close()


def signal_name(number: int) -> str:
    """``SIGTERM`` for 15; real-time signals have no name of their own."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
