"""Recorded runs of real processes; ``record.py`` makes them."""

from __future__ import annotations

import gzip
from pathlib import Path

from msgspec.json import Decoder

from runner.core.stream import StreamEvent

NAMES = ("small", "failures", "locks", "wide", "huge")
_HERE = Path(__file__).parent


def read_recording(name: str) -> list[StreamEvent]:
    """The events of a recording, in order."""
    plain = _HERE / f"{name}.jsonl"
    data = plain.read_bytes() if plain.exists() else gzip.decompress(plain.with_suffix(".jsonl.gz").read_bytes())
    return list(map(Decoder(StreamEvent).decode, data.splitlines()))
