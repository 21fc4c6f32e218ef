from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from runner.supervisor.connect import say_failure
from runner.supervisor.http import LONGEST_STATUS_LINE, get_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Of localhost and 127.0.0.1, signed by itself, valid for a century, with its key."""


class Server:
    """Answers every connection with the same pieces, and keeps the requests."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.requests: list[bytes] = []
        self.port = 0

    async def answer(self, stream: trio.abc.Stream) -> None:
        request = b""
        try:
            while b"\r\n\r\n" not in request and (data := await stream.receive_some(4_096)):
                request += data
            self.requests.append(request)
            for piece in self.pieces:
                await stream.send_all(piece)
                await trio.testing.wait_all_tasks_blocked()
        except trio.BrokenResourceError:
            pass  # the client has heard enough, or does not trust us

    @asynccontextmanager
    async def serving(self, *, tls: bool = False) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            if tls:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(CERTIFICATE)
                serve = partial(trio.serve_ssl_over_tcp, self.answer, 0, context, host="127.0.0.1", https_compatible=True)
                [listener] = await nursery.start(serve)
                self.port = listener.transport_listener.socket.getsockname()[1]
            else:
                [listener] = await nursery.start(partial(trio.serve_tcp, self.answer, 0, host="127.0.0.1"))
                self.port = listener.socket.getsockname()[1]
            yield
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([b"HTTP/1.1 200 OK\r\n\r\n"], 200),
        ([b"HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nbody"], 404),
        ([b"HTTP/1.1 204\r\n\r\n"], 204),
        ([b"HTT", b"P/1.1 5", b"03 Service Unava", b"ilable\r\n"], 503),
        ([b"HTTP/1.1 200"], 200),
        ([b"HTTP/1.1 301 Moved\nLocation: /elsewhere\n\n"], 301),
    ],
)
async def test_reads_the_status(pieces: list[bytes], status: int) -> None:
    server = Server(*pieces)
    async with server.serving():
        assert await get_status(f"http://127.0.0.1:{server.port}/") == status


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([], "connection closed without an answer"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], "no HTTP answer"),
        ([b"HTTP/1.1 2000 OK\r\n"], "no HTTP answer"),
        ([b"HTTP/1.1 x" + b"x" * 3 * LONGEST_STATUS_LINE], "no HTTP answer"),
    ],
)
async def test_what_is_no_http(pieces: list[bytes], words: str) -> None:
    server = Server(*pieces)
    async with server.serving():
        with pytest.raises(ValueError, match=words):
            await get_status(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", b"GET / HTTP/1.1"),
        ("/health?deep=1&x=%20y#part", b"GET /health?deep=1&x=%20y HTTP/1.1"),
        ("/a b/é", b"GET /a%20b/%C3%A9 HTTP/1.1"),
        ("?q=a b", b"GET /?q=a%20b HTTP/1.1"),
    ],
)
async def test_sends_one_request(path: str, line: bytes) -> None:
    server = Server(b"HTTP/1.1 200 OK\r\n\r\n")
    async with server.serving():
        await get_status(f"http://user@127.0.0.1:{server.port}{path}")
        expected = [
            line,
            b"Host: 127.0.0.1:%d" % server.port,
            b"User-Agent: runner",
            b"Accept: */*",
            b"Connection: close",
            b"",
            b"",
        ]
        assert server.requests == [b"\r\n".join(expected)]


@pytest.mark.parametrize("url", ["localhost:80", "ftp://localhost/", "http:///x", "http://localhost:99999/", "http://[::1/", ""])
async def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"no http or https URL|Port out of range|Invalid IPv6 URL"):
        await get_status(url)


async def test_https(monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.supervisor import http

    server = Server(b"HTTP/1.1 200 OK\r\n\r\n")
    async with server.serving(tls=True):
        url = f"https://localhost:{server.port}/"
        http._tls_context.cache_clear()
        with pytest.raises(trio.BrokenResourceError) as caught:
            await get_status(url)
        assert say_failure(caught.value) == "certificate not accepted: self-signed certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        http._tls_context.cache_clear()
        assert await get_status(url) == 200
        http._tls_context.cache_clear()


async def test_https_to_what_speaks_no_tls() -> None:
    class Hasty(Server):
        async def answer(self, stream: trio.abc.Stream) -> None:
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await stream.receive_some(4_096)

    server = Hasty()
    async with server.serving():
        with pytest.raises(trio.BrokenResourceError) as caught:
            await get_status(f"https://localhost:{server.port}/")
        assert say_failure(caught.value) == "TLS: wrong version number"
