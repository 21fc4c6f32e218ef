"""A server on a real socket for a client under test: a thread that serves one connection after the other."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(path: Path, *serve: Serve) -> Iterator[None]:
    """Serve as many connections as there are functions, each by its own; all are over when the block is left."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = Thread(target=_accept_all, args=(listener, serve))
        thread.start()
        yield
        thread.join()


def _accept_all(listener: socket.socket, serve: tuple[Serve, ...]) -> None:
    for one in serve:
        connection, _ = listener.accept()
        with connection:
            one(connection)


def hang_up(connection: socket.socket) -> None:
    """Close the connection before anything was said."""


def saying(*answers: str) -> Serve:
    """Say one answer, in hex, each time that something comes; then wait for the end, and forget what else comes."""

    def serve(connection: socket.socket) -> None:
        for answer in answers:
            assert connection.recv(65_536)
            connection.sendall(bytes.fromhex(answer))
        while connection.recv(65_536):
            pass

    return serve
