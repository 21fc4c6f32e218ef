"""Runs ``runner up`` as people do, in a process of its own, on unit files that a test writes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import runner
from runner.supervisor.tree import Census, send_signal
from tests.supervisor.harness import NOBODY, PYTHON, deadline

RUNNER = (sys.executable, "-m", "runner")

Event = dict[str, Any]


class Workspace:
    """A directory of unit files with a state of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "state"
        (root / "units").mkdir()

    def write(self, **files: str) -> None:
        """Write unit files, each by its name without ``.toml``."""
        for name, text in files.items():
            (self.root / "units" / f"{name}.toml").write_text(text)

    def command(self, *options: str) -> list[str]:
        """The command line of ``runner up`` on these units."""
        return [*RUNNER, "up", "--units", str(self.root / "units"), "--state", str(self.state), *options]

    def environment(self) -> dict[str, str]:
        """That of this process, without what would lead to other units."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNNER_", "XDG_"))}
        own = {"HOME": str(self.root), "XDG_RUNTIME_DIR": str(self.root)}
        return {**kept, **own, "PYTHONPATH": str(Path(runner.__file__).parents[1])}

    def run(self, *options: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        with deadline():
            return subprocess.run(
                self.command(*options), env=self.environment(), cwd=self.root, capture_output=True, text=True, check=False, **how
            )

    def measure(self, out: Path, *options: str) -> tuple[int, int]:
        """Run to the end, the output to a file; the exit status, and the largest size in memory in bytes.

        A process counts as no smaller than whoever executed it (exec carries that over to getrusage(2)), so somebody small does.
        """
        code = "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:])\n"
        code += "print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
        command = [*PYTHON, code, *self.command(*options)]
        with deadline(), out.open("wb") as file:
            done = subprocess.run(
                command, env=self.environment(), cwd=self.root, stdout=file, stderr=subprocess.PIPE, text=True, check=False
            )
        status, size = done.stderr.split()
        return int(status), int(size) * 1024

    @contextmanager
    def start(self, *options: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
        """A run that goes on; whatever is left of it is killed at the end."""
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        process = subprocess.Popen(self.command(*options), env=self.environment(), cwd=self.root, text=True, **how)
        try:
            with deadline(), process:
                try:
                    yield process
                finally:
                    process.kill()
        finally:
            self.kill_leftovers()

    def kill_leftovers(self) -> None:
        """Whoever has this workspace as its home directory is ours."""
        for pid in self.left():
            send_signal(pid, signal.SIGKILL)

    def left(self) -> set[int]:
        """The processes of units that are still there."""
        runs = {journal.stem for journal in self.journals()}
        census = Census()
        return {pid for run in runs for pids in census.members_of_run(run).values() for pid in pids}

    def journals(self) -> list[Path]:
        """The journals of all runs, oldest first."""
        return sorted((self.state / "journal").glob("*.jsonl"))

    def journal(self) -> list[Event]:
        """The journal of the last run."""
        return parse(self.journals()[-1].read_text())

    def log(self, unit: str) -> Path:
        """The log of a unit."""
        return self.state / "logs" / f"{unit}.log"


def as_nobody(*arguments: str, cwd: str = "/") -> subprocess.CompletedProcess[str]:
    """The runner's command line, executed by somebody who is not root, and who may only read what that takes."""
    command = [*RUNNER, *arguments]
    if os.getuid() == 0:
        setpriv = shutil.which("setpriv") or pytest.skip("needs setpriv to become somebody else")
        reading = [f"--{sort}-caps=+dac_read_search" for sort in ("inh", "ambient")]
        command = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reading, *command]
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parents[1]), "HOME": "/"}
    with deadline():
        return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)


def parse(text: str) -> list[Event]:
    """Lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def read_until(process: subprocess.Popen[str], event: str, unit: str | None = None) -> list[Event]:
    """The events up to this one, as they come on the standard output."""
    assert process.stdout
    events: list[Event] = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == event and unit in (None, events[-1].get("unit")):
            return events
    raise AssertionError(f"no {event} of {unit} in {events}, stderr: {process.stderr and process.stderr.read()}")


def outcomes(events: list[Event]) -> Mapping[str, str]:
    """How each unit ended."""
    return {event["unit"]: event["outcome"] for event in events if event["event"] == "unit-ended"}


def of(events: list[Event], kind: str) -> list[str]:
    """The units that an event came for, in order."""
    return [event["unit"] for event in events if event["event"] == kind]


@contextmanager
def limited(which: int, value: int) -> Iterator[None]:
    """A limit for the processes that are started in here."""
    before = resource.getrlimit(which)
    resource.setrlimit(which, (value, before[1]))
    try:
        yield
    finally:
        with suppress(ValueError):
            resource.setrlimit(which, before)
