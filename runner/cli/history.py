"""``runner history``: list past runs."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from ..show.history import render_json, render_text
from ..supervisor.journal import goes_on
from .options import Parser, add_json, add_state, add_units, find_paths
from .runs import open_history
from .stdout import write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument("-n", "--limit", metavar="N", type=_parse_limit, default=20, help="list the last N runs (default: 20)")
    add_units(parser)
    add_state(parser)
    add_json(parser)
    parser.epilog = 'The number of a run is what "--run" of other commands takes.'


def run(options: Namespace) -> int:
    """Print the last runs."""
    with open_history(options) as history:
        runs = history.runs(options.limit)
    journals = find_paths(options).journals
    going = {run.run for run in runs if run.outcome is None and goes_on(journals, run.run)}
    write_out((render_json if options.json else render_text)(runs, going))
    return 0


def _parse_limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1:
        return int(text)
    raise ArgumentTypeError(f'cannot use "{text}": it takes a whole number from 1')
