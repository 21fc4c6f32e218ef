from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from rich.text import Text

from runner.core.declare import declarations
from runner.core.event import Decided, Outcome, RunStarted, UnitStopping, UnitWaiting, WaitsFor
from runner.core.state import STATES
from runner.core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from runner.show.live import ASCII, UNICODE, Glyphs, View, draw, summary
from runner.show.live.body import choose_fold
from runner.show.live.census import count_units
from runner.show.live.style import ALARM, STRONG
from tests.core.strategies import worlds
from tests.core.world import World
from tests.recordings import NAMES
from tests.snapshot import assert_snapshot

from .played import MOMENTS, calls, end, moments_of, plain, recorded, run_of, start, view_at, view_of, write

SNAPSHOTS = Path(__file__).parent / "screens"
ALL_SIZES = [(width, rows) for width in (60, 80, 120, 200) for rows in (10, 24, 60)]
SOME_SIZES = [(60, 10), (60, 24), (80, 24), (120, 60), (200, 60)]
CASES = [(name, size) for name in NAMES for size in (ALL_SIZES if name in ("small", "failures") else SOME_SIZES)]

TEXTS = st.text(st.characters(codec=None), max_size=40)
SIZES = st.tuples(st.integers(0, 130), st.integers(0, 40))


@pytest.mark.parametrize(("name", "size"), CASES, ids=lambda part: part if isinstance(part, str) else "{}x{}".format(*part))
def test_recorded_runs_look_as_drawn(name: str, size: tuple[int, int]) -> None:
    width, rows = size
    screens = []
    for at in MOMENTS[name]:
        lines = draw(view_at(name, at), width, rows, at)
        assert len(lines) <= rows
        assert max(line.cell_len for line in lines) <= width
        screens.append(f"{f' {at} s ':-^{width}}\n{plain(lines)}")
    assert_snapshot("".join(screens), SNAPSHOTS / f"{name}-{width}x{rows}.txt")


def test_a_terminal_without_unicode_gets_other_signs() -> None:
    text = "".join(plain(draw(view_at(name, at), 80, 24, at, glyphs=ASCII)) for name, at in (("small", 2.9), ("failures", 3.5)))
    assert text.isascii()
    assert_snapshot(text, SNAPSHOTS / "ascii-80x24.txt")


# ------------------------------------------------------------------ colours


def styled(lines: list[Text]) -> Iterator[tuple[str, str]]:
    """Each piece of text that has a style, with its style."""
    for line in lines:
        yield from ((line.plain[span.start : span.end], str(span.style)) for span in line.spans if span.style)


def test_colours_are_as_drawn() -> None:
    lines = [line.markup for line in draw(view_at("failures", 3.5), 120, 60, 3.5)]
    assert_snapshot("".join(f"{line.rstrip()}\n" for line in lines), SNAPSHOTS / "styles-120x60.txt")


@pytest.mark.parametrize("name", NAMES)
def test_text_has_the_terminals_own_colour_or_is_red(name: str) -> None:
    """So it can be read on white and on black; other colours are for signs and bars, and nothing is dim."""
    lines = [line for at in MOMENTS[name] for line in draw(view_at(name, at), 120, 60, at)]
    for text, style in styled(lines + summary(view_of(recorded(name)), 120)):
        assert style in (STRONG, ALARM) or not any(letter in ascii_letters for letter in text), (text, style)
        assert not set(style.split()) & {"dim", "white", "black", "bright_black", "on"}


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_signs_tell_apart_without_colours(glyphs: Glyphs) -> None:
    assert set(glyphs.states) == set(STATES)
    assert set(glyphs.outcomes) == set(get_args(Outcome))
    states = [sign for state, sign in glyphs.states.items() if state not in ("idle", "ended")]
    outcomes = [sign for outcome, sign in glyphs.outcomes.items() if outcome != "timed-out"]  # a failure too, as words say
    assert len({*states, *outcomes}) == len(states) + len(outcomes)


# ------------------------------------------------------------------ nothing jumps


def order_of(lines: list[Text], view: View) -> list[str]:
    """The units that have a line below their group, in the order of the screen."""
    names, group = [], ""
    known = {(group, name.removeprefix(f"{group}/")): name for group, units in view.groups.items() for name in units}
    for line in lines:
        if head := re.match(r"(\S.*?)  .*\d+ of \d+", line.plain):
            group = "" if head[1] in ("units", "other units") else head[1]
        if row := re.match(r"  \S (\S+)", line.plain):
            names += [known[group, row[1]]] if (group, row[1]) in known else []
    return names


@pytest.mark.parametrize(
    ("name", "rows"), [("small", 24), ("failures", 60), ("locks", 24), ("wide", 24), ("wide", 60), ("huge", 60)]
)
def test_units_keep_their_order(name: str, rows: int) -> None:
    for at, view in moments_of(name, 0.2):
        order = [unit for group in sorted(view.groups, key=lambda group: not group) for unit in view.groups[group]]
        shown = order_of(draw(view, 120, rows, at), view)
        assert shown == sorted(shown, key=order.index)
        assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("name", ["small", "locks", "wide", "huge"])
@pytest.mark.parametrize("room", [6, 12, 20, 56])
def test_folding_goes_one_way(name: str, room: int) -> None:
    folds: list[str] = []
    for _, view in moments_of(name, 0.05):
        census = count_units(view.groups, view.snapshot.units)
        if census.total:
            folds.append(choose_fold(census, room, has_groups=room >= 2 * len(view.groups)))
    changes = [fold for fold, before in zip(folds, [None, *folds], strict=False) if fold != before]
    assert len(changes) == len(set(changes)) <= 3


def test_a_unit_that_starts_and_ends_moves_no_other_where_there_is_room() -> None:
    view = run_of("g/a", "g/b", "g/c")
    places = []
    for unit in view.groups["g"]:
        view.apply(UnitWaiting(at=0.0, unit=unit, waits_for=(WaitsFor(jobs=1),)))
    for step in range(3):
        if step == 1:
            start(view, "g/b")
        if step == 2:
            end(view, "g/b")
        places.append([line.plain[4:5] for line in draw(view, 80, 24, 1.0)])
    assert places[0] == places[1] == places[2]


# ------------------------------------------------------------------ whatever comes


@given(worlds(), st.data())
def test_a_screen_is_never_too_large(world: World, data: st.DataObject) -> None:
    declared = declarations(world.engine.graph)  # before scripts add to it
    begun, *events = world.run().journal
    assert isinstance(begun, RunStarted)
    events = [structs.replace(begun, declared=declared), *events]
    view = View()
    for event in events[: data.draw(st.integers(0, len(events)))]:
        view.apply(event)
        if data.draw(st.integers(0, 9)) == 0:
            view.apply(data.draw(disturbances(view, event.at)))
    width, rows = data.draw(SIZES)
    check_size(view, width, rows, view.snapshot.at)


def disturbances(view: View, at: float) -> st.SearchStrategy[StreamEvent]:
    units = st.sampled_from(sorted(view.snapshot.units) or ["ghost"])
    return st.one_of(
        st.builds(UnitWrote, at=st.just(at), unit=units, lines=st.lists(TEXTS, max_size=3).map(tuple)),
        st.builds(Gap, at=st.just(at), missed=st.integers(1, 10**6)),
        st.just(SnapshotTaken(at=at, begun_at=0.0, seq=1, snapshot=view.snapshot)),
    )


def check_size(view: View, width: int, rows: int, at: float) -> None:
    for glyphs in (UNICODE, ASCII):
        lines = draw(view, width, rows, at, glyphs=glyphs, note="q leaves")
        assert lines == draw(view, width, rows, at, glyphs=glyphs, note="q leaves")
        assert len(lines) <= rows
        for line in lines + summary(view, width, glyphs=glyphs):
            assert line.cell_len <= width
            assert line.plain.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f]", line.plain)
            assert glyphs.encodable or line.plain.isascii()


@given(st.lists(TEXTS, min_size=1, max_size=8, unique=True), TEXTS, st.tuples(st.integers(2, 130), st.integers(0, 40)))
def test_text_from_outside_breaks_no_screen(names: list[str], text: str, size: tuple[int, int]) -> None:
    view = run_of(*names)
    for place, name in enumerate(names):
        view.apply(
            UnitWaiting(at=0.0, unit=name, waits_for=(WaitsFor(unit=f"elsewhere/{text}"), WaitsFor(lock=text, holder=name)))
        )
        if place % 4:
            start(view, name, log=f"/logs/{text}")
            write(view, name, text, text * 9)
        if place % 4 == 2:
            end(view, name, outcome="failed", reason=text)
        if place % 4 == 3:
            end(view, name, outcome="skipped", reason=text, cause=text)
    check_size(view, *size, 2.0)


# ------------------------------------------------------------------ what a screen costs


def test_a_screen_of_many_units_costs_little_more_than_looking_at_each() -> None:
    def work(units: int) -> int:
        view = run_of(*(f"g{number % 10}/u{number}" for number in range(units)))
        for number in range(units):
            view.apply(UnitWaiting(at=0.0, unit=f"g{number % 10}/u{number}", waits_for=(WaitsFor(call="start"),)))
        return calls(lambda: draw(view, 120, 60, 1.0))

    assert work(2_000) - work(1_000) < 30 * 1_000


# ------------------------------------------------------------------ single things


def test_before_anything_is_known_there_is_a_head() -> None:
    assert plain(draw(View(), 80, 24, 0.0)).startswith("starting  ┄")
    assert draw(View(), 80, 0, 0.0) == draw(View(), 80, -1, 0.0) == []


@pytest.mark.parametrize(
    ("name", "at", "phase"),
    [
        ("small", 2.9, "starting"),
        ("small", 7.5, "running"),
        ("failures", 6.3, "failed"),
        ("failures", 9.0, "over"),
        ("small", 9.0, "over"),
    ],
)
def test_the_head_says_what_the_run_is_at(name: str, at: float, phase: str) -> None:
    assert draw(view_at(name, at), 80, 24, at)[0].plain.split()[0] == phase


def test_a_run_that_is_stopped_says_so() -> None:
    view = run_of("a", "b")
    start(view, "a")
    assert draw(view, 80, 24, 1.0)[0].plain.startswith("starting ")
    view.apply(UnitStopping(at=1.0, unit="a", reason="stopped by SIGINT"))
    assert draw(view, 80, 24, 1.0)[0].plain.startswith("stopping ")


def test_a_gap_is_told() -> None:
    view = run_of("a")
    view.apply(Gap(at=1.0, missed=1))
    assert "… 1 line missed: the reader was too slow\n" in plain(draw(view, 80, 24, 1.0))


@pytest.mark.parametrize("rows", [3, 10, 24])
def test_a_note_has_the_last_line(rows: int) -> None:
    assert draw(view_at("wide", 3.9), 80, rows, 3.9, note="q leaves")[-1].plain == "q leaves"


def test_many_failures_leave_room_for_the_rest() -> None:
    view = run_of(*(f"g/u{number:02}" for number in range(40)))
    for number in range(40):
        start(view, f"g/u{number:02}", at=float(number))
        if number < 30:
            end(view, f"g/u{number:02}", at=number + 1.0, outcome="failed", reason="exit status 1", exit_code=1)
    text = plain(draw(view, 80, 24, 41.0))
    assert "and 21 more failed: g/u09, g/u10" in text
    assert "● u30" in text


def test_a_run_that_was_decided_elsewhere_is_drawn_alike() -> None:
    """From the journal alone, without what the units wrote."""
    events = [event for event in recorded("failures") if isinstance(event, Decided)]
    assert "✗ build/compile  failed after 1.4 s: exit status 2" in plain(draw(view_of(events), 80, 24, 6.7))
