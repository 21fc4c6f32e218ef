"""``runner doctor``: look at what this machine and workspace lack, and say what to do about it.

Each check may meet something that does not answer: a file system over the network, a socket, a program. So it has a thread of
its own, and one that has found nothing when its time is over is a problem by itself. They take turns all the same: what they
import and decode is not made for two at a time. A thread cannot be ended, so one that hangs is left to the end of the process.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

from ..core.words import say_duration
from ..errors import RunnerError, UsageError
from ..show.doctor import Finding, render_json, render_text
from ..supervisor.endpoint import socket_path
from .examine.apt import examine_locks
from .examine.machine import (
    examine_coder,
    examine_control_groups,
    examine_files,
    examine_inotify,
    examine_packages,
    examine_processes,
    examine_python,
)
from .examine.sockets import examine_agent, examine_socket
from .examine.workspace import examine_state, examine_units
from .options import Parser, add_json, find_paths, read_units, units_directories
from .runs import add_places
from .stdout import write_out

_PATIENCE = 2.0
"""Seconds that others have for an answer."""
_TIME = 10.0
"""Seconds that a check has."""


def configure(parser: Parser) -> None:
    """Add the options."""
    add_places(parser)
    add_json(parser)
    parser.epilog = "exit status: 0 where nothing is a problem, 1 where something is"


def run(options: Namespace) -> int:
    """Make all checks and print what they found."""
    findings = {name: examine(partial(check, options), _TIME) for name, check in _CHECKS.items()}
    write_out((render_json if options.json else render_text)(findings))
    return int(any(finding.verdict == "problem" for finding in findings.values()))


def examine(check: Callable[[], Finding], seconds: float) -> Finding:
    """What a check finds within the time. What it meets instead is a finding too. Raises what is a bug."""
    examination = _Examination(check)
    examination.start()
    examination.join(seconds)
    match examination.came:
        case Finding() as finding:
            return finding
        case None:
            return Finding("problem", f"no answer within {say_duration(seconds)}", "something that is looked at here hangs")
        case RunnerError() as error:
            return Finding("problem", error.what, error.hint)
        case OSError() as error:
            return Finding("problem", f"cannot look: {error}")
        case error:
            raise error


class _Examination(Thread):
    """One check under way."""

    def __init__(self, check: Callable[[], Finding]) -> None:
        super().__init__(daemon=True)
        self._check = check
        self.came: Finding | BaseException | None = None
        """What it found or raised; None: nothing yet."""

    def run(self) -> None:
        """Keep what comes of it."""
        try:
            self.came = self._check()
        except BaseException as error:  # noqa: BLE001 (for whoever asked)
            self.came = error


def _units(options: Namespace) -> Finding:
    try:
        directories = units_directories(options.units, os.environ)
    except UsageError as error:
        return Finding("problem", error.what, error.hint)
    return examine_units(read_units(directories), directories)


def _state(options: Namespace) -> Finding:
    return examine_state(find_paths(_with_units(options)).root)


def _files(options: Namespace) -> Finding:
    return examine_files(len(read_units(_with_units(options).units).graph.units))


def _with_units(options: Namespace) -> Namespace:
    """The options with a directory of unit files, though there may be none yet."""
    try:
        directories = units_directories(options.units, os.environ)
    except UsageError:
        directories = [Path("units")]
    return Namespace(state=options.state, units=directories)


_CHECKS: dict[str, Callable[[Namespace], Finding]] = {
    "python": lambda _: examine_python(),
    "packages": lambda _: examine_packages(),
    "unit files": _units,
    "state directory": _state,
    "socket": lambda options: examine_socket(socket_path(options.socket, os.environ), _PATIENCE),
    "agent's socket": lambda options: examine_agent(os.environ, socket_path(options.socket, os.environ), _PATIENCE),
    "coder": lambda _: examine_coder(os.environ, _PATIENCE),
    "apt locks": lambda _: examine_locks(),
    "open files": _files,
    "processes": lambda _: examine_processes(),
    "inotify": lambda _: examine_inotify(),
    "control groups": lambda _: examine_control_groups(),
}
"""What is looked at, in the order in which it is told."""
