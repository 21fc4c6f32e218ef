"""What the processes of each unit use at this moment: looked up in /proc when somebody asks, and never otherwise.

CPU time is that of the living processes, and of their children that are gone and were waited for (proc_pid_stat(5): utime,
stime, cutime, cstime). Memory is what they have in RAM (proc_pid_statm(5): resident); what several of them share is counted
for each, so the sum says at most what would be free without them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from .supervisor import Supervisor

_UTIME = 11
"""The place of this field behind the name of the process; those of stime, cutime and cstime follow."""


class UnitUsage(Struct, frozen=True):
    """What a unit uses."""

    processes: int
    """How many there are."""
    memory: int
    """Bytes."""
    cpu: float
    """Seconds."""


def measure(supervisor: Supervisor) -> dict[str, UnitUsage]:
    """What each unit uses that has processes."""
    census = supervisor.census()
    usage = {}
    for name, invocation in supervisor.invocations.items():
        pids = invocation.members(census)
        if pids:
            usage[name] = UnitUsage(len(pids), sum(map(_memory, pids)), sum(map(_cpu, pids)))
    return usage


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # it is gone
        return 0


def _cpu(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[_UTIME : _UTIME + 4])) / os.sysconf("SC_CLK_TCK")
