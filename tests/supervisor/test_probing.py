from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
import trio
import trio.testing

from runner.core.observed import ProbeFailed, ProbeSucceeded
from runner.core.unit import Health, Probe, Unit
from runner.supervisor.invocation import Invocation
from runner.supervisor.probing import Probing

from .harness import service
from .host import FakeHost, invoked

FILE = Probe(by="file", target="flag", interval=0.5)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def invocation(host: FakeHost, tmp_path: Path) -> Iterator[Invocation]:
    with TemporaryDirectory(prefix="r", dir="/tmp") as directory:
        unit: Unit = service("s", "exec sleep 600", cwd=str(tmp_path))
        with invoked(host, unit, tmp_path, notify=f"{directory}/notify") as made:
            yield made


async def quiet(seconds: float = 0) -> None:
    """Until all tasks have nothing to do; the clock jumps as far as it is told."""
    if seconds:
        await trio.sleep(seconds)
    await trio.testing.wait_all_tasks_blocked(0.005)


def told(host: FakeHost) -> list[str]:
    """The answers, in order."""
    return [fact.purpose if isinstance(fact, ProbeSucceeded) else fact.reason for fact in answers(host)]


def answers(host: FakeHost) -> list[ProbeSucceeded | ProbeFailed]:
    return [fact for fact in host.facts if isinstance(fact, ProbeSucceeded | ProbeFailed)]


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(3600):
        while not condition():
            await trio.sleep(0.25)


class TestReady:
    async def test_it_is_asked_until_yes(
        self, host: FakeHost, invocation: Invocation, nursery: trio.Nursery, tmp_path: Path
    ) -> None:
        probing = Probing(host)
        probing.attach(nursery)
        probing.start_ready(invocation, FILE)
        await quiet()
        assert told(host) == []
        (tmp_path / "flag").touch()
        with trio.fail_after(5):
            while not told(host):
                await trio.lowlevel.checkpoint()
        assert told(host) == ["ready"]
        assert (answers(host)[0].unit, answers(host)[0].invocation) == ("s", invocation.name)

    async def test_what_was_ordered_before_there_was_a_loop_is_asked_then(
        self, host: FakeHost, invocation: Invocation, nursery: trio.Nursery, tmp_path: Path
    ) -> None:
        (tmp_path / "flag").touch()
        probing = Probing(host)
        probing.start_ready(invocation, FILE)
        probing.attach(nursery)
        await quiet()
        assert told(host) == ["ready"]

    async def test_nobody_is_asked_after_a_stop(
        self, host: FakeHost, invocation: Invocation, nursery: trio.Nursery, tmp_path: Path
    ) -> None:
        probing = Probing(host)
        probing.start_ready(invocation, FILE)
        probing.stop(invocation)
        probing.attach(nursery)
        probing.start_ready(invocation, FILE)
        await quiet()
        probing.stop(invocation)
        probing.stop(invocation)
        (tmp_path / "flag").touch()
        await quiet()
        assert told(host) == []

    @pytest.mark.parametrize("by", ["log", "notify"])
    async def test_some_speak_for_themselves(self, by: str, host: FakeHost, tmp_path: Path) -> None:
        """Nothing is asked, so there is no need of a nursery."""
        os.mkfifo(tmp_path / "gate")
        say = "import os, socket; socket.socket(1, 2).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])"
        lines = {"log": "echo it is up", "notify": f'python3 -S -E -c "{say}"'}
        with TemporaryDirectory(prefix="r", dir="/tmp") as directory:
            unit = service("s", f"read go < {tmp_path}/gate; {lines[by]}; exec sleep 600")
            with invoked(host, unit, tmp_path, notify=f"{directory}/notify") as invocation:
                Probing(host).start_ready(invocation, Probe(by=by, target="is up$"))  # type: ignore[arg-type]
                (tmp_path / "gate").write_text("go\n")
                assert host.run_until(ProbeSucceeded).purpose == "ready"


class TestHealth:
    async def test_it_is_asked_over_and_over(
        self,
        host: FakeHost,
        invocation: Invocation,
        nursery: trio.Nursery,
        autojump_clock: trio.testing.MockClock,
        tmp_path: Path,
    ) -> None:
        autojump_clock.autojump_threshold = 0.01
        probing = Probing(host)
        probing.attach(nursery)
        probing.start_health(invocation, Health(probe=FILE, grace=10))
        await quiet(9.9)
        assert told(host) == []
        await quiet(0.5)
        assert told(host) == ["no such file"]
        (tmp_path / "flag").touch()
        await quiet(0.5)
        assert told(host) == ["no such file", "health"]
        probing.stop(invocation)
        await quiet(10)
        assert len(told(host)) == 2

    @pytest.mark.parametrize(("by", "missed"), [("notify", "no WATCHDOG=1 in time"), ("log", "no line that matches in time")])
    async def test_a_sign_of_life_counts_for_one_interval(
        self,
        host: FakeHost,
        invocation: Invocation,
        nursery: trio.Nursery,
        autojump_clock: trio.testing.MockClock,
        by: Literal["notify", "log"],
        missed: str,
    ) -> None:
        autojump_clock.autojump_threshold = 0.01
        probing = Probing(host)
        probing.attach(nursery)
        probing.start_health(invocation, Health(probe=Probe(by=by, target="x", interval=1.0)))
        await quiet(0.5)
        invocation.is_alive_signal = True
        await quiet(1.0)
        assert told(host) == ["health"]
        await quiet(1.0)
        assert told(host) == ["health", missed]
        probing.stop(invocation)
