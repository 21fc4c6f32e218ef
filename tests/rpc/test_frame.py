from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rpc.frame import CANCEL, INVOKE, KIND_NAMES, MESSAGE, Frame, ProtocolError, append_frame, parse_frame

IDS = st.integers(0, 2**64 - 1)
FRAMES = st.builds(Frame, st.integers(0, 63), IDS, IDS, st.just(0), st.booleans(), st.booleans())


@given(frame=FRAMES, content=st.binary(max_size=200), after=st.binary(max_size=9))
def test_a_frame_is_read_as_it_was_written(frame: Frame, content: bytes, after: bytes) -> None:
    frame = Frame(frame.kind, frame.stream, frame.message, len(content), frame.is_done, frame.is_control)
    buffer = bytearray(b"before")
    append_frame(buffer, frame, content)
    end = len(buffer)
    start = end - len(content)
    buffer += after
    assert parse_frame(buffer, 6) == (frame, start)
    assert bytes(buffer[start:end]) == content


@given(frame=FRAMES)
def test_a_head_that_is_not_whole_is_not_there_yet(frame: Frame) -> None:
    buffer = bytearray()
    append_frame(buffer, frame)
    for end in range(len(buffer)):
        assert parse_frame(buffer[:end]) is None


def test_a_head_is_read_before_its_data_is_there() -> None:
    assert parse_frame(bytes.fromhex("0501020a")) == (Frame(MESSAGE, 1, 2, 10), 4)


def test_the_control_byte() -> None:
    buffer = bytearray()
    append_frame(buffer, Frame(CANCEL, 1, 4, is_control=True))
    append_frame(buffer, Frame(INVOKE, 1, 1, 1, is_done=False), b"/")
    assert buffer.hex() == "89010400" + "020101012f"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_number_that_is_too_long_is_refused_wherever_it_stands(place: int) -> None:
    with pytest.raises(ProtocolError, match="cannot read a number of more than 10 bytes"):
        parse_frame(b"\x03" + b"\x01" * place + b"\xff" * 11)


@given(data=st.binary(max_size=40))
def test_anything_is_a_frame_or_not_yet_or_refused(data: bytes) -> None:
    with suppress(ProtocolError):
        parsed = parse_frame(data)
        assert parsed is None or 4 <= parsed[1] <= len(data)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (Frame(INVOKE, 1, 1, 43), "Invoke 1.1, 43 bytes"),
        (Frame(MESSAGE, 2, 7, 65_536, is_done=False), "Message 2.7, more follows, 65536 bytes"),
        (Frame(CANCEL, 1, 4, is_control=True), "Cancel 1.4 control, 0 bytes"),
        (Frame(9, 1, 1), "kind 9 1.1, 0 bytes"),
    ],
)
def test_a_frame_says_what_it_is(frame: Frame, text: str) -> None:
    assert str(frame) == text


def test_seven_kinds_have_names() -> None:
    assert list(KIND_NAMES) == [1, 2, 3, 4, 5, 6, 7]
