"""A stream socket in the poller: what comes is told, what is written waits for the peer without anybody waiting for it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from .poller import Poller

_READ_SIZE = 65_536
_MOST_UNSENT = 16 * 1024 * 1024
"""Bytes that wait for a peer. Nothing is read from one that does not read, so only streams can come to this."""


class Wire:
    """Owns a connected socket until it is closed.

    ``on_data`` gets what the peer sends, and an empty piece when it is gone, after which nothing comes. While something waits
    to be taken by the peer nothing is read from it, so one that does not read its answers gets no more of them; when the
    peer has taken all, ``on_taken`` is called.
    """

    def __init__(
        self, poller: Poller, sock: socket.socket, on_data: Callable[[bytes], None], on_taken: Callable[[], None] = lambda: None
    ) -> None:
        sock.setblocking(False)
        self.is_closed = False
        self._poller = poller
        self._socket = sock
        self._on_data = on_data
        self._on_taken = on_taken
        self._unsent = bytearray()
        poller.add(sock.fileno(), self._readable)

    @property
    def is_waiting(self) -> bool:
        """Whether something was written that the peer has not taken."""
        return bool(self._unsent)

    @property
    def unsent(self) -> int:
        """How many bytes were written that the peer has not taken."""
        return len(self._unsent)

    def fileno(self) -> int:
        """The socket: writable when a peer that is waited for takes more."""
        return self._socket.fileno()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._on_data(data)

    def write(self, data: bytes) -> None:
        """Send, now or when the peer takes it. To a peer that is gone, or never takes anything, nothing is sent any more."""
        if self.is_closed or not data:
            return
        was_waiting = bool(self._unsent)
        self._unsent += data
        if was_waiting:
            if len(self._unsent) > _MOST_UNSENT:
                self._give_up()
        elif not self._flush():
            self._poller.remove(self._socket.fileno())
            self._poller.add(self._socket.fileno(), self.go_on, to_write=True)

    def go_on(self) -> None:
        """Send more of what waits. The poller calls this, or whoever has no time for the poller."""
        if self._flush() and not self.is_closed:
            self._poller.remove(self._socket.fileno())
            self._poller.add(self._socket.fileno(), self._readable)
            self._on_taken()

    def _give_up(self) -> None:
        """Break the connection, so that reading comes to its end. Whoever writes is in the middle of something: not now."""
        self._unsent.clear()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _flush(self) -> bool:
        """Send what the peer takes; says whether that was all."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return False
        except OSError:  # the peer is gone, which reading will tell
            self._unsent.clear()
        return True

    def close(self) -> None:
        """Hang up. What was not taken is lost."""
        if not self.is_closed:
            self.is_closed = True
            self._poller.remove(self._socket.fileno())
            self._socket.close()
