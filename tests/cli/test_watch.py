"""Watching without a terminal, and the runs that are over. The live view is tried end to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from socket import AF_UNIX, socket

import pytest

from runner.cli import main
from runner.core.line import parse_event
from runner.core.snapshot import Snapshot
from runner.core.stream import Gap, SnapshotTaken, UnitWrote
from tests.supervisor.served import RUNNER, Served, environment_of, served

SLEEPS = {"a": 'type = "service"\ncommand = "echo said; sleep 600"', "b": 'command = "echo why; exit 3"'}


class Over:
    """A run that is over."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = environment_of(root)
        (root / "units").mkdir()
        for name, text in {"good": 'command = "true"', "bad": 'command = "exit 3"'}.items():
            (root / "units" / f"{name}.toml").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*RUNNER, *arguments], env=self.environment, cwd=self.root, capture_output=True, text=True, check=False
        )

    def journal(self) -> Path:
        return next(self.root.glob("state/**/journal/*.jsonl"))


@pytest.fixture
def over(tmp_path: Path) -> Over:
    return Over(tmp_path)


# ---------------------------------------------------------------- a run that goes on


def watching(there: Served, *options: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [*RUNNER, "watch", *options]
    return subprocess.Popen(command, env=there.environment, cwd=there.root, stdout=pipe, stderr=pipe, text=True)


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to the first in which this stands."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"no {text!r} in {lines}, stderr: {process.stderr and process.stderr.read()}")


def test_plain_lines_from_the_middle_to_the_end() -> None:
    with served(units=SLEEPS) as there, watching(there) as process:
        lines = read_until(process, "run ")
        there.process.send_signal(signal.SIGTERM)
        lines += read_until(process, "run failed")
        assert (process.wait(), there.process.wait()) == (0, 143)
    assert f"run {there.began['run']}: 2 units" in lines[0]
    assert any("a  stopping" in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_json_is_the_stream_and_can_be_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(units=SLEEPS) as there, watching(there, "--json") as process:
        lines = read_until(process, '"said"')
        there.process.send_signal(signal.SIGTERM)
        lines += read_until(process, "run-ended")
        assert (process.wait(), there.process.wait()) == (0, 143)
        journal = next(there.root.glob("state/**/journal/*.jsonl")).read_text().splitlines(keepends=True)
    assert json.loads(lines[0])["event"] == "snapshot"
    assert set(lines) >= set(journal[json.loads(lines[0])["seq"] :])
    recorded = tmp_path / "stream.jsonl"
    recorded.write_text("".join(lines))
    assert main(["replay", str(recorded)]) == 0
    assert "run failed" in capsys.readouterr().out


def truth(lines: list[str]) -> Snapshot:
    """The run as one knows it who has read these lines."""
    snapshot = Snapshot()
    for line in lines:
        event = parse_event(line.encode())
        if isinstance(event, SnapshotTaken):
            snapshot = event.snapshot
        elif event is not None and not isinstance(event, Gap | UnitWrote):
            snapshot.apply(event)
    return snapshot


def test_who_comes_and_goes_in_the_middle_knows_what_the_journal_tells() -> None:
    chain = {f"u{number}": f'command = "true"\nafter = ["u{number - 1}"]' for number in range(1, 30)}
    with served(units={"u0": 'type = "external"', **chain}) as there, watching(there, "--json") as one:
        seen = read_until(one, "snapshot")
        assert there.run("sync", "start", "u0").returncode == 0
        with watching(there, "--json") as other:
            passing = read_until(other, "snapshot")
            assert there.run("sync", "complete", "u0").returncode == 0
            passing += read_until(other, '"u9"')
            other.send_signal(signal.SIGINT)
            assert other.stdout
            passing += other.stdout.readlines()
        assert there.run("sync", "wait", "u29").returncode == 0
        there.process.send_signal(signal.SIGTERM)
        seen += read_until(one, "run-ended")
        there.process.wait()
        journal = next(there.root.glob("state/**/journal/*.jsonl")).read_text().splitlines()
    assert truth(seen) == truth(journal)
    last = max(json.loads(line).get("seq", 0) for line in passing)
    assert truth(passing) == truth(journal[:last])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_interrupt_detaches(options: list[str]) -> None:
    with served(units=SLEEPS) as there, watching(there, *options) as process:
        read_until(process, "run")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert process.stderr
        assert process.stderr.read().startswith("detached; the run goes on")
        assert there.run("sync", "ping").returncode == 0


def test_a_supervisor_that_goes_without_a_word_is_told() -> None:
    with served(units=SLEEPS) as there, watching(there) as process:
        read_until(process, "run")
        os.kill(there.began["pid"], signal.SIGKILL)
        assert process.wait() == 1
        assert process.stderr
        assert process.stderr.read().startswith(
            "runner: cannot watch any longer: the supervisor went away without ending its run"
        )
        there.process.wait()


# ---------------------------------------------------------------- a run that is over


def test_the_last_run_is_told_where_none_goes_on(over: Over) -> None:
    assert over.run("up").returncode == 1
    told = over.run("watch")
    assert (told.returncode, told.stderr) == (0, "")
    headline, first, *_ = told.stdout.splitlines()
    assert headline.startswith(f"no supervisor runs now; the last run {over.journal().stem} began at ")
    assert "startup failed" in first
    assert "\x1b" not in told.stdout


def test_a_run_can_be_named(over: Over) -> None:
    over.run("up")
    name = over.journal().stem
    over.run("up")
    told = over.run("watch", "--run", name)
    assert told.stdout.startswith(f"run {name} began at ")
    unknown = over.run("watch", "--run", "nobody")
    assert (unknown.returncode, unknown.stderr.splitlines()[0]) == (2, 'runner: cannot find run "nobody"')


def test_a_run_whose_supervisor_was_killed_is_told_so(over: Over) -> None:
    over.run("up")
    journal = over.journal()
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-1]))
    assert over.run("watch").stdout.splitlines()[0].endswith("; its journal ends before it did")


def test_json_of_a_run_that_is_over_is_its_journal(over: Over) -> None:
    over.run("up")
    assert over.run("watch", "--json").stdout == over.journal().read_text()


def test_where_there_is_neither_it_is_said(over: Over) -> None:
    told = over.run("watch")
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr.startswith("runner: cannot watch a startup: no supervisor runs, and there is no journal of an earlier run")


@pytest.mark.parametrize(
    ("command", "status"), [("watch", 0), ("watch --json", 0), ("why good", 0), ("wait", 1), ("logs --follow", 0)]
)
def test_a_supervisor_that_is_on_its_way_out_is_none(over: Over, command: str, status: int) -> None:
    over.run("up")
    told = ask_who_leaves(over, command)
    assert told.returncode == status
    assert over.journal().stem in told.stdout + told.stderr


@pytest.mark.parametrize("command", ["down", "start good", "reload", "retry"])
def test_one_that_is_on_its_way_out_takes_no_requests(over: Over, command: str) -> None:
    told = ask_who_leaves(over, command)
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr.startswith("runner: cannot reach a supervisor")


def ask_who_leaves(over: Over, command: str) -> subprocess.CompletedProcess[str]:
    """A command, of a supervisor that hangs up on whoever calls."""
    pipe = subprocess.PIPE
    over.environment["RUNNER_SOCKET"] = path = str(over.root / "leaving.sock")
    arguments = [*RUNNER, *command.split()]
    with socket(AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with subprocess.Popen(arguments, env=over.environment, cwd=over.root, stdout=pipe, stderr=pipe, text=True) as process:
            connection, _ = listener.accept()
            listener.close()
            connection.close()
            told, complaints = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, told, complaints)


def test_a_journal_that_cannot_be_read_is_told(over: Over) -> None:
    over.run("up")
    journal = over.journal()
    journal.unlink()
    journal.mkdir()
    commands = ("watch", "watch --json", "why good", "timeline", "analyze blame", "analyze critical-chain")
    told = [over.run(*command.split()) for command in commands]
    assert {(one.returncode, one.stderr) for one in told} == {(2, f'runner: cannot read "{journal}": Is a directory\n')}


def test_a_socket_that_is_named_must_be_served(over: Over) -> None:
    over.run("up")
    assert over.run("watch", "--socket", str(over.root / "nobody.sock")).returncode == 3
