"""The graphs that are run, written as unit files for the runner and as one file of numbers for the floor.

They are the same on every machine and in every run: no randomness, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Graph:
    """Units by number, each with the numbers of those that it waits for."""

    name: str
    dependencies: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.dependencies)


def independent(count: int) -> Graph:
    """Units that wait for nothing."""
    return Graph("independent", ((),) * count)


def chain(length: int) -> Graph:
    """Units of which each waits for the one before."""
    return Graph("chain", ((), *((number,) for number in range(length - 1)))[:length])


def layered(layers: int, width: int, fan_in: int) -> Graph:
    """Layers of units, each of which waits for ``fan_in`` units of the layer before, spread evenly over its width."""
    if not 0 < fan_in <= width:
        raise ValueError(f"cannot wait for {fan_in} units of a layer of {width}")
    step = width // fan_in
    rows = [
        tuple(sorted((layer - 1) * width + (place + step * turn) % width for turn in range(fan_in))) if layer else ()
        for layer in range(layers)
        for place in range(width)
    ]
    return Graph("layered", tuple(rows))


def write_units(graph: Graph, directory: Path) -> None:
    """A units directory in which every unit executes ``/bin/true``. The directory must not be there yet."""
    directory.mkdir(parents=True)
    for number, dependencies in enumerate(graph.dependencies):
        after = ", ".join(f'"{unit_name(dependency)}"' for dependency in dependencies)
        text = 'command = ["/bin/true"]\n' + (f"after = [{after}]\n" if after else "")
        (directory / f"{unit_name(number)}.toml").write_text(text, encoding="utf-8")


def write_floor(graph: Graph, jobs: int, path: Path) -> None:
    """The file that ``floor.c`` and ``floor.py`` read; its form is told there."""
    lines = [f"{len(graph)} {jobs}", *(" ".join(map(str, (len(row), *row))) for row in graph.dependencies)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def unit_name(number: int) -> str:
    """The name of a unit by its number."""
    return f"unit-{number:04d}"
