"""``runner watch``: show a startup live that a supervisor runs elsewhere, or tell how the last one went."""

from __future__ import annotations

import select
import time
from argparse import Namespace
from typing import Literal

from ..core.event import StartupFinished, UnitEnded
from ..core.snapshot import Snapshot, fold
from ..core.stream import SnapshotTaken
from ..errors import RunnerError, UsageError
from ..rpc.client import Client
from ..show.follow import Follower
from ..show.text import printable
from ..supervisor.journal import Recorded
from .events import EventStream
from .look import is_live, summarise
from .options import Parser, add_color, add_json
from .runs import NoSupervisor, add_places, add_run, connect, find_journal, read_past, say_when
from .stdout import write_err, write_out
from .stream import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..supervisor.log_follower import LogFollower
    from .viewer import Ending

_STILL_EVERY = 30.0
"""Seconds from one plain line about what still runs to the next."""


class NothingToWatch(RunnerError):
    """No supervisor runs, and there is no journal of an earlier run either."""

    exit_status = 3


def configure(parser: Parser) -> None:
    """Add the options."""
    add_places(parser)
    add_run(parser)
    add_color(parser)
    add_json(parser)
    parser.epilog = (
        "q or ctrl-c detaches; the run goes on. On what is no terminal, and with --json,\n"
        "it is a line for every change. Where no supervisor runs, the last run is told.\n\n"
        "exit status:\n"
        "  0  the run ended, whatever became of it, or you detached\n"
        "  1  the supervisor went away without ending its run\n"
        "  3  no supervisor runs, and there is no journal of an earlier run"
    )


def run(options: Namespace) -> int:
    """Watch the run that goes on, or tell of the one that is over."""
    if options.run is None:
        try:
            with connect(options) as client:
                return _watch(client, options)
        except NoSupervisor:
            if options.socket:
                raise
    tell(options)
    return 0


def _watch(client: Client, options: Namespace) -> int:
    stream = EventStream(client, "watch", with_output=True)
    try:
        stream.wait_for_word(None)
        ending = show(stream, options)
    except KeyboardInterrupt:
        ending = "left"
    if ending == "left":
        write_err('detached; the run goes on, and "runner watch" shows it again\n')
    return 128 + ending if isinstance(ending, int) else 0


def show(stream: EventStream, options: Namespace, *, is_plain: bool = False, logs: LogFollower | None = None) -> Ending:
    """Show what a stream brings until it is over, in the way that suits or was asked for; in plain lines also the logs."""
    if options.json:
        return _print_lines(stream)
    if is_plain or not is_live(options.color):
        return _print_plain(stream, logs)
    from .viewer import view_live

    return view_live(stream, options.color, "q detaches, and the run goes on")


def _print_lines(stream: EventStream) -> Literal["over"]:
    waiter = select.poll()
    waiter.register(stream, select.POLLIN)
    while not stream.is_over:
        waiter.poll()
        for line in stream.lines():
            write_out(line.decode() + "\n")
    return "over"


def _print_plain(stream: EventStream, logs: LogFollower | None) -> Literal["over"]:
    waiter = select.poll()
    waiter.register(stream, select.POLLIN)
    if logs:
        waiter.register(logs, select.POLLIN)
    follower: Follower | None = None
    still_at = time.monotonic() + _STILL_EVERY
    while not stream.is_over:
        waiter.poll(max(still_at - time.monotonic(), 0) * 1000)
        lines: list[str] = []
        for event in stream.take():
            if follower is None:
                begun_at = event.begun_at if isinstance(event, SnapshotTaken) else time.time() - event.at
                follower = Follower(begun_at)
            if isinstance(event, UnitEnded | StartupFinished):  # what it wrote last comes before its end
                lines += log_lines(follower, logs)
            lines += follower.feed(event)
        lines += [*follower.settle(), *log_lines(follower, logs)] if follower else []
        if time.monotonic() >= still_at:
            still_at += _STILL_EVERY
            lines += follower.still(stream.now()) if follower else []
        write_out("".join(f"{line}\n" for line in lines))
    return "over"


def log_lines(follower: Follower, logs: LogFollower | None) -> list[str]:
    """What units have written since it was last asked, as plain lines."""
    if logs is None:
        return []
    from ..supervisor.output import printable as without_controls

    return [follower.log_line(unit, without_controls(line)) for unit, line in logs.read()]


def tell(options: Namespace) -> Snapshot | None:
    """Tell of a run as its journal has it, and return what it came to; None: it was told as data."""
    try:
        journal = find_journal(options)
    except UsageError as missing:
        if options.run is not None:
            raise
        what = "cannot watch a startup: no supervisor runs, and there is no journal of an earlier run"
        raise NothingToWatch(what, hint=missing.hint) from None
    if options.json:
        with reading(journal):
            text = journal.read_text(encoding="utf-8", errors="backslashreplace")
        write_out(text)
        return None
    run = read_past(journal)
    snapshot = fold(run.events)
    taken = SnapshotTaken(at=snapshot.at, begun_at=run.begun_at, seq=len(run.events), snapshot=snapshot)
    write_out(f"{_headline(run, snapshot, options)}\n{summarise([taken], options.color)}")
    return snapshot


def _headline(run: Recorded, snapshot: Snapshot, options: Namespace) -> str:
    name = printable(snapshot.run.run) if snapshot.run else "without a beginning"
    said = f"run {name} began at {say_when(run.begun_at, 0)}"
    if options.run is None:
        said = f"no supervisor runs now; the last {said}"
    return said if snapshot.ended else f"{said}; its journal ends before it did"
