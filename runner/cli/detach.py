"""``up --detach`` in the process that was called: shows the startup that others do, and goes when it is finished.

It shows it as ``watch`` does, as a client of the supervisor's socket.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from msgspec import DecodeError

from ..core.event import RunEnded, StartupFinished
from ..core.line import parse_event
from ..core.stream import SnapshotTaken, StreamEvent
from ..errors import RunnerError
from ..rpc.client import Client
from ..rpc.failure import CallError
from ..show.follow import Follower
from ..supervisor.endpoint import socket_path
from ..supervisor.log_follower import LogFollower
from ..supervisor.log_reader import LogReader
from ..unitfile import load
from . import COMMANDS, INTERRUPTED
from .events import EventStream
from .options import Parser, find_paths, units_directories
from .runs import PATIENCE
from .stdout import write_err, write_out
from .up import configure
from .watch import log_lines, show, tell

if TYPE_CHECKING:
    from ..supervisor.apart import Apart


def open_logs(arguments: list[str]) -> dict[str, LogReader]:
    """The logs of all units, each to be read from its present end; none where the supervisor will have something to object.

    To be called before there is a supervisor, for nobody can tell later what was written since.
    """
    if not {"--help", "-h"}.isdisjoint(arguments):
        return {}
    try:
        options = _parse(arguments)
        paths = find_paths(options)
        units = load(units_directories(options.units, os.environ), os.environ).graph.units.values()
    except RunnerError:
        return {}
    readers = {unit.name: LogReader(unit.log.file or paths.log(unit.name)) for unit in units}
    for reader in readers.values():
        reader.begin(0)
    return readers


def show_startup(apart: Apart, logs: Mapping[str, LogReader] | None = None) -> int:
    """Show the startup until it is finished; the exit status that it would have as a command of its own.

    ``logs`` are what is to be read and shown beside it.
    """
    if not logs:
        return _show_startup(apart, None)
    with closing(LogFollower()) as follower:
        for unit, reader in logs.items():
            follower.add(unit, reader)
        return _show_startup(apart, follower)


def _show_startup(apart: Apart, logs: LogFollower | None) -> int:
    try:
        if not apart.wait_until_served():
            return apart.wait_until_ended()
        options = _parse(sys.argv[2:])
        with Client(socket_path(options.socket, os.environ), timeout=PATIENCE) as client:
            startup = _Startup(client, "show the startup", with_output=True)
            ending = show(startup, options, is_plain=options.output == "plain" or options.logs, logs=logs)
    except CallError:  # it has ended already, or just now
        return _tell_end(apart, options, logs)
    except KeyboardInterrupt:
        ending = "left"
    if ending == "left":
        write_err('the startup goes on, detached; to see it: "runner watch"\n')
        return INTERRUPTED
    if isinstance(ending, int):
        return 128 + ending
    if startup.outcome is None:
        return _tell_end(apart, options, None)
    if startup.has_ended:
        apart.wait_until_ended()
        if not options.json:
            _say_that_nothing_stays()
    return int(startup.outcome != "succeeded")


def _say_that_nothing_stays() -> None:
    """Say that there is no supervisor any more, for whoever has asked for one that stays."""
    write_out('nothing is left to look after, so the supervisor has ended; "--keep" makes it stay\n')


def _parse(arguments: list[str]) -> Namespace:
    """The options of ``up`` (which the supervisor has found good) as those of ``watch``."""
    parser = Parser("up", COMMANDS["up"][1])
    configure(parser)
    options = parser.parse_args(arguments)
    options.json = options.output == "json"
    options.run = None
    return options


def _tell_end(apart: Apart, options: Namespace, logs: LogFollower | None) -> int:
    """Tell of a run that was over before anybody could look."""
    status = apart.wait_until_ended()
    write_out("".join(f"{line}\n" for line in log_lines(Follower(0.0), logs)))
    try:
        told = tell(options)
    except RunnerError:  # it could not write a journal
        write_err("the run is over\n")
        return status
    if told and told.startup and told.ended:  # or somebody has stopped or killed it
        _say_that_nothing_stays()
    return status


class _Startup(EventStream):
    """What a supervisor tells until the startup is finished."""

    outcome: str | None = None
    """How it ended, once it has."""
    has_ended = False
    """The whole run is over with it."""

    @property
    def is_over(self) -> bool:
        """The startup is finished, or the run has ended without that."""
        return self.outcome is not None or super().is_over

    def lines(self) -> Iterator[bytes]:
        """The lines that have come, without waiting."""
        for line in super().lines():
            with suppress(DecodeError):
                self._note(parse_event(line))
            yield line

    def _note(self, event: StreamEvent | None) -> None:
        told = (event.snapshot.startup, event.snapshot.ended) if isinstance(event, SnapshotTaken) else (event,)
        for one in told:
            if isinstance(one, StartupFinished):
                self.outcome = one.outcome
            elif isinstance(one, RunEnded):  # in the same piece, where nothing outlived the startup
                self.has_ended = True
