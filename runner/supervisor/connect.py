"""Connects to where a service listens, and says in words why that fails."""

from __future__ import annotations

import errno
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def connect_tcp(host: str, port: int) -> AsyncIterator[trio.SocketStream]:
    """A connection to the first address of a host that takes one. Raises ``OSError`` where none does.

    While nobody listens on a port of the ephemeral range, the kernel may choose that very port for our end, and then TCP
    connects it to itself (RFC 9293, simultaneous open). That is no answer, and kept open it would bar the port's owner.
    """
    stream = await trio.open_tcp_stream(host, port)
    async with stream:
        if stream.socket.getsockname() == stream.socket.getpeername():
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        yield stream


async def connect_unix(path: str) -> None:
    """Connect to the socket at a path and hang up again. Raises ``OSError`` where nobody listens there.

    To a datagram socket one cannot connect as to a stream, and Linux says so only where it is open: that is an answer too.
    """
    try:
        await trio.aclose_forcefully(await trio.open_unix_socket(path))
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:
            raise


def say_failure(error: BaseException) -> str:
    """Why something outside did not work, as words that can follow a colon: ``connection refused``, ``no such file``."""
    while not getattr(error, "errno", None):
        if isinstance(error, BaseExceptionGroup):  # an error for each address of a host; the last is IPv4, which most mean
            error = error.exceptions[-1]
        elif error.__cause__:
            error = error.__cause__
        else:
            break
    if not isinstance(error, OSError) or not error.strerror:
        return str(error) or type(error).__name__
    if certificate := getattr(error, "verify_message", ""):  # ssl.SSLCertVerificationError; ssl itself is dear to import
        return f"certificate not accepted: {certificate}"
    if tls := getattr(error, "reason", ""):  # ssl.SSLError: WRONG_VERSION_NUMBER
        return f"TLS: {tls.lower().replace('_', ' ')}"
    if error.errno == errno.ENOENT:
        return "no such file"
    words = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # below 0: socket.gaierror
    return words[0].lower() + words[1:]
