"""``runner replay``: show a recorded run again, live."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError, Namespace
from collections import deque
from collections.abc import Iterable, Iterator
from math import inf, isfinite
from pathlib import Path

from ..core.stream import StreamEvent
from ..core.words import say_count
from ..show.follow import Follower
from ..show.text import printable
from .look import is_live, summarise
from .options import Parser, add_color
from .stdout import write_err, write_out
from .stream import read_recording

_COMPLAINTS_SHOWN = 5


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.usage = f"{parser.usage} JOURNAL"
    parser.add_argument("journal", metavar="JOURNAL", type=Path, help='a journal, or what "runner watch --json" has printed')
    parser.add_argument(
        "--speed",
        metavar="N",
        type=_parse_speed,
        default=1.0,
        help="how many times as fast as it was; 0: at once, which leaves only the summary (default: 1)",
    )
    add_color(parser)
    parser.epilog = (
        "q or ctrl-c ends it. On what is no terminal it is a line for every change, all\n"
        "at once. Journals are in the state directory: journal/RUN.jsonl."
    )


def run(options: Namespace) -> int:
    """Show it."""
    recording = read_recording(options.journal)
    _complain(options.journal, recording.complaints)
    if options.speed == 0:
        write_out(summarise(recording.events, options.color))
    elif is_live(options.color):
        from .viewer import view_live

        ending = view_live(_Replay(recording.events, options.speed), options.color, "q ends it")
        return 128 + ending if isinstance(ending, int) else 0
    else:
        follower = Follower(recording.begun_at)
        lines = [line for event in recording.events for line in follower.feed(event)]
        write_out("".join(f"{line}\n" for line in (*lines, *follower.settle())))
    return 0


class _Replay:
    """Events at the times at which they were, or quicker: a :class:`~.viewer.Feed`."""

    def __init__(self, events: Iterable[StreamEvent], speed: float) -> None:
        self._events = deque(events)
        self._speed = speed
        self._first_at = self._events[0].at
        self._began = time.monotonic()

    @property
    def is_over(self) -> bool:
        """All have been shown."""
        return not self._events

    def fileno(self) -> int:
        """Only the clock tells."""
        return -1

    def due_at(self) -> float:
        """When the next event is due, on the clock of ``time.monotonic``."""
        return self._began + (self._events[0].at - self._first_at) / self._speed if self._events else inf

    def take(self) -> Iterator[StreamEvent]:
        """The events whose time has come."""
        while self.due_at() <= time.monotonic():
            yield self._events.popleft()

    def now(self) -> float:
        """The moment of the run that is shown, in seconds since it began."""
        return self._first_at + (time.monotonic() - self._began) * self._speed


def _complain(path: Path, complaints: tuple[str, ...]) -> None:
    """Say which lines were passed over; of many only the first."""
    for complaint in complaints[:_COMPLAINTS_SHOWN]:
        write_err(printable(f'runner: cannot use a line of "{path}": {complaint}') + "\n")
    if (rest := len(complaints) - _COMPLAINTS_SHOWN) > 0:
        write_err(f"runner: cannot use {say_count(rest, 'further line')} of it\n")


def _parse_speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1
    if not (isfinite(speed) and speed >= 0):
        raise ArgumentTypeError(f'cannot use "{text}": it takes a number from 0')
    return speed
