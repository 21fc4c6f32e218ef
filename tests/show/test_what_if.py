from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.core.graph import Graph
from runner.show.what_if import WhatIf, render_json, render_text
from tests.snapshot import assert_snapshot

from .predicted import DURATIONS, what_if
from .units import diamond, graph, handled, unit, workspace

SNAPSHOTS = Path(__file__).parent / "snapshots"


def held() -> Graph:
    return graph(unit("db", kind="service", locks=("db",)), unit("migrate", "db", locks=("db",)), unit("a"))


ANSWERS: dict[str, WhatIf] = {
    "sooner": what_if(workspace(), DURATIONS, {"python/packages": 5.0, "apt/base": 1.0}),
    "later-on-the-same-path": what_if(workspace(), DURATIONS, {"apt/update": 4.0}),
    "no-change": what_if(workspace(), DURATIONS, {"git/hooks": 1.0}),
    "failing": what_if(workspace(), DURATIONS, {}, "data/postgres", "checks/test"),
    "failing-and-sooner": what_if(workspace(), DURATIONS, {"node/bundle": 1.0}, "data/seed"),
    "nothing-known": what_if(handled(), {}, {}, "build"),
    "little-known": what_if(diamond(), {}, {"right": 3.0}),
    "never-finished": what_if(held(), {"a": 1.0}, {"a": 2.0}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_read_as_written(name: str) -> None:
    assert_snapshot(render_text(ANSWERS[name]), SNAPSHOTS / "what-if" / f"{name}.txt")


@pytest.mark.parametrize("name", ANSWERS)
def test_lines_fit_a_terminal(name: str) -> None:
    assert max(map(len, render_text(ANSWERS[name]).splitlines())) <= 80


def test_an_answer_as_data() -> None:
    assert_snapshot(
        render_json(what_if(diamond(), {"left": 2.0}, {"left": 1.0}, "right")), SNAPSHOTS / "what-if" / "diamond.json"
    )


def test_data_says_what_changes() -> None:
    data = json.loads(render_json(what_if(diamond(), dict.fromkeys(diamond().units, 1.0), {"left": 5.0})))
    assert (data["before"]["total"], data["after"]["total"], data["change"]) == (3.0, 7.0, 4.0)
    assert [link["unit"] for link in data["after"]["critical_path"]] == ["top", "left", "bottom"]
