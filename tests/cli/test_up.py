from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import main
from runner.cli.options import Parser
from runner.cli.up import configure
from runner.errors import UsageError
from runner.supervisor.tree import Census, send_signal
from tests.supervisor.harness import deadline
from tests.supervisor.served import RUNNER, environment_of, served

from .conftest import Write


def parser() -> Parser:
    made = Parser("up", "start")
    configure(made)
    return made


def test_all_options_are_understood() -> None:
    line = (
        "a g --units x --units y --output json --color never --logs --jobs 4 --fail-fast --state /s --socket /q --keep --bridge"
    )
    line += " --detach --stop-with 7"
    options = parser().parse_args(line.split())
    assert vars(options) == {
        "names": ["a", "g"],
        "units": [Path("x"), Path("y")],
        "output": "json",
        "color": "never",
        "logs": True,
        "jobs": 4,
        "fail_fast": True,
        "state": Path("/s"),
        "socket": "/q",
        "keep": True,
        "detach": True,
        "stop_with": 7,
        "bridge": True,
    }


def test_nothing_needs_to_be_said() -> None:
    options = parser().parse_args([])
    assert vars(options) == {
        "names": [],
        "units": None,
        "output": "auto",
        "color": "auto",
        "logs": False,
        "jobs": None,
        "fail_fast": False,
        "state": None,
        "socket": None,
        "keep": False,
        "detach": False,
        "stop_with": None,
        "bridge": False,
    }


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "1.5", "²", ""])
def test_jobs_are_a_whole_number(jobs: str) -> None:
    with pytest.raises(UsageError, match="--jobs"):
        parser().parse_args([f"--jobs={jobs}"])


def test_nothing_is_started_for_an_unknown_name(write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write(**{"build.toml": f'command = "touch {tmp_path}/started"'})
    assert main(["up", "biuld"]) == 2
    assert capsys.readouterr() == ("", 'runner: cannot find unit or group "biuld"\nhint: did you mean "build"?\n')
    assert not (tmp_path / "started").exists()


def test_nothing_is_started_where_a_file_is_wrong(write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write(**{"a.toml": f'command = "touch {tmp_path}/started"', "b.toml": "command = 7"})
    assert main(["up"]) == 2
    assert "b.toml" in capsys.readouterr().err
    assert not (tmp_path / "started").exists()


# ---------------------------------------------------------------- the socket


def up(tmp_path: Path, write: Write, unit: str, *options: str) -> subprocess.CompletedProcess[str]:
    write(**{"a.toml": unit})
    command = [*RUNNER, "up", "--output", "json", *options]
    with deadline():
        return subprocess.run(command, env=environment_of(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False)


def test_without_keep_it_goes_when_nothing_runs(tmp_path: Path, write: Write) -> None:
    done = up(tmp_path, write, 'command = "true"', "--socket", "r/s")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[0])["socket"] == f"{tmp_path}/r/s"
    assert list((tmp_path / "r").iterdir()) == []


def test_with_keep_it_stays_until_it_is_told_to_go() -> None:
    with served() as there:
        assert there.run("sync", "wait", "done").returncode == 0
        assert there.run("sync", "ping").returncode == 0
        assert there.process.poll() is None


def test_a_unit_serves_as_a_caller_from_its_own_tree(tmp_path: Path, write: Write) -> None:
    """It may say that it is ready, and what else it waits for; nobody else may."""
    script = f"#!/bin/sh -e\n{sys.executable} -m runner sync complete a\n! {sys.executable} -m runner sync complete b"
    write(**{"b.toml": 'command = "true"\nafter = ["a"]'})
    done = up(tmp_path, write, f"script = '''{script}'''")
    assert done.returncode == 0, done.stdout
    events = [json.loads(line) for line in done.stdout.splitlines()]
    calls = [event for event in events if event["event"] == "sync"]
    assert [(event["unit"], event["call"], event["peer"]["unit"]) for event in calls] == [("a", "complete", "a")]
    ready = next(place for place, event in enumerate(events) if event["event"] == "unit-ready" and event["unit"] == "a")
    assert events[ready - 1]["event"] == "sync"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("units/s", 'cannot use the directory "{}/units" for the socket: it is open to others (mode 0755)'),
        ("file/s", 'cannot use "{}/file" for the socket: it is no directory, or a link to one'),
    ],
)
def test_a_place_that_will_not_do_is_told_and_nothing_started(tmp_path: Path, write: Write, where: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "units").mkdir(mode=0o755)
    done = up(tmp_path, write, f'command = "touch {tmp_path}/started"', "--socket", where)
    hint = 'hint: name a place in a directory of your own with "--socket PATH"'
    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"runner: {said.format(tmp_path)}\n{hint}\n")
    assert not (tmp_path / "started").exists()


def test_where_no_coder_can_be_made_the_rest_goes_on(tmp_path: Path, write: Write) -> None:
    (tmp_path / "r").mkdir(mode=0o700)
    (tmp_path / "r" / "s.bin").touch()
    done = up(tmp_path, write, 'command = "true"', "--socket", "r/s")
    said = f'runner: cannot make a "coder" for units that have none: Not a directory: "{tmp_path}/r/s.bin/.coder-'
    assert done.returncode == 0
    assert done.stderr.startswith(said)


# ---------------------------------------------------------------- the end that nobody expects

BREAKS = """
import sys
from runner.cli import main, up

show = up.show_json

def break_later(supervisor):
    def listen(events, _):
        if any(event.event == sys.argv[1] and getattr(event, "unit", "a") == "a" for event in map(Named, events)):
            raise RuntimeError("a bug of ours")
    outlet = show(supervisor)
    supervisor.listeners.append(listen)
    return outlet

class Named:
    def __init__(self, event):
        self.event = type(event).__name__
        if hasattr(event, "unit"):
            self.unit = event.unit

up.show_json = break_later
main(["up", "--output", "json", "--keep"])
"""
LEAVES = "setsid sleep 600 & sleep 600 & echo up; exec sleep 600"


@pytest.mark.parametrize("event", ["RunStarted", "UnitStarting", "UnitStarted", "UnitReady", "UnitStopping"])
def test_no_unit_outlives_a_supervisor_that_breaks(tmp_path: Path, write: Write, event: str) -> None:
    unit = f'type = "service"\ncommand = "{LEAVES}"\n[ready]\nlog = "^up"'
    write(**{"a.toml": unit, "last.toml": 'command = "true"\nafter = ["a"]'})
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", BREAKS, event]
    with (
        deadline(),
        subprocess.Popen(command, env=environment_of(tmp_path), cwd=tmp_path, stdout=pipe, stderr=pipe, text=True) as up,
    ):
        assert up.stdout
        run = json.loads(up.stdout.readline())["run"]
        if event == "UnitStopping":
            while '"unit":"last"' not in (line := up.stdout.readline()) or "ended" not in line:
                pass
            up.send_signal(signal.SIGTERM)
        _, said = up.communicate()
    left = {pid for pids in Census().members_of_run(run).values() for pid in pids}
    for pid in left:
        send_signal(pid, signal.SIGKILL)
    assert not left
    assert up.returncode == 1
    assert "RuntimeError: a bug of ours" in said
    assert list((tmp_path / "runner").iterdir()) == []
