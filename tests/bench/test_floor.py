"""Both floors run every unit once, dependencies first, and never more at a time than they may."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.graphs import Graph, chain, independent, layered, write_floor
from bench.throughput import HERE, build_floor

GRAPHS = [independent(7), chain(5), layered(3, 6, 3), independent(0)]


@pytest.fixture(scope="module", params=["C", "Python"])
def floor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if request.param == "Python":
        return [sys.executable, "-I", "-S", str(HERE / "floor.py")]
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("there is no C compiler")
    return build_floor(tmp_path_factory.mktemp("floor"))


def run(floor: list[str], path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*floor, "-v", str(path)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: f"{graph.name}-{len(graph)}")
@pytest.mark.parametrize("jobs", [1, 4])
def test_dependencies_end_before_a_unit_starts(floor: list[str], graph: Graph, jobs: int, tmp_path: Path) -> None:
    write_floor(graph, jobs, tmp_path / "graph")
    running: set[int] = set()
    ended: set[int] = set()
    for line in run(floor, tmp_path / "graph").stdout.splitlines():
        verb, number = line.split()[0], int(line.split()[1])
        if verb == "start":
            assert ended.issuperset(graph.dependencies[number])
            assert number not in running | ended
            running.add(number)
            assert len(running) <= jobs
        else:
            running.remove(number)
            ended.add(number)
    assert ended == set(range(len(graph)))


def test_a_cycle_cannot_be_finished(floor: list[str], tmp_path: Path) -> None:
    write_floor(Graph("cycle", ((1,), (0,))), 4, tmp_path / "graph")
    done = run(floor, tmp_path / "graph")
    assert done.returncode == 1
    assert done.stderr == "floor: cannot finish: units wait for each other\n"
