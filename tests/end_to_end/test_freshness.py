"""``runner up`` twice: what need not run does not, and what has changed does, with all that is made from it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .command import RUNNER, Workspace, of, outcomes, parse

LAYERS = 5


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def write(workspace: Workspace, width: int) -> None:
    """Layers of units, each made from a file of its own and from what the one above it makes."""
    for directory in ("in", "out"):
        (workspace.root / directory).mkdir()
    for layer in range(LAYERS):
        for place in range(width):
            name, above = f"u{layer}-{place}", f"u{layer - 1}-{place}"
            (workspace.root / "in" / name).write_text(name)
            write_unit(workspace, name, above if layer else "")


def write_unit(workspace: Workspace, name: str, above: str = "", then: str = "", more: str = "") -> None:
    inputs = [f"in/{name}", *([f"out/{above}"] if above else [])]
    after = [above] if above else []
    text = f"command = \"cat {' '.join(inputs)} > out/{name}{then}\"\ncwd = '{workspace.root}'\nafter = {after}\n{more}\n"
    workspace.write(**{name: f'{text}inputs = {inputs}\ncreates = ["out/{name}"]\n'})


def up(workspace: Workspace) -> tuple[set[str], dict[str, str]]:
    """The units that ran, and why each of the others did not."""
    done = workspace.run("--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    events = parse(done.stdout)
    told = {event["unit"]: event["reason"] for event in events if event.get("outcome") == "unneeded"}
    assert outcomes(events).keys() - told.keys() == set(of(events, "unit-started"))
    return set(of(events, "unit-started")), told


def plan(workspace: Workspace) -> set[str]:
    """The units that would run."""
    options = ["--units", str(workspace.root / "units"), "--state", str(workspace.state), "--json"]
    done = subprocess.run(
        [*RUNNER, "plan", *options], env=workspace.environment(), cwd=workspace.root, capture_output=True, text=True, check=True
    )
    return {unit["name"] for step in json.loads(done.stdout)["steps"] for unit in step if not unit["unneeded"]}


def below(name: str) -> set[str]:
    """A unit and those that are made from what it makes."""
    layer, place = name.removeprefix("u").split("-")
    return {f"u{further}-{place}" for further in range(int(layer), LAYERS)}


def test_a_second_startup_of_two_hundred_units_runs_nothing_and_says_why(workspace: Workspace) -> None:
    write(workspace, 40)
    assert len(plan(workspace)) == len(up(workspace)[0]) == 200
    assert plan(workspace) == set()
    ran, unneeded = up(workspace)
    assert ran == set()
    assert unneeded["u1-0"] == (
        f'"{workspace.root}/out/u1-0" is there, and 2 inputs, its command and its environment are as at its last success'
    )


def test_what_has_changed_runs_with_all_that_is_made_from_it(workspace: Workspace) -> None:
    write(workspace, 2)
    up(workspace)
    (workspace.root / "in" / "u1-0").write_text("changed")
    assert plan(workspace) == up(workspace)[0] == below("u1-0")
    write_unit(workspace, "u2-1", "u1-1", then="; echo changed >> out/u2-1")
    assert plan(workspace) == up(workspace)[0] == below("u2-1")
    (workspace.root / "out" / "u4-0").unlink()
    assert plan(workspace) == up(workspace)[0] == {"u4-0"}
    write_unit(workspace, "u4-1", "u3-1", more='env = { MODE = "fast" }')
    assert plan(workspace) == up(workspace)[0] == {"u4-1"}
    assert plan(workspace) == up(workspace)[0] == set()


def test_those_after_it_run_only_if_what_it_makes_is_another(workspace: Workspace) -> None:
    """The plan cannot know that it will be the same; the startup finds out."""
    write(workspace, 2)
    up(workspace)
    (workspace.root / "out" / "u1-0").unlink()
    assert plan(workspace) == below("u1-0")
    assert up(workspace)[0] == {"u1-0"}
    (workspace.root / "in" / "u1-0").touch()
    assert plan(workspace) == up(workspace)[0] == set()
