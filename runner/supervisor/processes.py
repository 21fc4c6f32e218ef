"""Reads from /proc which processes there are and whose they are (proc(5)).

The keeper needs this too, so nothing is imported here beyond what every interpreter has.
"""

from __future__ import annotations

import os

Kin = tuple[int, int, int]
"""The parent, the group and the session of a process."""

ZOMBIE: Kin = (-1, 0, 0)
GONE: Kin = (-1, -1, -1)


def list_processes() -> list[int]:
    """The pids of all processes but this one. Raises ``OSError`` where no descriptor is left to look with."""
    own = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own]  # noqa: PTH208


def kin_of(pid: int) -> Kin:
    """Whose a process is (proc_pid_stat(5): the fields after the name); ``ZOMBIE`` or ``GONE`` where it does not live."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return GONE
    return ZOMBIE if fields[0] in (b"Z", b"X") else (int(fields[1]), int(fields[2]), int(fields[3]))


def fill_standard_streams() -> None:
    """Have all three standard streams: nothing else may come to stand in the place of one that was closed."""
    for standard in range(3):
        try:
            os.fstat(standard)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def adopt_orphans() -> None:
    """Become the parent of all processes below this one that lose theirs (prctl(2), PR_SET_CHILD_SUBREAPER).

    Children do not inherit that. ``_ctypes`` is the part of ctypes that makes the call; the rest would take longer than all
    that the keeper does.
    """
    try:
        from _ctypes import call_function, dlopen, dlsym

        this_program = dlopen(None, 0)  # type: ignore[arg-type]
        call_function(dlsym(this_program, "prctl"), (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    except ImportError:
        from ctypes import CDLL

        CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


_PR_SET_CHILD_SUBREAPER = 36
