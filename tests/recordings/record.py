"""Records runs of the real ``runner up`` with real processes: ``python -m tests.recordings.record [NAME...]``.

Each becomes a file of the stream that watchers get: the lines of the journal, and between them what the units wrote. What
belongs to the machine (process ids, paths, the date) is replaced, so that a recording tells of the run alone.
"""

from __future__ import annotations

import gzip
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import runner
from runner.supervisor.output import TAIL_LINES

from .workloads import WORKLOADS, Workload, write_toml

HERE = Path(__file__).parent
BEGAN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RUN = "20260105T090000-1000"
LOOK_EVERY = 0.1
"""Seconds from one look into the logs to the next."""
LONGEST = 60.0
"""Seconds after which a run is stopped, whatever it waits for."""
LARGE = 500_000
"""Bytes from which on a recording is compressed."""

Line = dict[str, Any]


class Recorder:
    """One run, its journal and its output as they come."""

    def __init__(self, root: Path, workload: Workload) -> None:
        self.root = root
        self.workload = workload
        self.lines: list[Line] = []
        self.begun_at = time.time()
        """The wall clock at the run's beginning."""
        self._read: dict[str, int] = {}
        """How many bytes of each log were read."""
        self._tails: dict[str, list[str]] = {}
        """The last lines of each unit's latest invocation."""
        self._logs: dict[str, str] = {}
        """The log of each unit that runs."""
        self._stop_at = LONGEST
        (root / "run").mkdir(mode=0o700)
        self.socket = str(root / "run" / "runner.sock")

    def record(self) -> list[Line]:
        """Run it to its end."""
        for name, unit in self.workload.units.items():
            file = self.root / "units" / f"{name}.toml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(write_toml(unit))
        places = ("--units", f"{self.root}/units", "--state", f"{self.root}/state", "--socket", self.socket)
        command = (sys.executable, "-m", "runner", "up", *places, "--output", "json", *self.workload.options)
        with subprocess.Popen(command, cwd=self.root, env=self._environment(), stdout=subprocess.PIPE) as process:
            self._follow(process)
        return sorted(self.lines, key=lambda line: float(line["elapsed"]))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNNER_", "XDG_", "CODER_"))}
        own = {"HOME": str(self.root), "RUNNER_SOCKET": self.socket, "CODER_AGENT_SOCKET_PATH": "/nowhere"}
        return {
            **kept,
            **own,
            "PYTHONPATH": str(Path(runner.__file__).parents[1]),
            "PATH": f"{self.socket}.bin:{os.environ['PATH']}",
        }

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        fd, rest = process.stdout.fileno(), b""
        with ExitStack() as scripts:
            while True:
                is_there = select.select([fd], [], [], LOOK_EVERY)[0]
                data = os.read(fd, 1 << 20) if is_there else b""
                if is_there and not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line), scripts)
                self._look()
                if time.time() - self.begun_at > self._stop_at:
                    process.send_signal(signal.SIGTERM)
                    self._stop_at = float("inf")

    def _take(self, line: Line, scripts: ExitStack) -> None:
        """Keep one line of the journal, behind what the unit had written by then."""
        match line["event"]:
            case "run-started":
                self.begun_at = datetime.fromisoformat(line["at"]).timestamp() - line["elapsed"]
                self._start_scripts(scripts)
            case "unit-started":
                self._tails[line["unit"]] = []
                self._logs[line["unit"]] = line["log"]
            case "unit-ended" | "unit-retrying":
                self._read_log(line["unit"], line["elapsed"])
                self._logs.pop(line["unit"], None)
            case "startup-finished" if self.workload.stays:
                self._stop_at = line["elapsed"] + self.workload.stays
        self.lines.append(line)
        if line["event"] == "run-started" and self.workload.expected:
            self.lines.append({"event": "durations-expected", "elapsed": line["elapsed"], "durations": self.workload.expected})

    def _start_scripts(self, scripts: ExitStack) -> None:
        for script in self.workload.scripts:
            command = ("bash", "-c", script)
            scripts.enter_context(
                subprocess.Popen(
                    command, cwd=self.root, env=self._environment(), stdout=subprocess.DEVNULL, start_new_session=True
                )
            )

    def _look(self) -> None:
        for unit in self._logs:
            self._read_log(unit, round(time.time() - self.begun_at, 6))

    def _read_log(self, unit: str, elapsed: float) -> None:
        """Keep how the output of a unit ends where it has written since the last look, whole lines alone."""
        path = Path(self._logs.get(unit, ""))
        if not path.is_file():
            return
        data = path.read_bytes()[self._read.get(unit, 0) :]
        whole = data[: data.rfind(b"\n") + 1]
        self._read[unit] = self._read.get(unit, 0) + len(whole)
        if whole:
            written = whole.decode(errors="replace").split("\n")[:-1]
            tail = self._tails[unit] = [*self._tails[unit], *written][-TAIL_LINES:]
            self.lines.append({"event": "unit-wrote", "elapsed": elapsed, "unit": unit, "lines": tail})


def normalise(lines: list[Line], root: Path) -> Iterator[bytes]:
    """The lines as they are kept: numbered anew, and without what only this machine has."""
    run, pids, seq = lines[0]["run"], {lines[0]["pid"]: 1000}, 0
    for line in lines:
        line["elapsed"] = elapsed = round(line["elapsed"], 6)
        if line["event"] != "unit-wrote":
            seq += 1
            at = (BEGAN + timedelta(seconds=elapsed)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            line = {"seq": seq, "at": at, **{key: value for key, value in line.items() if key not in ("seq", "at")}}
        for owner in (line, line.get("peer", {})):
            if "pid" in owner:
                owner["pid"] = pids.setdefault(owner["pid"], 1000 + len(pids))
        if line.get("log"):
            line["log"] = f"logs/{line['unit']}.log"
        if "socket" in line:
            line["socket"] = "runner.sock"
        if "peer" in line:
            line["peer"]["uid"] = 1000
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).replace(run, RUN)
        if str(root) in text or str(Path.home()) in text:
            raise ValueError(f"a path of this machine is left in {text}")
        yield text.encode() + b"\n"


def main() -> None:
    """Record those that are named, or all."""
    for name in sys.argv[1:] or WORKLOADS:
        with tempfile.TemporaryDirectory(prefix="recording-") as directory:
            root = Path(directory)
            data = b"".join(normalise(Recorder(root, WORKLOADS[name]()).record(), root))
        file = HERE / f"{name}.jsonl"
        if len(data) > LARGE:
            file, data = HERE / f"{name}.jsonl.gz", gzip.compress(data, mtime=0)
        file.write_bytes(data)
        print(f"{file.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
