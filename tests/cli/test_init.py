from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import IO

import pytest

import runner
from runner import __version__
from runner.cli import BROKEN_PIPE, COMMANDS, INTERRUPTED, check, help_text, main
from tests.snapshot import assert_snapshot

from .conftest import Write

SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_help_and_version_are_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"runner {__version__}\n"
    assert main(["--help"]) == main(["-h"]) == 0
    assert capsys.readouterr().out == help_text() * 2
    assert_snapshot(help_text(), SNAPSHOTS / "help.txt")


def test_no_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr() == ("", help_text())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chekc"], 'runner: cannot find command "chekc"\nhint: did you mean "check"?\n'),
        (["quux"], 'runner: cannot find command "quux"\nhint: see "runner --help" for all commands\n'),
        (
            ["--units", "x", "up"],
            'runner: cannot use "--units" before a command\nhint: options follow the command: "runner up --units DIR"\n',
        ),
        (["--version", "x"], 'runner: cannot use "--version" with other arguments\nhint: give it alone\n'),
        (
            ["plan", "--jsn"],
            'runner: cannot understand the arguments of "runner plan": unrecognized arguments: --jsn\n'
            'hint: see "runner plan --help"\n',
        ),
    ],
)
def test_wrong_usage_is_told_with_a_hint(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_table_exists_and_helps(command: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    module = import_module(f"runner.cli.{COMMANDS[command][0]}")
    if command == "sync":
        assert callable(module.run_sync)
    else:
        assert callable(module.configure)
        assert callable(module.run)
    assert main([command, "--help"]) == 0
    assert_snapshot(capsys.readouterr().out, SNAPSHOTS / f"help-{command}.txt")


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupt)
    assert main(["check"]) == INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(check, "run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["check"])


def run_process(
    *arguments: str,
    stdout: int | IO[str] = subprocess.PIPE,
    stderr: int | IO[str] = subprocess.PIPE,
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parent.parent)}
    command = [sys.executable, "-m", "runner", *arguments]
    return subprocess.run(command, text=True, stdout=stdout, stderr=stderr, env=environment, check=False, preexec_fn=before)


def test_the_module_is_the_program() -> None:
    done = run_process("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"runner {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["graph", "--format", "dot"]])
def test_a_reader_that_went_away_is_no_complaint(arguments: list[str], write: Write) -> None:
    write(**{"a.toml": 'command = "true"'})
    read, written = os.pipe()
    os.close(read)
    done = run_process(*arguments, stdout=written)
    os.close(written)
    assert (done.returncode, done.stderr) == (BROKEN_PIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_once() -> None:
    with Path("/dev/full").open("w") as full:
        done = run_process("--version", stdout=full)
    assert done.returncode == 1
    assert done.stderr == "runner: cannot write to standard output: No space left on device\n"


def test_closed_standard_error_changes_no_exit_status(write: Write) -> None:
    write(**{"a.toml": 'command = "true"'})
    for arguments in (["check", "--units", "nowhere"], ["plan", "--units", "nowhere"], ["chekc"], []):
        assert run_process(*arguments, before=lambda: os.close(2)).returncode == 2, arguments


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_standard_error_lets_units_with_warnings_be_used(write: Write) -> None:
    write(**{"a.toml": 'command = "no-such-program-anywhere"'})
    with Path("/dev/full").open("w") as full:
        assert run_process("plan", stderr=full).returncode == 0
        assert run_process("plan", "zzz", stderr=full).returncode == 2
