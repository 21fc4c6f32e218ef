from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import main
from runner.cli.options import Parser
from runner.cli.up import configure
from runner.errors import UsageError

from .conftest import Write


def parser() -> Parser:
    made = Parser("up", "start")
    configure(made)
    return made


def test_all_options_are_understood() -> None:
    line = "a g --units x --units y --output json --logs --jobs 4 --fail-fast --state /s"
    options = parser().parse_args(line.split())
    assert vars(options) == {
        "names": ["a", "g"],
        "units": [Path("x"), Path("y")],
        "output": "json",
        "logs": True,
        "jobs": 4,
        "fail_fast": True,
        "state": Path("/s"),
    }


def test_nothing_needs_to_be_said() -> None:
    options = parser().parse_args([])
    assert vars(options) == {
        "names": [],
        "units": None,
        "output": "auto",
        "logs": False,
        "jobs": None,
        "fail_fast": False,
        "state": None,
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
