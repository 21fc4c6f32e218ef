from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from runner.show.blame import make_blame, render_json, render_text, say_change
from tests.snapshot import assert_snapshot

from .recorded import make_row, make_run, read_record

SNAPSHOTS = Path(__file__).parent / "snapshots"

pytestmark = pytest.mark.usefixtures("utc")


@pytest.mark.parametrize("name", ["small", "failures", "locks", "wide"])
def test_blame_reads_as_written(name: str) -> None:
    assert_snapshot(render_text(read_record(name)), SNAPSHOTS / f"blame-{name}.txt")


def test_blame_as_data() -> None:
    assert_snapshot(render_json(read_record("failures")), SNAPSHOTS / "blame-failures.json")


@pytest.mark.parametrize("name", ["small", "failures", "locks", "wide", "huge"])
def test_every_unit_is_told_of_once_and_the_slowest_first(name: str) -> None:
    run = read_record(name)
    units = make_blame(run).units
    assert sorted(unit.unit for unit in units) == sorted(unit.unit for unit in run.units)
    took = [unit.took or 0.0 for unit in units]
    assert all(before >= after for before, after in pairwise(took))
    assert max(map(len, render_text(run).splitlines())) <= 80


def test_what_is_still_on_its_way_has_taken_the_time_until_now() -> None:
    run = make_run(make_row("a", None, outcome=None, ended_at=None), startup=None, outcome=None, duration=5.0)
    assert render_text(run).splitlines()[-1] == " 4 s         -  under way       -        -    -       -  a"
    assert json.loads(render_json(run))["units"][0]["cpu"] is None


def test_what_failed_early_was_not_quick() -> None:
    run = make_run(make_row("bad", None, expected=9.0), make_row("good", 3.0, expected=2.0))
    assert [unit.deviation for unit in make_blame(run).units] == [1.0, None]


def test_a_run_without_units() -> None:
    assert render_text(make_run()).count("\n") == 2
    assert "1 unit never started: t" in render_text(make_run(make_row("t", attempts=0, began_at=None, started_at=None)))


def test_changes() -> None:
    assert [say_change(seconds) for seconds in (1.25, -0.03, 0.0, None)] == ["+1.2 s", "-30 ms", "+0 ms", "-"]
