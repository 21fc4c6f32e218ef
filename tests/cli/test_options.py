from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from runner.cli import COMMANDS, main
from runner.cli.options import Parser, check_names, find_directories, load_graph, load_units, units_directories
from runner.cli.stdout import write_out
from runner.core.graph import link
from runner.core.unit import Unit
from runner.errors import InvalidUnits, UsageError

from .conftest import Write


def test_directories_given_come_before_those_of_the_environment() -> None:
    given = [Path("b"), Path("a")]
    assert units_directories(given, {"RUNNER_UNITS": "c"}) == given
    assert units_directories(None, {"RUNNER_UNITS": "c:/d:"}) == [Path("c"), Path("/d")]


def test_the_usual_directories_are_those_that_exist(write: Write, tmp_path: Path) -> None:
    write()
    config = tmp_path / "config"
    home = tmp_path / "home"
    for directory in (config / "runner" / "units", home / ".config" / "runner" / "units"):
        directory.mkdir(parents=True)
    assert units_directories(None, {"RUNNER_UNITS": "", "HOME": str(home)})[-2:] == [home / ".config/runner/units", Path("units")]
    assert units_directories(None, {"XDG_CONFIG_HOME": str(config)})[-2:] == [config / "runner/units", Path("units")]


@pytest.mark.skipif(Path("/etc/runner/units").exists(), reason="this machine has units of its own")
def test_a_usual_directory_may_come_and_go(write: Write, tmp_path: Path) -> None:
    units, config = write(), tmp_path / "config" / "runner" / "units"
    find = find_directories(None, {"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert find() == [Path("units")]
    config.mkdir(parents=True)
    assert find() == [config, Path("units")]
    config.rmdir()
    units.rmdir()
    assert find() == [Path("units")]


@pytest.mark.skipif(Path("/etc/runner/units").exists(), reason="this machine has units of its own")
def test_no_directory_at_all_is_told(write: Write) -> None:
    with pytest.raises(UsageError) as caught:
        units_directories(None, {"HOME": "/h"})
    assert caught.value.what == "cannot find unit files: none of /etc/runner/units, /h/.config/runner/units, units exists"
    assert "--units DIR" in caught.value.hint


def test_a_graph_is_loaded_or_its_problems_raised(write: Write) -> None:
    units = write(**{"a.toml": 'command = ["true"]', "b.toml": 'command = ["true"]\nafter = ["a"]'})
    assert list(load_graph(Namespace(units=[units])).after["b"]) == ["a"]
    write(**{"b.toml": "command = 7"})
    with pytest.raises(InvalidUnits):
        load_graph(Namespace(units=[units]))


def test_a_graph_to_be_shown_has_no_secrets(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    units = write(**{"a.toml": 'command = ["true", "hunter22"]\ndescription = "hunter22"\nenv.A_TOKEN = "hunter22"'})
    unit = load_graph(Namespace(units=[units])).units["a"]
    assert (unit.description, str(unit.command), unit.env) == ("***", "true ***", {"A_TOKEN": "***"})
    assert str(load_units(Namespace(units=[units])).graph.units["a"].command) == "true hunter22"
    write_out("hunter22\n")
    assert capsys.readouterr().out == "***\n"


def test_warnings_are_told_and_no_obstacle(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    units = write(**{"a.toml": 'command = ["no-such-program-anywhere"]'})
    assert list(load_graph(Namespace(units=[units])).units) == ["a"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no-such-program-anywhere" in captured.err


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("edtor", 'did you mean "editor"?'),
        ("editor/vmi", 'did you mean "editor/vim"?'),
        ("zzzz", 'see "runner graph" for all units'),
        ("", 'see "runner graph" for all units'),
    ],
)
def test_unknown_names_are_told_with_a_near_one(name: str, hint: str) -> None:
    graph, _ = link([Unit(name="editor/vim", kind="oneshot"), Unit(name="git-clone", kind="oneshot")])
    assert check_names(graph, ["editor", "git-clone"]) == ["editor", "git-clone"]
    with pytest.raises(UsageError) as caught:
        check_names(graph, ["editor", name])
    assert caught.value.what == f'cannot find unit or group "{name}"'
    assert caught.value.hint == hint


def test_a_directory_in_place_of_a_unit_is_told_how_to_name_it(write: Write) -> None:
    write()
    graph, _ = link([Unit(name="unit", kind="oneshot")])
    with pytest.raises(UsageError) as caught:
        check_names(graph, ["units"])
    assert caught.value.hint == 'to read the unit files of a directory: "--units units"'


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "sync"])
def test_help_fits_a_terminal(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_help_keeps_tables_as_they_are() -> None:
    parser = Parser("x", "do")
    parser.epilog = "one\ntwo\n\nexit status:\n  0  good\n  1  bad"
    assert parser.format_help().endswith("\n\none two\n\nexit status:\n  0  good\n  1  bad\n")
