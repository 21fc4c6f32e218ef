"""What a second startup costs where nothing has changed: 200 units, each made from a file and making another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree

from .figure import Figure
from .graphs import Graph, layered, unit_name
from .timing import RUNNER, Spread, ratios, time_command

SECTION = "nothing has changed"
AIM = 1.0
"""Seconds for the second ``up`` of 200 units."""


def graph() -> Graph:
    """Ten layers of twenty units."""
    return layered(10, 20, 3)


def write_units(graph: Graph, directory: Path) -> None:
    """Units that copy a file each, and wait for each other as the graph says. The directory must not be there yet."""
    (directory / "units").mkdir(parents=True)
    (directory / "in").mkdir()
    for number, dependencies in enumerate(graph.dependencies):
        name = unit_name(number)
        (directory / "in" / name).write_text(name, encoding="utf-8")
        after = ", ".join(f'"{unit_name(dependency)}"' for dependency in dependencies)
        text = f'command = ["cp", "in/{name}", "out/{name}"]\ncwd = "{directory}"\nafter = [{after}]\n'
        text += f'inputs = ["in/{name}"]\ncreates = ["out/{name}"]\n'
        (directory / "units" / f"{name}.toml").write_text(text, encoding="utf-8")


def measure(scratch: Path, env: Mapping[str, str], rounds: int) -> list[Figure]:
    """Time the first ``up``, from nothing, and the second, in turn."""
    directory = scratch / "again"
    units = graph()
    write_units(units, directory)
    command = (*RUNNER, "up", "--units", str(directory / "units"), "--state", str(directory / "state"), "--output", "plain")
    first, second = [], []
    for _ in range(rounds):
        for made in ("out", "state"):
            rmtree(directory / made, ignore_errors=True)
        (directory / "out").mkdir()
        first.append(time_command(command, env))
        second.append(time_command(command, env))
    return [
        Figure(SECTION, f"runner up, {len(units)} units, the first time", Spread.of(first), "ms"),
        Figure(SECTION, "the second time", Spread.of(second), "ms", AIM),
        Figure(SECTION, "the second time / the first", ratios(second, first), "x"),
    ]
