from __future__ import annotations

import json

import pytest
from msgspec.json import encode

from runner.core.timeline import timeline
from runner.show.timeline.data import render_json
from tests.core.world import Life, World, make_unit

from .drawn import RECORDED, eventful, layout, played, recorded


@pytest.mark.parametrize("name", RECORDED)
def test_every_unit_with_every_phase(name: str) -> None:
    units = json.loads(render_json(layout(name)))["units"]
    rows = recorded(name).rows
    assert [(unit["unit"], unit["phases"]) for unit in units] == [(row.unit, json.loads(encode(row.phases))) for row in rows]


def test_what_a_program_reads() -> None:
    data = json.loads(render_json(layout(played(eventful()))))
    units = {unit.pop("unit"): unit for unit in data.pop("units")}
    assert data == {
        "run": "r",
        "begun_at": "2026-01-05T09:00:00.000000+00:00",
        "end": 6.5,
        "outcome": "failed",
        "startup_outcome": "failed",
        "startup_finished_at": 5.0,
        "critical_path": [
            {"unit": "apt/base", "begin": 0.0, "end": 2.0},
            {"unit": "db", "begin": 2.0, "end": 5.0},
            {"unit": "done", "begin": 5.0, "end": 5.0},
        ],
    }
    assert units["lint"] == {
        "kind": "oneshot",
        "state": "ended",
        "outcome": "failed",
        "reason": "exit status 2",
        "exit_code": 2,
        "signal": None,
        "attempts": 1,
        "work": 0.5,
        "log": "",
        "phases": [
            {"kind": "waiting", "begin": 0.0, "end": 2.0, "for": [{"unit": "apt/base", "requires": "success"}]},
            {"kind": "running", "begin": 2.0, "end": 2.5, "attempt": 1},
        ],
    }


def test_a_journal_that_ends_early() -> None:
    world = World([make_unit("a")], {"a": [Life(runs=9.0)]})
    world.start()
    data = json.loads(render_json(layout(timeline(world.run().journal[:3]))))
    assert (data["outcome"], data["startup_outcome"], data["startup_finished_at"]) == (None, None, None)
