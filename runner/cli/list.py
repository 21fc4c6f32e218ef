"""``runner list``: list the units of a run."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace

from ..show.status import Status, render_json, render_list
from .options import Parser, add_json
from .runs import add_places, find_present, say_past
from .stdout import write_err, write_out

_STDOUT = 1


def configure(parser: Parser) -> None:
    """Add the options."""
    add_places(parser)
    add_json(parser)
    parser.epilog = "Where no supervisor runs, it is about the last run.\n\nexit status: 0, 3 where there is no run at all"


def run(options: Namespace) -> int:
    """Print a line for each."""
    present = find_present(options)
    snapshot = present.snapshot
    if options.json:
        write_out(render_json(Status(snapshot, present.at, present.begun_at, present.is_live, {}), list(snapshot.units)))
        return 0
    if not present.is_live:
        write_err(f"{say_past(present)}\n")
    write_out(render_list(snapshot, shutil.get_terminal_size().columns if os.isatty(_STDOUT) else None))
    return 0
