from pathlib import Path

import pytest

from bench.graphs import Graph, chain, independent, layered, write_floor, write_units


def test_independent_units_wait_for_nothing() -> None:
    assert independent(3).dependencies == ((), (), ())


@pytest.mark.parametrize(("length", "dependencies"), [(0, ()), (1, ((),)), (3, ((), (0,), (1,)))])
def test_each_unit_of_a_chain_waits_for_the_one_before(length: int, dependencies: tuple[tuple[int, ...], ...]) -> None:
    assert chain(length).dependencies == dependencies


def test_each_unit_of_a_layer_waits_for_three_of_the_layer_before() -> None:
    graph = layered(10, 100, 3)
    assert len(graph) == 1000
    assert set(graph.dependencies[:100]) == {()}
    for number, dependencies in enumerate(graph.dependencies[100:], start=100):
        assert len(set(dependencies)) == 3
        assert {dependency // 100 for dependency in dependencies} == {number // 100 - 1}


def test_the_work_of_a_layer_is_spread_evenly() -> None:
    needed = [dependency for row in layered(2, 100, 3).dependencies for dependency in row]
    assert all(needed.count(number) == 3 for number in range(100))


@pytest.mark.parametrize("fan_in", [0, 5])
def test_a_layer_of_four_cannot_be_waited_for_so_often(fan_in: int) -> None:
    with pytest.raises(ValueError, match=f"cannot wait for {fan_in} units"):
        layered(2, 4, fan_in)


def test_unit_files_say_what_the_graph_says(tmp_path: Path) -> None:
    write_units(Graph("small", ((), (), (0, 1))), tmp_path / "units")
    assert {path.name: path.read_text() for path in (tmp_path / "units").iterdir()} == {
        "unit-0000.toml": 'command = ["/bin/true"]\n',
        "unit-0001.toml": 'command = ["/bin/true"]\n',
        "unit-0002.toml": 'command = ["/bin/true"]\nafter = ["unit-0000", "unit-0001"]\n',
    }


def test_the_floor_reads_numbers(tmp_path: Path) -> None:
    write_floor(Graph("small", ((), (), (0, 1))), 4, tmp_path / "graph")
    assert (tmp_path / "graph").read_text() == "3 4\n0\n0\n2 0 1\n"
