"""Varints: whole numbers in as few bytes as they need, seven bits a byte, the lowest first.

DRPC's frames and protobuf's fields have the same.
"""

from __future__ import annotations

LARGEST_BYTES = 10
"""A number of 64 bits takes no more. Fewer could do for many: a number may come with zeros that it does not need."""


def parse_varint(buffer: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """The number that stands at an offset, and the offset behind it; None where the buffer ends first.

    Raises ``ValueError`` for what is longer than ten bytes or larger than 64 bits.
    """
    number = 0
    for place, byte in enumerate(buffer[at : at + LARGEST_BYTES]):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            if number >> 64:
                raise ValueError("cannot read a number of more than 64 bits")
            return number, at + place + 1
    if len(buffer) - at >= LARGEST_BYTES:
        raise ValueError(f"cannot read a number of more than {LARGEST_BYTES} bytes")
    return None


def append_varint(buffer: bytearray, number: int) -> None:
    """Append a number from 0 to 2**64 - 1, in as few bytes as it needs."""
    while number >= 0x80:
        buffer.append(number & 0x7F | 0x80)
        number >>= 7
    buffer.append(number)
