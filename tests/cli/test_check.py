from __future__ import annotations

import json
import os

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


@pytest.mark.parametrize(
    ("word", "hint"), [("units", 'to read the unit files of a directory: "--units units"'), ("a", "leave it out")]
)
def test_one_unit_alone_is_not_checked(word: str, hint: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = ["true"]'})
    assert main(["check", word]) == 2
    told = f'runner: cannot check "{word}" alone: all unit files are checked together\nhint: {hint}\n'
    assert capsys.readouterr() == ("", told)


def test_a_file_whose_name_is_no_utf8(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    units = write()
    (units / os.fsdecode(b"\xff.toml")).write_text('command = "true"')
    assert main(["check"]) == 2
    assert 'cannot make a unit\'s name of "\ufffd"' in capsys.readouterr().out
