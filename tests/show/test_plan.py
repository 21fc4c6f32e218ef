from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from runner.show.plan import make_plan, render_json, render_text
from tests.snapshot import assert_snapshot

from .units import GRAPHS, diamond, graph, handled, unit, workspace

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", GRAPHS)
def test_plans_read_as_written(name: str) -> None:
    assert_snapshot(render_text(make_plan(GRAPHS[name])), SNAPSHOTS / f"plan-{name}.txt")


def test_a_plan_of_some_units_holds_what_they_need_and_may_start() -> None:
    assert_snapshot(render_text(make_plan(workspace(), ["checks"])), SNAPSHOTS / "plan-some.txt")


@pytest.mark.parametrize("name", GRAPHS)
def test_lines_fit_a_terminal(name: str) -> None:
    assert max(map(len, render_text(make_plan(GRAPHS[name])).splitlines())) <= 80


def test_a_plan_as_data() -> None:
    assert_snapshot(render_json(make_plan(handled())), SNAPSHOTS / "plan-handled.json")


def test_every_unit_stands_in_the_plan_once_and_after_what_it_waits_for() -> None:
    linked = workspace()
    data = json.loads(render_json(make_plan(linked)))
    step_of = {one["name"]: number for number, step in enumerate(data["steps"]) for one in step}
    assert {*step_of, *(one["name"] for one in data["conditional"])} == set(linked.units)
    assert sum(map(len, data["steps"])) == len(step_of)
    assert all(
        step_of[wait["unit"]] < number for number, step in enumerate(data["steps"]) for one in step for wait in one["after"]
    )


def test_a_handler_that_is_named_is_planned_like_any_unit() -> None:
    plan = make_plan(handled(), ["notify"])
    assert [[one.name for one in step] for step in plan.steps] == [["network"], ["notify"]]
    assert plan.conditional == ()


def test_the_longest_chain_follows_edges() -> None:
    linked = workspace()
    names = make_plan(linked).longest_chain
    assert all(before in linked.after[after] for before, after in pairwise(names))
    assert len(names) == len(linked.layers())


def test_a_long_chain_and_many_dependencies_are_shortened() -> None:
    chain = [unit("u0"), *(unit(f"u{number}", f"u{number - 1}") for number in range(1, 500))]
    text = render_text(make_plan(graph(*chain, unit("all", *(f"u{number}" for number in range(500))))))
    assert "and 488 more" in " ".join(text.split())
    assert "-> (461 more) ->" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_name_wider_than_the_column_moves_only_its_own_line() -> None:
    long = "n" * 100
    lines = render_text(make_plan(graph(unit(long), unit("b", long), unit("c", "b")))).splitlines()
    assert f"  {long}  oneshot" in lines
    assert f"  {'c':30}  oneshot   after b" in lines


def test_the_same_graph_gives_the_same_text() -> None:
    assert render_text(make_plan(diamond())) == render_text(make_plan(diamond()))
