"""Somebody who watches the run: gets every line in order, or is told how many were left out.

What a slow watcher has not taken waits for it up to a limit. Beyond that, lines are counted instead of kept. When it has taken
all, it hears of the gap and begins anew with the run as it is then, so it is never behind for longer than it takes to read
what the limit holds, and costs no more memory than that, however long it reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .callers import Call

LIMIT = 1024 * 1024
"""Bytes that wait for a watcher."""


class Watcher:
    """The caller of a stream of events.

    ``welcome`` makes the messages with which it begins, and begins anew when it has missed some.
    """

    def __init__(self, call: Call, wants_output: bool, welcome: Callable[[Watcher], Iterable[bytes]]) -> None:
        self.wants_output = wants_output
        self._call = call
        self._welcome = welcome
        self._lines = bytearray()
        self.missed = 0
        """Lines that were left out since it read last."""
        self._is_ending = False
        call.taken = self._go_on
        self._begin()

    def take(self, lines: bytes) -> None:
        """Have lines to tell with the next :meth:`flush`."""
        self._lines += lines

    def flush(self) -> None:
        """Tell the lines in one message, or count them."""
        if not self._lines:
            return
        lines, self._lines = bytes(self._lines), bytearray()
        if self.missed or self._call.unsent > LIMIT:
            self.missed += lines.count(b"\n")
        else:
            self._call.say(lines)

    def end(self) -> None:
        """The lines that were taken are the last."""
        self.flush()
        self._is_ending = True
        if not self.missed:
            self._call.end()

    def _go_on(self) -> None:
        """All was taken: mend the gap, if there is one."""
        if self.missed:
            self._begin()
            if self._is_ending:
                self._call.end()

    def _begin(self) -> None:
        messages = list(self._welcome(self))
        self.missed = 0
        for message in messages:
            self._call.say(message)
