from __future__ import annotations

import json

import pytest

from runner.cli import main

from .conftest import Write

UNITS = {"a.toml": 'command = ["true"]', "g/b.toml": 'command = ["true"]\nafter = ["a"]', "c.toml": 'command = ["true"]'}


def test_a_plan_of_everything_and_of_a_group(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**UNITS)
    assert main(["plan"]) == 0
    assert capsys.readouterr().out.startswith("3 units in 2 steps")
    assert main(["plan", "g"]) == 0
    assert capsys.readouterr().out == (
        "2 units in 2 steps; each starts as soon as what it waits for is done\n\n"
        "step 1\n  a    oneshot\n\nstep 2\n  g/b  oneshot   after a\n\n"
        "longest chain: 2 units one after the other (durations are not known yet)\n  a -> g/b\n"
    )


def test_a_plan_as_json(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**UNITS)
    assert main(["plan", "--json", "c"]) == 0
    assert [[one["name"] for one in step] for step in json.loads(capsys.readouterr().out)["steps"]] == [["c"]]


def test_an_unknown_name_is_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**UNITS)
    assert main(["plan", "x"]) == 2
    assert capsys.readouterr().err.startswith('runner: cannot find unit or group "x"\n')


def test_invalid_units_are_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'after = ["b"]\ncommand = ["true"]'})
    assert main(["plan"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert '"b"' in captured.err
