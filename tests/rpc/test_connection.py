from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rpc.connection import RECEIVED, SENT, ClientConnection, Connection, ServerConnection
from runner.rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, Event, Invoked, MessageReceived, SendClosed
from runner.rpc.frame import CANCEL, CLOSE, CLOSE_SEND, ERROR, INVOKE, INVOKE_METADATA, MESSAGE
from runner.rpc.packet import LARGEST_PACKET, Packet, append_packet

ONE = "/a.Service/TakesOne"
MANY = "/a.Service/TakesMany"
FAILURE = b"\0\0\0\0\0\0\0\x07no"


def wire(*packets: Packet) -> bytes:
    buffer = bytearray()
    for packet in packets:
        append_packet(buffer, packet)
    return bytes(buffer)


def invoke(stream: int, message: int = 1, rpc: str = MANY) -> Packet:
    return Packet(INVOKE, stream, message, rpc.encode())


def hear(connection: Connection, *packets: Packet) -> list[Event]:
    return list(connection.receive(wire(*packets)))


def serving(rpc: str = MANY) -> ServerConnection:
    """A server in a call on stream 1 whose Invoke was message 1."""
    connection = ServerConnection({ONE})
    assert hear(connection, invoke(1, rpc=rpc)) == [Invoked(1, rpc)]
    return connection


def calling() -> ClientConnection:
    """A client in a call on stream 1 that has not said all."""
    connection = ClientConnection()
    assert connection.open(MANY)[0] == 1
    return connection


def refusal(events: list[Event]) -> str:
    """How the peer broke the protocol, by the last event."""
    assert isinstance(events[-1], ConnectionEnded)
    return events[-1].error


# A call, seen from the server


def test_a_call_from_its_beginning_to_its_end() -> None:
    connection = ServerConnection({ONE})
    events = hear(connection, invoke(1, rpc=ONE), Packet(MESSAGE, 1, 2, b"question"), Packet(CLOSE_SEND, 1, 3))
    assert events == [Invoked(1, ONE), MessageReceived(1, b"question"), SendClosed(1)]
    assert connection.answer(1, b"answer") == wire(Packet(MESSAGE, 1, 1, b"answer"), Packet(CLOSE_SEND, 1, 2))
    assert hear(connection, Packet(CLOSE, 1, 4)) == []
    assert hear(connection, invoke(2, rpc=ONE)) == [Invoked(2, ONE)]
    assert connection.send_error(2, 5, "no") == wire(Packet(ERROR, 2, 1, b"\0\0\0\0\0\0\0\x05no"))


def test_a_server_says_many_things_in_a_call() -> None:
    connection = serving()
    said = connection.send_message(1, b"a") + connection.send_message(1, b"b") + connection.close_send(1)
    assert said == wire(Packet(MESSAGE, 1, 1, b"a"), Packet(MESSAGE, 1, 2, b"b"), Packet(CLOSE_SEND, 1, 3))


def test_a_client_says_many_things_in_a_call() -> None:
    events = hear(serving(), Packet(MESSAGE, 1, 2, b"a"), Packet(MESSAGE, 1, 3), Packet(CLOSE_SEND, 1, 4))
    assert events == [MessageReceived(1, b"a"), MessageReceived(1, b""), SendClosed(1)]


def test_a_second_request_breaks_the_protocol_of_an_rpc_that_takes_one() -> None:
    connection = serving(ONE)
    events = hear(connection, Packet(MESSAGE, 1, 2), Packet(MESSAGE, 1, 3))
    assert events[:2] == [MessageReceived(1, b""), CallCancelled(1, CANCEL)]
    assert refusal(events) == "cannot take Message 1.3, 0 bytes: the call on stream 1 is open"


def test_it_does_so_when_the_first_was_answered_too() -> None:
    connection = serving(ONE)
    assert hear(connection, Packet(MESSAGE, 1, 2)) == [MessageReceived(1, b"")]
    assert connection.answer(1, b"")
    assert hear(connection, Packet(MESSAGE, 1, 3, is_control=True)) == []
    assert refusal(hear(connection, Packet(MESSAGE, 1, 4))).endswith("the call on stream 1 is we-said-all")


def test_a_server_hears_no_more_of_a_call_in_which_it_has_said_all() -> None:
    connection = serving()
    assert connection.close_send(1)
    assert hear(connection, Packet(MESSAGE, 1, 2), Packet(CLOSE_SEND, 1, 3), Packet(MESSAGE, 1, 4)) == []
    connection = serving()
    assert connection.close_send(1)
    assert hear(connection, invoke(2)) == [Invoked(2, MANY)]


@pytest.mark.parametrize("kind", [CANCEL, CLOSE])
def test_a_cancelled_call_gets_no_answer(kind: int) -> None:
    connection = serving()
    assert hear(connection, Packet(kind, 1, 2, is_control=True)) == [CallCancelled(1, kind)]
    assert connection.answer(1, b"late") == connection.send_error(1, 0, "late") == b""
    assert hear(connection, invoke(2)) == [Invoked(2, MANY)]
    assert connection.answer(1, b"later") == b""
    assert connection.send_message(2, b"in time") == wire(Packet(MESSAGE, 2, 1, b"in time"))


def test_a_call_that_begins_cancels_the_one_that_runs() -> None:
    connection = serving()
    assert hear(connection, invoke(2)) == [CallCancelled(1, CANCEL), Invoked(2, MANY)]
    assert connection.answer(1, b"") == b""


def test_what_is_said_between_two_events_is_said_before_the_second() -> None:
    connection = ServerConnection()
    calls = (wire(invoke(stream), Packet(MESSAGE, stream, 2), Packet(CLOSE_SEND, stream, 3)) for stream in range(1, 101))
    answers = b""
    for event in connection.receive(b"".join(calls)):
        assert not isinstance(event, CallCancelled)
        if isinstance(event, MessageReceived):
            answers += connection.answer(event.stream, b"")
    assert answers == b"".join(wire(Packet(MESSAGE, n, 1), Packet(CLOSE_SEND, n, 2)) for n in range(1, 101))


def test_who_stops_before_the_last_event_gets_the_others_later() -> None:
    connection = serving()
    events = connection.receive(wire(invoke(2), Packet(MESSAGE, 2, 2, b"a")))
    assert next(events) == CallCancelled(1, CANCEL)
    assert hear(connection, Packet(CLOSE_SEND, 2, 3)) == [Invoked(2, MANY), MessageReceived(2, b"a"), SendClosed(2)]
    assert list(events) == []


def test_the_name_of_an_rpc_that_is_no_utf_8_is_kept() -> None:
    (invoked,) = ServerConnection().receive(wire(Packet(INVOKE, 1, 1, b"/\xff")))
    assert isinstance(invoked, Invoked)
    assert ClientConnection().open(invoked.rpc) == (1, wire(Packet(INVOKE, 1, 1, b"/\xff")))


# Metadata


def test_metadata_counts_for_the_next_call_of_its_stream() -> None:
    connection = ServerConnection()
    first, second = Packet(INVOKE_METADATA, 1, 1, b"first"), Packet(INVOKE_METADATA, 1, 2, b"second")
    assert hear(connection, first, second, invoke(1, 3)) == [Invoked(1, MANY, b"second")]
    assert hear(connection, invoke(2)) == [CallCancelled(1, CANCEL), Invoked(2, MANY)]
    assert hear(connection, Packet(INVOKE_METADATA, 3, 1, b"lost"), invoke(4)) == [CallCancelled(2, CANCEL), Invoked(4, MANY)]


def test_metadata_alone_begins_no_call_to_speak_in() -> None:
    connection = ServerConnection()
    assert refusal(hear(connection, Packet(INVOKE_METADATA, 1, 1), Packet(MESSAGE, 1, 2))).endswith("no call was begun")


# What has no meaning

STRAY = [MESSAGE, ERROR, CANCEL, CLOSE, CLOSE_SEND, 0, 9, 63]


@pytest.mark.parametrize("kind", STRAY)
def test_above_the_current_stream_only_a_beginning_has_a_meaning(kind: int) -> None:
    connection = serving()
    assert hear(connection, Packet(kind, 2, 1, is_control=True)) == []
    assert hear(connection, invoke(2, 2)) == [CallCancelled(1, CANCEL), Invoked(2, MANY)]
    events = hear(connection, Packet(kind, 3, 1))
    assert events[0] == CallCancelled(2, CANCEL)
    assert refusal(events).endswith(" 3.1, 0 bytes: the call on stream 2 is open")


@pytest.mark.parametrize("kind", [INVOKE, INVOKE_METADATA, 0, 9, 63])
def test_in_a_call_nothing_that_is_no_part_of_one_has_a_meaning(kind: int) -> None:
    for connection in (serving(), calling()):
        assert hear(connection, Packet(kind, 1, 2, is_control=True)) == []
        assert refusal(hear(connection, Packet(kind, 1, 3))).endswith(" 1.3, 0 bytes: the call on stream 1 is open")


@pytest.mark.parametrize("kind", range(64))
def test_for_a_call_that_is_over_anything_is_passed_over(kind: int) -> None:
    connection = serving()
    assert connection.send_error(1, 0, "")
    assert hear(connection, Packet(kind, 1, 2), Packet(kind, 1, 3, is_control=True)) == []
    assert hear(connection, invoke(2)) == [Invoked(2, MANY)]
    client = calling()
    assert client.close(1)
    assert client.open(MANY)[0] == 2
    assert hear(client, Packet(kind, 1, 2), Packet(MESSAGE, 2, 1)) == [MessageReceived(2, b"")]


def test_after_close_send_no_message_counts() -> None:
    connection = serving(ONE)
    late = Packet(MESSAGE, 1, 3), Packet(CLOSE_SEND, 1, 4), Packet(MESSAGE, 1, 5)
    assert hear(connection, Packet(CLOSE_SEND, 1, 2), *late) == [SendClosed(1)]
    assert connection.answer(1, b"") != b""


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"]
)
def test_another_protocol_is_refused_by_its_first_bytes(line: bytes) -> None:
    assert refusal(list(ServerConnection().receive(line[:4]))).endswith("bytes: no call was begun")


def test_a_client_takes_nothing_before_it_has_called() -> None:
    assert refusal(hear(ClientConnection(), Packet(MESSAGE, 1, 1))) == "cannot take Message 1.1, 0 bytes: no call was begun"


# The end


def test_the_end_of_what_a_peer_sends_is_the_end() -> None:
    connection = serving()
    assert list(connection.receive(wire(Packet(MESSAGE, 1, 2))[:2])) == []
    assert list(connection.receive(b"")) == [CallCancelled(1, CANCEL), ConnectionEnded()]
    assert connection.answer(1, b"") == b""
    assert connection.has_ended


def test_what_came_before_the_end_is_told_before_it() -> None:
    connection = ServerConnection()
    events = connection.receive(wire(invoke(1)))
    assert [*connection.receive(b""), *events] == [Invoked(1, MANY), CallCancelled(1, CANCEL), ConnectionEnded()]


def test_after_the_end_nothing_comes_and_nothing_goes() -> None:
    server, client = serving(), calling()
    for connection in (server, client):
        assert refusal(hear(connection, Packet(9, 1, 2)))
        assert hear(connection, invoke(7)) == list(connection.receive(b"")) == []
        assert connection.send_message(1, b"") == b""
    with pytest.raises(RuntimeError, match=f'cannot call "{MANY}": the connection has ended'):
        client.open(MANY)


def test_an_idle_connection_ends_without_a_call() -> None:
    assert list(ServerConnection().receive(b"")) == list(ClientConnection().receive(b"")) == [ConnectionEnded()]


@pytest.mark.parametrize("limit", [1_000, LARGEST_PACKET])
def test_a_packet_that_is_too_large_ends_the_connection(limit: int) -> None:
    connection = ServerConnection(limit=limit)
    events = hear(connection, invoke(1), Packet(MESSAGE, 1, 2, bytes(limit)), Packet(MESSAGE, 1, 3, bytes(limit + 1)))
    assert events[:3] == [Invoked(1, MANY), MessageReceived(1, bytes(limit)), CallCancelled(1, CANCEL)]
    assert refusal(events).endswith(f"a packet has at most {limit} bytes")


# The client


def test_a_client_numbers_its_streams_and_says_a_call_in_one_write() -> None:
    connection = ClientConnection()
    for stream in (1, 2, 3):
        said = wire(invoke(stream), Packet(MESSAGE, stream, 2, b"question"), Packet(CLOSE_SEND, stream, 3))
        assert connection.call(MANY, b"question") == (stream, said)
        assert hear(connection, Packet(MESSAGE, stream, 1, b"answer")) == [MessageReceived(stream, b"answer")]
        assert connection.close(stream) == wire(Packet(CLOSE, stream, 4))
        assert hear(connection, Packet(CLOSE_SEND, stream, 2)) == []


def test_metadata_goes_before_the_call() -> None:
    _, said = ClientConnection().open(MANY, b"pairs")
    assert said == wire(Packet(INVOKE_METADATA, 1, 1, b"pairs"), invoke(1, 2))


def test_a_client_hears_an_answer_to_its_end() -> None:
    connection = ClientConnection()
    connection.call(MANY)
    answer = Packet(MESSAGE, 1, 1, b"a"), Packet(MESSAGE, 1, 2, b"b"), Packet(CLOSE_SEND, 1, 3)
    assert hear(connection, *answer) == [MessageReceived(1, b"a"), MessageReceived(1, b"b"), SendClosed(1)]
    assert connection.close(1) == b""


def test_a_client_hears_that_its_call_failed() -> None:
    connection = ClientConnection()
    connection.call(MANY)
    assert hear(connection, Packet(ERROR, 1, 1, FAILURE), Packet(CLOSE_SEND, 1, 2)) == [ErrorReceived(1, FAILURE)]
    assert connection.close(1) == b""
    connection.call(MANY)
    assert hear(connection, Packet(CANCEL, 2, 1, is_control=True)) == [CallCancelled(2, CANCEL)]


def test_a_client_makes_one_call_at_a_time() -> None:
    connection = calling()
    with pytest.raises(RuntimeError, match=f'cannot call "{ONE}": the call on stream 1 is open'):
        connection.open(ONE)
    assert connection.cancel(1).hex() == "89010200"
    assert connection.open(ONE)[0] == 2


def test_a_message_that_no_peer_would_take_is_not_sent() -> None:
    assert len(serving().send_message(1, bytes(LARGEST_PACKET))) > LARGEST_PACKET
    with pytest.raises(ValueError, match="cannot send a message of 4194305 bytes: a packet has at most 4194304"):
        serving().send_message(1, bytes(LARGEST_PACKET + 1))


def test_an_error_can_be_said_whatever_its_text() -> None:
    assert serving().send_error(1, 0, "\udcff").endswith(b"?")


# Passing a call on


class Relay:
    """A client, a server that passes its calls on to another, and that other: three connections in a row."""

    def __init__(self) -> None:
        self.client, self.front = ClientConnection(), ServerConnection()
        self.back, self.agent = ClientConnection(), ServerConnection()

    def say(self, data: bytes) -> list[Event]:
        """What the agent hears when the client says something."""
        told = b""
        for event in self.front.receive(data):
            told += self.back.open(event.rpc, event.metadata)[1] if isinstance(event, Invoked) else self.back.relay(1, event)
        return list(self.agent.receive(told)) if told else []

    def answer(self, data: bytes) -> list[Event]:
        """What the client hears when the agent says something."""
        told = b"".join(self.front.relay(5, event) for event in self.back.receive(data))
        return list(self.client.receive(told)) if told else []


def relaying() -> Relay:
    """One in the middle of a call on the client's fifth stream, which is the first of the agent."""
    relay = Relay()
    for stream in range(1, 5):
        relay.client.open("/x")
        relay.client.close(stream)
    _, said = relay.client.open(MANY, b"pairs")
    assert relay.say(said) == [Invoked(1, MANY, b"pairs")]
    return relay


def test_a_call_is_passed_on_both_ways() -> None:
    relay = relaying()
    assert relay.say(relay.client.send_message(5, b"one")) == [MessageReceived(1, b"one")]
    assert relay.answer(relay.agent.send_message(1, b"first")) == [MessageReceived(5, b"first")]
    assert relay.say(relay.client.send_message(5, b"two")) == [MessageReceived(1, b"two")]
    assert relay.say(relay.client.close_send(5)) == [SendClosed(1)]
    assert relay.answer(relay.agent.send_message(1, bytes(100_000))) == [MessageReceived(5, bytes(100_000))]
    assert relay.answer(relay.agent.close_send(1)) == [SendClosed(5)]


@pytest.mark.parametrize("data", [FAILURE, b"", b"short", b"\xff" * 20])
def test_an_error_is_passed_on_byte_by_byte(data: bytes) -> None:
    assert relaying().answer(wire(Packet(ERROR, 1, 1, data))) == [ErrorReceived(5, data)]
    assert relaying().say(wire(Packet(ERROR, 5, 3, data))) == [ErrorReceived(1, data)]


@pytest.mark.parametrize("kind", [CANCEL, CLOSE])
def test_the_end_of_a_call_is_passed_on_as_it_was_said(kind: int) -> None:
    relay = relaying()
    assert relay.say(relay.client.cancel(5) if kind == CANCEL else relay.client.close(5)) == [CallCancelled(1, kind)]
    assert relaying().answer(wire(Packet(kind, 1, 1))) == [CallCancelled(5, kind)]


def test_who_hangs_up_cancels_what_was_passed_on() -> None:
    relay = relaying()
    assert relay.say(b"") == [CallCancelled(1, CANCEL)]
    assert relaying().answer(b"") == [CallCancelled(5, CANCEL)]


# The tables


def test_both_tables_know_the_same_kinds_and_no_way_back() -> None:
    order = {"open": 0, "we-said-all": 1, "peer-said-all": 1, "over": 2}
    assert RECEIVED.keys() == SENT.keys() == {MESSAGE, ERROR, CANCEL, CLOSE, CLOSE_SEND}
    for table in (RECEIVED, SENT):
        for moves in table.values():
            assert "over" not in moves
            assert all(before == after or order[before] < order[after] for before, after in moves.items())


# Anything at all

PACKETS = st.builds(Packet, st.integers(0, 10), st.integers(1, 4), st.integers(1, 30), st.binary(max_size=12), st.booleans())
HOSTILE = st.binary(max_size=80) | st.lists(PACKETS, max_size=12).map(lambda packets: wire(*packets))
SENSIBLE = st.lists(PACKETS, max_size=12).map(
    lambda packets: wire(*sorted(packets, key=lambda packet: (packet.stream, packet.message)))
)


def connections() -> list[Connection]:
    client = calling()
    return [ServerConnection({ONE}), serving(), serving(ONE), ClientConnection(), client]


@given(data=HOSTILE | SENSIBLE, places=st.lists(st.integers(0, 80), max_size=8), which=st.integers(0, 4))
def test_whatever_comes_makes_the_same_events_however_it_is_cut(data: bytes, places: list[int], which: int) -> None:
    whole, cut = connections()[which], connections()[which]
    events = list(whole.receive(data)) if data else []
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert [event for piece in pieces if piece for event in cut.receive(piece)] == events
    assert whole.has_ended == cut.has_ended == any(isinstance(event, ConnectionEnded) for event in events)
    check_order([*events, *whole.receive(b"")], is_calling=which == 4, is_serving=which in (1, 2))


def check_order(events: list[Event], *, is_calling: bool, is_serving: bool) -> None:
    """Calls begin one after the other, nothing is told of one that is over, and the end comes once and last."""
    live = 1 if is_calling or is_serving else 0
    assert [isinstance(event, ConnectionEnded) for event in events] == [False] * (len(events) - 1) + [True]
    for event in events[:-1]:
        assert not isinstance(event, ConnectionEnded)
        if isinstance(event, Invoked):
            assert not live
            live = event.stream
        else:
            assert event.stream == live
        if isinstance(event, ErrorReceived | CallCancelled):
            live = 0
    assert not live
