from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rpc.frame import INVOKE, MESSAGE, Frame, ProtocolError, append_frame
from runner.rpc.packet import LARGEST_PACKET, Packet, PacketReader, append_packet


def wire(*packets: Packet, split_size: int = 65_536) -> bytes:
    buffer = bytearray()
    for packet in packets:
        append_packet(buffer, packet, split_size)
    return bytes(buffer)


def frames(*parts: tuple[Frame, bytes]) -> bytes:
    buffer = bytearray()
    for frame, data in parts:
        append_frame(buffer, frame, data)
    return bytes(buffer)


def part(message: int, data: bytes, *, kind: int = MESSAGE, stream: int = 1, done: bool = False) -> tuple[Frame, bytes]:
    return Frame(kind, stream, message, len(data), done), data


class Read:
    """A reader and what it showed and gave."""

    def __init__(self, limit: int = LARGEST_PACKET) -> None:
        self.begun: list[Frame] = []
        self.reader = PacketReader(self.begun.append, limit)

    def read(self, data: bytes) -> list[Packet]:
        self.reader.feed(data)
        packets = []
        while packet := self.reader.next_packet():
            packets.append(packet)
        return packets


@st.composite
def conversations(draw: st.DrawFn) -> list[Packet]:
    """Packets whose ids rise."""
    ids = sorted(draw(st.sets(st.tuples(st.integers(1, 5), st.integers(1, 1_000)), min_size=1, max_size=6)))
    return [Packet(draw(st.integers(0, 63)), *place, draw(st.binary(max_size=60)), draw(st.booleans())) for place in ids]


@given(packets=conversations(), split_size=st.integers(1, 70), step=st.integers(1, 50))
def test_packets_are_read_as_they_were_written_however_they_were_cut(packets: list[Packet], split_size: int, step: int) -> None:
    read = Read()
    data = wire(*packets, split_size=split_size)
    pieces = [read.read(data[at : at + step]) for at in range(0, len(data), step)]
    assert [packet for piece in pieces for packet in piece] == packets
    assert [(frame.stream, frame.message) for frame in read.begun] == [(packet.stream, packet.message) for packet in packets]


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(0, [0]), (65_536, [65_536]), (65_537, [65_536, 1]), (131_072, [65_536, 65_536]), (131_073, [65_536, 65_536, 1])],
)
def test_data_is_split_at_64_kib(size: int, lengths: list[int]) -> None:
    parts = [part(1, bytes(length), done=place == len(lengths)) for place, length in enumerate(lengths, 1)]
    assert wire(Packet(MESSAGE, 1, 1, bytes(size))) == frames(*parts)


@pytest.mark.parametrize(
    ("first", "second"),
    [((1, 1), (1, 1)), ((1, 5), (1, 4)), ((2, 1), (1, 9)), ((1, 0), (1, 1)), ((0, 1), (0, 2))],
    ids=["repeated", "message back", "stream back", "message 0", "stream 0"],
)
def test_ids_only_rise_from_1_1(first: tuple[int, int], second: tuple[int, int]) -> None:
    with pytest.raises(ProtocolError, match=r"cannot take kind 9 .*: ids go on from \d+\.\d+"):
        Read().read(wire(Packet(9, *first), Packet(9, *second)))


def test_gaps_are_fine() -> None:
    packets = [Packet(9, 1, 1), Packet(9, 1, 2), Packet(9, 1, 9), Packet(9, 7, 3), Packet(9, 2**64 - 1, 2**64 - 1)]
    assert Read().read(wire(*packets)) == packets


def test_an_unfinished_packet_is_forgotten_when_another_begins() -> None:
    read = Read()
    assert read.read(frames(part(1, b"lost"), part(2, b"fou", stream=2), part(2, b"nd", stream=2, done=True))) == [
        Packet(MESSAGE, 2, 2, b"found")
    ]
    assert len(read.begun) == 2


def test_a_packet_is_of_one_kind() -> None:
    with pytest.raises(
        ProtocolError, match=r"cannot take Message 1\.1, 1 bytes: it goes on with Invoke 1\.1, more follows, 4 bytes"
    ):
        Read().read(frames(part(1, b"/cod", kind=INVOKE), part(1, b"x", done=True)))


def test_a_packet_is_one_of_control_where_any_of_its_frames_is() -> None:
    one = Frame(9, 1, 1, 1, is_done=False), b"a"
    two = Frame(9, 1, 1, 1, is_control=True), b"b"
    assert Read().read(frames(one, two)) == [Packet(9, 1, 1, b"ab", is_control=True)]
    assert Read().read(frames(one, (Frame(9, 1, 1), b""), (Frame(9, 1, 2), b""))) == [Packet(9, 1, 1, b"a"), Packet(9, 1, 2)]


def test_the_largest_packet_is_taken_and_no_larger_one() -> None:
    assert Read(1_000).read(wire(Packet(MESSAGE, 1, 1, bytes(1_000)))) == [Packet(MESSAGE, 1, 1, bytes(1_000))]
    assert len(Read().read(wire(Packet(MESSAGE, 1, 1, bytes(LARGEST_PACKET))))[0].data) == LARGEST_PACKET == 4_194_304
    with pytest.raises(ProtocolError, match="a packet has at most 1000 bytes"):
        Read(1_000).read(wire(Packet(MESSAGE, 1, 1, bytes(1_001)), split_size=600))


def test_a_frame_that_is_too_large_is_refused_before_its_data_comes() -> None:
    head = frames((Frame(MESSAGE, 1, 1, LARGEST_PACKET + 1), b""))
    with pytest.raises(ProtocolError, match="a packet has at most 4194304 bytes"):
        Read().read(head)


def test_endless_small_frames_come_to_an_end() -> None:
    read = Read(1_000)
    one = frames(part(1, b"x"))
    assert read.read(one * 1_000) == []
    with pytest.raises(ProtocolError, match="a packet has at most 1000 bytes"):
        read.read(one)


def test_an_unfinished_packet_holds_its_own_bytes_and_no_more() -> None:
    read = Read()
    piece = bytes(65_536)
    read.read(frames((Frame(MESSAGE, 1, 1, LARGEST_PACKET), b"")))
    tracemalloc.start()
    for _ in range(32):
        read.read(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 2 * 1_048_576 < peak < 3 * 1_048_576


@pytest.mark.parametrize("split_size", [65_536, LARGEST_PACKET])
def test_a_large_packet_in_small_pieces_takes_no_time(split_size: int) -> None:
    data = wire(Packet(MESSAGE, 1, 1, bytes(LARGEST_PACKET)), split_size=split_size)
    read = Read()
    start = time.process_time()
    packets = [packet for at in range(0, len(data), 1_024) for packet in read.read(data[at : at + 1_024])]
    assert time.process_time() - start < 0.5  # 10 ms; were every piece to copy all before it, 2 s
    assert [len(packet.data) for packet in packets] == [LARGEST_PACKET]


def test_who_refuses_a_packet_does_so_at_its_first_frame() -> None:
    def admit(frame: Frame) -> None:
        raise ProtocolError(str(frame))

    reader = PacketReader(admit)
    reader.feed(b"POST / HTTP/1.1\r\n")
    with pytest.raises(ProtocolError, match=r"kind 40 79\.83, more follows, 84 bytes"):
        reader.next_packet()


def test_a_packet_says_what_it_is() -> None:
    assert str(Packet(MESSAGE, 1, 2, b"abc")) == "Message 1.2, 3 bytes"
    assert str(Packet(4, 1, 4, is_control=True)) == "Cancel 1.4 control, 0 bytes"
