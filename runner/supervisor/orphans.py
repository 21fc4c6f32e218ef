"""Reaps the orphans of units: a daemon whose parent has ended becomes a child of the supervisor (``keeper.py``).

Our own children are reaped by whoever spawned them, who wants to know how they ended, so these are not touched here. But
the kernel shows the dead one at a time and may show one of ours first. Then it is looked again when that one is reaped:
whoever spawned it has been told of its end too.

Every end of a child comes as a SIGCHLD, and most by far are of our own. So the handler looks whose it is, which harms nothing
whatever it interrupts, and wakes the loop for an orphan alone.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from .poller import Poller
from .spawn import own_children, reapers


class Orphans:
    """Reaps children that this process did not spawn, as they end, until it is closed."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._is_hidden = False
        """One of our own was shown first, and is not reaped yet; behind it there may be others."""
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._before = signal.signal(signal.SIGCHLD, self._note)
        poller.add(self._reader, self._hear)
        reapers.append(self._look_again)

    def _note(self, _: int, __: FrameType | None) -> None:
        if self._is_hidden or not self._shown():
            return
        try:
            os.write(self._writer, b".")
        except BlockingIOError:  # so many are there unread that one more says nothing new
            return

    def _hear(self) -> None:
        os.read(self._reader, 64)
        self._reap()

    def _look_again(self) -> None:
        if self._is_hidden:
            self._reap()

    def _reap(self) -> None:
        while pid := self._shown():
            os.waitpid(pid, 0)

    def _shown(self) -> int:
        """The orphan that the kernel shows first; 0: none, or one of our own."""
        self._is_hidden = False  # before the look, for the handler may come after it and know better
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # nobody is there
            return 0
        if ended and ended.si_pid in own_children:
            self._is_hidden = True
            return 0
        return ended.si_pid if ended else 0

    def close(self) -> None:
        """Reap nobody any more."""
        reapers.remove(self._look_again)
        self._poller.remove(self._reader)
        signal.signal(signal.SIGCHLD, self._before)
        os.close(self._reader)
        os.close(self._writer)
