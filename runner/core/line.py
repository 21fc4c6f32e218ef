"""Reads one line of a stream: of a journal, of ``up --output json``, or of what a watcher gets."""

from __future__ import annotations

from typing import get_args

from msgspec import Struct
from msgspec.json import Decoder

from .stream import StreamEvent


class _Kind(Struct):
    """What kind of event a line is."""

    event: str


_KINDS = {event.__struct_config__.tag for event in get_args(StreamEvent)}
_decode_kind = Decoder(_Kind).decode
_decode = Decoder(StreamEvent).decode


_YEAR_3000 = 32_503_680_000.0


def sensible_beginning(begun_at: float) -> float:
    """When a run began, in seconds since the epoch, or the nearest time that can be told in any time zone."""
    return min(max(begun_at, 0.0), _YEAR_3000)


def parse_event(line: bytes) -> StreamEvent | None:
    """The event of a line; None where it is of a kind that this version does not know. Raises ``msgspec.DecodeError``."""
    return _decode(line) if _decode_kind(line).event in _KINDS else None
