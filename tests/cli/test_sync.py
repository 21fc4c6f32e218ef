"""``runner sync`` against a real supervisor: what is typed and what is said, as in a terminal."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runner.cli import main, mind_errors
from runner.cli.sync import SyncError, parse_duration, run_sync
from tests.rpc.service import Session
from tests.rpc.serving import listening
from tests.snapshot import assert_snapshot
from tests.supervisor.served import Served, served

TRANSCRIPTS = Path(__file__).parent / "snapshots" / "sync"
DECLARED = {
    "build": 'command = "true"',
    "server": 'type = "service"\ncommand = "exec sleep 600"',
    "broken": 'command = "exit 3"',
    "external": 'type = "external"',
    "broken-quietly": 'command = "true"\nafter = ["build"]',
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    with served() as there:
        yield there


def typed(lines: list[str], name: str, path: str, capsys: pytest.CaptureFixture[str]) -> str:
    """A session in a terminal: what was typed, what was said, what went to stderr (marked), and the status where not 0."""
    session = ""
    for line in lines:
        status = mind_errors(lambda line=line: run_sync(name, shlex.split(line.replace("SOCKET", path))))  # type: ignore[misc]
        out, error = capsys.readouterr()
        marked = "".join(f"! {one}".rstrip() + "\n" for one in error.splitlines())
        session += f"$ {line}".rstrip() + "\n" + out + marked + (f"[{status}]\n" if status else "")
    return session.replace(path, "SOCKET")


@pytest.mark.parametrize("file", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda file: file.stem)
def test_sessions(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.removeprefix("$").strip() for line in file.read_text().splitlines() if line.startswith("$")]
    with served(units=DECLARED if file.stem == "declared" else None) as there:
        if file.stem == "declared":
            assert there.run("sync", "wait", "build", "server").returncode == 0
            assert there.run("sync", "wait", "broken").returncode == 1
        monkeypatch.setenv("RUNNER_SOCKET", there.socket)
        name = "coder exp sync" if file.stem == "refused" else "runner sync"
        assert_snapshot(typed(lines, name, there.socket, capsys).replace(str(there.root), "ROOT"), file)


def test_nothing_is_listed_where_nothing_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As the agent of a new workspace answers."""

    def serve(connection: socket.socket) -> None:
        session = Session()
        while session.error is None:
            session.hear(connection.recv(65_536))
            said, session.said = session.said, b""
            if said:
                connection.sendall(said)

    with TemporaryDirectory() as root, listening(Path(root, "s"), serve):
        monkeypatch.setenv("RUNNER_SOCKET", f"{root}/s")
        assert run_sync("runner sync", ["list"]) == 0
        assert capsys.readouterr() == ("No units registered\n", "")
    with TemporaryDirectory() as root, listening(Path(root, "s"), serve):
        monkeypatch.setenv("RUNNER_SOCKET", f"{root}/s")
        assert run_sync("runner sync", ["list", "-o", "json"]) == 0
        assert capsys.readouterr() == ("[]\n", "")


def test_a_start_waits_and_says_so(shared: Served) -> None:
    assert shared.run("sync", "want", "w", "x", "y").stdout == 'Unit "w" declared dependencies: [x, y]\n'
    command = [sys.executable, "-m", "runner", "sync", "start", "--timeout", "1m", "w"]
    with subprocess.Popen(command, env=shared.environment, stdout=subprocess.PIPE, text=True) as start:
        assert start.stdout
        assert start.stdout.readline() == 'Unit "w" is waiting for dependencies to be satisfied: [x, y]\n'
        for unit in ("x", "y"):
            assert shared.run("sync", "start", unit).returncode == shared.run("sync", "complete", unit).returncode == 0
        assert start.stdout.read() == 'Unit "w" finished waiting for dependencies: [x, y]\n'
    assert start.returncode == 0


def test_a_failure_ends_the_wait_of_a_start(shared: Served) -> None:
    shared.run("sync", "want", "wf", "xf")
    command = [sys.executable, "-m", "runner", "sync", "start", "wf"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=shared.environment, stdout=pipe, stderr=pipe, text=True) as start:
        assert start.stdout
        assert start.stderr
        start.stdout.readline()
        shared.run("sync", "start", "xf")
        shared.run("sync", "fail", "xf", "--reason", "no network")
        assert start.stderr.read().splitlines() == [
            'Encountered an error running "runner sync start", see "runner sync start --help" for more information',
            'error: start unit failed: cannot start unit "wf": dependency "xf" failed: no network',
        ]
    assert start.returncode == 1


def test_the_socket_is_found_as_the_supervisor_finds_its_own(shared: Served) -> None:
    for more in ({}, {"RUNNER_SOCKET": shared.socket, "XDG_RUNTIME_DIR": "/no"}):
        done = shared.run("sync", "ping", env={**shared.environment, **more})
        assert (done.returncode, done.stdout, done.stderr) == (0, "Success\n", "")
    done = shared.run("sync", "--socket-path", shared.socket, "ping", env={**shared.environment, "RUNNER_SOCKET": "/no"})
    assert done.stdout == "Success\n"


# ---------------------------------------------------------------- odd words


def test_a_name_that_is_no_text_is_refused_by_name(shared: Served) -> None:
    done = shared.run("sync", "want", os.fsdecode(b"a\xff"), "b", text=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b"error: declare dependency failed: string field contains invalid UTF-8\n")


def test_words_after_two_dashes_are_no_options(shared: Served) -> None:
    assert shared.run("sync", "want", "--", "-o", "--help").stdout == 'Unit "-o" declared dependencies: [--help]\n'
    state = json.loads(shared.run("sync", "status", "-ojson", "--", "-o").stdout)
    assert (state["unit_name"], state["dependencies"][0]["depends_on"]) == ("-o", "--help")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_is_said_as_far_as_the_terminal_can(shared: Served, encoding: str) -> None:
    done = shared.run("sync", "want", "µ→", encoding, env={**shared.environment, "PYTHONIOENCODING": encoding}, text=False)
    said = {"ascii": b"\\xb5\\u2192", "latin-1": b"\xb5\\u2192", "utf-8": "µ→".encode()}[encoding]
    expected = b'Unit "' + said + b'" declared dependencies: [' + encoding.encode() + b"]\n"
    assert (done.returncode, done.stdout) == (0, expected)


def test_who_listens_is_not_what_counts(shared: Served) -> None:
    """The call is done, wherever its text goes."""
    script = '"$0" -m runner sync ping >&- && "$0" -m runner sync ping >/dev/full'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], env=shared.environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "runner: cannot write to standard output: No space left on device\n")


# ---------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("300ms", 0.3),
        ("1.5h", 5_400),
        ("1h30m", 5_400),
        (".5s", 0.5),
        ("5.s", 5),
        ("1h1m1s1ms", 3_661.001),
        ("7us", 7e-6),
        ("7µs", 7e-6),
        ("7\u03bcs", 7e-6),
        ("9ns", 9e-9),
        ("2562047h", 9_223_369_200),
    ],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", ".s", "1..5s", "1.2.3s", "5 m", "5m ", "-5m", "5d", "1h30", "5mm", "٣s", "1e3s", "2562048h"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(SyncError, match="--timeout") as error:
        parse_duration(text)
    assert str(error.value) == f'invalid argument "{text}" for "--timeout": it takes a duration such as 30s, 5m or 1h30m'


def test_a_timeout_longer_than_a_socket_can_wait_is_none(shared: Served) -> None:
    for unit in ("long", "longer"):
        shared.run("sync", "start", unit)
        shared.run("sync", "complete", unit)
        assert shared.run("sync", "wait", unit, "--timeout", "2000000h").stdout == "Success\n"


# ---------------------------------------------------------------- what it costs

HEAVY = {"trio", "rich", "msgspec", "argparse", "socket", "json", "typing", "dataclasses", "re", "logging", "runner.errors"}


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("ping", set[str]()),
        ("want i j", set[str]()),
        ("start i1", set[str]()),
        ("complete i1", set[str]()),
        ("status i", set[str]()),
        ("list", set[str]()),
        ("list -o json", {"json", "re"}),
        ("start --help", set[str]()),
    ],
)
def test_it_imports_nothing_that_it_does_not_need(shared: Served, line: str, needs: set[str]) -> None:
    program = "import sys, runner.cli; status = runner.cli.main(sys.argv[1:]); print(status, *sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, "sync", *line.split()],
        env=shared.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    status, *modules = done.stderr.split()
    assert status == "0"
    assert set(modules) & HEAVY <= needs


def test_the_command_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: runner sync [--socket-path PATH] CALL\n")
