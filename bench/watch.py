"""A watcher that is stopped: whether anybody waits for it, what it costs, and whether it finds its way again.

One run has two phases that are alike: a unit makes 50,000 events within ten seconds, and meanwhile the units of a chain follow
one another. Before the second phase a watcher comes and is stopped by SIGSTOP, after it it goes on. How long each unit of the
chain waited after the end of the one before is in the events of the run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from runner.rpc.messages import UnitRequest
from runner.rpc.methods import REACH, SYNC_COMPLETE, SYNC_START

from .figure import Figure
from .sync import Serving, serving
from .timing import RUNNER, CannotMeasure, Spread, ratios

SECTION = "a watcher that is stopped"
EVENTS = 50_000
"""In a phase."""
SECONDS = 10.0
"""That a phase takes."""
CHAIN = 80
"""Units that follow one another in a phase."""
PHASES = ("without", "with")
RATIO_AIM = 1.1
MEMORY_AIM = 5_000_000

TALKER = Path(__file__).with_name("talker.py")


@dataclass
class Found:
    """One round."""

    without: float
    """Seconds from the end of a unit to the start of the next, without the watcher: the median."""
    with_it: float
    memory: float
    """Bytes that the supervisor has more at the end of the second phase than at its beginning."""
    missed: int
    """Lines that were left out for the watcher."""
    recovery: float
    """Seconds from its going on until it knows all again."""


def measure(scratch: Path, env: Mapping[str, str], rounds: int) -> list[Figure]:
    """All of it, over so many rounds, each with a supervisor of its own."""
    found = [_round(scratch / f"watch-{turn}", env) for turn in range(rounds)]
    with_it, without = [one.with_it for one in found], [one.without for one in found]
    times = f"{median(with_it) * 1000:.2f} ms against {median(without) * 1000:.2f} ms"
    missed = f"{median(one.missed for one in found):.0f} of {EVENTS} lines were left out, and a gap told so"
    recovery = Spread.of([one.recovery for one in found])
    return [
        Figure(SECTION, "release latency with it / without it", ratios(with_it, without), "x", RATIO_AIM, times),
        Figure(SECTION, f"memory more, {EVENTS} events", Spread.of([one.memory for one in found]), "MB", MEMORY_AIM),
        Figure(SECTION, "from its going on until it knows all", recovery, "ms", None, missed),
    ]


def units() -> dict[str, str]:
    """The unit files: for each phase a gate, the unit that talks, and the chain."""
    files: dict[str, str] = {}
    for phase in PHASES:
        talker = json.dumps([sys.executable, "-I", "-S", str(TALKER), str(EVENTS), str(SECONDS)])
        files[f"gate-{phase}"] = 'type = "external"\n'
        after = f'after = ["gate-{phase}"]\n'
        files[f"talker-{phase}"] = f'type = "service"\ncommand = {talker}\n{after}ready = {{ notify = true }}\ntimeout = "10m"\n'
        before = f"gate-{phase}"
        for name in chain(phase):
            files[name] = f'command = ["sleep", "{SECONDS / CHAIN}"]\nafter = ["{before}"]\n'
            before = name
    return files


def chain(phase: str) -> list[str]:
    """The units that follow one another in a phase."""
    return [f"{phase}-{number:03d}" for number in range(CHAIN)]


def latencies(events: Iterable[Mapping[str, object]], phase: str) -> list[float]:
    """Seconds from the end of each unit of a chain to the start of the next. Raises CannotMeasure where one is missing."""
    ended: dict[object, float] = {}
    started: dict[object, float] = {}
    for event in events:
        times = {"unit-ended": ended, "unit-started": started}.get(str(event["event"]))
        if times is not None:
            times.setdefault(event["unit"], float(str(event["elapsed"])))
    names = chain(phase)
    try:
        return [started[after] - ended[before] for before, after in pairwise(names)]
    except KeyError as missing:
        raise CannotMeasure(f"cannot time releases: {missing} was not started, or the one before it has not ended") from None


def _round(directory: Path, env: Mapping[str, str]) -> Found:
    with serving(directory, env, units()) as supervisor:
        _pass(supervisor, "without")
        memory = supervisor.memory("VmRSS")
        with subprocess.Popen([*RUNNER, "watch", "--json"], env=supervisor.env, stdout=subprocess.PIPE, text=True) as watcher:
            try:
                _read_until(watcher, '"event":"snapshot"')
                watcher.send_signal(signal.SIGSTOP)
                _pass(supervisor, "with")
                memory = max(supervisor.memory("VmRSS") - memory, 0)
                missed, recovery = _recover(supervisor, watcher)
            finally:
                watcher.kill()
    events = [json.loads(line) for line in (directory / "events").read_text(encoding="utf-8").splitlines()]
    without, with_it = (median(latencies(events, phase)) for phase in PHASES)
    return Found(without, with_it, memory, missed, recovery)


def _pass(supervisor: Serving, phase: str) -> None:
    """Go through a phase."""
    supervisor.tell(SYNC_START, UnitRequest(f"gate-{phase}"))
    supervisor.tell(SYNC_COMPLETE, UnitRequest(f"gate-{phase}"))
    for last in (chain(phase)[-1], f"talker-{phase}"):
        supervisor.tell(REACH, UnitRequest(last))


def _recover(supervisor: Serving, watcher: subprocess.Popen[str]) -> tuple[int, float]:
    """Let the watcher go on: how many lines it has missed, and the seconds until it knows what happened last."""
    supervisor.tell(SYNC_START, UnitRequest("the-last"))
    begin = time.perf_counter()
    os.kill(watcher.pid, signal.SIGCONT)
    lines = _read_until(watcher, '"the-last"')
    seconds = time.perf_counter() - begin
    gaps = [json.loads(line)["missed"] for line in lines if '"event":"gap"' in line]
    if not gaps:
        raise CannotMeasure("cannot measure a watcher that is stopped: it has missed nothing")
    return sum(gaps), seconds


def _read_until(watcher: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to the first that has this in it."""
    assert watcher.stdout
    lines = []
    for line in watcher.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise CannotMeasure(f"cannot measure a watcher that is stopped: it ended before it has seen {text}")
