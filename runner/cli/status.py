"""``runner status``: show how the units of a run stand, or all that is known of one."""

from __future__ import annotations

import os
from argparse import Namespace

from msgspec.json import decode

from ..rpc.client import Client
from ..rpc.failure import CallError
from ..rpc.methods import USAGE
from ..show.status import Status, render_json, render_text, render_unit
from ..supervisor.endpoint import socket_path
from ..supervisor.log_reader import last_lines
from ..supervisor.output import printable
from ..supervisor.usage import UnitUsage
from .options import Parser, add_json
from .order import find_units
from .runs import PATIENCE, add_places, find_present, say_past
from .stdout import write_out

_LINES = 10
"""How many of the last lines of a unit are shown."""


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.usage = f"{parser.usage} [UNIT|GROUP...]"
    parser.add_argument("names", metavar="UNIT|GROUP", nargs="*", help="one unit: all that is known of it (default: all)")
    add_places(parser)
    add_json(parser)
    parser.epilog = (
        "Where no supervisor runs, it is about the last run. Memory and CPU time are those of all processes of a\n"
        "unit, at this moment; memory that several of them share is counted for each.\n\n"
        "exit status: 0, 2 where there is no such unit, 3 where there is no run at all"
    )


def run(options: Namespace) -> int:
    """Print it."""
    present = find_present(options)
    usage = _measure(options) if present.is_live else {}
    status = Status(present.snapshot, present.at, present.begun_at, present.is_live, usage)
    units = find_units(present.snapshot, options.names) or list(present.snapshot.units)
    note = "" if present.is_live else say_past(present)
    if options.json:
        write_out(render_json(status, units))
    elif options.names == units and len(units) == 1:
        log = present.snapshot.units[units[0]].log
        lines = [printable(line) for line in last_lines(log, _LINES)] if log else []
        write_out(render_unit(status, units[0], lines, note))
    else:
        write_out(render_text(status, units, note))
    return 0


def _measure(options: Namespace) -> dict[str, UnitUsage]:
    """What the units use; nothing where the supervisor went away, or cannot tell."""
    try:
        with Client(socket_path(options.socket, os.environ), timeout=PATIENCE) as client:
            return decode(client.call(USAGE.path, b"{}", timeout=PATIENCE), type=dict[str, UnitUsage])
    except CallError:
        return {}
