"""Fuzz the codec of the sync socket, guided by coverage: no bytes make either end raise, whatever way they are cut.

A bounded run that begins with the reference library's byte streams: ``python .ci/fuzz.py [RUNS]``. It needs atheris.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["runner.rpc"]):
    from runner.rpc.connection import ClientConnection, Connection, ServerConnection
    from runner.rpc.event import ConnectionEnded, MessageReceived
    from runner.rpc.messages import SyncStatusResponse, SyncWantRequest
    from runner.rpc.methods import METHODS, SYNC_STATUS
    from runner.rpc.proto import ProtoError, parse_message

VECTORS = Path(__file__).parent.parent / "tests" / "rpc" / "vectors" / "drpc.json"
RUNS = "50000"


def hear(connection: Connection, data: bytes, size: int) -> None:
    """Feed bytes in pieces of a size, answer every message, and see that the end is the end."""
    for at in range(0, len(data), size):
        for event in connection.receive(data[at : at + size]):
            assert not connection.has_ended or not isinstance(event, MessageReceived)
            if isinstance(event, MessageReceived):
                parse(event.data)
                connection.send_message(event.stream, event.data)
                connection.close_send(event.stream)
    told = list(connection.receive(b""))
    assert connection.has_ended
    assert not told or isinstance(told[-1], ConnectionEnded)


def parse(data: bytes) -> None:
    """Read bytes as messages; that they are none is an answer too."""
    for message in (SyncWantRequest, SyncStatusResponse):
        try:
            parse_message(message, data)
        except ProtoError:
            continue


def one(data: bytes) -> None:
    """One input: the first byte says how the others are cut."""
    size, rest = (data[0] or 256 if data else 1), data[1:]
    hear(ServerConnection(METHODS), rest, size)
    client = ClientConnection()
    client.call(SYNC_STATUS.path, b"")
    hear(client, rest, size)
    parse(rest)


def hexes(value: Any) -> list[bytes]:
    """All byte strings in the vectors."""
    if isinstance(value, dict):
        return [
            found for key, item in value.items() for found in ([bytes.fromhex(item)] if key == "hex" and item else hexes(item))
        ]
    return [found for item in value for found in hexes(item)] if isinstance(value, list) else []


def main() -> None:
    """Fuzz; ends the process, with a status other than 0 where an input raised."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(hexes(json.loads(VECTORS.read_text()))):
            Path(corpus, str(number)).write_bytes(b"\x00" + seed[:4096])
        runs = sys.argv[1] if len(sys.argv) > 1 else RUNS
        atheris.Setup([sys.argv[0], f"-runs={runs}", "-seed=1", "-max_len=4096", "-print_final_stats=1", corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
