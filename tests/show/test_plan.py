from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.core.freshness import Judgement
from runner.core.simulate import simulate
from runner.core.unit import Command, Conditions
from runner.show.plan import make_plan, render_json, render_text
from tests.snapshot import assert_snapshot

from .predicted import DURATIONS, plan
from .units import GRAPHS, diamond, graph, handled, unit, workspace

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", GRAPHS)
def test_plans_read_as_written(name: str) -> None:
    assert_snapshot(render_text(plan(GRAPHS[name])), SNAPSHOTS / f"plan-{name}.txt")


def test_a_plan_of_some_units_holds_what_they_need_and_may_start() -> None:
    assert_snapshot(render_text(plan(workspace(), names=["checks"])), SNAPSHOTS / "plan-some.txt")


@pytest.mark.parametrize("name", GRAPHS)
def test_lines_fit_a_terminal(name: str) -> None:
    assert max(map(len, render_text(plan(GRAPHS[name])).splitlines())) <= 80


def test_a_plan_as_data() -> None:
    assert_snapshot(render_json(plan(handled())), SNAPSHOTS / "plan-handled.json")


def test_durations_that_are_known_say_when_what_starts_and_mark_the_critical_path() -> None:
    durations = {name: seconds for name, seconds in DURATIONS.items() if name != "dotfiles"}
    assert_snapshot(render_text(plan(workspace(), durations)), SNAPSHOTS / "plan-timed.txt")


def test_a_timed_plan_as_data() -> None:
    assert_snapshot(render_json(plan(diamond(), {"top": 1.0, "left": 2.0, "bottom": 0.5})), SNAPSHOTS / "plan-timed.json")


def test_a_plan_that_never_comes_to_its_end_says_why() -> None:
    held = graph(unit("db", kind="service", locks=("db",)), unit("migrate", "db", locks=("db",)), unit("seed", "migrate"))
    for durations in ({}, {"migrate": 2.0}):
        assert render_text(plan(held, durations)).splitlines()[-7:-3] == [
            "",
            "startup: never finished",
            '  migrate waits for lock "db", which db holds',
            "  seed waits for migrate",
        ]


def test_every_unit_stands_in_the_plan_once_and_after_what_it_waits_for() -> None:
    linked = workspace()
    data = json.loads(render_json(plan(linked)))
    step_of = {one["name"]: number for number, step in enumerate(data["steps"]) for one in step}
    assert {*step_of, *(one["name"] for one in data["conditional"])} == set(linked.units)
    assert sum(map(len, data["steps"])) == len(step_of)
    assert all(
        step_of[wait["unit"]] < number for number, step in enumerate(data["steps"]) for one in step for wait in one["after"]
    )


def test_a_handler_that_is_named_is_planned_like_any_unit() -> None:
    planned = plan(handled(), names=["notify"])
    assert [[one.name for one in step] for step in planned.steps] == [["network"], ["notify"]]
    assert planned.conditional == ()


def test_the_longest_chain_follows_edges() -> None:
    linked = workspace()
    names = plan(linked).longest_chain
    assert all(before in linked.after[after] for before, after in pairwise(names))
    assert len(names) == len(linked.layers())


def test_a_long_chain_and_many_dependencies_are_shortened() -> None:
    chain = [unit("u0"), *(unit(f"u{number}", f"u{number - 1}") for number in range(1, 500))]
    text = render_text(plan(graph(*chain, unit("all", *(f"u{number}" for number in range(500))))))
    assert "and 488 more" in " ".join(text.split())
    assert "-> (461 more) ->" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_name_wider_than_the_column_moves_only_its_own_line() -> None:
    long = "n" * 100
    lines = render_text(plan(graph(unit(long), unit("b", long), unit("c", "b")))).splitlines()
    assert f"  {long}  oneshot" in lines
    assert f"  {'c':30}  oneshot   after b" in lines


def test_a_condition_that_is_a_command_is_told() -> None:
    asking = replace(unit("gpu"), conditions=Conditions(exists=("/dev",), command=Command(shell="have gpu")))
    linked = graph(asking, replace(unit("plain"), conditions=Conditions(exists=("/x",))))
    assert '  gpu    oneshot   only if "have gpu" ends with exit status 0' in render_text(plan(linked)).splitlines()
    judgements = {"gpu": Judgement("unneeded", '"/dev" is not there')}
    assert "only if" not in render_text(make_plan(linked, simulate(linked, {}, judgements=judgements)))


def test_the_same_graph_gives_the_same_text() -> None:
    assert render_text(plan(diamond())) == render_text(plan(diamond()))
