from __future__ import annotations

import pytest

from runner.core.event import Decided, Peer, SyncCalled, UnitWaiting, WaitsFor
from runner.core.snapshot import Snapshot, fold
from runner.core.stream import Gap, SnapshotTaken, UnitWrote
from runner.errors import IllegalTransition
from runner.show.live.view import KEPT_LINES, KEPT_WIDTH, View, split_name
from tests.recordings import NAMES

from .played import calls, end, recorded, run_of, start, view_of, write


@pytest.mark.parametrize("name", NAMES)
def test_a_view_knows_what_the_journal_says(name: str) -> None:
    assert view_of(recorded(name)).snapshot == fold(event for event in recorded(name) if isinstance(event, Decided))


def test_units_stand_in_their_group_in_the_order_of_the_run() -> None:
    view = run_of("b/two", "solo", "a/x", "b/one", "a/deep/y")
    assert view.groups == {"b": ["b/two", "b/one"], "": ["solo"], "a": ["a/x", "a/deep/y"]}


def test_what_scripts_bring_comes_after_that_and_stays() -> None:
    view = run_of("a/x")
    for unit in ("a/数据", "z", "a/数据"):
        view.apply(SyncCalled(at=0.0, unit=unit, call="want", peer=Peer(pid=1, uid=1)))
    assert view.groups == {"a": ["a/x", "a/数据"], "": ["z"]}
    assert (view.name_width, view.label_width) == (6, 4)


@pytest.mark.parametrize(
    ("name", "parts"),
    [("a", ("", "a")), ("a/b", ("a", "b")), ("a/b/c", ("a", "b/c")), ("a/", ("", "a/")), ("/a", ("", "a")), ("", ("", ""))],
)
def test_the_group_is_the_first_part_of_a_name(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_the_last_lines_are_kept() -> None:
    view = run_of("a")
    write(view, "a", *(f"line {number}" for number in range(31)), " ")
    assert view.last_lines("a", 99) == [f"line {number}" for number in range(12, 31)] + [" "]
    assert len(view.last_lines("a", 99)) == KEPT_LINES
    assert view.last_lines("a", 2) == ["line 30", " "]
    assert view.last_lines("a", 0) == view.last_lines("a", -1) == view.last_lines("b", 3) == []
    assert (view.last_line("a"), view.last_line("b")) == ("line 30", "")


def test_each_telling_of_output_stands_for_all_before_it() -> None:
    view = run_of("a")
    write(view, "a", "one", "progress 1")
    write(view, "a", "one", "progress 1 and 2", "three")
    assert view.last_lines("a", 99) == ["one", "progress 1 and 2", "three"]


def test_a_long_line_costs_little() -> None:
    view = run_of("a")
    write(view, "a", "x" * 100_000, "1%\r" * 50_000 + "done")
    assert view.last_lines("a", 2) == ["x" * KEPT_WIDTH, "done"]


def test_a_gap_is_counted_and_the_snapshot_after_it_is_the_truth() -> None:
    before, after = run_of("a", "b"), run_of("a", "b")
    start(after, "a")
    write(before, "a", "hello")
    after.apply(SyncCalled(at=0.0, unit="c", call="want", peer=Peer(pid=1, uid=1), depends_on="a"))
    before.apply(Gap(at=1.0, missed=7))
    before.apply(Gap(at=2.0, missed=5))
    before.apply(SnapshotTaken(at=2.0, begun_at=0.0, seq=9, snapshot=after.snapshot))
    assert (before.missed, before.snapshot, before.groups) == (12, after.snapshot, {"": ["a", "b", "c"]})
    assert before.last_line("a") == "hello"


def test_a_snapshot_is_not_changed_by_what_comes_after_it() -> None:
    taken = SnapshotTaken(at=0.0, begun_at=0.0, seq=1, snapshot=run_of("a").snapshot)
    views = [view_of([taken]), view_of([taken])]
    for view in views:
        start(view, "a")
        view.apply(SyncCalled(at=0.0, unit="a", call="want", peer=Peer(pid=1, uid=1), depends_on="b"))
        end(view, "a")
    assert taken.snapshot == run_of("a").snapshot
    assert views[0].snapshot == views[1].snapshot


def test_what_cannot_follow_is_refused() -> None:
    view = run_of("a")
    start(view, "a")
    with pytest.raises(IllegalTransition):
        view.apply(UnitWaiting(at=1.0, unit="a", waits_for=(WaitsFor(unit="b"),)))


def test_output_of_a_unit_that_nobody_knows_is_no_unit() -> None:
    view = View()
    write(view, "ghost", "boo")
    assert (view.groups, view.snapshot) == ({}, Snapshot())


def test_an_event_costs_the_same_among_few_units_and_among_many() -> None:
    def work(units: int) -> tuple[int, int]:
        view = run_of(*(f"g/u{number}" for number in range(units)))
        return calls(lambda: start(view, "g/u0")), calls(lambda: write(view, "g/u0", "line"))

    assert work(2) == work(2_000)


def test_much_output_costs_no_more_than_a_little_of_it() -> None:
    view = run_of(*(f"u{number}" for number in range(100)))
    events = [UnitWrote(at=0.0, unit=f"u{number % 100}", lines=(f"line {number}",)) for number in range(50_000)]

    def apply(part: list[UnitWrote]) -> None:
        for event in part:
            view.apply(event)

    apply(events[:100])
    early = calls(lambda: apply(events[100:200]))
    apply(events[200:-100])
    assert calls(lambda: apply(events[-100:])) == early
    assert view.last_line("u99") == "line 49999"
