from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import main
from tests.snapshot import assert_snapshot

from .conftest import Write

SNAPSHOTS = Path(__file__).parent / "snapshots" / "show"
LAYERS = ("--units", "image", "--units", "template", "--units", "mine")
FILES = {
    "image/editor/server.toml": 'command = ["old"]\n',
    "image/editor/fonts.toml": 'command = ["true"]\n',
    "image/net/port@.toml": 'instances = ["8080"]\ntype = "service"\ncommand = "serve {instance}"\nafter = ["db"]\n',
    "template/db.toml": 'command = ["true"]\n',
    "template/editor/group.toml": 'after = ["db"]\nenv = { THEME = "dark" }\ncwd = "~"\n',
    "template/editor/server.toml": 'type = "service"\ncommand = ["true"]\n\n[ready]\nhttp = "http://host/"\nstatus = [200]\n',
    "mine/editor/server.d/more.toml": '"after+" = ["editor/fonts"]\ntimeout = "1m"\n\n[ready]\n"status+" = [404]\n',
    "mine/editor/fonts.toml": "enabled = false\n",
    "mine/net/port@.d/x.toml": '"instances+" = ["9090"]\n"after+" = ["editor/server"]\n',
    "mine/net/port@9090.d/x.toml": "nice = 5\n",
}


@pytest.fixture
def layers(write: Write, tmp_path: Path) -> None:
    """Three directories of unit files: of an image, of a template, of a person."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize("unit", ["editor/server", "editor/fonts", "net/port@9090", "net/port@8080", "db"])
def test_every_value_has_its_place(unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", unit, *LAYERS]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert_snapshot(captured.out.replace(str(tmp_path), "TMP"), SNAPSHOTS / f"{unit.replace('/', '-')}.txt")


@pytest.mark.usefixtures("layers")
def test_defaults_are_shown_to_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "db", "--all", *LAYERS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'requires = "success"     # default' in lines
    assert 'stop.timeout = "10s"     # default' in lines


@pytest.mark.usefixtures("layers")
def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "editor/server", "--json", *LAYERS]) == 0
    values = {value["key"]: value for value in json.loads(capsys.readouterr().out)["values"]}
    assert {key: (value["file"], value["line"]) for key, value in values.items()} == {
        "type": ("template/editor/server.toml", 1),
        "command": ("template/editor/server.toml", 2),
        "after": ("template/editor/group.toml", 1),
        "timeout": ("mine/editor/server.d/more.toml", 2),
        "ready.http": ("template/editor/server.toml", 5),
        "ready.status": ("template/editor/server.toml", 6),
        "env.THEME": ("template/editor/group.toml", 2),
        "cwd": ("template/editor/group.toml", 3),
    }
    assert [element["file"] for element in values["after"]["elements"]] == [
        "template/editor/group.toml",
        "mine/editor/server.d/more.toml",
    ]


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize(
    ("unit", "hint"),
    [
        ("editor/sever", 'did you mean "editor/server"?'),
        ("sever", 'did you mean "editor/server"?'),
        ("editor", 'it is a group; show one of its units: "editor/fonts"'),
        ("net/port@", 'it is a template; show one of its instances: "net/port@8080"'),
        ("net/port@*", 'it is a template; show one of its instances: "net/port@8080"'),
        ("image", 'to read the unit files of a directory: "--units image"'),
        ("zzzzzz", 'see "runner graph" for all units'),
    ],
)
def test_a_unit_that_there_is_not(unit: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", unit, *LAYERS]) == 2
    assert capsys.readouterr() == ("", f'runner: cannot find unit "{unit}"\nhint: {hint}\n')


def test_a_unit_is_shown_though_others_are_wrong(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = "true"\nretry = 0\n', "b.toml": "= 1\n", "c.toml": 'command = "true"\nafter = ["x"]\n'})
    assert main(["show", "a"]) == 0
    captured = capsys.readouterr()
    assert "retry = 0         # units/a.toml:2\n" in captured.out
    assert captured.err == 'runner: the unit files have 3 errors, so nothing can be started: see "runner check"\n'


def test_a_unit_that_cannot_be_read(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": "= 1\n", "b.toml": "= 2\n"})
    assert main(["show", "a"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "units/a.toml:1:1" in captured.err
    assert "units/b.toml" not in captured.err


def test_comments_are_dim_for_who_wants_colours(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'command = "true"\n'})
    assert main(["show", "a", "--color", "always"]) == 0
    assert capsys.readouterr().out.endswith('command = "true"  \x1b[2m# units/a.toml:1\x1b[0m\n')
