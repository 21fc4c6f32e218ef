"""What the README, the tutorial and the example workspace show is so: the units are sound, the commands the right ones."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.unitfile import load

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-units.md"
BUNDLE = ROOT / "units" / "_assets" / "notes.bundle"
ENVIRONMENT = {"HOME": "/home/you", "PATH": "/usr/bin:/bin"}

NAMED_UNIT = re.compile(r"`units/(?P<name>[\w-]+)\.toml`[^`]*```toml\n(?P<text>.*?)```", re.DOTALL)


def problems(directory: Path, environment: Mapping[str, str] = ENVIRONMENT) -> list[str]:
    """What is wrong, the programs aside that this machine may not have."""
    found = load([directory], environment).problems
    return [f"{problem.where}: {problem.what}" for problem in found if problem.severity == "error"]


def write_shown_units(document: Path, directory: Path) -> list[str]:
    """Write the unit files that a document shows, and return their names."""
    shown = [(match["name"], match["text"]) for match in NAMED_UNIT.finditer(document.read_text(encoding="utf-8"))]
    for name, text in shown:
        (directory / f"{name}.toml").write_text(text, encoding="utf-8")
    return [name for name, _ in shown]


@pytest.mark.parametrize("environment", [{}, {"WORKSPACE": "/srv/elsewhere"}], ids=["here", "elsewhere"])
def test_the_example_workspace_is_sound(environment: dict[str, str]) -> None:
    assert problems(ROOT / "units", {**ENVIRONMENT, **environment}) == []


def test_the_example_shows_what_it_is_to_show() -> None:
    graph = load([ROOT / "units"], ENVIRONMENT).graph
    assert all(unit.description for unit in graph.units.values())
    assert {unit.name for unit in graph.units.values() if unit.optional} == {"extras/warm-cache", "system/packages"}
    assert graph.units["system/packages"].locks == ("apt",)
    assert graph.units["app/server"].kind == "service"
    assert graph.handlers == {"extras/cold"}
    assert [name for name, unit in graph.units.items() if unit.creates] == ["app/install", "app/venv", "system/packages"]
    assert {name for name, unit in graph.units.items() if unit.inputs} == {"app/install"}
    assert {name for name, unit in graph.units.items() if unit.conditions} == {"system/packages"}
    assert [name for name, unit in graph.units.items() if unit.command and "$RUNNER_ENV" in unit.command.script] == ["app/clone"]
    assert {edge.requires for edge in graph.after["report"].values() if edge.dependency != "workspace"} == {"completion"}
    assert graph.order()[0] == "workspace"
    assert graph.order()[-1] == "report"


def test_the_bundle_is_a_whole_repository() -> None:
    listed = subprocess.run(["git", "bundle", "list-heads", str(BUNDLE)], capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in listed.stdout.splitlines()} == {"HEAD", "refs/heads/main"}


def test_the_units_of_the_tutorial_are_sound(tmp_path: Path) -> None:
    assert write_shown_units(TUTORIAL, tmp_path) == ["page", "server", "look"]
    assert problems(tmp_path) == []


def test_the_units_of_the_readme_are_sound(tmp_path: Path) -> None:
    (tmp_path / "clone.toml").write_text('command = ["true"]\n', encoding="utf-8")
    assert write_shown_units(README, tmp_path) == ["install", "server"]
    assert problems(tmp_path) == []


def test_the_readme_has_two_commands_of_one_line() -> None:
    shell = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert [block.count("\n") for block in shell] == [1, 1]
    assert shell[0].endswith(".venv/bin/runner up --units units\n")
    assert shell[1] == ".venv/bin/python -m pytest -n auto\n"


@pytest.mark.parametrize(
    "document", sorted([README, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda path: path.name
)
def test_links_lead_to_files(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []
