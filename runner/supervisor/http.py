"""Asks a web server for one status: the smallest HTTP/1.1 client that a probe needs (RFC 9112).

One GET, the status line of its answer, and the connection is closed. Nothing is followed and no body is read.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, urlsplit

import trio

from .connect import connect_tcp

if TYPE_CHECKING:
    import ssl

LONGEST_STATUS_LINE: Final = 1_024
"""Bytes. What has not said its status by then does not speak HTTP."""
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?![0-9])")
_SAFE: Final = "/%:;=&~+!$,'@()*?[]"
"""Characters that stand in a path or a query as they are; a ``%`` is taken to begin what is already quoted."""


async def get_status(url: str) -> int:
    """The status with which the server answers a GET.

    Raises ``ValueError`` where that is no URL, or no HTTP that comes back; ``OSError`` or ``trio.BrokenResourceError`` where
    the connection fails or the server's certificate is not accepted. There is no time limit: that is the caller's.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https URL")
    is_secure = parts.scheme == "https"
    async with connect_tcp(parts.hostname, parts.port or (443 if is_secure else 80)) as stream:
        if not is_secure:
            return await _ask(stream, parts)
        context = await trio.to_thread.run_sync(_tls_context)
        return await _ask(trio.SSLStream(stream, context, server_hostname=parts.hostname, https_compatible=True), parts)


async def _ask(stream: trio.abc.Stream, parts: SplitResult) -> int:
    await stream.send_all(_request(parts))
    answer = b""
    while b"\n" not in answer and len(answer) < LONGEST_STATUS_LINE:
        received = await stream.receive_some(LONGEST_STATUS_LINE)
        if not received:
            break
        answer += received
    if match := _STATUS_LINE.match(answer):
        return int(match[1])
    raise ValueError("no HTTP answer" if answer else "connection closed without an answer")


def _request(parts: SplitResult) -> bytes:
    host = parts.netloc.rpartition("@")[2]
    target = quote(parts.path or "/", safe=_SAFE) + ("?" + quote(parts.query, safe=_SAFE) if parts.query else "")
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {host if host.isascii() else host.encode('idna').decode()}",
        "User-Agent: runner",
        "Accept: */*",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


@cache
def _tls_context() -> ssl.SSLContext:
    """The certificates of the system, read once: that takes long enough not to be done in the loop."""
    import ssl

    return ssl.create_default_context()
