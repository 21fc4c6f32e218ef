"""The command line of a supervisor for an agent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Final, TypedDict

from .failure import CannotStart

GRACE: Final = 10.0
"""Seconds that a supervisor has for an orderly stop: what the workspace's agent gives its scripts."""
HASTE: Final = 5.0
"""Seconds that it has after that to kill the units itself."""
_PACKAGES: Final = str(Path(__file__).parent.parent.parent)
_PROGRAM: Final = f"import sys; sys.path.insert(0, {_PACKAGES!r}); from runner.cli import run_process; run_process()"
"""This very package, wherever the agent found it. Of the directory that it runs in nothing is imported, nor is the environment
changed, for that is the units'."""

Place = str | PathLike[str]


class Options(TypedDict, total=False):
    """What ``open_supervisor`` takes besides the names of units: what ``runner up`` takes, each under its own name."""

    units: Place | Iterable[Place]
    """The directory of unit files, or several; by default the usual ones."""
    state: Place
    """The directory for logs, journals and the history."""
    socket: Place
    """Where the supervisor is spoken to."""
    jobs: int
    """So many units may work at a time."""
    keep: bool
    """Whether it stays though nothing runs any more, until it is stopped. So it is where nothing else is said."""
    fail_fast: bool
    """Stop everything as soon as a unit fails that is not optional."""
    bridge: bool
    """Share units that say so with the scripts of the workspace's agent."""


def up_command(names: Sequence[str], options: Options) -> list[str]:
    """What to execute. Its standard output is the events, line by line; where this program goes without a word, it goes too.

    Raises CannotStart where this program is no Python interpreter's, but one that has Python built in, and TypeError.
    """
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(f"open_supervisor() got an unexpected keyword argument {min(unknown)!r}")
    if not sys.executable:
        raise CannotStart("the Python interpreter to run it with is not known: sys.executable is empty")
    command = [sys.executable, "-P", "-c", _PROGRAM, "up", "--output", "json", "--stop-with", str(os.getpid())]
    units = options.get("units", ())
    for directory in [units] if isinstance(units, str | PathLike) else units:
        command += ["--units", fspath(directory)]
    for name in ("state", "socket", "jobs"):
        if (value := options.get(name)) is not None:
            command += [f"--{name}", fspath(value) if isinstance(value, PathLike) else str(value)]
    for name, default in (("keep", True), ("fail_fast", False), ("bridge", False)):
        if options.get(name, default):
            command.append(f"--{name.replace('_', '-')}")
    return [*command, "--", *names]
