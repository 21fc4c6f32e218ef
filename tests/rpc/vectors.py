"""The captured byte streams of the reference library: who said what, in order, and who hung up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

FILE = Path(__file__).parent / "vectors" / "drpc.json"

UNPARSED = {
    "raw_varint_too_long": "03" + "ff" * 10 + "01" + "0100",
    "raw_eof_mid_header": "0301",
    "raw_shut_mid_message": "0501020a0a03",
}
"""What a client sent after its last whole frame, which a list of frames cannot hold."""


@dataclass(frozen=True)
class Said:
    """One frame."""

    by_client: bool
    data: bytes
    kind: int
    done: bool
    control: bool
    stream: int
    message: int
    content: bytes


@dataclass(frozen=True)
class Vector:
    """One conversation over one connection."""

    name: str
    by: str
    setup: list[list[str]]
    frames: list[Said]
    ends: list[tuple[str, str]]
    """Who hung up, and how."""

    @property
    def turns(self) -> Iterator[tuple[bool, list[Said]]]:
        """Who speaks, and all that is said until the other does."""
        frames = (frame for frame in self.frames)
        for by_client, turn in groupby(frames, key=lambda frame: frame.by_client):
            yield by_client, list(turn)

    @property
    def unparsed(self) -> bytes:
        """What the client sent last, and was no whole frame."""
        return bytes.fromhex(UNPARSED.get(self.name, ""))

    def said_by(self, *, client: bool) -> bytes:
        """All frames of one side."""
        return b"".join(frame.data for frame in self.frames if frame.by_client == client)


def read_vectors() -> list[Vector]:
    """All of them."""
    return [
        Vector(
            name=entry["name"],
            by=entry["by"],
            setup=entry["setup"] or [],
            frames=[
                Said(
                    by_client=frame["from"] == "client",
                    data=bytes.fromhex(frame["hex"]),
                    content=bytes.fromhex(frame["data_hex"]),
                    **{key: frame[key] for key in ("kind", "done", "control", "stream", "message")},
                )
                for frame in entry["frames"]
            ],
            ends=[(end["from"], end["end"]) for end in entry["ends"]],
        )
        for entry in json.loads(FILE.read_text(encoding="utf-8"))
    ]


VECTORS = read_vectors()
