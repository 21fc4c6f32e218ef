from __future__ import annotations

import json

import pytest

from runner.cli import main

from .conftest import Write


def test_good_files_are_counted(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = ["true"]', "g/b.toml": 'command = ["true"]'})
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("2 units, no problems\n", "")


def test_all_problems_are_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'comand = ["true"]', "b.toml": 'command = ["true"]\nafter = ["c"]'})
    assert main(["check"]) == 2
    told = capsys.readouterr().out
    assert "comand" in told
    assert '"c"' in told
    assert told.endswith("\n\n2 errors, 0 warnings\n")


def test_warnings_fail_a_strict_check_only(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = ["no-such-program-anywhere"]'})
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert "no-such-program-anywhere" in told
    assert main(["check", "--strict"]) == 2
    assert capsys.readouterr().out == told


def test_json_is_json_with_and_without_problems(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = ["true"]'})
    assert main(["check", "--format", "json"]) == 0
    json.loads(capsys.readouterr().out)
    write(**{"a.toml": 'comand = ["true"]'})
    assert main(["check", "--format", "json"]) == 2
    json.loads(capsys.readouterr().out)


def test_annotations_for_github(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'comand = ["true"]'})
    assert main(["check", "--format", "github"]) == 2
    assert capsys.readouterr().out.startswith("::error ")


def test_a_directory_that_is_not_there(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write()
    assert main(["check", "--units", "nowhere"]) == 2
    captured = capsys.readouterr()
    assert "nowhere" in captured.out + captured.err
