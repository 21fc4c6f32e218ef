from __future__ import annotations

import pytest

from runner.api.call import Call
from runner.rpc.connection import ServerConnection
from runner.rpc.event import MessageReceived
from runner.rpc.failure import ErrorAnswered, NoAnswer


def asked(call: Call) -> tuple[ServerConnection, int, bytes]:
    """The other end, the stream of the call and its request."""
    server = ServerConnection()
    (request,) = [event for event in server.receive(call.said) if isinstance(event, MessageReceived)]
    return server, request.stream, request.data


def test_the_answer_comes_in_any_pieces() -> None:
    call = Call("/s/M", b"{}")
    server, stream, request = asked(call)
    assert request == b"{}"
    said = server.send_message(stream, b"yes")
    assert [call.receive(said[at : at + 1]) for at in range(len(said))] == [None] * (len(said) - 1) + [b"yes"]


def test_a_refusal() -> None:
    call = Call("/s/M", b"")
    server, stream, _ = asked(call)
    with pytest.raises(ErrorAnswered, match="no such unit"):
        call.receive(server.send_error(stream, 7, "no such unit"))


def test_the_end_without_an_answer() -> None:
    with pytest.raises(NoAnswer):
        Call("/s/M", b"").receive(b"")
    call = Call("/s/M", b"")
    server, stream, _ = asked(call)
    with pytest.raises(NoAnswer):
        call.receive(server.close_send(stream))
