"""``up --detach`` in the process that was called: shows the startup that others do, and goes when it is finished.

It shows it as ``watch`` does, as a client of the supervisor's socket.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import DecodeError

from ..core.event import StartupFinished
from ..core.line import parse_event
from ..core.stream import SnapshotTaken, StreamEvent
from ..errors import RunnerError
from ..rpc.client import Client
from ..rpc.failure import CallError
from ..supervisor.endpoint import socket_path
from . import COMMANDS, INTERRUPTED
from .events import EventStream
from .options import Parser
from .runs import PATIENCE
from .stdout import write_err
from .up import configure
from .watch import show, tell

if TYPE_CHECKING:
    from ..supervisor.apart import Apart


def show_startup(apart: Apart) -> int:
    """Show the startup until it is finished; the exit status that it would have as a command of its own."""
    try:
        if not apart.wait_until_served():
            return apart.wait_until_ended()
        options = _parse(sys.argv[2:])
        with Client(socket_path(options.socket, os.environ), timeout=PATIENCE) as client:
            startup = _Startup(client, "show the startup", with_output=True)
            ending = show(startup, options, is_plain=options.output == "plain" or options.logs)
    except CallError:  # it has ended already, or just now
        return _tell_end(apart, options)
    except KeyboardInterrupt:
        ending = "left"
    if ending == "left":
        write_err('the startup goes on, detached; to see it: "runner watch"\n')
        return INTERRUPTED
    if isinstance(ending, int):
        return 128 + ending
    return _tell_end(apart, options) if startup.outcome is None else int(startup.outcome != "succeeded")


def _parse(arguments: list[str]) -> Namespace:
    """The options of ``up`` (which the supervisor has found good) as those of ``watch``."""
    parser = Parser("up", COMMANDS["up"][1])
    configure(parser)
    options = parser.parse_args(arguments)
    options.json = options.output == "json"
    options.run = None
    return options


def _tell_end(apart: Apart, options: Namespace) -> int:
    """Tell of a run that was over before anybody could look."""
    status = apart.wait_until_ended()
    try:
        tell(options)
    except RunnerError:  # it could not write a journal
        write_err("the run is over\n")
    return status


class _Startup(EventStream):
    """What a supervisor tells until the startup is finished."""

    outcome: str | None = None
    """How it ended, once it has."""

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
        finished = event.snapshot.startup if isinstance(event, SnapshotTaken) else event
        if isinstance(finished, StartupFinished):
            self.outcome = finished.outcome
