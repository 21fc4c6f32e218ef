"""``runner up``: check the unit files, then start the units and look after them."""

from __future__ import annotations

import gc
import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from .options import Parser, add_names, add_units, check_names, load_graph, units_directories

if TYPE_CHECKING:
    from ..supervisor.outlet import Outlet
    from ..supervisor.supervisor import Supervisor

_STDOUT = 1
_PATIENCE = 2.0
"""Seconds that a slow reader has to take the last lines."""
_STILL_EVERY = 30.0
"""Seconds from one line about what still runs to the next."""


def configure(parser: Parser) -> None:
    """Add the options."""
    add_names(parser, "all units")
    add_units(parser)
    parser.add_argument(
        "--output",
        metavar="FORMAT",
        choices=["auto", "plain", "json"],
        default="auto",
        help="auto, plain or json: what suits the terminal, or a line of text or of JSON for every change (default: auto)",
    )
    parser.add_argument("--logs", action="store_true", help="with plain output: also every line that the units write")
    parser.add_argument("--jobs", metavar="N", type=_parse_jobs, help="let at most N units work at a time (default: all)")
    parser.add_argument("--fail-fast", action="store_true", help="stop everything as soon as a unit fails that is not optional")
    parser.add_argument(
        "--state", metavar="DIR", type=Path, help="directory for logs and journals (default: one in $XDG_STATE_HOME/runner)"
    )
    parser.epilog = (
        "exit status:\n"
        "  0    all units that are not optional reached their goal\n"
        "  1    some did not\n"
        "  2    wrong arguments or invalid unit files; nothing was started\n"
        "  130  stopped by SIGINT, units first; a second one kills at once\n"
        "  143  the same by SIGTERM"
    )


def run(options: Namespace) -> int:
    """Check everything, then start the units and look after them until nothing runs any more."""
    graph = load_graph(options)
    names = check_names(graph, options.names)
    from ..core.engine import Engine
    from ..supervisor.journal import new_run_id
    from ..supervisor.paths import StatePaths, state_paths
    from ..supervisor.spawn import mind_descriptors
    from ..supervisor.supervisor import Supervisor

    directory = units_directories(options.units, os.environ)[0]
    paths = StatePaths(os.path.abspath(options.state)) if options.state else state_paths(directory, os.environ)  # noqa: PTH100
    mind_descriptors()
    run_id = new_run_id()
    engine = Engine(graph, run=run_id, jobs=options.jobs, fail_fast=options.fail_fast)
    supervisor = Supervisor(engine, run=run_id, paths=paths, environment=dict(os.environ))
    outlet = _show_json(supervisor) if options.output == "json" else _show_plain(supervisor, options.logs)
    try:
        supervisor.begin(__version__, names)
        from ..supervisor.loop import run_to_end  # only now: the first units run while trio is imported

        gc.freeze()  # what is here now stays
        gc.enable()
        run_to_end(supervisor)
    finally:
        outlet.close(_PATIENCE)
        supervisor.close()
    return _exit_status(supervisor)


def _show_json(supervisor: Supervisor) -> Outlet:
    from msgspec.json import encode

    from ..supervisor.outlet import Outlet

    def say_gap(missed: int) -> bytes:
        snapshot = {"event": "snapshot", "snapshot": supervisor.snapshot}
        return encode({"event": "gap", "missed": missed}) + b"\n" + encode(snapshot) + b"\n"

    outlet = Outlet(supervisor.poller, _STDOUT, say_gap)
    supervisor.listeners.append(lambda _, lines: outlet.write(lines))
    return outlet


def _show_plain(supervisor: Supervisor, with_logs: bool) -> Outlet:
    from datetime import datetime

    from ..show.plain import Plain
    from ..supervisor.outlet import Outlet
    from ..supervisor.output import printable

    units = supervisor.engine.graph.units
    plain = Plain(
        optional={name for name, unit in units.items() if unit.optional},
        tail=supervisor.tail,
        began=datetime.fromtimestamp(supervisor.begun_at),
    )
    outlet = Outlet(supervisor.poller, _STDOUT, lambda missed: _text([plain.gap(supervisor.now(), missed)]))
    supervisor.listeners.append(lambda events, _: outlet.write(_text(line for event in events for line in plain.feed(event))))
    supervisor.every(_STILL_EVERY, lambda: outlet.write(_text(plain.still(supervisor.now()))))
    if with_logs:
        supervisor.on_line = lambda unit, line: outlet.write(_text([plain.log_line(unit, printable(line))]))
    return outlet


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


def _exit_status(supervisor: Supervisor) -> int:
    if supervisor.stopped_by is not None:
        return 128 + supervisor.stopped_by
    ended = supervisor.snapshot.ended
    return 0 if ended and ended.outcome == "succeeded" else 1


def _parse_jobs(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) >= 1:
        return int(text)
    raise ArgumentTypeError(f'cannot use "{text}": it takes a whole number from 1')
