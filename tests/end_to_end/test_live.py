"""``runner up`` on real terminals: how its live view comes, looks and goes, and what does not wait for it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.on_terminal import RUNNER, OnTerminal, on_terminal

from .command import Workspace

SERVER = 'type = "service"\ncommand = "echo serving; exec sleep 600"'


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    made.kill_leftovers()


@contextmanager
def upping(
    workspace: Workspace, *options: str, more: Mapping[str, str] = {}, program: tuple[str, ...] = RUNNER
) -> Iterator[OnTerminal]:
    environment = {**workspace.environment(), "XDG_RUNTIME_DIR": str(workspace.root), **more}
    arguments = ("up", "--units", "units", "--state", "state", *options)
    with on_terminal(*arguments, environment=environment, cwd=workspace.root, program=program, more=more) as terminal:
        yield terminal


def test_ctrl_c_stops_it_before_the_eyes_of_all_and_a_summary_stays(workspace: Workspace) -> None:
    workspace.write(slow=f"{SERVER.replace('exec sleep 600', 'trap : TERM; sleep 600 & wait; cat fifo')}")
    fifo = workspace.root / "fifo"

    os.mkfifo(fifo)
    with upping(workspace) as terminal:
        before = terminal.modes()
        terminal.until_shown("serving")
        assert "ctrl-c stops the run" in terminal.screen.text()
        assert terminal.screen.modes == {"1049"}
        assert terminal.modes() != before
        terminal.type("qQ\x03")
        terminal.until_shown("stopping: stopped by SIGINT")
        assert "ctrl-c again kills" in terminal.screen.text()
        fifo.write_text("")
        assert terminal.process.wait() == 130
        assert terminal.modes() == before
        terminal.finish()
        assert terminal.screen.modes == {"25", "7"}
        assert terminal.screen.text().startswith("✓ startup succeeded")


def test_ctrl_s_cannot_keep_the_screen_from_being_given_back(workspace: Workspace) -> None:
    workspace.write(server=SERVER)
    with upping(workspace) as terminal:
        terminal.until_shown("serving")
        terminal.type("\x13")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.finish() == 143
        assert terminal.screen.modes == {"25", "7"}
        assert terminal.screen.text().startswith("✓ startup succeeded")


def test_a_run_that_is_soon_over_never_takes_the_screen(workspace: Workspace) -> None:
    workspace.write(good='command = "true"')
    with upping(workspace) as terminal:
        assert terminal.finish() == 0
        assert b"\x1b[?1049h" not in terminal.said
        assert terminal.screen.text().splitlines()[0].startswith("✓ startup succeeded after")


def test_what_fails_is_told_with_its_last_words(workspace: Workspace) -> None:
    workspace.write(bad='command = "echo woe; exit 3"')
    with upping(workspace) as terminal:
        assert terminal.finish() == 1
        shown = terminal.screen.text()
        assert all(words in shown for words in ("✗ startup failed", "exit status 3", "│ woe", "why: runner why bad"))


def test_it_follows_the_size_of_the_window(workspace: Workspace) -> None:
    workspace.write(server=SERVER)
    with upping(workspace) as terminal:
        terminal.until_shown("serving")
        frames = terminal.screen.frames
        terminal.resize(40, 12)
        terminal.until(lambda screen: screen.frames > frames and all(len(line) <= 40 for line in screen.text().splitlines()))
        terminal.resize(120, 40)
        terminal.until_shown("serving")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.finish() == 143


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again_but_bg_does_not(workspace: Workspace) -> None:
    workspace.write(server=SERVER)
    shell = {"PS1": "$ ", "PROMPT_COMMAND": "", "HISTFILE": "", "SHELL": "/bin/bash"}
    program = ("bash", "--norc", "--noprofile", "--noediting", "-i")
    environment = {**workspace.environment(), "XDG_RUNTIME_DIR": str(workspace.root)}
    with on_terminal(program=program, environment=environment, cwd=workspace.root, more=shell) as terminal:
        terminal.until_shown("$")
        terminal.type(f"{shlex.join(RUNNER)} up --state state\n")
        terminal.until_shown("serving")
        terminal.type("\x1a")
        terminal.until(lambda screen: "1049" not in screen.modes and "Stopped" in screen.text())
        assert terminal.screen.modes >= {"25", "7"}
        terminal.type("bg\n")
        terminal.until(lambda screen: "up --state state &" in screen.text())
        terminal.type(f"{shlex.join(RUNNER)} sync ping && echo it goes on\n")
        terminal.until(lambda screen: "it goes on" in screen.text().splitlines())
        assert "1049" not in terminal.screen.modes
        terminal.type("fg\n")
        terminal.until(lambda screen: "1049" in screen.modes and "serving" in screen.text())
        terminal.type("\x03")
        terminal.until_shown("✓ startup succeeded")
        terminal.type("exit\n")
        assert terminal.finish() == 130


def test_a_warning_stands_in_the_last_line_and_is_told_at_the_end(workspace: Workspace) -> None:
    (workspace.root / "state").mkdir()
    (workspace.root / "state" / "history.db").mkdir()
    workspace.write(server=SERVER)
    with upping(workspace) as terminal:
        terminal.until(lambda screen: "serving" in screen.text())
        terminal.type("\x03")
        assert terminal.finish() == 130
        assert "runner: cannot use the history" in terminal.screen.text()


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_where_no_live_view_suits_it_is_plain_lines(workspace: Workspace, more: dict[str, str]) -> None:
    workspace.write(good='command = "true"')
    with upping(workspace, more=more) as terminal:
        assert terminal.finish() == 0
        assert b"\x1b" not in terminal.said
        assert "startup succeeded" in terminal.screen.text()


def test_with_logs_it_is_plain_lines(workspace: Workspace) -> None:
    workspace.write(good='command = "echo hello"')
    with upping(workspace, "--logs") as terminal:
        assert terminal.finish() == 0
        assert b"\x1b" not in terminal.said
        assert "hello" in terminal.screen.text()


def test_live_without_colours_where_somebody_wants_both(workspace: Workspace) -> None:
    workspace.write(server=SERVER)
    with upping(workspace, "--output", "live", more={"NO_COLOR": "1"}) as terminal:
        terminal.until_shown("serving")
        assert terminal.screen.colors <= {"0"}
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.finish() == 143


def test_signs_are_those_that_the_encoding_has(workspace: Workspace) -> None:
    workspace.write(server=SERVER)
    with upping(workspace, more={"PYTHONIOENCODING": "ascii"}) as terminal:
        terminal.until_shown("| serving")
        assert terminal.screen.text().isascii()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.finish() == 143


@pytest.mark.parametrize("form", ["live", "json"])
def test_what_units_write_has_no_place_in_it(workspace: Workspace, form: str) -> None:
    workspace.write(good=f'command = "touch {workspace.root}/started"')
    done = workspace.run("--output", form, "--logs")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f'runner: cannot show what units write with "--output {form}": "--logs" is for plain output\n'
        'hint: leave one of the two out, or follow the logs elsewhere: "runner logs -f"\n'
    )
    assert not (workspace.root / "started").exists()


def test_what_cannot_be_drawn_on_cannot_be_live(workspace: Workspace) -> None:
    workspace.write(good=f'command = "touch {workspace.root}/started"')
    done = workspace.run("--output", "live")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "runner: cannot show the run live: standard output is no terminal that can be drawn on\n"
        "hint: a line for every change: --output plain\n"
    )
    assert not (workspace.root / "started").exists()


LOOKS = """
import json, sys
from runner.cli import main
from runner.supervisor.supervisor import Supervisor

begin = Supervisor.begin
def begin_and_look(self, *arguments):
    begin(self, *arguments)
    unit = self.snapshot.units["server"]
    with open("seen", "w") as file:
        json.dump([unit.state, sorted({module.split(".")[0] for module in sys.modules} & {"rich", "trio", "sqlite3"})], file)
Supervisor.begin = begin_and_look
sys.exit(main(sys.argv[1:]))
"""


def test_units_run_before_what_draws_is_imported(workspace: Workspace) -> None:
    workspace.write(server=SERVER)
    with upping(workspace, program=(sys.executable, "-c", LOOKS)) as terminal:
        terminal.until_shown("serving")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.finish() == 143
    assert json.loads((workspace.root / "seen").read_text()) == ["ready", []]
