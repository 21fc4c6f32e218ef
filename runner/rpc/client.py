"""The one client that blocks: small and quick to import, for commands that ask a supervisor something and are done.

It has one connection and makes one call at a time. Everything that can go wrong is in ``failure.py``.
"""

from __future__ import annotations

import os
import time
from _socket import (  # a tenth of what its wrapper takes to import
    AF_UNIX,
    MSG_DONTWAIT,
    SO_SNDTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
    socket,
)

from .connection import ClientConnection
from .event import CallCancelled, ConnectionEnded, ErrorReceived, MessageReceived, SendClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from .event import Event

_READ_SIZE = 65_536
"""Bytes that are read at once."""
_SHORTEST = 0.000_001
"""Seconds of the shortest time limit: to a socket, 0 means something else."""
_INVALID_ARGUMENT = "invalid argument"
"""What a system says to a path that is too long for the address of a socket. Python finds out before it asks."""


class Client:
    """A connection to a supervisor's socket, or to the agent's.

    Times are seconds and bound the whole of what they are given to; without one there is no limit. Where the connection fails
    or a time is over, it is closed, and no further call gets an answer.
    """

    def __init__(self, path: str, *, timeout: float | None = None) -> None:
        """Connect. Raises :class:`~.failure.CannotConnect` or :class:`~.failure.CallTimedOut`."""
        self._connection = ClientConnection()
        self._socket = _connect(path, timeout)
        self.is_over = True
        """The other side has said all that there is to say in the call that was made last."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up, which cancels a call that still runs. Twice does no harm."""
        self._socket.close()
        for _ in self._connection.receive(b""):
            pass

    def call(self, rpc: str, request: bytes = b"", *, timeout: float | None = None) -> bytes:
        """The one answer to a request.

        Raises :class:`~.failure.ErrorAnswered`, :class:`~.failure.NoAnswer` or :class:`~.failure.CallTimedOut`.
        """
        deadline = _deadline(timeout)
        stream = self._begin(rpc, request, deadline)
        for message in self._messages(deadline):
            self._leave(self._connection.close(stream))
            return message
        raise _no_answer("the other side ended the call")

    def stream(self, rpc: str, request: bytes = b"", *, timeout: float | None = None) -> Iterator[bytes]:
        """All answers to a request, as they come. Raises as :meth:`call` does.

        Who wants no more of them closes the iterator, which cancels the call.
        """
        deadline = _deadline(timeout)
        stream = self._begin(rpc, request, deadline)
        try:
            yield from self._messages(deadline)
        finally:
            self._leave(self._connection.cancel(stream))

    def listen(self, rpc: str, request: bytes = b"", *, timeout: float | None = None) -> None:
        """Make a call whose answers are taken with :meth:`take`, by somebody who waits for other things too.

        The time bounds the saying of it. Raises as :meth:`call` does.
        """
        self._begin(rpc, request, _deadline(timeout))
        self._socket.settimeout(None)  # while there is a limit, Python waits for data before it even asks

    def fileno(self) -> int:
        """Readable when :meth:`take` has something to do."""
        return self._socket.fileno()

    def take(self) -> Iterator[bytes]:
        """The answers that have come, without waiting for more. Raises as :meth:`call` does."""
        if not self.is_over:
            yield from self._heard(self._come())

    def _begin(self, rpc: str, request: bytes, deadline: float | None) -> int:
        if self._connection.has_ended:
            raise _no_answer("the connection is closed")
        self.is_over = False
        stream, data = self._connection.call(rpc, request)
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.sendall(data)
        except OSError as error:
            raise self._fail(error) from None
        return stream

    def _leave(self, data: bytes) -> None:
        """Say that a call is finished with, to a peer who may have gone already: that is no failure, the call is over."""
        if data:
            try:
                self._socket.sendall(data)
            except OSError:
                self.close()

    def _messages(self, deadline: float | None) -> Iterator[bytes]:
        """The messages of the call that runs, until the other side has said all."""
        return self._heard(self._events(deadline))

    def _heard(self, events: Iterable[Event]) -> Iterator[bytes]:
        for event in events:
            if (message := self._hear(event)) is not None:
                yield message
            if self.is_over:
                return

    def _hear(self, event: Event) -> bytes | None:
        """The message that an event of the call brings, if it brings one. Raises what ends the call before its time."""
        match event:
            case MessageReceived(_, data):
                return data
            case SendClosed():
                self.is_over = True
            case ErrorReceived():
                from .failure import ErrorAnswered

                raise ErrorAnswered(event.code, event.text)
            case CallCancelled() if not self._connection.has_ended:
                raise _no_answer("the other side cancelled the call")
            case ConnectionEnded(error):
                self.close()
                raise _no_answer(error or "the other side closed the connection")
        return None

    def _events(self, deadline: float | None) -> Iterator[Event]:
        """All that comes, until somebody stops asking."""
        while True:
            try:
                self._socket.settimeout(_left(deadline))
                data = self._socket.recv(_READ_SIZE)
            except OSError as error:
                raise self._fail(error) from None
            yield from self._connection.receive(data)

    def _come(self) -> Iterator[Event]:
        """All that has come."""
        try:
            data = self._socket.recv(_READ_SIZE, MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._fail(error) from None
        yield from self._connection.receive(data)

    def _fail(self, error: OSError) -> Exception:
        self.close()
        if isinstance(error, TimeoutError):
            return _timed_out("get an answer")
        return _no_answer(_say(error))


def _connect(path: str, timeout: float | None) -> socket:
    """A socket that is connected to a path."""
    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        if timeout is not None:
            connection.setsockopt(SOL_SOCKET, SO_SNDTIMEO, _timeval(max(timeout, _SHORTEST)))
        connection.connect(path)
        connection.setsockopt(SOL_SOCKET, SO_SNDTIMEO, _timeval(0))
    except OSError as error:
        connection.close()
        if isinstance(error, BlockingIOError):
            raise _timed_out(f'connect to "{path}"') from None
        from .failure import CannotConnect

        raise CannotConnect(path, _say(error)) from None
    return connection


def _timeval(seconds: float) -> bytes:
    """A time limit as the kernel takes it, to whom 0 is none.

    Where Python kept the time, the socket would be one that does not block, and such a one is refused at once while the
    listener's queue is full.
    """
    from struct import pack

    whole, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
    return pack("ll", whole, microseconds)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: float | None) -> float | None:
    """Seconds until a deadline, or hardly any where it has passed."""
    return None if deadline is None else max(_SHORTEST, deadline - time.monotonic())


def _say(error: OSError) -> str:
    """Why a call to the system failed, in the words of Go: without a capital."""
    words = os.strerror(error.errno) if error.errno else _INVALID_ARGUMENT
    return words[0].lower() + words[1:]


def _no_answer(why: str) -> Exception:
    from .failure import NoAnswer

    return NoAnswer(f"cannot get an answer: {why}")


def _timed_out(what: str) -> Exception:
    from .failure import CallTimedOut

    return CallTimedOut(f"cannot {what} in the time that was given")
