"""Frames, the smallest things on the wire: their heads parsed from bytes, and appended to bytes.

A frame is a control byte, three varints (stream id, message id, length) and so many bytes of data::

    bit     7         6 5 4 3 2 1   0
            control   kind          done

``done`` says that the packet which the frame belongs to ends with it; ``control``, that who does not know what the frame
means may pass over it.
"""

from __future__ import annotations

from .record import Record
from .varint import append_varint, parse_varint

INVOKE = 1
"""Begins a call; the data is the name of the rpc."""
MESSAGE = 2
"""One request or one answer."""
ERROR = 3
"""Ends a call that failed; the data is a code and a text."""
CANCEL = 4
"""Ends a call whose outcome nobody wants to know any more."""
CLOSE = 5
"""Ends a call that is finished with."""
CLOSE_SEND = 6
"""The sender has said all that it will say in this call."""
INVOKE_METADATA = 7
"""Goes before the Invoke of its stream, with pairs of names and values."""

KIND_NAMES = {
    INVOKE: "Invoke",
    MESSAGE: "Message",
    ERROR: "Error",
    CANCEL: "Cancel",
    CLOSE: "Close",
    CLOSE_SEND: "CloseSend",
    INVOKE_METADATA: "InvokeMetadata",
}
"""What the kinds are called. All other numbers from 0 to 63 are kinds that nobody knows yet."""

_DONE = 0x01
_KIND = 0x7E
_CONTROL = 0x80


class ProtocolError(Exception):
    """The peer says what the protocol does not allow. Nothing is answered to that: its connection is closed."""


class Frame(Record):
    """The head of a frame: all of it but the data."""

    kind: int
    stream: int
    """The call that it belongs to."""
    message: int
    """The packet of its stream that it is a part of."""
    length: int = 0
    """Bytes of data that follow."""
    is_done: bool = True
    """Whether its packet ends with it."""
    is_control: bool = False
    """Whether it may be passed over where it is not understood."""

    def __str__(self) -> str:
        flags = (" control" if self.is_control else "") + ("" if self.is_done else ", more follows")
        return f"{name_kind(self.kind)} {self.stream}.{self.message}{flags}, {self.length} bytes"


def name_kind(kind: int) -> str:
    """What a kind of frame is called: ``Invoke``, or ``kind 9`` where it has no name."""
    return KIND_NAMES.get(kind, f"kind {kind}")


def parse_frame(buffer: bytes | bytearray, at: int = 0) -> tuple[Frame, int] | None:
    """The head of the frame at an offset, and the offset where its data begins; None where the buffer ends before that.

    No data is waited for: what a frame says of itself may be reason enough to refuse it. Raises :class:`ProtocolError` for a
    number that no writer can mean.
    """
    numbers: list[int] = []
    place = at + 1
    while len(numbers) < 3:
        try:
            parsed = parse_varint(buffer, place)
        except ValueError as error:
            raise ProtocolError(str(error)) from None
        if parsed is None:
            return None
        number, place = parsed
        numbers.append(number)
    stream, message, length = numbers
    control = buffer[at]
    return Frame((control & _KIND) >> 1, stream, message, length, bool(control & _DONE), bool(control & _CONTROL)), place


def append_frame(buffer: bytearray, frame: Frame, data: bytes | memoryview = b"") -> None:
    """Append a frame with its data, whose length is ``frame.length``."""
    buffer.append(frame.kind << 1 | (_DONE if frame.is_done else 0) | (_CONTROL if frame.is_control else 0))
    append_varint(buffer, frame.stream)
    append_varint(buffer, frame.message)
    append_varint(buffer, frame.length)
    buffer += data
