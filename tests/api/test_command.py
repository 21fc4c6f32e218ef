from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner import __version__
from runner.api.command import up_command
from runner.api.failure import CannotStart

UP = ["up", "--output", "json", "--stop-with", str(os.getpid())]


def after_program(command: list[str]) -> list[str]:
    return command[command.index("up") :]


def test_all_that_can_be_said() -> None:
    command = up_command(
        ("a", "-b"),
        {
            "units": ["u", Path("v")],
            "state": "s",
            "socket": Path("q"),
            "jobs": 2,
            "keep": False,
            "fail_fast": True,
            "bridge": True,
        },
    )
    assert after_program(command) == [
        *UP,
        *("--units", "u", "--units", "v", "--state", "s", "--socket", "q", "--jobs", "2", "--fail-fast", "--bridge"),
        *("--", "a", "-b"),
    ]


def test_it_stays_where_nothing_else_is_said() -> None:
    assert after_program(up_command((), {})) == [*UP, "--keep", "--"]


def test_it_is_this_package_whatever_lies_around(tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner" / "__init__.py").write_text("raise SystemExit('another one')")
    program = up_command((), {})
    program = program[: program.index("up")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*program, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"runner {__version__}\n"


@pytest.mark.parametrize("place", ["units", Path("units")])
def test_one_directory_needs_no_list(place: str | Path) -> None:
    assert after_program(up_command((), {"units": place})) == [*UP, "--units", "units", "--keep", "--"]


def test_an_option_that_is_not_there_is_not_passed_over() -> None:
    mistyped: Any = {"unit": ["u"], "jobs": 1}
    with pytest.raises(TypeError, match=r"^open_supervisor\(\) got an unexpected keyword argument 'unit'$"):
        up_command((), mistyped)


def test_without_an_interpreter_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(CannotStart, match=r"sys\.executable is empty"):
        up_command((), {})
