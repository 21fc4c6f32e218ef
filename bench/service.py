"""The service whose readiness is measured: ``service.py KIND TARGET`` becomes ready in that one way and then stays.

It imports no more than its kind needs, and takes a moment before it is ready, so that whoever waits for it has begun to.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

PREPARATION = 0.05
"""Seconds."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def listen(kind: str, target: str) -> socket.socket:
    """A socket that accepts connections from now on."""
    server = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
    if kind == "unix":
        server.bind(target)
    else:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", int(target)))
    server.listen()
    return server


def notify() -> None:
    """Say ``READY=1`` as sd_notify(3) does."""
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)


def serve(kind: str, server: socket.socket) -> None:
    """Accept connections until killed; to HTTP there is one answer."""
    while True:
        connection, _ = server.accept()
        with connection:
            if kind == "http":
                connection.recv(65536)
                connection.sendall(ANSWER)


def main(kind: str, target: str) -> None:
    time.sleep(PREPARATION)
    if kind in {"http", "tcp", "unix"}:
        serve(kind, listen(kind, target))
    elif kind in {"file", "command"}:
        Path(target).touch()
    elif kind == "log":
        print(target, flush=True)
    elif kind == "notify":
        notify()
    else:
        sys.exit(f"cannot become ready by {kind!r}")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
