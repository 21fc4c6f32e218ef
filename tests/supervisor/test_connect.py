from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path

import pytest
import trio

from runner.supervisor.connect import connect_tcp, connect_unix, say_failure


async def test_connects_to_an_address_and_to_a_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            async with connect_tcp(host, port) as stream:
                assert stream.socket.getpeername() == ("127.0.0.1", port)


async def test_connects_over_ipv6() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("needs IPv6")
    with server:
        async with connect_tcp("::1", server.getsockname()[1]) as stream:
            assert stream.socket.getpeername()[0] == "::1"


async def test_a_connection_to_oneself_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel does by chance, done on purpose: bind the port, then connect to it."""
    with trio.socket.socket() as ours:
        await ours.bind(("127.0.0.1", 0))
        await ours.connect(ours.getsockname())

        async def open_tcp_stream(host: str, port: int) -> trio.SocketStream:
            return trio.SocketStream(ours)

        monkeypatch.setattr(trio, "open_tcp_stream", open_tcp_stream)
        with pytest.raises(ConnectionRefusedError):
            async with connect_tcp("127.0.0.1", ours.getsockname()[1]):
                pass
        assert ours.fileno() == -1


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_connects_to_a_unix_socket_while_it_is_open(tmp_path: Path, kind: socket.SocketKind) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, kind) as server:
        server.bind(path)
        if kind == socket.SOCK_STREAM:
            with pytest.raises(ConnectionRefusedError):
                await connect_unix(path)
            server.listen()
        await connect_unix(path)
    with pytest.raises(ConnectionRefusedError):
        await connect_unix(path)


async def test_no_unix_socket(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await connect_unix(str(tmp_path / "missing"))


def caused_by(cause: BaseException) -> OSError:
    error = OSError("all attempts failed")
    error.__cause__ = cause
    return error


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1)")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (os_error(errno.ECONNREFUSED), "connection refused"),
        (os_error(errno.ENOENT), "no such file"),
        (os_error(errno.EACCES), "permission denied"),
        (caused_by(os_error(errno.ETIMEDOUT)), "connection timed out"),
        (caused_by(ExceptionGroup("", [os_error(errno.ENETUNREACH), os_error(errno.ECONNREFUSED)])), "connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name or service not known"),
        (OSError("AF_UNIX path too long"), "AF_UNIX path too long"),
        (ValueError("'x' is no host:port"), "'x' is no host:port"),
        (ValueError(), "ValueError"),
        (certificate_error(), "certificate not accepted: self-signed certificate"),
    ],
)
def test_says_why(error: BaseException, words: str) -> None:
    assert say_failure(error) == words
