from __future__ import annotations

from typing import get_args

import pytest
from msgspec import structs

from runner.core.event import WaitsFor
from runner.core.snapshot import UnitView
from runner.core.timeline import PHASES, Phase, PhaseKind, Row
from runner.show.timeline.layout import Layout
from runner.show.timeline.words import (
    KIND_WORDS,
    MARKS,
    VERDICT_WORDS,
    Verdict,
    details,
    escape,
    judge,
    say_course,
    say_extent,
    say_phase,
    say_span,
    say_title,
    say_work,
)

from .drawn import STRANGE, eventful, layout, played


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (Phase("waiting", 0, 1, waits_for=(WaitsFor(unit="a"), WaitsFor(unit="b"))), "waits for a, b"),
        (Phase("waiting", 0, 1, waits_for=(WaitsFor(call="start"),)), "waits for its script to call start"),
        (Phase("lock-wait", 0, 1, waits_for=(WaitsFor(lock="apt", holder="base"),)), 'waits for lock "apt" of base'),
        (Phase("job-wait", 0, 1, waits_for=(WaitsFor(jobs=4),)), "waits for a job"),
        (Phase("running", 0, 1, attempt=1), "running"),
        (Phase("running", 0, 1, attempt=2), "running (attempt 2)"),
        (Phase("not-ready", 0, 1, attempt=1), "running, not yet ready"),
        (Phase("ready", 0, 1, attempt=3), "ready (attempt 3)"),
        (Phase("backoff", 0, 1, attempt=1, reason="exit status 1"), "waits for its next attempt: exit status 1"),
        (Phase("stopping", 0, 1, attempt=1, reason="SIGTERM"), "is being stopped: SIGTERM"),
    ],
)
def test_a_phase_is_said_with_its_cause(phase: Phase, said: str) -> None:
    assert say_phase(phase) == said


def test_every_kind_and_every_verdict_has_words_and_a_sign() -> None:
    assert set(KIND_WORDS) == set(PHASES) == set(get_args(PhaseKind))
    assert set(MARKS) == set(VERDICT_WORDS) == set(get_args(Verdict))


@pytest.mark.parametrize(
    ("view", "verdict"),
    [
        (UnitView(state="ended", outcome="succeeded", reached_at=1.0), "reached"),
        (UnitView(state="ended", outcome="unneeded", reached_at=1.0), "reached"),
        (UnitView(state="ended", outcome="cancelled", reached_at=1.0), "reached"),
        (UnitView(state="ended", outcome="failed", reached_at=1.0), "failed"),
        (UnitView(state="ended", outcome="timed-out"), "failed"),
        (UnitView(state="ended", outcome="skipped"), "not run"),
        (UnitView(state="ended", outcome="cancelled"), "not run"),
        (UnitView(state="ready", reached_at=1.0), "reached"),
        (UnitView(state="running"), "unfinished"),
    ],
)
def test_a_service_that_came_up_reached_its_goal_however_it_was_stopped(view: UnitView, verdict: Verdict) -> None:
    assert judge(view) == verdict


def test_a_run_is_told_with_its_course() -> None:
    drawn = layout(played(eventful()))
    assert say_title(drawn) == "run r of 2026-01-05 09:00:00"
    assert say_course(drawn) == "startup failed after 5 s; run failed after 6.5 s"
    assert say_extent(drawn) == ""
    going = Layout(structs.replace(drawn.timeline, over=None), drawn.began, 4.0, drawn.lines, 2)
    assert say_course(going) == (
        "startup failed after 5 s; drawn as far as its journal goes, 6.5 s: the run goes on, or was killed"
    )
    assert say_extent(going) == (
        "drawn until its startup was finished; --whole draws the whole run; 2 units left out that nobody wanted"
    )


def test_all_that_is_known_of_a_unit_is_told() -> None:
    view = UnitView(
        state="ended",
        outcome="failed",
        reason="exit status 2",
        exit_code=2,
        attempt=2,
        expected=4.0,
        cpu=0.5,
        max_rss=3_000_000,
        text="fetching",
        command="make",
        log="a.log",
        duration=1.5,
    )
    row = Row("a", view, (Phase("running", 0.0, 1.5, attempt=1), Phase("running", 2.0, 3.5, attempt=2)))
    assert dict(details(row)) == {
        "outcome": "failed after 1.5 s: exit status 2",
        "took": "3 s \N{MULTIPLICATION SIGN}2",
        "expected": "4 s",
        "used": "500 ms of CPU, 3 MB of memory",
        "said": "fetching",
        "command": "make",
        "log": "a.log",
    }
    assert dict(details(Row("b", UnitView(), ()))) == {"state": "idle"}


def test_work_names_the_attempts_where_there_were_more() -> None:
    phases = (Phase("running", 0.0, 1.5, attempt=1),)
    assert say_work(Row("a", UnitView(attempt=1), phases)) == "1.5 s"
    assert say_work(Row("a", UnitView(), ())) == ""


def test_spans() -> None:
    assert say_span(0.0, 1.23456) == "0.000 s to 1.235 s"


def test_nothing_from_outside_is_markup_or_unseen() -> None:
    escaped = escape(STRANGE)
    assert "\n" in escaped
    assert not set(escaped.replace("\n", "")) & set("<>\"'\x1b\u202e")
    assert "&lt;script&gt;" in escaped
