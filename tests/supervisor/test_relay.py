from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, Invoked, MessageReceived, SendClosed
from runner.rpc.frame import CANCEL
from runner.rpc.messages import UpdateAppStatusRequest
from runner.rpc.methods import NOT_CONNECTED, PING, UPDATE_APP_STATUS
from runner.supervisor.relay import AGENT_GONE, DEFAULT_AGENT_SOCKET, agent_socket_path
from tests.rpc.service import Text

from .harness import open_files
from .small_agent import CHAT, CODE, SLOW, Agent
from .sync_site import Caller, Site, served

STATUS = UpdateAppStatusRequest("app", "working", "sorting é", "file:///x")
UNKNOWN = f'protocol error: unknown rpc: "{CHAT}"'


@contextmanager
def with_agent(path: Path) -> Iterator[tuple[Site, Agent, Caller]]:
    """A supervisor, an agent, and somebody who calls the supervisor."""
    with served(agent=str(path)) as site, Agent(site.supervisor.poller, path) as agent, Caller(site) as caller:
        yield site, agent, caller


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.sock"


class TestPath:
    @pytest.mark.parametrize(
        ("environment", "path"),
        [
            ({}, DEFAULT_AGENT_SOCKET),
            ({"CODER_AGENT_SOCKET_PATH": ""}, DEFAULT_AGENT_SOCKET),
            ({"CODER_AGENT_SOCKET_PATH": "/run/agent.sock"}, "/run/agent.sock"),
            ({"CODER_AGENT_SOCKET_PATH": "/run/own.sock"}, DEFAULT_AGENT_SOCKET),
        ],
    )
    def test_is_the_given_one_but_never_our_own(self, environment: dict[str, str], path: str) -> None:
        assert agent_socket_path(environment, "/run/own.sock") == path


class TestPassing:
    def test_an_answer(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller):
            assert caller.ask(UPDATE_APP_STATUS, STATUS) == b""
            assert agent.heard[:2] == [Invoked(1, UPDATE_APP_STATUS.path), MessageReceived(1, bytes(STATUS))]
            assert caller.ask(PING) == b""
            assert caller.ask(UPDATE_APP_STATUS, STATUS) == b""
            site.until(lambda: agent.heard.count(ConnectionEnded()) == 2)

    def test_a_stream_both_ways(self, path: Path) -> None:
        with with_agent(path) as (_, agent, caller):
            stream = caller.open(CHAT, metadata=b"\x0a\x00")
            for number, text in enumerate([b"one", b"", b"x" * 200_000], 1):
                caller.wire.write(caller.rpc.send_message(stream, text))
                caller.hear(MessageReceived, number)
                assert caller.events[-1] == MessageReceived(stream, text.upper())
            caller.wire.write(caller.rpc.close_send(stream))
            caller.hear(SendClosed)
            assert agent.heard[0] == Invoked(1, CHAT, b"\x0a\x00")
            assert caller.ask(PING) == b""

    def test_an_error_with_its_code(self, path: Path) -> None:
        with with_agent(path) as (_, __, caller):
            caller.call(CODE, Text("77:it is so, é"))
            caller.hear(ErrorReceived)
            [error] = caller.events
            assert isinstance(error, ErrorReceived)
            assert (error.code, error.text) == (77, "it is so, é")
            assert caller.ask(PING) == b""

    def test_that_the_agent_does_not_know_it(self, path: Path) -> None:
        with with_agent(path) as (_, __, caller):
            assert caller.ask("/a.B/C") == 'protocol error: unknown rpc: "/a.B/C"'

    def test_that_the_agent_gives_up(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller):
            caller.open(CHAT)
            site.until(lambda: agent.has_heard(Invoked))
            agent.cancel()
            caller.hear(CallCancelled)
            assert caller.events == [CallCancelled(1, CANCEL)]
            assert caller.ask(PING) == b""

    def test_that_the_caller_gives_up(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller):
            stream = caller.call(SLOW)
            site.until(lambda: agent.has_heard(SendClosed))
            caller.wire.write(caller.rpc.cancel(stream))
            site.until(lambda: agent.has_heard(ConnectionEnded))
            assert agent.heard[-2:] == [CallCancelled(1, CANCEL), ConnectionEnded()]
            agent.release()
            assert caller.ask(PING) == b""
            assert caller.events[:-1] == [MessageReceived(2, b"")]

    def test_that_the_caller_begins_another_call(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller):
            caller.open(CHAT)
            site.until(lambda: agent.has_heard(Invoked))
            other = Caller(site)  # its bytes are what a client says that does not wait: another Invoke, on stream 2
            with other:
                other.rpc.open(CHAT)
                other.rpc.cancel(1)
                caller.wire.write(other.rpc.call(PING.path)[1])
                site.until(lambda: agent.has_heard(ConnectionEnded))
            assert agent.heard[-2:] == [CallCancelled(1, CANCEL), ConnectionEnded()]

    def test_that_the_caller_goes(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller):
            caller.call(SLOW)
            site.until(lambda: agent.has_heard(SendClosed))
            caller.wire.close()
            site.until(lambda: agent.has_heard(ConnectionEnded))
            assert agent.heard[-2:] == [CallCancelled(1, CANCEL), ConnectionEnded()]


class TestTheAgent:
    def test_may_be_slow(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller), Caller(site) as other:
            caller.call(SLOW, Text("x"))
            site.until(lambda: agent.has_heard(SendClosed))
            assert other.ask(PING) == b""
            assert other.ask(UPDATE_APP_STATUS, STATUS) == b""
            assert caller.events == []
            agent.release()
            caller.hear(SendClosed)
            assert caller.events == [MessageReceived(1, bytes(Text("slept"))), SendClosed(1)]

    def test_may_not_be_there(self, path: Path) -> None:
        with served(agent=str(path)) as site, Caller(site) as caller:
            assert caller.ask(UPDATE_APP_STATUS, STATUS) == NOT_CONNECTED
            assert caller.ask(CHAT) == UNKNOWN
            with Agent(site.supervisor.poller, path) as agent:
                assert caller.ask(UPDATE_APP_STATUS, STATUS) == b""
                agent.go()
            assert caller.ask(UPDATE_APP_STATUS, STATUS) == NOT_CONNECTED

    @pytest.mark.parametrize("rpc", [SLOW, CHAT])
    def test_may_go_in_the_middle(self, path: Path, rpc: str) -> None:
        with with_agent(path) as (site, agent, caller):
            stream = caller.open(rpc)
            caller.wire.write(caller.rpc.send_message(stream, b""))
            site.until(lambda: agent.has_heard(MessageReceived))
            agent.hang_up()
            caller.hear(ErrorReceived)
            error = caller.events[-1]
            assert isinstance(error, ErrorReceived)
            assert error.text == AGENT_GONE
            assert caller.ask(PING) == b""

    def test_may_speak_nonsense(self, path: Path) -> None:
        with with_agent(path) as (site, agent, caller):
            caller.call(SLOW)
            site.until(lambda: agent.has_heard(SendClosed))
            agent.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            caller.hear(ErrorReceived)
            assert caller.ask(PING) == b""

    def test_is_never_ourselves(self, path: Path) -> None:
        with served(agent=str(path)) as site, Caller(site) as caller:
            path.symlink_to(site.path)
            assert caller.ask(UPDATE_APP_STATUS, STATUS) == NOT_CONNECTED
            assert caller.ask(CHAT) == UNKNOWN


def test_nothing_is_left_of_200_calls(path: Path) -> None:
    with with_agent(path) as (site, _, caller):
        assert caller.ask(UPDATE_APP_STATUS, STATUS) == b""
        site.settle()
        before = open_files()
        for _ in range(200):
            assert caller.ask(UPDATE_APP_STATUS, STATUS) == b""
        site.settle()
        assert len(open_files()) == len(before)
