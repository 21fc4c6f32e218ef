"""Paired timing: things that are compared run in turn, so that what slows the machine slows them alike."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

RUNNER = (sys.executable, "-m", "runner")
"""The runner that this interpreter finds, be it the checkout's or an installed one."""


class CannotMeasure(Exception):
    """A command that was to be timed did not end as it should. Says which, and what it wrote on stderr."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the least and the greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


def time_command(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Seconds from before a command is spawned until it has been waited for; its stdout goes to /dev/null.

    Raises :class:`CannotMeasure` where it ends with anything but 0.
    """
    begin = time.perf_counter()
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CannotMeasure(f"cannot time {' '.join(command)!r}: exit status {done.returncode}\n{said}")
    return seconds


def alternate(timers: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run all timers in turn, A B A B, for so many rounds after one that does not count: it fills the caches."""
    for timer in timers.values():
        timer()
    seconds: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            seconds[name].append(timer())
    return seconds


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times theirs ours is, round by round: each ratio is of two runs that stood side by side."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])
