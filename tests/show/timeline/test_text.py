from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from rich.cells import cell_len

from runner.core.timeline import timeline
from runner.core.words import say_duration
from runner.show.timeline.layout import Layout
from runner.show.timeline.text import ASCII, UNICODE, Signs, render_text
from tests.core.strategies import worlds
from tests.core.world import Life, World, make_unit
from tests.snapshot import assert_snapshot

from .drawn import RECORDED, STRANGE, after, eventful, layout, played

SNAPSHOTS = Path(__file__).parent / "snapshots"


def rendered(drawn: Layout, width: int = 80, *, signs: Signs = UNICODE, most: int | None = None) -> list[str]:
    return [line.plain for line in render_text(drawn, width, signs=signs, most=most)]


def lines_of(drawn: Layout, width: int = 80) -> dict[str, str]:
    """The line of each unit."""
    names = [line.row.unit for line in drawn.lines]
    lines = rendered(drawn, width)
    ruler = next(number for number, line in enumerate(lines) if "┬" in line)
    return dict(zip(names, lines[ruler + 1 :], strict=False))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_runs_are_drawn_as_written(name: str, width: int) -> None:
    lines = render_text(layout(name), width)
    assert_snapshot("".join(f"{line.plain}\n" for line in lines), SNAPSHOTS / f"{name}-{width}.txt")


@pytest.mark.parametrize("name", ["failures", "small"])
def test_a_terminal_may_have_ascii_alone(name: str) -> None:
    text = "".join(f"{line}\n" for line in rendered(layout(name), signs=ASCII))
    assert text.isascii()
    assert_snapshot(text, SNAPSHOTS / f"{name}-ascii.txt")


@settings(max_examples=40)
@given(worlds(), st.integers(40, 250), st.sampled_from([UNICODE, ASCII]))
def test_no_line_is_wider_than_the_terminal(world: World, width: int, signs: Signs) -> None:
    drawn = layout(timeline(world.run().journal))
    for line in rendered(drawn, width, signs=signs):
        assert cell_len(line) <= width
        assert line == line.rstrip()


def test_a_narrow_terminal_gets_what_is_readable_at_all() -> None:
    assert rendered(layout("small"), 10) == rendered(layout("small"), 40)


def test_every_kind_of_phase_has_a_sign_of_its_own() -> None:
    for signs in (UNICODE, ASCII):
        assert len({*signs.phases.values()}) == len(signs.phases)
        assert len({*signs.verdicts.values()}) == len(signs.verdicts)


def test_the_ends_of_a_run_are_exact_to_an_eighth_of_a_column() -> None:
    world = World([make_unit("a"), make_unit("b", after=after("a")), make_unit("c", after=after("b"))])
    world.lives = {"a": [Life(runs=9.5)], "b": [Life(runs=0.125)], "c": [Life(runs=30.375)]}
    drawn = lines_of(layout(played(world)), width=4 + 1 + 40 + len("✓ 125 ms"))
    assert drawn["a"] == "▸ a █████████▌" + " " * 30 + " ✓ 9.5 s"
    assert drawn["b"] == "▸ b ·········▏" + " " * 30 + " ✓ 125 ms"
    assert drawn["c"] == "▸ c ·········▐" + "█" * 30 + " ✓ 30.4 s"


def test_a_run_is_never_lost_however_short() -> None:
    world = World([make_unit("a"), make_unit("b"), make_unit("c", after=after("b"))])
    world.lives = {"a": [Life(runs=0.001)], "b": [Life(runs=10_000.0)], "c": [Life(runs=0.001)]}
    drawn = lines_of(layout(played(world)))
    assert "▏" in drawn["a"]
    assert "▕" in drawn["c"]


def test_of_many_units_those_are_drawn_that_matter() -> None:
    units = [make_unit(f"u{number:03}") for number in range(100)]
    world = World(units, {f"u{number:03}": [Life(runs=1 + number / 100, exit=number == 7)] for number in range(100)})
    drawn = layout(played(world))
    text = "\n".join(rendered(drawn, most=10))
    assert "u007" in text
    assert "▸ u099" in text
    assert [f"u{number:03}" in text for number in (90, 91, 92)] == [False, True, True]
    assert "and 90 more, none of which took longer than 1.9 s; --all draws them" in text
    assert "more" not in "\n".join(rendered(drawn))


def test_a_run_without_an_end_says_so() -> None:
    world = eventful()
    world.start()
    cut = timeline([event for event in world.run().journal if event.at < 4.0])
    assert "drawn as far as its journal goes, 3.5 s: the run goes on, or was killed" in rendered(layout(cut))


def test_a_run_that_is_not_drawn_whole_says_so() -> None:
    world = World([make_unit("a", kind="service"), make_unit("b")], {"a": [Life()]})
    world.stop(at=900.0)
    drawn = layout(played(world))
    assert rendered(drawn)[-1] == "drawn until its startup was finished; --whole draws the whole run"


@pytest.mark.parametrize("seconds", [0.02, 7.0, 200.0, 5000.0])
def test_the_times_of_the_axis_stand_apart_at_their_marks(seconds: float) -> None:
    drawn = layout(played(World([make_unit("a")], {"a": [Life(runs=seconds)]})))
    for width in range(60, 200, 7):
        times, ruler = rendered(drawn, width)[3:5]
        found = [(part.start(), part[0]) for part in re.finditer(r"\d+(\.\d+)?( (ms|s|min|h)( \d+ (s|min))?)?", times)]
        assert {said for _, said in found} <= {say_duration(at) for most in range(1, 30) for at in drawn.marks(most)} | {"0"}
        assert all(ruler[column] == "┬" for column, _ in found)
        assert times.split() == " ".join(said for _, said in found).split()


def test_an_empty_journal_is_an_axis_without_units() -> None:
    assert rendered(layout(timeline([])))[3:] == [f"   0{'1 ms':>78}", f"   ┬{'─' * 74}┬", "", ""]


def test_what_comes_from_outside_moves_no_cursor() -> None:
    run = played(World([make_unit("a"), make_unit("b", after=after("a"))]))
    row = structs.replace(run.rows[0], unit=STRANGE)
    path = (structs.replace(run.critical_path[0], unit=STRANGE), run.critical_path[1])
    text = rendered(layout(structs.replace(run, run=STRANGE, rows=(row, run.rows[1]), critical_path=path)), 200)
    assert all(line.isprintable() for line in text)


def test_colours_are_for_terminals_that_have_them() -> None:
    lines = render_text(layout(played(eventful())), 80)
    spans = {line.plain[span.start : span.end].strip(): span.style for line in lines for span in line.spans}
    assert spans["✗ 500 ms"] == "red"
    assert {*spans.values()} >= {"red", "blue", "green", "yellow", "cyan", "bold"}
