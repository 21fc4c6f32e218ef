from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.json import encode

from runner.cli.examine.sockets import LONGEST_PATH, examine_agent, examine_socket
from runner.core.event import RunStarted
from runner.core.snapshot import Snapshot
from runner.core.stream import SnapshotTaken
from runner.errors import RunnerError
from runner.rpc.connection import ServerConnection
from runner.rpc.event import MessageReceived
from runner.rpc.methods import SYNC_LIST, say_unknown
from tests.rpc.service import Session
from tests.rpc.serving import Serve, hang_up, listening
from tests.supervisor.served import served


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path in a directory of our own."""
    with TemporaryDirectory(prefix="runner-") as name:
        yield Path(name) / "s"


@contextmanager
def unserved(path: Path) -> Iterator[None]:
    """A socket that listens, and nobody takes a connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield


def answering(answer: bytes) -> Serve:
    """Give every call the same answer."""

    def serve(connection: socket.socket) -> None:
        server = ServerConnection()
        while data := connection.recv(65_536):
            for event in server.receive(data):
                if isinstance(event, MessageReceived):
                    connection.sendall(server.answer(event.stream, answer))

    return serve


def agent(*, knows_list: bool) -> Serve:
    """An agent."""

    def serve(connection: socket.socket) -> None:
        session = Session(held=() if knows_list else (SYNC_LIST.path,))
        while data := connection.recv(65_536):
            session.hear(data)
            for stream in list(session.waiting):
                call, _ = session.waiting.pop(stream)
                session.said += session.connection.send_error(stream, 0, say_unknown(call.rpc))
            if session.said:
                connection.sendall(session.said)
                session.said = b""

    return serve


def test_nobody_is_there_and_somebody_could_be(place: Path) -> None:
    found = examine_socket(str(place), 1)
    assert (found.verdict, found.what) == ("ok", f"{place}: nobody serves it")
    below = examine_socket(str(place / "a" / "s"), 1)
    assert (below.verdict, below.what) == ("ok", f"{place}/a/s: nobody serves it; its directory is made when a supervisor starts")


def test_a_path_that_is_too_long(place: Path) -> None:
    found = examine_socket(f"/{'x' * LONGEST_PATH}", 1)
    assert found.verdict == "problem"
    assert found.what.startswith("the path has 108 bytes")


def test_a_directory_that_others_may_write(place: Path) -> None:
    place.parent.chmod(0o755)
    with pytest.raises(RunnerError, match="open to others"):
        examine_socket(str(place), 1)


def test_a_directory_that_cannot_be_made(place: Path) -> None:
    place.write_text("")
    assert examine_socket(str(place / "a" / "s"), 1).what == f"{place}/a/s: its directory cannot be made in {place}"


def test_something_else_is_in_the_way(place: Path) -> None:
    place.write_text("")
    assert examine_socket(str(place), 1).what == f"{place}: something that is no socket is there, or a link"


def test_a_socket_that_was_left_behind(place: Path) -> None:
    with unserved(place):
        pass
    found = examine_socket(str(place), 1)
    assert (found.verdict, found.hint) == ("note", "nothing is to be done: the next one takes its place")


def test_a_supervisor_answers() -> None:
    with served() as there:
        found = examine_socket(there.socket, 10)
        assert found.verdict == "ok"
        assert f"pid {there.began['pid']}, run {there.began['run']}, version " in found.what


def test_a_supervisor_of_another_version(place: Path) -> None:
    began = RunStarted(at=0, run="r", version="0.0.1", pid=7, units=())
    taken = SnapshotTaken(at=0, begun_at=0, seq=1, snapshot=Snapshot(run=began))
    with listening(place, answering(encode(taken))):
        found = examine_socket(str(place), 10)
    assert found.verdict == "note"
    assert found.what.endswith("pid 7, run r, version 0.0.1")


def test_a_supervisor_that_is_not_understood(place: Path) -> None:
    with listening(place, answering(b'{"event":"quux"}')):
        assert examine_socket(str(place), 10).what == f"{place}: a supervisor of another version serves it"


def test_a_supervisor_that_does_not_answer(place: Path) -> None:
    with unserved(place):
        found = examine_socket(str(place), 0.02)
    assert found.verdict == "problem"
    assert found.what == f"{place}: whoever serves it does not answer within 20 ms"


def test_another_program_serves(place: Path) -> None:
    with listening(place, hang_up):
        assert examine_socket(str(place), 10).what == f"{place}: another program serves it"


@pytest.mark.parametrize(("knows_list", "version"), [(True, "version 1.2 or later"), (False, "a version before 1.2")])
def test_an_agent_answers(knows_list: bool, version: str, place: Path) -> None:
    with listening(place, agent(knows_list=knows_list)):
        found = examine_agent({"CODER_AGENT_SOCKET_PATH": str(place)}, "/own", 10)
    assert found.verdict == "ok"
    assert found.what.startswith(f"{place}: the agent answers in ")
    assert found.what.endswith(f"{version} of its service")


def test_an_agent_that_is_not_there(place: Path) -> None:
    found = examine_agent({"CODER_AGENT_SOCKET_PATH": str(place)}, "/own", 10)
    assert found.verdict == "note"
    assert found.what.startswith(f"{place}, which CODER_AGENT_SOCKET_PATH names, is not there; ")


def test_an_agent_that_has_gone(place: Path) -> None:
    with unserved(place):
        pass
    found = examine_agent({"CODER_AGENT_SOCKET_PATH": str(place)}, "/own", 10)
    assert (found.verdict, found.what) == ("problem", f"{place}: connection refused")


def test_an_agent_that_does_not_answer(place: Path) -> None:
    with unserved(place):
        found = examine_agent({"CODER_AGENT_SOCKET_PATH": str(place)}, "/own", 0.02)
    assert (found.verdict, found.what) == ("problem", f"{place}: whoever serves it does not answer within 20 ms")


def test_somebody_who_is_no_agent(place: Path) -> None:
    with listening(place, hang_up):
        found = examine_agent({"CODER_AGENT_SOCKET_PATH": str(place)}, "/own", 10)
    assert found.verdict == "problem"
    assert found.what.startswith(f"{place}: cannot get an answer: ")
