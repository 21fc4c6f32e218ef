"""What a unit says of its processes is what they find, and what cannot be had is told by its stage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.core.event import UnitStarted, UnitStarting
from runner.core.unit import Command, Log
from tests.supervisor.harness import make, service, supervise


def test_a_unit_finds_what_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("FROM_FILE=file\nBOTH=file\n")
    (tmp_path / "home").mkdir()
    command = (
        'echo "$FROM_FILE $BOTH $INHERITED $RUNNER_UNIT $RUNNER_ATTEMPT"; pwd; umask; nice\n'
        "echo ${NOTIFY_SOCKET-none}; readlink /proc/self/fd/0"
    )
    unit = make(
        "group/a",
        command,
        env={"BOTH": "unit"},
        env_file=(f"{tmp_path}/vars", f"-{tmp_path}/missing"),
        cwd=str(tmp_path / "home"),
        umask=0o027,
        nice=5,
    )
    environment = {**os.environ, "INHERITED": "yes", "NOTIFY_SOCKET": "/run/ours"}
    ran = supervise(tmp_path / "state", unit, environment=environment)
    nice = str(min(os.nice(0) + 5, 19))
    assert ran.text("group/a").splitlines() == [
        "file unit yes group/a 1",
        str(tmp_path / "home"),
        "0027",
        nice if os.nice(0) == 0 else ran.text("group/a").splitlines()[3],
        "none",
        "/dev/null",
    ]
    assert ran["group/a"].log == f"{tmp_path}/state/logs/group/a.log"


def test_scripts(tmp_path: Path) -> None:
    units = [
        make("plain", Command(script="echo one\nfalse\necho two\n")),
        make("marked", Command(script="#!/bin/sh\nfalse\necho two\n")),
        make("long", Command(script="# " + "x" * 200_000 + "\necho end\n")),
        make("long-marked", Command(script="#!/usr/bin/env sh\n# " + "x" * 200_000 + "\necho end\n")),
    ]
    ran = supervise(tmp_path, *units)
    assert ran.outcomes() == {"plain": "failed", "marked": "succeeded", "long": "succeeded", "long-marked": "succeeded"}
    assert [ran.text(unit.name) for unit in units] == ["one", "two", "end", "end"]


def test_how_it_ended_and_what_it_used(tmp_path: Path) -> None:
    ran = supervise(
        tmp_path, make("a", "exit 42"), make("b", "kill -SEGV $$"), make("c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    )
    assert (ran["a"].exit_code, ran["a"].signal, ran["a"].reason) == (42, None, "exit status 42")
    assert (ran["b"].exit_code, ran["b"].signal, ran["b"].reason) == (None, "SIGSEGV", "killed by SIGSEGV")
    assert ran["c"].cpu > 0
    assert ran["c"].max_rss > 100_000
    assert ran["c"].duration > 0


@pytest.mark.parametrize(
    ("stage", "more", "reason"),
    [
        ("cwd", {"cwd": "{0}/nowhere"}, 'cannot enter the directory "{0}/nowhere": no such file or directory'),
        ("cwd", {"cwd": "{0}/plain"}, 'cannot enter the directory "{0}/plain": not a directory'),
        ("program not found", {"command": "nowhere"}, 'cannot execute "nowhere": program not found on PATH'),
        ("program not found", {"command": "{0}/no"}, 'cannot execute "{0}/no": program not found'),
        (
            "program not found",
            {"command": "{0}/lost"},
            'cannot execute "{0}/lost": the interpreter that its first line names was not found',
        ),
        ("not executable", {"command": "{0}/plain"}, 'cannot execute "{0}/plain": permission denied'),
        ("not executable", {"command": "{0}/bad"}, 'cannot execute "{0}/bad": exec format error'),
        ("env-file", {"env_file": "{0}/no"}, 'cannot read the env-file "{0}/no": no such file or directory'),
        ("spawn", {"command": "a\0b"}, 'cannot execute "a\\0b": embedded null byte'),
    ],
)
@pytest.mark.parametrize("kind", ["oneshot", "service"])
def test_what_cannot_be_executed(tmp_path: Path, kind: str, stage: str, more: dict[str, str], reason: str) -> None:
    for name, (text, mode) in {"plain": ("", 0o644), "lost": ("#!/no/such\n", 0o755), "bad": ("\x7fELF", 0o755)}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    said = {key: value.format(tmp_path) for key, value in more.items()}
    command = [said.pop("command", "true")]
    keys = {key: (value,) if key == "env_file" else value for key, value in said.items()}
    ran = supervise(tmp_path / "state", make("a", command, kind=kind, **keys), make("b", "true", ["a"]), make("c", "true"))
    assert ran.outcomes() == {"a": "failed", "b": "skipped", "c": "succeeded"}
    assert ran["a"].reason == reason.format(tmp_path)
    assert ran.of(UnitStarting, "a")
    assert not ran.of(UnitStarted, "a")


def test_a_log_of_its_own(tmp_path: Path) -> None:
    ran = supervise(tmp_path / "state", make("a", "echo here", log=Log(file=f"{tmp_path}/own/a.log")))
    assert ran["a"].log == f"{tmp_path}/own/a.log"
    assert ran.text("a") == "here"


def test_a_log_is_kept_small(tmp_path: Path) -> None:
    unit = make("a", "seq 10000", log=Log(file=f"{tmp_path}/a.log", max_size=10_000, keep=2))
    supervise(tmp_path / "state", unit)
    files = sorted(tmp_path.glob("a.log*"))
    assert [file.name for file in files] == ["a.log", "a.log.1", "a.log.2"]
    assert all(file.stat().st_size <= 10_000 for file in files)
    assert files[0].read_text().endswith("\n10000\n")


def test_a_notify_socket_that_cannot_be_made_fails_the_unit(tmp_path: Path) -> None:
    """Its path would be longer than a socket's may be."""
    from runner.core.unit import Probe, Ready
    from runner.supervisor.supervisor import Supervisor

    def lengthen(supervisor: Supervisor) -> None:
        supervisor.environment["XDG_RUNTIME_DIR"] = str(tmp_path / ("x" * 100))

    unit = service("s", "exec sleep 600", ready=Ready(probe=Probe(by="notify")))
    ran = supervise(tmp_path / "state", unit, prepare=lengthen)
    assert ran["s"].outcome == "failed"
    assert ran["s"].reason.startswith("cannot make its notify socket: ")


def test_a_state_directory_that_cannot_be_written_costs_no_unit(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").touch()
    units = [make(f"u{number}", "echo lost") for number in range(20)]
    ran = supervise(tmp_path / "state", *units, has_journal=False)
    assert set(ran.outcomes().values()) == {"succeeded"}
    assert ran.tails["u7"] == ["lost"]
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"runner: cannot write the journal '{tmp_path}/state/journal/")


def test_a_state_directory_of_which_the_name_is_no_text(tmp_path: Path) -> None:
    ran = supervise(tmp_path / "\udcff", make("a", "true"), make("b", "true", cwd="/\udcff"))
    assert ran["a"].log == f"{tmp_path}/\ufffd/logs/a.log"
    assert ran["b"].reason == 'cannot enter the directory "/\ufffd": no such file or directory'
