from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from runner.show.history import render_json, render_text, say_run, say_startup
from tests.recordings import NAMES
from tests.snapshot import assert_snapshot

from .recorded import make_row, make_run, read_record

SNAPSHOTS = Path(__file__).parent / "snapshots"

pytestmark = pytest.mark.usefixtures("utc")


def test_a_list_reads_as_written() -> None:
    runs = [structs.replace(read_record(name), number=number) for number, name in enumerate(NAMES, 8)]
    killed = make_run(make_row("app/server", 2.5), number=13, startup=None, startup_outcome=None, outcome=None)
    going = structs.replace(killed, number=14, run="going")
    text = render_text([*runs, killed, going, make_run(number=15, outcome="cancelled")], {"going"})
    assert_snapshot(text, SNAPSHOTS / "history.txt")
    assert max(map(len, text.splitlines())) <= 80


def test_a_list_as_data() -> None:
    assert_snapshot(render_json([structs.replace(read_record("failures"), number=3), make_run()]), SNAPSHOTS / "history.json")


def test_a_run_that_goes_on_is_told_from_one_that_was_cut_off() -> None:
    runs = [make_run(outcome=None, run="going"), make_run(outcome=None, run="cut")]
    assert [(run["outcome"], run["goes_on"]) for run in json.loads(render_json(runs, {"going"}))] == [(None, True), (None, False)]


def test_no_runs() -> None:
    assert render_text([]) == "no runs\n"
    assert json.loads(render_json([])) == []


def test_the_slowest_is_one_that_reached_its_goal() -> None:
    run = make_run(make_row("quick"), make_row("failed", None, ended_at=9.0), make_row("slow", 2.0))
    assert json.loads(render_json([run]))[0]["slowest"] == {"unit": "slow", "seconds": 2.0}
    assert json.loads(render_json([run]))[0]["failed"] == ["failed"]


def test_a_run_has_a_number_or_an_id() -> None:
    assert say_run(make_run(number=12)) == "run 12 of 2026-01-05 09:00:00"
    assert say_run(make_run(number=0, run="r")) == "run r of 2026-01-05 09:00:00"


def test_a_startup_that_was_not_finished() -> None:
    assert say_startup(make_run(startup=None)) == "startup not finished after 10 s"
    assert say_startup(make_run()) == "startup succeeded after 9 s"
