"""``runner logs``: show what units wrote, and follow what they write."""

from __future__ import annotations

import os
import re
import select
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.json import encode

from ..core.event import UnitsChanged, UnitStarted
from ..core.mask import SHOWN
from ..core.names import select as select_units
from ..core.snapshot import Snapshot
from ..core.stream import SnapshotTaken
from ..errors import UsageError
from ..show.text import printable as clean
from ..supervisor.log_reader import LogReader, explain_unreadable, written_at
from ..supervisor.output import printable
from ..supervisor.paths import StatePaths
from .events import EventStream
from .options import Parser, add_json, find_paths
from .order import find_units
from .runs import NoSupervisor, add_places, connect, find_present, say_past
from .stdout import write_err

if TYPE_CHECKING:
    from ..supervisor.log_follower import LogFollower

_STDOUT = 1
_LINES = 10
_ALL = -1
_WIDEST_NAME = 32


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.usage = f"{parser.usage} [UNIT|GROUP...]"
    parser.add_argument("names", metavar="UNIT|GROUP", nargs="*", help="whose output to show (default: that of all units)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written, until the supervisor ends")
    parser.add_argument(
        "-n", "--lines", metavar="N", type=_parse_count, help='begin with the last N lines of each unit, or "all" (default: 10)'
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=_parse_since,
        help="begin with the log files that were written to since then: a duration such as 10m for so long ago, or a local "
        "time such as 07:45 or 2026-01-31T07:45:02 (default of -n is then: all)",
    )
    add_places(parser)
    add_json(parser)
    parser.epilog = (
        "Log files hold what units wrote and no times. So what several units wrote before is shown unit by unit,\n"
        "the one that wrote last at the end; what is followed comes in the order in which it is written. Where it is\n"
        "more than one unit, each line begins with its name. On a terminal escape sequences and control characters\n"
        "are left out; what is no terminal gets every byte. With --json each line is an object with unit and line.\n\n"
        "exit status: 0, 2 where there is no such unit, 3 where there is no run at all"
    )


def run(options: Namespace) -> int:
    """Print what there is, and follow where that is asked for."""
    if options.lines is None and options.since is None:
        options.lines = _LINES
    try:
        return _follow(options) if options.follow else _show(options)
    except KeyboardInterrupt:
        return 0


def _show(options: Namespace) -> int:
    present = find_present(options)
    if not present.is_live:
        write_err(f"{say_past(present)}\n")
    units = _find(present.snapshot, options.names)
    printer = _Printer(units, options, is_alone=_is_one(options.names, units))
    _print_past(_with_places(present.snapshot, units, options), options, printer)
    return 0


def _with_places(snapshot: Snapshot, units: Sequence[str], options: Namespace) -> dict[str, str]:
    """Where the log of each unit is that has one.

    Where a secret in its path is masked, it is looked for where it would be by itself.
    """
    logs = {unit: log for unit in units if (log := snapshot.units[unit].log)}
    if any(SHOWN in log for log in logs.values()) and (place := _find_place(snapshot, options)):
        for unit, log in logs.items():
            if SHOWN in log and not os.path.exists(log) and os.path.exists(place.log(unit)):  # noqa: PTH110
                logs[unit] = place.log(unit)
    return logs


def _print_past(logs: dict[str, str], options: Namespace, printer: _Printer, follower: LogFollower | None = None) -> None:
    """What units have written so far; those that are to be followed are, from there on."""
    for unit, log in sorted(logs.items(), key=lambda one: written_at(one[1])):
        why = explain_unreadable(log)
        if SHOWN in log and not os.path.exists(log):  # noqa: PTH110
            why = "there is a secret in the path of its log"
        if why:
            write_err(f'cannot show what {clean(unit)} writes: {why}: "{clean(log)}"\n')
        reader = LogReader(log)
        count = None if options.lines in (None, _ALL) else options.lines
        lines = reader.begin(count, options.since or 0.0)
        if follower:
            follower.add(unit, reader)
        else:
            reader.close()
            lines += reader.rest()
        printer.print((unit, line) for line in (lines if count is None else lines[-count:] if count else []))


def _follow(options: Namespace) -> int:
    """Show what is there and what comes: of the units from their logs, and from the supervisor which logs there are."""
    from ..supervisor.log_follower import LogFollower

    try:
        with connect(options) as client, closing(LogFollower()) as follower:
            stream = EventStream(client, "follow the logs", with_output=False)
            _Follow(stream, follower, options).run()
            return 0
    except NoSupervisor:
        if options.socket:
            raise
    return _show(options)


class _Follow:
    def __init__(self, stream: EventStream, follower: LogFollower, options: Namespace) -> None:
        self._stream = stream
        self._follower = follower
        self._options = options
        self._printer: _Printer | None = None
        self._wanted: set[str] = set()

    def run(self) -> None:
        """Go on until the run is over, and read what was written last."""
        waiter = select.poll()
        waiter.register(self._stream, select.POLLIN)
        waiter.register(self._follower, select.POLLIN)
        while not self._stream.is_over:
            waiter.poll()
            self._take_events()
            self._read()
        self._read()

    def _take_events(self) -> None:
        for event in self._stream.take():
            match event:
                case SnapshotTaken():
                    self._begin(event.snapshot)
                case UnitsChanged(added=added):
                    self._wanted |= {unit for unit in added if _is_meant(unit, self._options.names)}
                case UnitStarted(unit=unit, log=log) if unit in self._wanted and log:
                    self._follower.add(unit, LogReader(log))

    def _begin(self, snapshot: Snapshot) -> None:
        units = _find(snapshot, self._options.names)
        self._wanted |= set(units)
        if self._printer is None:
            self._printer = _Printer(units, self._options, is_alone=_is_one(self._options.names, units))
            _print_past(_with_places(snapshot, units, self._options), self._options, self._printer, self._follower)
            self._pass_over_earlier_runs(snapshot, units)

    def _pass_over_earlier_runs(self, snapshot: Snapshot, units: Sequence[str]) -> None:
        """Follow the logs of units that have not started in this run, from the end of what they wrote in earlier ones."""
        place = _find_place(snapshot, self._options)
        for unit in units:
            if place and not snapshot.units[unit].log:
                reader = LogReader(place.log(unit))
                reader.begin(0)
                self._follower.add(unit, reader)

    def _read(self) -> None:
        if self._printer:
            self._printer.print(self._follower.read())


class _Printer:
    """Writes lines as they suit whoever reads standard output."""

    def __init__(self, units: Sequence[str], options: Namespace, *, is_alone: bool) -> None:
        self._column = min(max(map(len, units), default=0), _WIDEST_NAME)
        self._form: Callable[[str, bytes], bytes] = self._with_name
        if options.json:
            self._form = _as_json
        elif is_alone:
            self._form = lambda _, line: line
        self._is_terminal = os.isatty(_STDOUT) and not options.json

    def print(self, lines: Iterator[tuple[str, bytes]]) -> None:
        """Write lines, at once. Raises BrokenPipeError where nobody reads them."""
        data = b"".join(self._form(unit, self._clean(line)) + b"\n" for unit, line in lines)
        while data:
            data = data[os.write(_STDOUT, data) :]

    def _clean(self, line: bytes) -> bytes:
        return printable(line).encode() if self._is_terminal else line

    def _with_name(self, unit: str, line: bytes) -> bytes:
        return f"{unit:{self._column}} | ".encode(errors="backslashreplace") + line


def _as_json(unit: str, line: bytes) -> bytes:
    return encode({"unit": unit, "line": line.decode(errors="replace")})


def _find(snapshot: Snapshot, names: Sequence[str]) -> list[str]:
    return find_units(snapshot, names) if names else list(snapshot.units)


def _is_meant(unit: str, names: Sequence[str]) -> bool:
    return not names or any(select_units([unit], name) for name in names)


def _is_one(names: Sequence[str], units: Sequence[str]) -> bool:
    """One unit was named, and no group to which others may come."""
    return list(names) == list(units) and len(units) == 1


def _find_place(snapshot: Snapshot, options: Namespace) -> StatePaths | None:
    """The state directory of a run, as the logs tell that there are, or else the options."""
    for unit, view in snapshot.units.items():
        if view.log.endswith(f"/logs/{unit}.log") and SHOWN not in view.log:
            return StatePaths(view.log.removesuffix(f"/logs/{unit}.log"))
    try:
        return find_paths(options)
    except UsageError:
        return None


def _parse_count(text: str) -> int:
    if text == "all":
        return _ALL
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise ArgumentTypeError(f'cannot use "{text}": it takes a number of lines, from 0, or "all"')


def _parse_since(text: str) -> float:
    """Seconds since the epoch."""
    from ..unitfile.values import Duration, Unusable

    try:
        return time.time() - float(Duration.parse(text))
    except Unusable:
        pass
    if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
        text = f"{datetime.now().date()}T{text}"
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ArgumentTypeError(f'cannot use "{text}": it takes a duration such as 10m, or a time such as 07:45') from None
