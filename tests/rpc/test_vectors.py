"""Every captured byte stream: our server answers as the reference's does, our client speaks as the reference's does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rpc.connection import ClientConnection
from runner.rpc.event import ConnectionEnded, ErrorReceived, Event, MessageReceived
from runner.rpc.frame import CANCEL, ERROR, INVOKE, INVOKE_METADATA, MESSAGE, parse_frame
from runner.rpc.methods import PING
from runner.rpc.packet import LARGEST_PACKET

from .service import Graph, Session
from .vectors import VECTORS, Said, Vector

Cut = Callable[[bytes], list[bytes]]

BY_REFERENCE_SERVER = [vector for vector in VECTORS if "reference server" in vector.by]
BY_REFERENCE_CLIENT = [vector for vector in VECTORS if "reference client" in vector.by]

REFUSED = {"raw_unknown_kind_first", "raw_message_first", "raw_close_next_stream", "raw_two_messages"}
"""Where the reference server reads nothing more and keeps the connection, ours closes it."""

PINGED_ON_1, PINGED_ON_2 = "050101000d010200", "050201000d020200"
PASSED_OVER = {
    "raw_unknown_kind_first_control": PINGED_ON_1,
    "raw_cancel_first": PINGED_ON_1,
    "raw_unknown_kind_next_stream": PINGED_ON_2,
}
"""Where it does so on a frame that may be passed over, ours does that, and answers the ping that follows."""

ANSWERED_MORE = {
    "bigname_small_split": "0d010200",  # the capture ends before the CloseSend
    "raw_max_buffered": "0501010208010d010200",  # the bytes of raw_max_exact: the reference minds how a write was cut, we do not
}

STOPPED = {"raw_inactivity", "server_stop_idle", "server_stop_running", "server_stop_stubborn"}
"""Where the reference server hangs up for a reason of its own."""

OPTIONS: dict[str, tuple[int, tuple[str, ...]]] = {
    **{vector.name: (1_000, ()) for vector in VECTORS if vector.name.startswith("raw_max")},
    "cancel_soft_ping_delayed": (LARGEST_PACKET, (PING.path,)),
}
"""How the reference server was started: its largest packet, and what it is slow to answer."""


def names(vectors: list[Vector]) -> list[str]:
    return [vector.name for vector in vectors]


def whole(data: bytes) -> list[bytes]:
    return [data]


def single_bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def serve(vector: Vector, cut: Cut) -> Session:
    """Our server in the place of the reference's. What the capture shows to be slow is answered in its time."""
    session = Session(Graph(), limit=OPTIONS.get(vector.name, (LARGEST_PACKET, ()))[0])
    if vector.name in OPTIONS and (slow := OPTIONS[vector.name][1]):
        session.held = slow
    for verb, *units in vector.setup:
        session.graph.run(verb, *units)
    for by_client, turn in vector.turns:
        if by_client:
            for piece in cut(b"".join(frame.data for frame in turn)):
                session.hear(piece)
        elif turn[0].stream in session.waiting:
            session.release()
    if vector.unparsed:
        session.hear(vector.unparsed)
    return session


def check_server(vector: Vector, session: Session) -> None:
    expected = vector.said_by(client=False).hex()
    assert session.said.hex() == expected + PASSED_OVER.get(vector.name, "") + ANSWERED_MORE.get(vector.name, "")
    is_refused = vector.name in REFUSED or (
        vector.ends == [("server", "eof")] and vector.name not in STOPPED and vector.name not in ANSWERED_MORE
    )
    assert bool(session.error) == is_refused, session.error
    if not is_refused:
        session.hear(b"")
        assert session.error == ""


@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize("vector", BY_REFERENCE_SERVER, ids=names(BY_REFERENCE_SERVER))
def test_our_server_answers_as_the_reference_does(vector: Vector, cut: Cut) -> None:
    check_server(vector, serve(vector, cut))


@given(vector=st.sampled_from(BY_REFERENCE_SERVER), data=st.data())
def test_our_server_does_not_mind_how_the_bytes_are_cut(vector: Vector, data: st.DataObject) -> None:
    def anyhow(said: bytes) -> list[bytes]:
        places = sorted(data.draw(st.sets(st.integers(1, max(1, len(said) - 1)), max_size=8)))
        return [said[a:b] for a, b in zip([0, *places], [*places, len(said)], strict=True) if said[a:b]]

    check_server(vector, serve(vector, anyhow))


class Caller:
    """Our client in the place of the reference's: it makes the calls that a capture shows."""

    def __init__(self, split_size: int, *, reads_to_the_end: bool) -> None:
        self.connection = ClientConnection(split_size=split_size)
        self.reads_to_the_end = reads_to_the_end
        self.said = b""
        self.events: list[Event] = []

    def make_call(self, packets: list[Said]) -> None:
        """The call that some frames make: their data joined by kind."""
        data = {
            kind: b"".join(said.content for said in packets if said.kind == kind) for kind in (INVOKE, INVOKE_METADATA, MESSAGE)
        }
        stream, call = self.connection.call(data[INVOKE].decode(), data[MESSAGE], data[INVOKE_METADATA])
        assert stream == packets[0].stream
        self.said += call

    def hear(self, data: bytes) -> None:
        for event in self.connection.receive(data):
            self.events.append(event)
            if isinstance(event, MessageReceived) and not self.reads_to_the_end:
                self.said += self.connection.close(event.stream)


def speak(vector: Vector, cut: Cut) -> Caller:
    """Walk through a capture: make its calls, hear its answers."""
    caller = Caller(16 if vector.name == "bigname_small_split" else 65_536, reads_to_the_end=vector.name == "stream_api")
    for by_client, turn in vector.turns:
        if by_client:
            for frames in calls_in(turn):
                if not caller.connection.has_ended:
                    caller.make_call(frames)
                cancels = [frame for frame in frames if frame.kind == CANCEL]
                caller.said += b"".join(caller.connection.cancel(frame.stream) for frame in cancels)
        else:
            for piece in cut(b"".join(frame.data for frame in turn)):
                caller.hear(piece)
    return caller


def calls_in(turn: list[Said]) -> Iterator[list[Said]]:
    """The frames of each call that begins in a turn."""
    for stream in sorted({frame.stream for frame in turn}):
        frames = [frame for frame in turn if frame.stream == stream]
        if any(frame.kind == INVOKE for frame in frames):
            yield frames


SAID_LESS = {
    "fakesrv_mid_repeated": "0b010400",  # the reference's second call was faster than its finding out
    "fakesrv_sid_ahead_two": "0d010300",  # an answer to a call that was not made is none: the server breaks the protocol
}
"""Where our client stops: at the last frame that it says, in hex."""

BROKEN = {
    *SAID_LESS,
    *(f"fakesrv_{name}" for name in ("mid_0", "sid_0", "unknown_kind", "invoke")),
}
"""Where the hand-made server breaks the protocol."""


@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize("vector", BY_REFERENCE_CLIENT, ids=names(BY_REFERENCE_CLIENT))
def test_our_client_says_what_the_reference_says(vector: Vector, cut: Cut) -> None:
    caller = speak(vector, cut)
    expected = vector.said_by(client=True).hex()
    if last := SAID_LESS.get(vector.name):
        expected = expected[: expected.index(last) + len(last)]
    assert caller.said.hex() == expected
    ended = [event for event in caller.events if isinstance(event, ConnectionEnded)]
    assert bool(ended) == (vector.name in BROKEN)
    assert all(event.error for event in ended)


@pytest.mark.parametrize("vector", BY_REFERENCE_CLIENT, ids=names(BY_REFERENCE_CLIENT))
def test_our_client_understands_what_the_server_says(vector: Vector) -> None:
    answers = {MESSAGE: list[bytes](), ERROR: list[bytes]()}
    over = set[int]()
    for frame in vector.frames:
        if not frame.by_client and frame.kind in answers and frame.done and frame.stream not in over:
            parts = [part.content for part in vector.frames if part.stream == frame.stream and part.kind == frame.kind]
            answers[frame.kind].append(frame.content if frame.kind == MESSAGE else b"".join(parts))
            over.add(frame.stream)
    events = speak(vector, whole).events
    if vector.name not in BROKEN:
        assert [event.data for event in events if isinstance(event, MessageReceived)] == answers[MESSAGE]
        assert [event.data for event in events if isinstance(event, ErrorReceived)] == answers[ERROR]


@pytest.mark.parametrize("vector", VECTORS, ids=names(VECTORS))
def test_every_frame_is_parsed_to_what_the_capture_says_of_it(vector: Vector) -> None:
    for said in vector.frames:
        parsed = parse_frame(said.data)
        assert parsed
        frame, start = parsed
        assert said.data[start:] == said.content
        assert frame.length == len(said.content)
        assert (frame.kind, frame.is_done, frame.is_control) == (said.kind, said.done, said.control)
        assert (frame.stream, frame.message) == (said.stream, said.message)


def test_all_vectors_are_tried_by_one_side_at_least() -> None:
    assert len(VECTORS) == 105
    assert {vector.name for vector in VECTORS} == {vector.name for vector in [*BY_REFERENCE_SERVER, *BY_REFERENCE_CLIENT]}
