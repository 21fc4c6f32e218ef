"""``runner wait``: until the startup, or some units, are done."""

from __future__ import annotations

import time
from argparse import Namespace

from msgspec import json

from ..show.order import Lines, say_startup
from ..supervisor.commands import Answer
from .events import EventStream
from .options import Parser, add_json, add_timeout
from .order import Following, find_units
from .runs import NoSupervisor, add_places, connect, find_present, say_past
from .stdout import write_err, write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.usage = f"{parser.usage} [UNIT|GROUP...]"
    parser.add_argument(
        "names",
        metavar="UNIT|GROUP",
        nargs="*",
        help="wait for these (default: for the startup)",
    )
    add_timeout(parser)
    add_places(parser)
    add_json(parser)
    parser.epilog = (
        "Where no supervisor runs, it is about the last run.\n\n"
        "exit status:\n"
        "  0  all units that are not optional reached their goal\n"
        "  1  some did not\n"
        "  2  there is no such unit\n"
        "  3  no supervisor runs, and there is no journal of an earlier run\n"
        "  4  it was not done in the time that --timeout gives"
    )


def run(options: Namespace) -> int:
    """Wait, and tell how it went."""
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    try:
        with connect(options) as client:
            following = Following(EventStream(client, "wait", with_output=False), deadline)
            following.begin()
            return _wait(following, options)
    except NoSupervisor:
        if options.socket:
            raise
    past = find_present(options)
    write_err(f"{say_past(past)}\n")
    return _wait(Following.of_past(past.snapshot), options)


def _wait(following: Following, options: Namespace) -> int:
    units = find_units(following.snapshot, options.names)
    following.expect(Answer(), dict.fromkeys(units, "start"), units)
    following.awaits_startup = not units
    say = Lines(units).line
    status = following.follow("the startup", lambda unit, said: None if options.json else write_out(f"{say(unit, said)}\n"))
    startup = following.snapshot.startup
    if options.json:
        write_out(json.format(json.encode({"startup": startup, "done": list(following.done.values())}), indent=2).decode() + "\n")
    elif not units and startup:
        write_out("".join(f"{line}\n" for line in say_startup(startup)))
    return status
