"""The same scenarios from trio and from asyncio, with real supervisors."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
import trio

import runner.api.asyncio
import runner.api.trio
from runner.api import (
    AlreadyRuns,
    CannotConnect,
    CannotStart,
    InvalidUnits,
    Refused,
    RunEnded,
    RunOver,
    RunStarted,
    StartupFinished,
    StreamEvent,
    Supervisor,
    SupervisorDied,
    UnitEnded,
    UnitReady,
    UnitStarted,
    UnitStarting,
    UnitStopping,
)
from runner.core.line import parse_event
from runner.supervisor.tree import Census, send_signal
from tests.supervisor.harness import deadline

T = TypeVar("T")
Open = Callable[..., AbstractAsyncContextManager[Supervisor]]

SERVICE = 'type = "service"\ncommand = "exec sleep 1000"\n'
STUBBORN = """
type = "service"
ready = { log = "up" }
stop = { timeout = "1h" }
command = "trap '' TERM; echo up; while :; do sleep 1000; done"
"""


class Shell:
    """One of the two, with a workspace."""

    def __init__(self, library: str, root: Path) -> None:
        self.library = library
        self.root = root
        self.runs: list[str] = []
        (root / "units").mkdir()

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / "units" / f"{name}.toml").write_text(text)

    def open(self, *names: str, **options: Any) -> AbstractAsyncContextManager[Supervisor]:
        module = runner.api.trio if self.library == "trio" else runner.api.asyncio
        where = {"units": [self.root / "units"], "state": self.root / "state", "socket": self.root / "sock"}
        opened: AbstractAsyncContextManager[Supervisor] = module.open_supervisor(*names, **where, **options)
        return opened

    def run(self, scenario: Callable[[], Awaitable[T]]) -> T:
        if self.library == "trio":
            return trio.run(scenario)

        async def main() -> T:
            return await scenario()

        return asyncio.run(main())

    async def cancelled(self, task: Callable[[Callable[[], object]], Coroutine[Any, Any, object]]) -> None:
        """Run a task that gives itself up at some point."""
        if self.library == "trio":
            with trio.CancelScope() as scope:
                await task(scope.cancel)
            assert scope.cancelled_caught
            return
        running: asyncio.Task[object] = asyncio.create_task(task(lambda: running.cancel()))
        await asyncio.wait([running])
        assert running.cancelled()

    def left(self) -> set[int]:
        """The processes of units that are still there."""
        runs = {journal.stem for journal in (self.root / "state" / "journal").glob("*.jsonl")}
        census = Census()
        return {pid for run in runs for pids in census.members_of_run(run).values() for pid in pids}


@pytest.fixture(params=["trio", "asyncio"])
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    with TemporaryDirectory(prefix="runner-") as name, deadline():
        shell = Shell(request.param, Path(name))
        try:
            yield shell
        finally:
            for pid in shell.left():
                send_signal(pid, signal.SIGKILL)


async def until(events: AsyncIterator[StreamEvent], kind: type[StreamEvent], unit: str = "") -> list[StreamEvent]:
    """The events up to one of a kind."""
    told = []
    async for event in events:
        told.append(event)
        if isinstance(event, kind) and unit in ("", getattr(event, "unit", "")):
            return told
    raise AssertionError(told)


def test_a_startup_is_seen_and_stopped_in_order(shell: Shell) -> None:
    shell.write(first='command = "true"', server=SERVICE + 'after = ["first"]\n')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            assert supervisor.run.units == ("first", "server")
            startup = await supervisor.wait_startup()
            assert (startup.outcome, startup.critical_path) == ("succeeded", ("first", "server"))
            told = await until(supervisor.events(), StartupFinished)
            assert isinstance(told[0], RunStarted)
            assert told[-1] == startup
            snapshot = await supervisor.snapshot()
            assert snapshot.units["server"].state == "ready"
            assert shell.left()
        assert supervisor.exit_status == 143
        assert not shell.left()
        told = [event async for event in supervisor.events()]
        assert isinstance(told[-1], RunEnded)

    shell.run(scenario)


def test_every_reader_has_everything(shell: Shell) -> None:
    shell.write(a='command = "true"')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            first = await until(supervisor.events(), StartupFinished)
            assert await until(supervisor.events(), StartupFinished) == first

    shell.run(scenario)


def test_a_run_that_ends_by_itself(shell: Shell) -> None:
    shell.write(a='command = "true"', b='command = "false"')

    async def scenario() -> None:
        async with shell.open("a", keep=False) as supervisor:
            told = [event async for event in supervisor.events()]
            assert isinstance(told[-1], RunEnded)
            assert [event.unit for event in told if isinstance(event, UnitEnded)] == ["a"]
            assert supervisor.exit_status == 0
            assert (await supervisor.wait_startup()).outcome == "succeeded"
            with pytest.raises(CannotConnect):
                await supervisor.snapshot()

    shell.run(scenario)


def test_a_failure_is_an_outcome_and_no_error(shell: Shell) -> None:
    shell.write(a='command = "false"')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            startup = await supervisor.wait_startup()
            assert (startup.outcome, startup.failed) == ("failed", ("a",))

    shell.run(scenario)


def test_invalid_unit_files(shell: Shell) -> None:
    shell.write(a="quux = 1", b="command = 3")

    async def scenario() -> None:
        with pytest.raises(CannotStart) as caught:
            async with shell.open():
                raise AssertionError
        assert "quux" in caught.value.told
        assert "b.toml" in caught.value.told

    shell.run(scenario)


def test_one_runs_already(shell: Shell) -> None:
    shell.write(a='command = "true"')

    async def scenario() -> None:
        async with shell.open():
            with pytest.raises(AlreadyRuns, match="a supervisor runs already"):
                async with shell.open():
                    raise AssertionError

    shell.run(scenario)


def test_a_supervisor_that_is_killed(shell: Shell) -> None:
    shell.write(a='command = "exec sleep 1000"')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            await until(supervisor.events(), UnitStarted)
            os.kill(supervisor.run.pid, signal.SIGKILL)
            with pytest.raises(SupervisorDied) as caught:
                await supervisor.wait_startup()
            assert caught.value.told == "runner: the supervisor was killed by SIGKILL; all that it ran was ended"
            with pytest.raises(SupervisorDied):
                async for _ in supervisor.events():
                    pass

    shell.run(scenario)


def test_a_run_that_somebody_stops(shell: Shell) -> None:
    shell.write(a='command = "exec sleep 1000"')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            await until(supervisor.events(), UnitStarted)
            os.kill(supervisor.run.pid, signal.SIGTERM)
            with pytest.raises(RunOver):
                await supervisor.wait_startup()

    shell.run(scenario)


def test_after_the_grace_units_are_killed(shell: Shell) -> None:
    shell.write(a=STUBBORN)

    async def scenario() -> None:
        async with shell.open(grace=0.01) as supervisor:
            assert (await supervisor.wait_startup()).outcome == "succeeded"
        assert supervisor.exit_status == 143

    shell.run(scenario)
    assert not shell.left()


@pytest.mark.parametrize("shell", ["asyncio"], indirect=True)
def test_whoever_is_cancelled_again_waits_for_the_end_all_the_same(shell: Shell) -> None:
    """As with trio, where a scope that was cancelled stays so."""
    command = "trap 'read line <gate' TERM; touch up; sleep 600 & wait"
    shell.write(a=f'type = "service"\ncommand = "{command}"\ncwd = "{shell.root}"\nready = {{ file = "{shell.root}/up" }}')
    gate = shell.root / "gate"
    os.mkfifo(gate)
    troubles: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
        supervisor: Supervisor | None = None

        async def hold() -> None:
            nonlocal supervisor
            async with shell.open() as supervisor:
                await supervisor.wait_startup()
                holding.cancel()
                await asyncio.sleep(600)

        holding = asyncio.create_task(hold())
        while supervisor is None or not holding.cancelling():
            await asyncio.sleep(0)
        await until(supervisor.events(), UnitStopping)
        holding.cancel()
        await asyncio.to_thread(gate.write_text, "\n")
        await asyncio.wait([holding])
        assert holding.cancelled()
        assert supervisor.exit_status == 143

    shell.run(scenario)
    assert not shell.left()
    assert troubles == []


def test_what_the_block_raises_is_raised_as_it_is(shell: Shell) -> None:
    shell.write(a=SERVICE)

    async def scenario() -> None:
        async with shell.open() as supervisor:
            await supervisor.wait_startup()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shell.run(scenario)
    assert not shell.left()


def test_a_reader_or_a_call_may_be_given_up(shell: Shell) -> None:
    shell.write(a=SERVICE)

    async def scenario() -> None:
        async with shell.open() as supervisor:

            async def read(give_up: Callable[[], object]) -> None:
                await until(supervisor.events(), StartupFinished)
                give_up()
                await until(supervisor.events(), RunEnded)

            async def ask(give_up: Callable[[], object]) -> None:
                give_up()
                await supervisor.snapshot()

            await shell.cancelled(read)
            await shell.cancelled(ask)
            assert (await supervisor.snapshot()).units["a"].state == "ready"

    shell.run(scenario)


def test_who_is_cancelled_stops_it_all_the_same(shell: Shell) -> None:
    shell.write(a=SERVICE)
    seen: list[Supervisor] = []

    async def hold(give_up: Callable[[], object]) -> None:
        async with shell.open() as supervisor:
            seen.append(supervisor)
            await supervisor.wait_startup()
            give_up()
            await until(supervisor.events(), RunEnded)

    shell.run(lambda: shell.cancelled(hold))
    assert seen[0].exit_status == 143
    assert not shell.left()


def test_units_are_stopped_started_and_restarted_by_hand(shell: Shell) -> None:
    shell.write(first='command = "true"', server=f'{SERVICE}after = ["first"]\n')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            await supervisor.wait_startup()
            events = supervisor.events()
            assert (await supervisor.stop("server")).units == ("server",)
            told = await until(events, UnitEnded, "server")
            assert isinstance(told[-1], UnitEnded)
            assert told[-1].reason == "stopped by the agent"
            await supervisor.start("server")
            await until(events, UnitReady, "server")
            await supervisor.restart("server")
            told = await until(events, UnitReady, "server")
            assert [type(event) for event in told][-3:] == [UnitStarting, UnitStarted, UnitReady]

    shell.run(scenario)


def test_what_failed_is_tried_again(shell: Shell) -> None:
    shell.write(a=f'command = "test -e {shell.root}/there"', b='command = "true"\nafter = ["a"]')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            assert (await supervisor.wait_startup()).failed == ("a", "b")
            events = supervisor.events()
            await until(events, StartupFinished)
            (shell.root / "there").write_text("")
            assert set((await supervisor.retry()).units) == {"a", "b"}
            told = await until(events, UnitEnded, "b")
            assert [event.outcome for event in told if isinstance(event, UnitEnded)] == ["succeeded", "succeeded"]

    shell.run(scenario)


def test_unit_files_are_read_anew(shell: Shell) -> None:
    shell.write(a='command = "true"')

    async def scenario() -> None:
        async with shell.open() as supervisor:
            await supervisor.wait_startup()
            shell.write(b='command = "true"')
            assert (await supervisor.reload()).added == ("b",)
            await supervisor.start("b")
            await until(supervisor.events(), UnitEnded, "b")
            shell.write(c="quux = 1")
            with pytest.raises(InvalidUnits) as caught:
                await supervisor.reload()
            assert "quux" in caught.value.problems[0].what

    shell.run(scenario)


def test_what_is_not_there_is_refused(shell: Shell) -> None:
    shell.write(server=SERVICE)

    async def scenario() -> None:
        async with shell.open() as supervisor:
            with pytest.raises(Refused, match='cannot find unit or group "severr"') as caught:
                await supervisor.stop("severr")
            assert caught.value.hint == 'did you mean "server"?'

    shell.run(scenario)


def test_everything_is_stopped_by_hand(shell: Shell) -> None:
    shell.write(server=SERVICE)

    async def scenario() -> None:
        async with shell.open() as supervisor:
            await supervisor.wait_startup()
            await supervisor.stop()
            told = [event async for event in supervisor.events()]
            assert isinstance(told[-1], RunEnded)
            assert not shell.left()

    shell.run(scenario)


FORSAKEN = """
import os, signal, sys, {library}
from runner.api.{library} import open_supervisor

async def main():
    async with open_supervisor(units=["units"], state="state", socket="sock") as supervisor:
        await supervisor.wait_startup()
        print(supervisor.run.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

{library}.run(main{call})
"""


def test_a_supervisor_goes_with_the_agent_in_order(shell: Shell) -> None:
    shell.write(first=SERVICE, second=SERVICE + 'after = ["first"]\n')
    program = FORSAKEN.format(library=shell.library, call="" if shell.library == "trio" else "()")
    with subprocess.Popen([sys.executable, "-c", program], cwd=shell.root, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout
        supervisor = os.pidfd_open(int(agent.stdout.readline()))
        select.select([supervisor], [], [])
        os.close(supervisor)
    assert agent.returncode == -signal.SIGKILL
    (journal,) = (shell.root / "state" / "journal").glob("*.jsonl")
    events = [parse_event(line) for line in journal.read_bytes().splitlines()]
    assert [event.unit for event in events if isinstance(event, UnitEnded)] == ["second", "first"]
    assert isinstance(events[-1], RunEnded)
    assert not shell.left()


def test_an_interpreter_that_is_gone_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(shell.root / "python"))

    async def scenario() -> None:
        with pytest.raises(CannotStart, match=r'"/.*/python" cannot be executed: no such file or directory$'):
            async with shell.open():
                raise AssertionError("it has begun")

    shell.run(scenario)


def test_an_interpreter_that_greets_disturbs_nobody(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.write(server=SERVICE)
    python = shell.root / "python"
    python.write_text(f'#!/bin/sh\necho "welcome"\nexec {sys.executable} "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))

    async def scenario() -> None:
        async with shell.open() as supervisor:
            assert (await supervisor.wait_startup()).outcome == "succeeded"
            send_signal(supervisor.run.pid, signal.SIGKILL)
            with pytest.raises(SupervisorDied) as died:
                await until(supervisor.events(), RunEnded)
            assert died.value.told.startswith("welcome\n")

    shell.run(scenario)
