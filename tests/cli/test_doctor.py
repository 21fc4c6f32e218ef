from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

from runner.cli import main
from runner.cli.doctor import examine
from runner.errors import RunnerError
from runner.show.doctor import Finding

from .conftest import Write

CHECKS = [
    *("python", "packages", "unit files", "state directory", "socket", "agent's socket"),
    *("coder", "apt locks", "open files", "processes", "inotify", "control groups"),
]


@pytest.fixture(autouse=True)
def place(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNNER_SOCKET", "XDG_STATE_HOME", "CODER_AGENT_SOCKET_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    status = main(["doctor", "--json", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    return status, {row["check"]: row for row in json.loads(out)}


def test_everything_is_looked_at(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = "true"'})
    status, rows = told(capsys)
    assert list(rows) == CHECKS
    assert status == int(any(row["verdict"] == "problem" for row in rows.values()))
    assert rows["unit files"]["what"] == "1 unit in units"
    assert rows["open files"]["what"].endswith("1 unit may need 66")
    assert rows["socket"]["what"].endswith("runner/runner.sock: nobody serves it")


def test_a_workspace_without_units_is_a_problem_and_no_obstacle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, rows = told(capsys)
    assert status == 1
    assert rows["unit files"]["what"].startswith("cannot find unit files: ")
    assert rows["state directory"]["verdict"] != "problem"
    assert not (tmp_path / "home").exists()


def test_invalid_units_are_a_problem(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": "quux = 1"})
    status, rows = told(capsys)
    assert status == 1
    assert rows["unit files"]["verdict"] == "problem"


def test_text_ends_with_the_count(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": "quux = 1"})
    assert main(["doctor"]) == 1
    assert " problem" in capsys.readouterr().out.splitlines()[-1]


def test_a_place_that_cannot_be_used_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runner").write_text("")
    status, rows = told(capsys)
    assert status == 1
    assert rows["socket"]["what"].startswith("cannot use the directory ")


def test_what_a_check_meets_is_a_finding() -> None:
    def refuse() -> Finding:
        raise RunnerError("cannot do it", hint="leave it")

    def fail() -> Finding:
        raise PermissionError(13, "Permission denied", "/x")

    assert examine(refuse, 10) == Finding("problem", "cannot do it", "leave it")
    assert examine(fail, 10) == Finding("problem", "cannot look: [Errno 13] Permission denied: '/x'")


def test_a_check_that_hangs_is_not_waited_for() -> None:
    go_on = Event()

    def hang() -> Finding:
        go_on.wait()
        return Finding("ok", "")

    assert examine(hang, 0.01).what == "no answer within 10 ms"
    go_on.set()


def test_a_bug_keeps_its_traceback() -> None:
    def fail() -> Finding:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        examine(fail, 10)
