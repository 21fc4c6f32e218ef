from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.core.event import Peer, UnitEnded, UnitReady
from runner.core.observed import StartRequested, SyncFailed
from runner.core.unit import Restart, Unit

from .harness import make, service
from .small_agent import Agent
from .sync_site import Site, served

TRUE = ["/bin/true"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.sock"


@contextmanager
def bridged(path: Path, *units: Unit) -> Iterator[Site]:
    """A supervisor with a bridge to an agent that may be there or not."""
    with served(*units, agent=str(path), bridge=True) as site:
        yield site


class Gate:
    """A command that waits until it is opened, once for each time that it is run."""

    def __init__(self, directory: Path) -> None:
        os.mkfifo(directory / "gate")
        self._fd = os.open(directory / "gate", os.O_RDWR | os.O_CLOEXEC)
        self.wait = f"read -r _ < {directory}/gate"

    def open(self) -> None:
        os.write(self._fd, b"\n")


def external(name: str) -> Unit:
    return make(name, kind="external", bridge=True)


def shows(agent: Agent, unit: str, status: str) -> bool:
    return agent.graph.status.get(unit, "") == status


class TestTheirs:
    def test_is_completed_when_the_agent_shows_it_so(self, path: Path) -> None:
        with (
            bridged(path, external("theirs"), make("after", TRUE, ["theirs"])) as site,
            Agent(site.supervisor.poller, path) as agent,
        ):
            site.beat()
            site.until(lambda: agent.calls == ["SyncStatus"])
            agent.graph.start("theirs")
            site.beat()
            site.until(lambda: agent.calls == ["SyncStatus"] * 2)
            assert site.of(UnitEnded, "theirs") == []
            agent.graph.complete("theirs")
            site.settle()
            site.beat()
            ended = site.until_decided(UnitEnded, "theirs")
            assert (ended.outcome, ended.reason) == ("succeeded", "completed by its script")
            assert site.until_decided(UnitEnded, "after").outcome == "succeeded"

    def test_is_asked_about_until_it_has_ended(self, path: Path) -> None:
        with bridged(path, external("a"), external("b")) as site, Agent(site.supervisor.poller, path) as agent:
            agent.graph.status["a"] = "completed"
            site.beat()
            site.until_decided(UnitEnded, "a")
            site.until(lambda: agent.calls == ["SyncStatus"] * 2)
            site.supervisor.observe(
                SyncFailed(at=site.supervisor.now(), call=0, unit="b", peer=Peer(pid=1, uid=0), reason="it is no use")
            )
            site.beat()
            site.settle()
            assert agent.calls == ["SyncStatus"] * 2

    def test_may_be_completed_by_a_script_of_ours_as_well(self, path: Path) -> None:
        with bridged(path, external("a")) as site, Agent(site.supervisor.poller, path) as agent:
            site.beat()
            site.until(lambda: agent.calls == ["SyncStatus"])
            assert site.finish(site.run("sync start a; sync complete a")) == 0
            site.beat()
            site.settle()
            assert agent.calls == ["SyncStatus"]

    def test_is_asked_about_again_when_it_is_wanted_again(self, path: Path) -> None:
        with bridged(path, external("a")) as site, Agent(site.supervisor.poller, path) as agent:
            site.beat()
            site.settle()
            now, nobody = site.supervisor.now(), Peer(pid=1, uid=0)
            site.supervisor.observe(SyncFailed(at=now, call=0, unit="a", peer=nobody, reason="it is no use"))
            site.until_decided(UnitEnded, "a")
            site.supervisor.observe(StartRequested(at=site.supervisor.now(), units=("a",)))
            agent.graph.status["a"] = "completed"
            site.beat()
            assert site.until_decided(UnitEnded, "a", 2).outcome == "succeeded"

    def test_is_not_asked_about_when_it_ended_before_there_was_a_bridge(self, path: Path) -> None:
        skipped = make("theirs", kind="external", bridge=True, after=["missing"])
        with bridged(path, make("missing", ["/no/such/program"]), skipped) as site, Agent(site.supervisor.poller, path) as agent:
            assert site.of(UnitEnded, "theirs")[0].outcome == "skipped"
            site.beat()
            site.settle()
            assert agent.calls == []


class TestOurs:
    def test_is_started_and_completed_there(self, path: Path, tmp_path: Path) -> None:
        gate = Gate(tmp_path)
        with bridged(path, make("ours", gate.wait, bridge=True)) as site, Agent(site.supervisor.poller, path) as agent:
            site.beat()
            site.until(lambda: shows(agent, "ours", "started"))
            gate.open()
            site.until(lambda: shows(agent, "ours", "completed"))
            assert agent.calls == ["SyncStatus", "SyncStart", "SyncStatus", "SyncComplete"]

    def test_is_completed_there_though_it_never_started(self, path: Path) -> None:
        with bridged(path, make("goal", bridge=True)) as site, Agent(site.supervisor.poller, path) as agent:
            site.beat()
            site.until(lambda: shows(agent, "goal", "completed"))

    def test_stays_started_there_when_it_failed(self, path: Path) -> None:
        with (
            bridged(path, make("bad", "exit 3", bridge=True), make("good", TRUE, bridge=True)) as site,
            Agent(site.supervisor.poller, path) as agent,
        ):
            site.until_decided(UnitEnded, "bad")
            site.until_decided(UnitEnded, "good")
            site.beat()
            site.until(lambda: shows(agent, "good", "completed") and "bad" in agent.graph.status)
            assert shows(agent, "bad", "started")

    def test_starts_again_there_as_it_does_here(self, path: Path, tmp_path: Path) -> None:
        gate = Gate(tmp_path)
        unit = service("s", gate.wait, bridge=True, restart=Restart(when="always", delay=0.0))
        with bridged(path, unit) as site, Agent(site.supervisor.poller, path) as agent:
            site.until_decided(UnitReady, "s")
            site.beat()
            site.until(lambda: shows(agent, "s", "completed"))
            gate.open()
            site.until_decided(UnitReady, "s", 2)
            site.settle()
            assert shows(agent, "s", "completed")

    def test_what_is_not_for_the_agent_it_never_hears_of(self, path: Path) -> None:
        with (
            bridged(path, make("private", TRUE), make("ours", TRUE, bridge=True)) as site,
            Agent(site.supervisor.poller, path) as agent,
        ):
            site.until_decided(UnitEnded, "private")
            site.beat()
            site.until(lambda: shows(agent, "ours", "completed"))
            assert list(agent.graph.status) == ["ours"]


class TestTheAgent:
    def test_may_come_later(self, path: Path) -> None:
        with bridged(path, make("ours", TRUE, bridge=True), external("theirs")) as site:
            site.until_decided(UnitEnded, "ours")
            site.beat()
            with Agent(site.supervisor.poller, path) as agent:
                agent.graph.status["theirs"] = "completed"
                site.beat()
                site.until_decided(UnitEnded, "theirs")
                site.until(lambda: shows(agent, "ours", "completed"))

    def test_may_come_back_without_its_memory(self, path: Path) -> None:
        with bridged(path, make("ours", TRUE, bridge=True), external("theirs")) as site:
            with Agent(site.supervisor.poller, path) as agent:
                site.beat()
                site.until(lambda: shows(agent, "ours", "completed"))
            site.settle()
            site.beat()
            with Agent(site.supervisor.poller, path) as agent:
                site.beat()
                site.until(lambda: shows(agent, "ours", "completed"))
                agent.graph.status["theirs"] = "completed"
                site.settle()
                site.beat()
                site.until_decided(UnitEnded, "theirs")

    def test_is_told_nothing_twice(self, path: Path) -> None:
        with bridged(path, make("ours", TRUE, bridge=True)) as site, Agent(site.supervisor.poller, path) as agent:
            site.beat()
            site.until(lambda: shows(agent, "ours", "completed"))
            told = agent.calls.count("SyncStart"), agent.calls.count("SyncComplete")
            agent.hang_up()
            site.settle()
            site.beat()
            site.until(lambda: len(agent.visits) == 2 and agent.visits[1].events)
            site.settle()
            assert (agent.calls.count("SyncStart"), agent.calls.count("SyncComplete")) == told

    def test_is_not_run_after_when_it_hangs_up_at_once(self, path: Path) -> None:
        with bridged(path, external("theirs")) as site, Agent(site.supervisor.poller, path) as agent:
            for count in (1, 2, 3):
                site.beat()
                site.until(lambda count=count: len(agent.visits) == count)  # type: ignore[misc]
                agent.hang_up()
                site.settle()
                assert len(agent.visits) == count

    @pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\x03\x01\x01\x00" * 2, b"\x07\x01\x01\x02hi"])
    def test_may_speak_nonsense(self, path: Path, said: bytes) -> None:
        with (
            bridged(path, external("theirs"), make("ours", TRUE, bridge=True)) as site,
            Agent(site.supervisor.poller, path) as agent,
        ):
            site.until_decided(UnitEnded, "ours")
            site.beat()
            site.until(lambda: agent.visits)
            agent.say(said)
            agent.graph.status["theirs"] = "completed"
            for _ in range(3):
                site.settle()
                site.beat()
            site.until_decided(UnitEnded, "theirs")

    def test_may_answer_what_cannot_be_read(self, path: Path) -> None:
        with bridged(path, external("theirs")) as site, Agent(site.supervisor.poller, path) as agent:
            site.beat()
            site.settle()
            agent.graph.status["theirs"] = "completed"
            site.beat()
            agent.say(b"\x05\x02\x01\x01\xff")  # a message on stream 2, before its own answer to the second question
            site.settle()
            assert site.of(UnitEnded, "theirs") == []
            site.beat()
            site.until_decided(UnitEnded, "theirs")

    def test_may_refuse_what_it_is_told(self, path: Path) -> None:
        with bridged(path, make("ours", TRUE, bridge=True)) as site, Agent(site.supervisor.poller, path) as agent:
            agent.graph.want("ours", "something of theirs")
            site.beat()
            site.until(lambda: shows(agent, "ours", "completed"))


def test_without_units_for_it_there_is_nothing_to_do(path: Path) -> None:
    with bridged(path, make("private", TRUE)) as site, Agent(site.supervisor.poller, path) as agent:
        site.beat()
        site.settle()
        assert site.supervisor.periodic == []
        assert agent.visits == []
