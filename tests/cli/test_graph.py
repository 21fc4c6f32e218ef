from __future__ import annotations

import json

import pytest

from runner.cli import main

from .conftest import Write

UNITS = {"a.toml": 'command = ["true"]', "b.toml": 'command = ["true"]\nafter = ["a"]', "c.toml": 'command = ["true"]'}


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        ([], "b\n└─ a\nc\n"),
        (["--format", "dot"], "digraph units {"),
        (["--format", "mermaid"], "flowchart LR\n"),
        (["--format", "svg"], "<svg "),
        (["--json"], "{"),
    ],
)
def test_formats(arguments: list[str], begin: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**UNITS)
    assert main(["graph", *arguments]) == 0
    assert capsys.readouterr().out.startswith(begin)


def test_named_units_alone(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**UNITS)
    assert main(["graph", "b", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [node["name"] for node in data["nodes"]] == ["a", "b"]
    assert [(edge["dependency"], edge["unit"]) for edge in data["edges"]] == [("a", "b")]


def test_an_unknown_format_is_wrong_usage(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--format", "png"]) == 2
    assert 'cannot understand the arguments of "runner graph"' in capsys.readouterr().err
