from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rpc.varint import append_varint, parse_varint

LARGEST = 2**64 - 1


def written(number: int) -> bytes:
    buffer = bytearray()
    append_varint(buffer, number)
    return bytes(buffer)


@pytest.mark.parametrize(
    ("number", "data"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (65_536, "808004"), (LARGEST, "ffffffffffffffffff01")],
)
def test_numbers_and_their_bytes(number: int, data: str) -> None:
    assert written(number).hex() == data
    assert parse_varint(bytes.fromhex(data)) == (number, len(data) // 2)


@given(number=st.integers(0, LARGEST), before=st.binary(max_size=3), after=st.binary(max_size=12))
def test_what_was_written_is_read_wherever_it_stands(number: int, before: bytes, after: bytes) -> None:
    data = written(number)
    assert parse_varint(bytearray(before + data + after), len(before)) == (number, len(before + data))
    for end in range(len(data)):
        assert parse_varint(data[:end]) is None


def test_zeros_that_a_number_does_not_need_are_taken() -> None:
    assert parse_varint(bytes.fromhex("818000")) == (1, 3)
    assert parse_varint(bytes.fromhex("81" + "80" * 8 + "00")) == (1, 10)


@pytest.mark.parametrize("data", ["80" * 10, "80" * 10 + "00", "ff" * 11])
def test_no_number_has_eleven_bytes(data: str) -> None:
    with pytest.raises(ValueError, match="cannot read a number of more than 10 bytes"):
        parse_varint(bytes.fromhex(data))


@pytest.mark.parametrize("last", ["02", "7f"])
def test_no_number_has_more_than_64_bits(last: str) -> None:
    with pytest.raises(ValueError, match="cannot read a number of more than 64 bits"):
        parse_varint(bytes.fromhex("80" * 9 + last))
