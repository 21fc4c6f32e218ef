"""Whatever a unit writes, however much: memory stays small, the log keeps its size, others go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.supervisor.harness import deadline

from .command import RUNNER, Workspace, of, outcomes

MEMORY = 100_000_000
"""Bytes that the supervisor may take."""

PIECE = "import os\npiece = {}\nfor _ in range({}):\n    os.write(1, piece)"
LINES = PIECE.format("b'0123456789abcde\\n' * 4096", 1_000_000_000 // 65_536)
ONE_LINE = PIECE.format("b'x' * 65536", 100_000_000 // 65_536)
ESCAPES = PIECE.format("b'\\xff\\xfe\\x1b[31mred\\x1b[0m\\r\\x00\\x80 \\xe2\\x82' * 1000 + b'\\n'", 400)


def unit(code: str, keys: str = "") -> str:
    return f"command = ['{sys.executable}', '-S', '-E', '-c', '''\n{code}\n''']\nlog = {{ max-size = '1MB', keep = 1 }}\n{keys}"


@pytest.mark.parametrize("code", [LINES, ONE_LINE, ESCAPES], ids=["1 GB", "a line of 100 MB", "no text"])
@pytest.mark.parametrize("options", [["--output", "json"], ["--output", "plain", "--logs"]], ids=["json", "logs"])
def test_memory_and_disk_are_bounded_and_others_go_on(tmp_path: Path, code: str, options: list[str]) -> None:
    if code is LINES and "--logs" in options:
        code = code.replace(str(1_000_000_000 // 65_536), "100")  # 400,000 lines: to show them is dearer than to keep them
    workspace = Workspace(tmp_path)
    workspace.write(loud=unit(code), quiet="command = 'true'", later="command = 'true'\nafter = ['quiet']")
    status, memory = workspace.measure(tmp_path / "out", *options)
    assert status == 0
    assert memory < MEMORY
    events = workspace.journal()
    assert outcomes(events) == {"loud": "succeeded", "quiet": "succeeded", "later": "succeeded"}
    assert of(events, "unit-ended")[-1] == "loud"
    logs = sorted(workspace.log("loud").parent.glob("loud*"))
    assert [log.name for log in logs] == ["loud.log", "loud.log.1"]
    assert all(log.stat().st_size <= 1_000_000 for log in logs)


def test_escapes_of_a_unit_are_not_for_the_terminal(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(a=unit(ESCAPES + "\nos._exit(1)"))
    done = workspace.run("--output", "plain", "--logs")
    assert done.returncode == 1
    assert not set(done.stdout) & {"\x1b", "\x00", "\r", "\x80", "\x9b"}


def test_a_thousand_writers(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(**{f"u{number}": "command = 'seq 200'" for number in range(300)})
    assert workspace.run().returncode == 0
    assert {workspace.log(f"u{number}").read_text().split()[-1] for number in range(300)} == {"200"}


def test_a_log_is_found_though_a_secret_is_in_its_path(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    secret = f"env.A_TOKEN = '{workspace.state}'"
    workspace.write(a=f"command = 'echo hello'\n{secret}", b=f"command = 'true'\nlog.file = '{workspace.state}/own.log'")
    assert workspace.run().returncode == 0
    command = [*RUNNER, "logs", "--state", str(workspace.state)]
    with deadline():
        done = subprocess.run(command, env=workspace.environment(), capture_output=True, text=True, check=False)
    assert done.stdout == "a | hello\n"
    assert 'cannot show what b writes: there is a secret in the path of its log: "***/own.log"' in done.stderr
