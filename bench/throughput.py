"""Throughput: graphs of ``/bin/true`` run by ``runner up``, against a floor that runs the same graph and does nothing else.

Two ratios of each graph. The *whole process* is what a person waits for: from the command to its end, imports, reading of the
unit files and journal included. *A unit* is what each further unit costs: the time of one unit alone is subtracted on both sides.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from .figure import Figure
from .graphs import Graph, chain, independent, layered, write_floor, write_units
from .timing import RUNNER, CannotMeasure, Spread, alternate, ratios, time_command

JOBS = 4
AIM = 2.0
"""A unit costs at most so many times what it costs the floor."""

HERE = Path(__file__).parent
ONE = independent(1)


def graphs() -> list[Graph]:
    """The graphs that are measured."""
    return [independent(1000), chain(500), layered(10, 100, 3)]


def build_floor(directory: Path) -> list[str]:
    """The command that runs a graph file: compiled C where there is a compiler, else Python."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return [sys.executable, "-I", "-S", str(HERE / "floor.py")]
    program = directory / "floor"
    built = subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / "floor.c")], capture_output=True, check=False)
    if built.returncode:
        raise CannotMeasure(f"cannot compile floor.c with {compiler}\n{built.stderr.decode(errors='replace').strip()}")
    return [str(program)]


def measure(scratch: Path, env: Mapping[str, str], rounds: int, floor: Sequence[str], graph: Graph) -> list[Figure]:
    """Run one graph and the graph of one unit in turn by the floor and by the runner."""
    floor_graph, floor_one = _floor_timer(graph, scratch, env, floor), _floor_timer(ONE, scratch, env, floor)
    up_graph, up_one = _up_timer(graph, scratch, env), _up_timer(ONE, scratch, env)
    found = alternate({"floor": floor_graph, "up": up_graph, "floor one": floor_one, "up one": up_one}, rounds)
    floor_units = _per_unit(found["floor"], found["floor one"], len(graph))
    up_units = _per_unit(found["up"], found["up one"], len(graph))
    section = f"{graph.name}: {len(graph)} units, {JOBS} at a time"
    whole = f"{_ms(found['up'])} ms against {_ms(found['floor'])} ms"
    each = f"{_ms(up_units)} ms a unit against {_ms(floor_units)} ms, the start of both subtracted"
    return [
        Figure(section, "whole process / floor", ratios(found["up"], found["floor"]), "x", of=whole),
        Figure(section, "a unit / floor", ratios(up_units, floor_units), "x", AIM, of=each),
    ]


def _floor_timer(graph: Graph, scratch: Path, env: Mapping[str, str], floor: Sequence[str]) -> partial[float]:
    path = scratch / f"{graph.name}-{len(graph)}.graph"
    write_floor(graph, JOBS, path)
    return partial(time_command, [*floor, str(path)], env)


def _up_timer(graph: Graph, scratch: Path, env: Mapping[str, str]) -> partial[float]:
    units = scratch / f"{graph.name}-{len(graph)}"
    if not units.exists():
        write_units(graph, units)
    return partial(time_command, [*RUNNER, "up", "--units", str(units), "--jobs", str(JOBS), "--output", "plain"], env)


def _per_unit(graph: Sequence[float], one: Sequence[float], count: int) -> list[float]:
    return [(whole - start) / (count - 1) for whole, start in zip(graph, one, strict=True)]


def _ms(seconds: Sequence[float]) -> str:
    milliseconds = Spread.of(seconds).median * 1000
    return f"{milliseconds:.{0 if milliseconds >= 100 else 2}f}"
