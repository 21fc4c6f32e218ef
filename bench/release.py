"""Release latency: from the success of a service's readiness probe to the start of the unit that waits for it.

Both moments are in the events of the run itself: ``unit-ready`` of the service and ``unit-started`` of its dependent. One
kind of probe is tried after the other in a single run, each service beginning when the dependent of the one before has ended,
so that nothing else goes on meanwhile.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .figure import Figure
from .timing import RUNNER, CannotMeasure, Spread

KINDS = ("http", "tcp", "unix", "file", "command", "log", "notify")
SECTION = "release of a dependent"
AIM = 0.005
"""Seconds."""

SERVICE = Path(__file__).with_name("service.py")


def measure(scratch: Path, env: Mapping[str, str], rounds: int) -> list[Figure]:
    """The latency of each kind, over so many runs after one that does not count."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(rounds + 1):
        directory = scratch / f"release-{turn}"
        write_services(directory)
        for kind, seconds in latencies(run(directory / "units", env)).items():
            if turn:
                found[kind].append(seconds)
    return [Figure(SECTION, kind, Spread.of(seconds), "ms", AIM) for kind, seconds in found.items()]


def write_services(directory: Path) -> None:
    """A service and its dependent for every kind, in a chain, as ``directory/units``."""
    units = directory / "units"
    units.mkdir(parents=True)
    before = ""
    for kind, port in zip(KINDS, free_ports(len(KINDS)), strict=True):
        target, ready = _readiness(kind, directory / f"{kind}.target", port)
        command = json.dumps([sys.executable, "-I", "-S", str(SERVICE), kind, target])
        after = f'after = ["{before}"]\n' if before else ""
        service = f'type = "service"\ncommand = {command}\n{after}ready = {{ {ready} }}\n'
        (units / f"{kind}.toml").write_text(service, encoding="utf-8")
        before = f"after-{kind}"
        (units / f"{before}.toml").write_text(f'command = ["/bin/true"]\nafter = ["{kind}"]\n', encoding="utf-8")


def _readiness(kind: str, path: Path, port: int) -> tuple[str, str]:
    """What the service is told, and the readiness that the runner is told."""
    return {
        "http": (str(port), f'http = "http://127.0.0.1:{port}/"'),
        "tcp": (str(port), f'tcp = "127.0.0.1:{port}"'),
        "unix": (str(path), f'unix = "{path}"'),
        "file": (str(path), f'file = "{path}"'),
        "command": (str(path), f'command = ["test", "-e", "{path}"]'),
        "log": ("ready", 'log = "^ready$"'),
        "notify": ("", "notify = true"),
    }[kind]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def run(units: Path, env: Mapping[str, str]) -> list[dict[str, Any]]:
    """The events of a run until its startup is finished; then it is stopped.

    Raises :class:`CannotMeasure` where it ends by itself, or does not end as a stopped run does.
    """
    command = [*RUNNER, "up", "--units", str(units), "--output", "json"]
    events: list[dict[str, Any]] = []
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as up:
        assert up.stdout is not None
        assert up.stderr is not None
        for line in up.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "startup-finished":
                up.send_signal(signal.SIGTERM)
        said = up.stderr.read().decode(errors="replace").strip()
    if up.returncode != 128 + signal.SIGTERM or not any(event["event"] == "startup-finished" for event in events):
        raise CannotMeasure(f"cannot time releases: {' '.join(command)!r} ended with exit status {up.returncode}\n{said}")
    return events


def latencies(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds from ``unit-ready`` of each service to ``unit-started`` of its dependent.

    Raises :class:`CannotMeasure` where one of the two did not happen.
    """
    ready: dict[str, float] = {}
    started: dict[str, float] = {}
    for event in events:
        if event["event"] == "unit-ready":
            ready.setdefault(event["unit"], event["elapsed"])
        elif event["event"] == "unit-started":
            started.setdefault(event["unit"], event["elapsed"])
    missing = [kind for kind in KINDS if kind not in ready or f"after-{kind}" not in started]
    if missing:
        raise CannotMeasure(f"cannot time releases: not ready, or its dependent not started: {', '.join(missing)}")
    return {kind: started[f"after-{kind}"] - ready[kind] for kind in KINDS}
