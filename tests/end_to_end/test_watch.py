"""The live view of a supervisor elsewhere, on real terminals: how one comes, looks and goes."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.on_terminal import RUNNER, OnTerminal, on_terminal
from tests.supervisor.served import Served, served

UNITS = {
    "server": 'type = "service"\ncommand = "echo serving; sleep 600"',
    "db": 'type = "external"',
    "page": 'command = "true"\nafter = ["db"]',
}


@pytest.fixture(scope="module")
def there() -> Iterator[Served]:
    """A supervisor for all who only look."""
    with served(units=UNITS) as made:
        yield made


@contextmanager
def watching(there: Served, *options: str, more: Mapping[str, str] = {}) -> Iterator[OnTerminal]:
    with on_terminal("watch", *options, environment=there.environment, cwd=there.root, more=more) as terminal:
        yield terminal


@pytest.mark.parametrize("keys", ["q", "\x03"])
def test_somebody_who_leaves_finds_the_terminal_as_it_was_and_the_run_goes_on(there: Served, keys: str) -> None:
    with watching(there) as terminal:
        before = terminal.modes()
        terminal.until_shown("serving")
        assert terminal.screen.modes == {"1049"}
        assert terminal.modes() != before
        terminal.type(keys)
        terminal.until_shown("detached")
        assert terminal.modes() == before
        assert terminal.finish() == 0
        assert terminal.screen.modes == {"25", "7"}
        assert terminal.screen.text() == 'detached; the run goes on, and "runner watch" shows it again'
    assert there.run("sync", "ping").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_as_one_expects(there: Served, number: signal.Signals) -> None:
    with watching(there) as terminal:
        before = terminal.modes()
        terminal.until_shown("serving")
        terminal.process.send_signal(number)
        terminal.until(lambda screen: "1049" not in screen.modes)
        assert terminal.process.wait() == 128 + number
        assert terminal.modes() == before
        assert terminal.screen.modes == {"25", "7"}


def test_it_follows_the_size_of_the_window(there: Served) -> None:
    with watching(there) as terminal:
        terminal.until_shown("serving")
        frames = terminal.screen.frames
        terminal.resize(40, 12)
        terminal.until(lambda screen: screen.frames > frames and all(len(line) <= 40 for line in screen.text().splitlines()))
        terminal.resize(120, 40)
        terminal.until_shown("serving")
        terminal.type("q")
        assert terminal.finish() == 0


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(there: Served) -> None:
    shell = {"PS1": "$ ", "PROMPT_COMMAND": "", "HISTFILE": "", "SHELL": "/bin/bash"}
    with on_terminal(
        program=("bash", "--norc", "--noprofile", "--noediting", "-i"), environment=there.environment, cwd=there.root, more=shell
    ) as terminal:
        terminal.until_shown("$")
        terminal.type(f"{shlex.join(RUNNER)} watch\n")
        terminal.until_shown("serving")
        terminal.type("\x1a")
        terminal.until(lambda screen: "1049" not in screen.modes and "Stopped" in screen.text())
        assert terminal.screen.modes >= {"25", "7"}
        terminal.type("fg\n")
        terminal.until(lambda screen: "1049" in screen.modes and "serving" in screen.text())
        terminal.type("q")
        terminal.until_shown("detached")
        terminal.type("exit\n")
        assert terminal.finish() == 0


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_where_no_live_view_suits_it_is_plain_lines(there: Served, more: dict[str, str]) -> None:
    with watching(there, more=more) as terminal:
        terminal.until_shown("run ")
        terminal.type("\x03")
        terminal.until_shown("detached")
        assert b"\x1b" not in terminal.said
        assert terminal.finish() == 0


def test_all_who_watch_see_the_same_and_the_end_stays_in_the_scrollback() -> None:
    with served(units=UNITS) as there, watching(there) as one, watching(there) as other:
        for terminal in (one, other):
            terminal.until_shown("waits for")
        assert there.run("sync", "start", "db").returncode == 0
        for terminal in (one, other):
            terminal.until(lambda screen: "db" in screen.text() and "waits for its script" not in screen.text())
        other.type("q")
        assert other.finish() == 0
        assert there.run("sync", "complete", "db").returncode == 0
        assert there.run("sync", "wait", "page").returncode == 0
        there.process.send_signal(signal.SIGTERM)
        there.process.wait()
        assert one.finish() == 0
        assert one.screen.modes == {"25", "7"}
        assert "✓ startup succeeded" in one.screen.text().splitlines()[0]


def test_a_supervisor_that_is_killed_is_told_below_the_screen_that_was() -> None:
    with served(units=UNITS) as there, watching(there) as terminal:
        terminal.until_shown("serving")
        os.kill(there.began["pid"], signal.SIGKILL)
        assert terminal.finish() == 1
        assert terminal.screen.modes == {"25", "7"}
        assert "the supervisor went away without ending its run" in terminal.screen.text()
        there.process.wait()
