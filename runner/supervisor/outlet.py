"""Writes to a reader that may be slow, or gone, without ever waiting for it.

What the reader does not take at once is kept for it, up to a limit; beyond that, whole pieces are left out and counted, and
when the reader goes on it gets a word about the gap first. A reader that went away is not missed: a startup does not depend
on somebody who looks at it.
"""

from __future__ import annotations

import os
import select
import stat
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from .poller import Poller

if TYPE_CHECKING:
    from socket import socket

LIMIT = 4 * 1024 * 1024
"""Bytes that wait for a slow reader."""


class Outlet:
    """One reader, at the other end of a descriptor.

    ``say_gap`` makes what is written after a gap of so many pieces, when the reader has caught up.
    """

    def __init__(self, poller: Poller, fd: int, say_gap: Callable[[int], bytes]) -> None:
        self._poller = poller
        self._say_gap = say_gap
        self._fd = _reopen_nonblocking(fd)
        self._socket = _as_socket(self._fd)
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._missed = 0
        self._is_gone = False

    @property
    def is_waiting(self) -> bool:
        """Whether something was written that the reader has not taken."""
        return bool(self._queue)

    def write(self, piece: bytes) -> None:
        """Write a piece, now or when the reader is ready for it."""
        if self._is_gone or not piece:
            return
        if self._missed or (self._queue and self._queued + len(piece) > LIMIT):
            self._missed += 1
        elif self._queue:
            self._enqueue(piece)
        elif rest := self._try(piece):
            self._enqueue(rest)
            self._poller.add(self._fd, self._go_on, to_write=True)

    def _enqueue(self, piece: bytes) -> None:
        self._queue.append(piece)
        self._queued += len(piece)

    def _try(self, piece: bytes) -> bytes:
        """What is left of a piece after the reader took what it can take."""
        try:
            while piece:
                piece = piece[self._send(piece) :]
        except BlockingIOError:
            return piece
        except OSError:  # EPIPE, a terminal that hung up, a disk that is full
            self._is_gone = True
        return b""

    def _send(self, piece: bytes) -> int:
        if self._socket is None:
            return os.write(self._fd, piece)
        from socket import MSG_DONTWAIT  # says with each piece what others who share the socket need not agree to (send(2))

        return self._socket.send(piece, MSG_DONTWAIT)

    def _go_on(self) -> None:
        while self._queue:
            piece = self._queue.popleft()
            self._queued -= len(piece)
            if rest := self._try(piece):
                self._queue.appendleft(rest)
                self._queued += len(rest)
                return
            if not self._queue and self._missed:
                self._enqueue(self._say_gap(self._missed))
                self._missed = 0
        self._poller.remove(self._fd)

    def close(self, patience: float) -> None:
        """Give the reader so many seconds to take the rest, and let go. What is written later is for nobody."""
        deadline = time.monotonic() + patience
        waiter = select.poll()
        waiter.register(self._fd, select.POLLOUT)
        while self._queue and (left := deadline - time.monotonic()) > 0 and waiter.poll(left * 1000):
            self._go_on()
        if self._queue:
            self._poller.remove(self._fd)
            self._queue.clear()
        self._is_gone = True
        if self._socket:
            self._socket.detach()
        os.close(self._fd)


def _reopen_nonblocking(fd: int) -> int:
    """A descriptor for the same file that does not block, while the one that others share goes on to.

    O_NONBLOCK belongs to the open file description (open(2)), so a pipe or a terminal is opened anew by way of /proc. A
    regular file never blocks; anything that cannot be opened anew is used as it is.
    """
    mode = os.fstat(fd).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(fd):
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    return os.dup(fd)


def _as_socket(fd: int) -> socket | None:
    """The same descriptor, which :meth:`Outlet.close` closes, where it is a socket."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return None
    from socket import socket

    return socket(fileno=fd)
