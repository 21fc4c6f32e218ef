from pathlib import Path

from bench.again import graph, write_units
from bench.graphs import chain
from runner.unitfile import load


def test_there_are_two_hundred_units() -> None:
    assert len(graph()) == 200


def test_each_is_made_from_a_file_and_makes_another(tmp_path: Path) -> None:
    write_units(chain(2), tmp_path / "work")
    loaded = load([tmp_path / "work" / "units"], {})
    assert loaded.errors == []
    units = list(loaded.graph.units.values())
    assert [Path(unit.inputs[0]).exists() for unit in units] == [True, True]
    assert len({unit.creates for unit in units}) == 2
    assert len(loaded.graph.after[units[1].name]) == 1
