"""A workspace's agent, as far as it matters to what it starts: a process that runs one startup command, and later stops it.

The command gets pipes instead of a terminal and a process group of its own. Of what it writes, so much is kept, and the rest
is read and thrown away. The startup is over when the command has ended *and* nobody holds its pipe any more; who still does
after a moment has made a failure of it, whatever the exit status. Until then everything else waits.

To stop, the agent sends SIGHUP to the group, and SIGKILL when the grace is over.

Run as ``agent.py LOG GRACE COMMAND...`` it tells of all this in lines of JSON, and takes the end of its standard input as the
word to stop.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

LOG_LIMIT = 1024 * 1024
"""Bytes of a log that are kept."""
PIPE_PATIENCE = 0.5
"""Seconds from the end of a command until its pipe has to be closed."""


class _Startup:
    """The startup command under way."""

    def __init__(self, command: list[str], log: IO[bytes]) -> None:
        self._log = log
        self._room = LOG_LIMIT
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        assert self.process.stdout
        self._pipe = self.process.stdout.fileno()
        self._end = os.pidfd_open(self.process.pid)
        self.is_open = True
        """Whether somebody holds its pipe."""
        self._selector = selectors.DefaultSelector()
        for descriptor in (self._pipe, self._end, sys.stdin.fileno()):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def wait(self, seconds: float | None, *, for_pipe: bool = False, for_word: bool = False) -> None:
        """Read what comes until the command has ended (or its pipe, or somebody says stop), for so many seconds."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self.is_open if for_pipe else self.process.poll() is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left < 0:
                return
            ready = [key.fd for key, _ in self._selector.select(left)]
            if for_word and sys.stdin.fileno() in ready:
                return
            if self._pipe in ready:
                self._read()
            if self._end in ready:
                self._selector.unregister(self._end)
                self.process.wait()

    def _read(self) -> None:
        data = os.read(self._pipe, 65_536)
        if not data:
            self.is_open = False
            self._selector.unregister(self._pipe)
        self._log.write(data[: self._room])
        self._log.flush()
        self._room -= min(len(data), self._room)
        print(json.dumps({"logged": len(data)}), flush=True)

    def no_more_words(self) -> None:
        """The word to stop has come."""
        self._selector.unregister(sys.stdin.fileno())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def main(log: str, grace: str, *command: str) -> None:
    """Be the agent."""
    with Path(log).open("wb") as file:
        startup = _Startup(list(command), file)
        startup.wait(None, for_word=True)
        if startup.process.poll() is not None:
            startup.no_more_words()
            startup.wait(PIPE_PATIENCE, for_pipe=True)
            told = {"status": startup.process.returncode, "open": startup.is_open}
            print(json.dumps({**told, "succeeded": told == {"status": 0, "open": False}}), flush=True)
            sys.stdin.read()
            return
        startup.no_more_words()
        begun = time.monotonic()
        startup.signal(signal.SIGHUP)
        startup.wait(float(grace))
        was_killed = startup.process.poll() is None
        startup.signal(signal.SIGKILL)
        startup.process.wait()
        startup.wait(PIPE_PATIENCE, for_pipe=True)
        took = time.monotonic() - begun
        print(json.dumps({"status": startup.process.returncode, "killed": was_killed, "took": took}), flush=True)


class Agent:
    """The agent, for a test that has one."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log

    def told(self) -> dict[str, Any]:
        """How it tells that the startup command ended, or was ended."""
        while "logged" in (told := self._next()):
            pass
        return told

    def wait_logged(self, text: str) -> None:
        """Wait until the log has a text."""
        while text not in self.log.read_text():
            assert "logged" in self._next(), self.log.read_text()

    def _next(self) -> dict[str, Any]:
        assert self.process.stdout
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def stop(self) -> dict[str, Any]:
        """Let it stop what it runs, and hear how that went."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.told()


@contextmanager
def agent(root: Path, command: list[str], environment: dict[str, str], grace: float = 10.0) -> Iterator[Agent]:
    """An agent that runs a startup command, on a machine that has no ``coder``."""
    path = [place for place in environment.get("PATH", os.defpath).split(":") if not Path(place, "coder").exists()]
    log = root / "startup.log"
    log.touch()
    pipe = subprocess.PIPE
    line = [sys.executable, __file__, str(log), str(grace), *command]
    with subprocess.Popen(line, env={**environment, "PATH": ":".join(path)}, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Agent(process, log)
        finally:
            process.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
