"""A service that makes events: ``talker.py COUNT SECONDS`` says COUNT times what it is doing, spread over so many seconds.

It is ready when it has said all, and then stays.
"""

from __future__ import annotations

import os
import socket
import sys
import time

BURST = 50
"""After so many it looks at the clock."""
PADDING = "." * 80
"""What it says is as long as what people say of their programs."""


def main(count: int, seconds: float) -> None:
    address = os.environ["NOTIFY_SOCKET"]
    begin = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        for number in range(count):
            sender.send(f"STATUS={number} of {count}{PADDING}".encode())
            if number % BURST == 0:
                time.sleep(max(begin + seconds * number / count - time.monotonic(), 0))
        sender.send(b"READY=1")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
