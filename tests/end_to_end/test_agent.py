"""What an agent does to its startup command, and that ``runner up`` takes no harm from it and does none."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.supervisor.harness import PYTHON, deadline

from .agent import LOG_LIMIT, Agent, agent
from .command import Workspace, outcomes, parse

GRACE = 10.0
"""Seconds that an agent gives to what it stops."""
SERVER = 'type = "service"\ncommand = "echo up; exec sleep 1000"\nready = { log = "up" }\n'


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with TemporaryDirectory(prefix="runner-") as name, deadline():
        workspace = Workspace(Path(name))
        yield workspace
        workspace.kill_leftovers()


@contextmanager
def running(workspace: Workspace, *options: str, grace: float = GRACE) -> Iterator[Agent]:
    """An agent whose startup command is ``runner up`` with these options."""
    command = workspace.command("--socket", str(workspace.root / "sock"), *options)
    with agent(workspace.root, command, workspace.environment(), grace) as there:
        yield there


@contextmanager
def agent_of_script(workspace: Workspace, script: str) -> Iterator[Agent]:
    """An agent whose startup command is a script, which has ``runner up`` as its arguments."""
    command = ["sh", "-c", script, "sh", *workspace.command("--socket", str(workspace.root / "sock"))]
    with agent(workspace.root, command, workspace.environment(), GRACE) as there:
        yield there


def test_the_double_minds_who_holds_the_pipe(tmp_path: Path) -> None:
    code = "import os, signal; os.fork() or (signal.alarm(10), signal.pause())"  # it ends by itself: nobody knows its pid
    with deadline(), agent(tmp_path, [*PYTHON, code], dict(os.environ)) as there:
        assert there.told() == {"status": 0, "open": True, "succeeded": False}


def test_the_double_kills_when_the_grace_is_over(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    with deadline(), agent(tmp_path, [*PYTHON, code], dict(os.environ), grace=0.05) as there:
        there.wait_logged("up")
        told = there.stop()
    assert (told["status"], told["killed"]) == (-signal.SIGKILL, True)


def test_a_startup_without_services_ends_and_releases_the_agent(workspace: Workspace) -> None:
    workspace.write(a='command = "true"', b='command = "echo done"\nafter = ["a"]')
    with running(workspace) as there:
        assert there.told() == {"status": 0, "open": False, "succeeded": True}
    log = there.log.read_text()
    assert "startup succeeded" in log
    assert not {"\r", "\x1b"} & set(log)


def test_a_failed_startup_is_told_with_its_reason(workspace: Workspace) -> None:
    workspace.write(a='command = "echo no such repository; exit 3"')
    with running(workspace) as there:
        assert there.told() == {"status": 1, "open": False, "succeeded": False}
    assert "no such repository" in there.log.read_text()


def test_units_that_are_wrong_start_nothing(workspace: Workspace) -> None:
    workspace.write(a="quux = 1")
    with running(workspace) as there:
        assert there.told() == {"status": 2, "open": False, "succeeded": False}
    assert "quux" in there.log.read_text()


def test_one_that_stays_is_stopped_in_order_within_the_grace(workspace: Workspace) -> None:
    workspace.write(database=SERVER, web=f'{SERVER}after = ["database"]\n')
    with running(workspace, "--output", "json") as there:
        there.wait_logged("startup-finished")
        assert workspace.left()
        told = there.stop()
    assert (told["status"], told["killed"]) == (128 + signal.SIGHUP, False)
    assert told["took"] < GRACE
    assert not workspace.left()
    events = parse(there.log.read_text())
    assert list(outcomes(events)) == ["web", "database"]
    assert events[-1]["event"] == "run-ended"


def test_more_output_than_the_agent_keeps_hinders_nobody(workspace: Workspace) -> None:
    line = "x" * 99
    workspace.write(loud=f"command = '''{sys.executable} -c \"print(('{line}' + chr(10)) * 20000)\"'''")
    with running(workspace, "--logs") as there:
        assert there.told()["succeeded"]
    assert there.log.stat().st_size == LOG_LIMIT
    assert outcomes(workspace.journal()) == {"loud": "succeeded"}


def test_scripts_find_a_coder_that_is_not_there(workspace: Workspace) -> None:
    workspace.write(
        a='command = "coder exp sync start a-part && coder exp sync complete a-part"',
        b='command = "coder exp sync want b-part a-part && coder exp sync start b-part && coder exp sync complete b-part"',
    )
    with running(workspace) as there:
        assert there.told()["succeeded"], there.log.read_text()


def test_the_events_are_one_json_object_a_line(workspace: Workspace) -> None:
    workspace.write(a='command = "true"')
    with running(workspace, "--output", "json") as there:
        assert there.told()["succeeded"]
    events = parse(there.log.read_text())
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events == workspace.journal()


def test_a_startup_that_is_left_behind_releases_the_agent_and_goes_with_it(workspace: Workspace) -> None:
    workspace.write(database=SERVER, web=f'{SERVER}after = ["database"]\n', last='command = "true"\nafter = ["web"]')
    with agent_of_script(workspace, 'exec "$@" --detach --stop-with $PPID') as there:
        assert there.told() == {"status": 0, "open": False, "succeeded": True}
        assert "startup succeeded" in there.log.read_text()
        supervisor = os.pidfd_open(int((workspace.root / "sock.lock").read_text().split()[0]))
        assert set(outcomes(workspace.journal())) == {"last"}
        assert workspace.left()
        there.process.kill()
        begun = time.monotonic()
        select.select([supervisor], [], [])
        os.close(supervisor)
        assert time.monotonic() - begun < GRACE
    assert list(outcomes(workspace.journal())) == ["last", "web", "database"]
    assert workspace.journal()[-1]["event"] == "run-ended"
    assert not workspace.left()


def test_a_startup_that_is_left_behind_and_fails_is_told_so(workspace: Workspace) -> None:
    go_on = workspace.root / "go-on"
    os.mkfifo(go_on)
    workspace.write(database=SERVER, clone=f'command = "cat {go_on}; echo no such repository; exit 3"')
    with agent_of_script(workspace, 'exec "$@" --detach --stop-with $PPID') as there:
        there.wait_logged("2 units")
        go_on.write_text("")
        assert there.told() == {"status": 1, "open": False, "succeeded": False}
        assert "no such repository" in there.log.read_text()
        supervisor = os.pidfd_open(int((workspace.root / "sock.lock").read_text().split()[0]))
    select.select([supervisor], [], [])
    os.close(supervisor)
    assert not workspace.left()


def test_the_agent_may_stop_while_it_waits_for_a_startup_that_is_to_be_left_behind(workspace: Workspace) -> None:
    workspace.write(database=SERVER, slow='command = "exec sleep 1000"')
    with agent_of_script(workspace, 'exec "$@" --detach --stop-with $PPID') as there:
        there.wait_logged("slow")
        supervisor = os.pidfd_open(int((workspace.root / "sock.lock").read_text().split()[0]))
        assert not there.stop()["killed"]
    select.select([supervisor], [], [])
    os.close(supervisor)
    assert not workspace.left()
