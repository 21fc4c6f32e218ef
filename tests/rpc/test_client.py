from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import runner
from runner.rpc.client import Client
from runner.rpc.failure import CallTimedOut, CannotConnect, ErrorAnswered, NoAnswer
from runner.rpc.messages import SyncReadyResponse, SyncWantRequest, UnitRequest
from runner.rpc.methods import PING, SYNC_COMPLETE, SYNC_READY, SYNC_START, SYNC_WANT
from runner.rpc.proto import parse_message

from .service import Session
from .serving import hang_up, listening, saying

ANSWERED = "050101000d010200"
EVENTS = "/runner.v1.Control/Events"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 107 bytes
    return Path("s")


def sync_service(connection: socket.socket) -> None:
    session = Session()
    while session.error is None:
        session.hear(connection.recv(7))
        said, session.said = session.said, b""
        if said:
            connection.sendall(said)


def test_calls_are_answered_one_after_the_other(path: Path) -> None:
    with listening(path, sync_service), Client(str(path), timeout=10) as client:
        assert client.call(PING.path) == b""
        client.call(SYNC_WANT.path, bytes(SyncWantRequest("foo", "bar")), timeout=10)
        ready = client.call(SYNC_READY.path, bytes(UnitRequest("foo")))
        assert parse_message(SyncReadyResponse, ready) == SyncReadyResponse(ready=False)
        with pytest.raises(ErrorAnswered, match=r'^cannot start unit "foo": unit not ready$'):
            client.call(SYNC_START.path, bytes(UnitRequest("foo")))
        client.call(SYNC_START.path, bytes(UnitRequest("bar")))
        client.call(SYNC_COMPLETE.path, bytes(UnitRequest("bar")))
        assert parse_message(SyncReadyResponse, client.call(SYNC_READY.path, bytes(UnitRequest("foo")))).ready


def test_a_stream_of_answers_comes_to_its_end(path: Path) -> None:
    answers = "05010101" + "61" + "05010201" + "62" + "0d010300"
    with listening(path, saying(answers, "050201000d020200")), Client(str(path)) as client:
        assert list(client.stream(EVENTS, b"{}")) == [b"a", b"b"]
        assert client.call(PING.path) == b""


def test_a_stream_that_nobody_wants_any_more_is_cancelled(path: Path) -> None:
    heard = bytearray()

    def serve(connection: socket.socket) -> None:
        heard.extend(connection.recv(65_536))
        connection.sendall(bytes.fromhex("0501010161"))
        while data := connection.recv(65_536):
            heard.extend(data)

    with listening(path, serve), Client(str(path)) as client:
        answers = client.stream(EVENTS)
        assert next(answers) == b"a"
        assert isinstance(answers, Iterator)
        answers.close()  # type: ignore[attr-defined]
    assert heard.hex().endswith("89010400")


def take(client: Client) -> list[bytes]:
    """Wait until something has come, and take it."""
    select.select([client], [], [])
    return list(client.take())


def test_answers_are_taken_by_who_waits_for_other_things_too(path: Path) -> None:
    go_on, has_gone_on = socket.socketpair()

    def serve(connection: socket.socket) -> None:
        assert connection.recv(65_536)
        for answer in ("05010101" + "61" + "05010201" + "62", "0d010300"):
            assert has_gone_on.recv(1)
            connection.sendall(bytes.fromhex(answer))
        assert connection.recv(65_536)
        connection.sendall(bytes.fromhex("050201000d020200"))
        connection.recv(65_536)

    with go_on, has_gone_on, listening(path, serve), Client(str(path)) as client:
        client.listen(EVENTS, b"{}", timeout=10)
        assert list(client.take()) == []
        go_on.send(b".")
        assert (take(client), client.is_over) == ([b"a", b"b"], False)
        go_on.send(b".")
        assert (take(client), client.is_over) == ([], True)
        assert list(client.take()) == []
        assert client.call(PING.path) == b""


def test_taking_says_when_the_other_side_is_gone(path: Path) -> None:
    def answer_and_go(connection: socket.socket) -> None:
        assert connection.recv(65_536)
        connection.sendall(bytes.fromhex("0501010161"))

    with listening(path, answer_and_go), Client(str(path)) as client:
        client.listen(EVENTS, b"{}")
        assert take(client) == [b"a"]
        with pytest.raises(NoAnswer, match="the other side closed the connection"):
            take(client)
        with pytest.raises(NoAnswer):
            list(client.take())


def test_an_error_has_its_code_and_leaves_the_connection_usable(path: Path) -> None:
    error = "07010115" + "000000000000000c" + b"Unimplemented".hex()
    with listening(path, saying(error, "05020100")), Client(str(path)) as client:
        with pytest.raises(ErrorAnswered, match=r"^Unimplemented$") as caught:
            client.call(PING.path)
        assert caught.value.code == 12
        assert client.call(PING.path) == b""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("0d010100", "the other side ended the call"),
        ("0b010100", "the other side cancelled the call"),
        ("89010100", "the other side cancelled the call"),
        ("13010100", "cannot take kind 9 1.1, 0 bytes: the call on stream 1 is we-said-all"),
        ("05020100", "cannot take Message 2.1, 0 bytes: the call on stream 1 is we-said-all"),
    ],
    ids=["CloseSend", "Close", "Cancel", "unknown kind", "another stream"],
)
def test_what_is_no_answer_is_said(path: Path, answer: str, why: str) -> None:
    with listening(path, saying(answer)), Client(str(path)) as client, pytest.raises(NoAnswer) as error:
        client.call(PING.path)
    assert str(error.value) == f"cannot get an answer: {why}"


def test_a_server_that_hangs_up_answers_nothing(path: Path) -> None:
    def read_and_go(connection: socket.socket) -> None:
        assert connection.recv(65_536)

    with listening(path, read_and_go), Client(str(path)) as client:
        with pytest.raises(NoAnswer, match=r"^cannot get an answer: the other side closed the connection$"):
            client.call(PING.path)
        with pytest.raises(NoAnswer, match=r"^cannot get an answer: the connection is closed$"):
            client.call(PING.path)
        with pytest.raises(NoAnswer, match=r"^cannot get an answer: the connection is closed$"):
            list(client.stream(EVENTS))


def test_a_server_that_went_before_the_question_answers_nothing(path: Path) -> None:
    with listening(path, hang_up):
        client = Client(str(path))
    with client, pytest.raises(NoAnswer, match=r"^cannot get an answer: broken pipe$"):
        client.call(PING.path)


def test_a_server_that_went_after_its_answer_has_answered(path: Path) -> None:
    def answer_and_go(connection: socket.socket) -> None:
        assert connection.recv(65_536)
        connection.sendall(bytes.fromhex(ANSWERED))

    with listening(path, answer_and_go):
        client = Client(str(path))
        stream = client.stream(EVENTS)
        assert next(stream) == b""
    with client:
        stream.close()  # type: ignore[attr-defined]
        with pytest.raises(NoAnswer, match="the connection is closed"):
            client.call(PING.path)


def test_a_connection_that_is_reset_gives_no_answer(path: Path) -> None:
    def go_without_reading(connection: socket.socket) -> None:
        connection.recv(1)

    gone = pytest.raises(NoAnswer, match=r"^cannot get an answer: connection reset by peer$")
    with listening(path, go_without_reading), Client(str(path)) as client, gone:
        client.call(PING.path)


def test_a_call_waits_no_longer_than_it_may(path: Path) -> None:
    with listening(path, saying()), Client(str(path)) as client:
        with pytest.raises(CallTimedOut, match=r"^cannot get an answer in the time that was given$"):
            client.call(PING.path, timeout=0)
        with pytest.raises(NoAnswer, match="the connection is closed"):
            client.call(PING.path)


def test_closing_twice_does_no_harm(path: Path) -> None:
    with listening(path, hang_up), Client(str(path)) as client:
        client.close()
        client.close()


# Connecting


def refusal(path: str) -> str:
    with pytest.raises(CannotConnect) as error:
        Client(path)
    assert str(error.value) == f'cannot connect to the socket "{path}": {error.value.why}'
    return error.value.why


def test_why_nobody_takes_the_connection(path: Path) -> None:
    assert refusal("missing") == "no such file or directory"
    Path("file").touch()
    assert refusal("file") == "connection refused"
    assert refusal("file/s") == "not a directory"
    assert refusal("x" * 108) == "invalid argument"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert refusal(str(path)) == "connection refused"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("datagrams")
        assert refusal("datagrams") == "protocol wrong type for socket"


@contextmanager
def as_somebody() -> Iterator[None]:
    """Without the rights of root, where that is who runs the tests."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_socket_of_another_is_not_connected_to(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0)
        with as_somebody():
            assert refusal(str(path)) == "permission denied"


def test_a_full_queue_is_waited_at_no_longer_than_it_may(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        with (
            Client(str(path), timeout=0),
            pytest.raises(CallTimedOut, match=r'^cannot connect to "s" in the time that was given$'),
        ):
            Client(str(path), timeout=0)


# What it costs


def test_the_client_imports_next_to_nothing() -> None:
    modules = "runner.rpc.client, runner.rpc.methods"
    program = f"import os, sys, __future__; old = {{*sys.modules}}; import {modules}; print(*{{*sys.modules}} - old)"
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-S", "-c", program], env=environment, capture_output=True, text=True, check=True)
    foreign = {name for name in done.stdout.split() if not name.startswith("runner")}
    assert foreign <= {"_socket"}
    assert "runner.errors" not in done.stdout
