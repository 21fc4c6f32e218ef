from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.event import Decided, RunStarted, StartupFinished, UnitEnded, UnitReady, UnitStarting, UnitStopping
from runner.core.timeline import Timeline, timeline
from runner.show.timeline.layout import Layout, lay_out
from tests.core.strategies import worlds
from tests.core.world import Life, World, make_unit

from .drawn import BEGAN, eventful, layout, played


def run_of(*events: Decided, units: tuple[str, ...] = ("a", "b")) -> Timeline:
    return timeline([RunStarted(at=0.0, run="r", version="1", pid=1, units=units), *events])


def finished(at: float) -> StartupFinished:
    return StartupFinished(at=at, outcome="succeeded", duration=at)


def test_units_are_in_the_order_in_which_they_went_to_work() -> None:
    drawn = layout(played(eventful()))
    order = ["apt/base", "clone", "lint", "apt/tools", "db", "report", "late", "done"]
    assert [line.row.unit for line in drawn.lines] == order


def test_what_nobody_wanted_is_counted_and_left_out() -> None:
    drawn = layout(run_of(UnitStarting(at=0.0, unit="b", invocation="1", attempt=1), finished(1.0)))
    assert [line.row.unit for line in drawn.lines] == ["b"]
    assert drawn.unwanted == 1


@pytest.mark.parametrize(("end", "whole", "drawn_to"), [(14.0, False, 14.0), (3600.0, False, 10.4), (3600.0, True, 3600.0)])
def test_a_long_run_is_drawn_to_its_startups_end_unless_all_is_wanted(end: float, whole: bool, drawn_to: float) -> None:
    run = run_of(
        UnitStarting(at=0.0, unit="a", invocation="1", attempt=1),
        UnitReady(at=10.0, unit="a", after=10.0),
        finished(10.0),
        UnitStopping(at=end - 1, unit="a", reason="enough"),
        UnitEnded(at=end, unit="a", outcome="cancelled", reason="enough"),
    )
    drawn = layout(run, whole=whole)
    assert drawn.end == pytest.approx(drawn_to)
    assert drawn.is_cut == (drawn_to < end)
    kinds = [(bar.phase.kind, bar.begin, bar.end) for bar in drawn.lines[0].bars]
    expected = [("not-ready", 0.0, 10.0), ("ready", 10.0, end - 1), ("stopping", end - 1, end)]
    assert kinds == [(kind, begin, min(until, drawn.end)) for kind, begin, until in expected if begin <= drawn.end]


def test_only_work_that_came_to_nothing_has_failed() -> None:
    drawn = layout(played(eventful()))
    failed = {(line.row.unit, bar.phase.kind, bar.phase.attempt) for line in drawn.lines for bar in line.bars if bar.has_failed}
    assert failed == {("clone", "running", 1), ("lint", "running", 1)}


def test_a_service_that_was_ready_has_not_worked_in_vain() -> None:
    run = played(World([make_unit("a", kind="service")], {"a": [Life(runs=2.0, exit=1)]}))
    assert [(bar.phase.kind, bar.has_failed) for bar in layout(run).lines[0].bars] == [("not-ready", False), ("ready", False)]


def test_work_that_is_stopped_has_failed_with_its_unit() -> None:
    run = played(World([make_unit("a", timeout=1.0)], {"a": [Life(runs=9.0, obeys=0.5)]}))
    assert [(bar.phase.kind, bar.has_failed) for bar in layout(run).lines[0].bars] == [("running", True), ("stopping", False)]


def test_links_lead_along_the_critical_path() -> None:
    drawn = layout(played(eventful()))
    names = [line.row.unit for line in drawn.lines]
    links = [(names[link.tail], names[link.head], link.left_at, link.at) for link in drawn.links()]
    assert links == [("apt/base", "db", 2.0, 2.0), ("db", "done", 5.0, 5.0)]
    assert [line.row.unit for line in drawn.lines if line.stretch] == ["apt/base", "db", "done"]


def test_nothing_at_all() -> None:
    drawn = layout(timeline([]))
    assert drawn.end > 0
    assert drawn.lines == ()
    assert drawn.kinds == set()
    assert list(drawn.links()) == []


@given(st.floats(0.001, 10_000_000), st.integers(1, 40))
def test_marks_are_as_many_as_may_be_and_evenly_apart(end: float, most: int) -> None:
    marks = Layout(timeline([]), BEGAN, end, (), 0).marks(most)
    assert marks[0] == 0
    assert len(marks) <= most + 1
    assert all(0 <= mark <= end for mark in marks)
    if len(marks) > 1:
        assert [round(mark / marks[1], 6) for mark in marks] == [*range(len(marks))]


@given(worlds())
def test_every_unit_that_anything_became_of_has_its_line(world: World) -> None:
    run = timeline(world.run().journal)
    drawn = lay_out(run, BEGAN, whole=True)
    assert len(drawn.lines) + drawn.unwanted == len(run.rows)
    assert [phase for line in drawn.lines for phase in line.row.phases] == [
        bar.phase for line in drawn.lines for bar in line.bars
    ]
    assert all(0 <= bar.begin <= bar.end <= drawn.end for line in drawn.lines for bar in line.bars)
    assert len(list(drawn.links())) == max(len(run.critical_path) - 1, 0)
