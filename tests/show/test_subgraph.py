from __future__ import annotations

from runner.show.subgraph import subgraph

from .units import diamond, handled


def test_a_unit_brings_what_it_depends_on_and_the_edges_between() -> None:
    part = subgraph(diamond(), ["right"])
    assert list(part.units) == ["top", "right"]
    assert list(part.after["right"]) == ["top"]
    assert list(part.dependents["top"]) == ["right"]


def test_a_unit_brings_its_handlers_and_what_these_depend_on() -> None:
    part = subgraph(handled(), ["build"])
    assert list(part.units) == ["network", "build", "celebrate", "notify", "clean", "build-tools"]
    assert part.handlers == {"celebrate", "notify", "clean"}


def test_no_names_are_no_units() -> None:
    assert not subgraph(diamond(), []).units
