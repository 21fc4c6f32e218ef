"""Packets, what one side says to the other: joined from the frames that they came in, and cut into frames.

A packet is all frames of one stream id, one message id and one kind, up to the one that is done; its data is theirs, joined.
"""

from __future__ import annotations

from .frame import Frame, ProtocolError, append_frame, name_kind, parse_frame
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_PACKET = 4 * 1_048_576
"""Bytes of data. A reader hangs up on more."""
SPLIT_SIZE = 65_536
"""Bytes of data in one frame that we write. A reader takes frames of any size."""


class Packet(Record):
    """One whole thing that was said."""

    kind: int
    stream: int
    message: int
    data: bytes = b""
    is_control: bool = False

    def __str__(self) -> str:
        control = " control" if self.is_control else ""
        return f"{name_kind(self.kind)} {self.stream}.{self.message}{control}, {len(self.data)} bytes"


class PacketReader:
    """Joins packets from bytes that come in pieces of any size, in time that grows with their number and no faster.

    It holds what it was fed and not yet asked for, and one unfinished packet: never more than ``limit`` bytes of that, for a
    frame that would go beyond is refused by its head.

    Ids only rise: a frame belongs to the packet being read, or to one with a higher (stream, message), which begins anew and
    lets an unfinished one be forgotten. The first may be (1, 1).
    """

    def __init__(self, admit: Callable[[Frame], object], limit: int = LARGEST_PACKET) -> None:
        """``admit`` is shown the first frame of each packet and raises :class:`ProtocolError` for one that must not come."""
        self._admit = admit
        self._limit = limit
        self._input = bytearray()
        self._at = 0
        self._first: Frame | None = None
        """The first frame of the packet being read."""
        self._data = bytearray()
        self._is_control = False
        self._frame: Frame | None = None
        """The frame whose data is being read."""
        self._missing = 0
        """Bytes of its data that have not come yet."""
        self._lowest = (1, 1)
        """The lowest id that may come."""

    def feed(self, data: bytes | bytearray) -> None:
        """Take what came from the socket."""
        del self._input[: self._at]
        self._at = 0
        self._input += data

    def next_packet(self) -> Packet | None:
        """The next whole packet of what was fed; None where there is none yet. Raises :class:`ProtocolError`."""
        while self._frame or self._begin_frame():
            self._take_data()
            if self._missing:
                break
            is_done, self._frame = self._frame is not None and self._frame.is_done, None
            if is_done:
                return self._finish_packet()
        return None

    def _begin_frame(self) -> bool:
        parsed = parse_frame(self._input, self._at)
        if parsed is None:
            return False
        frame, self._at = parsed
        if (frame.stream, frame.message) < self._lowest:
            raise ProtocolError(f"cannot take {frame}: ids go on from {'.'.join(map(str, self._lowest))}")
        if self._first is None or (frame.stream, frame.message) > self._lowest:
            self._begin_packet(frame)
        elif frame.kind != self._first.kind:
            raise ProtocolError(f"cannot take {frame}: it goes on with {self._first}")
        if len(self._data) + frame.length > self._limit:
            raise ProtocolError(f"cannot take {frame}: a packet has at most {self._limit} bytes")
        self._frame, self._missing = frame, frame.length
        self._is_control |= frame.is_control
        return True

    def _begin_packet(self, frame: Frame) -> None:
        self._admit(frame)
        self._first = frame
        self._lowest = frame.stream, frame.message
        self._data = bytearray()
        self._is_control = False

    def _take_data(self) -> None:
        taken = self._input[self._at : self._at + self._missing]
        self._data += taken
        self._at += len(taken)
        self._missing -= len(taken)

    def _finish_packet(self) -> Packet:
        assert self._first
        packet = Packet(self._first.kind, *self._lowest, bytes(self._data), self._is_control)
        self._lowest = packet.stream, packet.message + 1
        self._first, self._data = None, bytearray()
        return packet


def append_packet(buffer: bytearray, packet: Packet, split_size: int = SPLIT_SIZE) -> None:
    """Append a packet, in as many frames as its data needs."""
    data = memoryview(packet.data)
    for start in range(0, len(data) or 1, split_size):
        part = data[start : start + split_size]
        is_done = start + split_size >= len(data)
        append_frame(buffer, Frame(packet.kind, packet.stream, packet.message, len(part), is_done, packet.is_control), part)
