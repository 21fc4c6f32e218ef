"""A real ``runner up`` with a sync socket, in a process and a directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import runner
from runner.supervisor.tree import Census, send_signal

from .harness import deadline

RUNNER = (sys.executable, "-m", "runner")


class Served:
    """A supervisor that serves. ``socket`` is its path."""

    def __init__(self, root: Path, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        assert process.stdout
        self.root = root
        self.process = process
        self.environment = environment
        self.began: dict[str, Any] = json.loads(process.stdout.readline())
        self.socket: str = self.began["socket"]
        self.lines: list[str] = []
        self.reader = Thread(target=self._drain, daemon=True)
        self.reader.start()

    def _drain(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)

    def run(self, *arguments: str, **how: Any) -> subprocess.CompletedProcess[Any]:
        """Run ``runner`` with these arguments to its end."""
        how = {"env": self.environment, "capture_output": True, "text": True, "check": False, "cwd": self.root, **how}
        return subprocess.run([*RUNNER, *arguments], **how)

    def log(self, unit: str) -> str:
        """What a unit wrote."""
        return next((self.root / "state").glob(f"**/logs/{unit}.log")).read_text()

    def left(self) -> set[int]:
        """The processes of units."""
        return {pid for pids in Census().members_of_run(self.began["run"]).values() for pid in pids}


def environment_of(root: Path) -> dict[str, str]:
    """That of this process, without what would lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNNER_", "CODER_", "XDG_"))}
    more = {"XDG_RUNTIME_DIR": str(root), "XDG_STATE_HOME": str(root / "state"), "HOME": str(root)}
    return {**kept, **more, "CODER_AGENT_SOCKET_PATH": "/no/agent.sock", "PYTHONPATH": str(Path(runner.__file__).parents[1])}


@contextmanager
def served(*options: str, units: dict[str, str] | None = None, **environment: str) -> Iterator[Served]:
    """``runner up --keep`` on these unit files; at the end it goes by SIGTERM, in order and without a word."""
    with TemporaryDirectory(prefix="runner-") as name, deadline():
        root = Path(name)
        (root / "units").mkdir()
        for unit, text in (units or {"done": 'command = "true"'}).items():
            (root / "units" / f"{unit}.toml").write_text(text)
        where = {**environment_of(root), **environment}
        command = [*RUNNER, "up", "--keep", "--output", "json", "--units", str(root / "units"), *options]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=where, cwd=root, stdout=pipe, stderr=pipe, text=True) as process:
            there = None
            try:
                there = Served(root, process, where)
                yield there
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    assert process.stderr
                    assert (process.stderr.read(), process.wait()) == ("", 143)
                    assert list((root / "runner").iterdir()) == []
            finally:
                process.kill()
                for pid in there.left() if there else ():
                    send_signal(pid, signal.SIGKILL)
