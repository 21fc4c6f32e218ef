"""One epoll for all that the supervisor waits for without a task of its own: processes, their output, signals.

A pidfd and a pipe per unit would be two tasks per unit; here they are two entries in a kernel table, and the loop waits for
one descriptor, :meth:`Poller.fileno`. It needs no event loop, so the first units run before one is even imported.
"""

from __future__ import annotations

import select
from collections.abc import Callable

_BATCH = 256


class Poller:
    """Readable descriptors and what to call for each."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[], None]] = {}

    def fileno(self) -> int:
        """Readable when :meth:`dispatch` has something to do (an epoll can be waited for like any file: epoll(7))."""
        return self._epoll.fileno()

    def add(self, fd: int, callback: Callable[[], None], *, to_write: bool = False) -> None:
        """Call back whenever the descriptor is readable or at its end, until it is removed; or whenever it is writable."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, select.EPOLLOUT if to_write else select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Call back no more. To be called before the descriptor is closed."""
        del self._callbacks[fd]
        self._epoll.unregister(fd)

    def dispatch(self) -> bool:
        """Make the calls that are due, without waiting; says whether there were any."""
        due = [(fd, self._callbacks[fd]) for fd, _ in self._epoll.poll(0, _BATCH)]
        for fd, callback in due:
            if self._callbacks.get(fd) is callback:  # an earlier call may have removed it, and its number be another's by now
                callback()
        return bool(due)

    def close(self) -> None:
        """Release the epoll; the descriptors stay with their owners."""
        self._epoll.close()
