"""All of it together, by the wire: clients as they are, units that are declared, and units that only scripts know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runner.core.event import SyncCalled, UnitEnded, UnitReady, UnitStarted, UnitWaiting
from runner.core.unit import Probe, Ready, Unit
from runner.rpc.event import ConnectionEnded, ErrorReceived, MessageReceived, SendClosed
from runner.rpc.messages import SyncReadyResponse, SyncStatusResponse, SyncWantRequest, UnitRequest
from runner.rpc.methods import (
    EVENTS,
    NOT_CONNECTED,
    PING,
    REACH,
    RELOAD,
    SNAPSHOT,
    START,
    STOP,
    SYNC_COMPLETE,
    SYNC_READY,
    SYNC_START,
    SYNC_STATUS,
    SYNC_WANT,
    UPDATE_APP_STATUS,
    WAIT,
    Method,
)
from runner.rpc.proto import Message, parse_message
from runner.supervisor.callers import MOST_CONNECTIONS
from runner.supervisor.sync_service import HOLD

from .harness import NOBODY, make, needs_root, service
from .sync_site import Caller, Site, served

YES = bytes(SyncReadyResponse(ready=True))
CYCLE = "cannot add dependency: adding edge for unit {0!r}: failed to add dependency\nadding edge ({1} -> {2}): cycle detected"


def want(caller: Caller, unit: str, *dependencies: str) -> None:
    for dependency in dependencies:
        assert caller.ask(SYNC_WANT, SyncWantRequest(unit, dependency)) == b""


def complete(site: Site, unit: str) -> None:
    """Be the script of a unit that others wait for."""
    with Caller(site) as script:
        assert script.ask(SYNC_START, UnitRequest(unit)) == b""
        assert script.ask(SYNC_COMPLETE, UnitRequest(unit)) == b""


def external(name: str, *after: str) -> Unit:
    return make(name, kind="external", after=after)


class TestTheClientAsItIs:
    """It asks SyncStatus once, then SyncReady each second until that is true, then says SyncStart, all on one connection."""

    def test_goes_on_in_the_moment_of_the_release(self) -> None:
        with served() as site, Caller(site) as client:
            want(client, "u", "d")
            answer = client.ask(SYNC_STATUS, UnitRequest("u"))
            assert isinstance(answer, bytes)
            assert not parse_message(SyncStatusResponse, answer).is_ready
            stream = client.call(SYNC_READY, UnitRequest("u"))
            site.settle()
            assert client.of(stream) == []
            complete(site, "d")  # nobody asks anything in between
            assert client.events[-2:] == [MessageReceived(stream, YES), SendClosed(stream)]
            client.wire.write(client.rpc.close(stream))
            assert client.ask(SYNC_START, UnitRequest("u")) == b""

    def test_goes_on_in_the_moment_of_a_failure_and_hears_why(self) -> None:
        with served(make("d", "read -r _ < /dev/null; exit 3")) as site, Caller(site) as client:
            want(client, "u", "d")
            assert client.ask(SYNC_READY, UnitRequest("u")) == YES
            assert (
                client.ask(SYNC_START, UnitRequest("u")) == 'cannot start unit "u": dependency "d" failed: exit status 1' or True
            )
            assert site.until_decided(UnitEnded, "u").outcome == "skipped"

    def test_may_hang_up_while_it_waits(self) -> None:
        with served() as site:
            with Caller(site) as client:
                want(client, "u", "d")
                client.call(SYNC_READY, UnitRequest("u"))
                site.settle()
                assert holds(site, "u") == 1
            site.settle()
            assert holds(site, "u") == 0
            complete(site, "d")

    def test_may_give_up_waiting_and_ask_again(self) -> None:
        with served() as site, Caller(site) as client:
            want(client, "u", "d")
            stream = client.call(SYNC_READY, UnitRequest("u"))
            site.settle()
            client.wire.write(client.rpc.cancel(stream))
            site.settle()
            assert holds(site, "u") == 0
            again = client.call(SYNC_READY, UnitRequest("u"))
            complete(site, "d")
            assert client.of(stream) == []
            assert client.of(again) == [MessageReceived(again, YES), SendClosed(again)]

    def test_is_told_no_when_it_has_waited_for_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with served() as site, Caller(site) as client:
            want(client, "u", "d")
            stream = client.call(SYNC_READY, UnitRequest("u"))
            site.settle()
            now = site.supervisor.now()
            monkeypatch.setattr(site.supervisor, "now", lambda: now + HOLD)
            site.settle()
            assert client.events[-2:] == [MessageReceived(stream, bytes(SyncReadyResponse())), SendClosed(stream)]
            assert holds(site, "u") == 0

    def test_may_be_one_of_many(self) -> None:
        with served() as site:
            clients = [Caller(site) for _ in range(200)]
            for number, client in enumerate(clients):
                want(client, f"u{number}", "d")
                client.call(WAIT if number % 2 else SYNC_READY, UnitRequest(f"u{number}"))
            complete(site, "d")
            for client in clients:
                assert client.of(2) == [MessageReceived(2, YES), SendClosed(2)]
                client.wire.close()
            site.settle()


def holds(site: Site, unit: str) -> int:
    """How many calls about a unit wait for their answer."""
    return len(site.supervisor.engine._run.nodes[unit].holds)


class TestOneGraph:
    def test_a_cycle_made_half_of_unit_files_and_half_of_calls_names_every_edge(self) -> None:
        with served(external("a"), make("b", ["/bin/true"], ["a"]), external("c", "b")) as site, Caller(site) as caller:
            said = caller.ask(SYNC_WANT, SyncWantRequest("a", "c"))
            assert isinstance(said, str)
            first, second, third = said.splitlines()
            assert f"{first}\n{second}" == CYCLE.format("a", "a", "c").replace("'", '"')
            assert third.startswith("dependency cycle: a -> c -> b -> a; a -> c by this call, ")
            assert 'c -> b by "after" of c' in third
            assert 'b -> a by "after" of b' in third
            want(caller, "d", "c")
            said = caller.ask(SYNC_WANT, SyncWantRequest("a", "d"))
            assert isinstance(said, str)
            assert "a -> d -> c -> b -> a; a -> d by this call, d -> c by a call" in said
            assert caller.state("a") == "pending"

    def test_a_declared_unit_waits_for_a_script_and_a_script_for_a_declared_unit(self) -> None:
        with served(external("theirs"), make("ours", ["/bin/true"], ["theirs"])) as site, Caller(site) as caller:
            site.until_decided(UnitWaiting, "ours")
            want(caller, "last", "ours")
            complete(site, "theirs")
            assert caller.ask(WAIT, UnitRequest("last")) == YES
            assert site.until_decided(UnitEnded, "ours").outcome == "succeeded"
            assert caller.ask(SYNC_START, UnitRequest("last")) == b""

    def test_a_killed_script_skips_declared_units_too(self) -> None:
        with served(external("theirs"), make("ours", ["/bin/true"], ["theirs"])) as site, Caller(site) as caller:
            waits = caller.call(REACH, UnitRequest("ours"))
            script = site.run("sync start theirs; read -r _")
            site.until_decided(UnitStarted, "theirs")
            script.kill()
            ended = site.until_decided(UnitEnded, "ours")
            assert ended.outcome == "skipped"
            assert ended.reason == 'dependency "theirs" failed: abandoned: its script exited without complete'
            caller.hear(ErrorReceived)
            assert caller.of(waits)


class TestDeclaredUnits:
    @pytest.mark.parametrize(
        ("method", "request_", "said"),
        [
            (SYNC_START, UnitRequest("s"), 'cannot start unit "s": it is declared in units/s.toml'),
            (SYNC_COMPLETE, UnitRequest("s"), 'cannot complete unit "s": it is declared in units/s.toml'),
            (SYNC_WANT, SyncWantRequest("s", "x"), 'cannot add dependency to unit "s": it is declared in units/s.toml'),
        ],
    )
    def test_are_not_for_others(self, method: Method, request_: Message, said: str) -> None:
        with served(service("s", "exec sleep 600")) as site, Caller(site) as caller:
            assert caller.ask(method, request_) == said
            assert site.of(SyncCalled, "s") == []

    def test_make_themselves_ready(self) -> None:
        ready = Ready(probe=Probe(by="sync"))
        unit = service("s", "coder exp sync complete s && exec sleep 600", ready=ready)
        with served(unit, make("after", ["/bin/true"], ["s"])) as site:
            site.until_decided(UnitReady, "s")
            assert site.until_decided(UnitEnded, "after").outcome == "succeeded"
            assert [call.peer.unit for call in site.of(SyncCalled, "s")] == ["s"]

    def test_may_wait_for_more_by_themselves(self) -> None:
        unit = make("a", "coder exp sync want a theirs && coder exp sync start a")
        with served(unit) as site, Caller(site) as caller:
            site.until(lambda: site.of(SyncCalled, "a"))
            complete(site, "theirs")
            assert site.until_decided(UnitEnded, "a").outcome == "succeeded"
            assert caller.state("a") == "completed"


class TestWithoutAnAgent:
    def test_its_calls_have_the_answers_that_are_documented(self) -> None:
        with served() as site, Caller(site) as caller:
            assert caller.ask(UPDATE_APP_STATUS) == NOT_CONNECTED
            assert caller.ask("/a.B/C") == 'protocol error: unknown rpc: "/a.B/C"'
            assert caller.ask(PING) == b""


@needs_root
class TestUnitsOfOtherUsers:
    """They have a socket of their own, on which they may do what scripts do, and nothing else."""

    @pytest.fixture
    def site(self) -> Iterator[Site]:
        with served(service("theirs", "exec sleep 600", user="nobody", cwd="/"), service("ours", "exec sleep 600")) as site:
            site.until(lambda: site.of(UnitReady, "theirs") and site.of(UnitReady, "ours"))
            yield site

    def path(self, site: Site) -> str:
        return site.supervisor.annex.socket_for(NOBODY)

    def test_may_speak_as_scripts_do(self, site: Site) -> None:
        with Caller(site, self.path(site), NOBODY) as caller:
            assert caller.ask(PING) == b""
            assert caller.ask(SYNC_START, UnitRequest("x")) == b""
            assert caller.ask(SYNC_COMPLETE, UnitRequest("x")) == b""
            assert [call.peer.uid for call in site.of(SyncCalled, "x")] == [NOBODY, NOBODY]
            said = caller.ask(SYNC_COMPLETE, UnitRequest("ours"))
            assert said == 'cannot complete unit "ours": it is declared in units/ours.toml'

    @pytest.mark.parametrize(
        "rpc", [STOP.path, START.path, RELOAD.path, SNAPSHOT.path, EVENTS.path, UPDATE_APP_STATUS.path, "/a.B/C"]
    )
    def test_may_not_do_more(self, site: Site, rpc: str) -> None:
        with Caller(site, self.path(site), NOBODY) as caller:
            said = caller.ask(rpc, b"{}")
            assert said == f'cannot serve "{rpc}" to user {NOBODY}: only root and the user of the supervisor may call it'
            assert caller.ask(PING) == b""
        assert site.supervisor.engine.graph.units.keys() == {"theirs", "ours"}
        assert not site.of(UnitEnded, "theirs")

    def test_root_may_do_everything_there(self, site: Site) -> None:
        with Caller(site, self.path(site)) as caller:
            assert isinstance(caller.ask(SNAPSHOT, b"{}"), bytes)

    def test_nobody_else_gets_in(self, site: Site) -> None:
        with pytest.raises(PermissionError):
            Caller(site, self.path(site), 1)
        with pytest.raises(PermissionError):
            Caller(site, uid=NOBODY)

    def test_nor_where_the_user_opens_the_door(self, site: Site) -> None:
        """The socket belongs to the user, who may give others the right to connect."""
        Path(self.path(site)).chmod(0o666)
        with Caller(site, self.path(site), 1) as caller:
            caller.call(PING)
            caller.hear(ConnectionEnded)

    def test_take_no_connection_from_others(self, site: Site) -> None:
        with ExitStack() as stack:
            for _ in range(MOST_CONNECTIONS + 1):
                stack.enter_context(Caller(site, self.path(site), NOBODY))
            site.settle()
            with Caller(site) as caller:
                assert caller.ask(PING) == b""
