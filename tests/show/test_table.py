from __future__ import annotations

from runner.show.table import NARROWEST_NAME, WIDTH, render_rows, wrap


def test_figures_to_the_right_and_names_to_the_left() -> None:
    assert render_rows(("took", "unit"), [("1 s", "a"), ("12.5 s", "b")]) == ["  took  unit", "   1 s  a", "12.5 s  b"]


def test_a_wide_name_keeps_its_end_and_its_note() -> None:
    name = "/".join(["group"] * 20)
    lines = render_rows(("took", "unit"), [("1 s", name), ("1 s", "b")], notes=["\N{MULTIPLICATION SIGN}3", ""])
    assert len(lines[1]) == WIDTH
    assert lines[1].startswith(" 1 s  …")
    assert lines[1].endswith("/group  \N{MULTIPLICATION SIGN}3")
    assert lines[2] == " 1 s  b"


def test_names_keep_some_room_whatever_stands_before_them() -> None:
    line = render_rows(("x" * 200, "unit"), [("1", "n" * 100)])[1]
    assert len(line) == 202 + NARROWEST_NAME


def test_no_rows_are_a_heading() -> None:
    assert render_rows(("took", "unit"), []) == ["took  unit"]


def test_words_go_on_below_the_first() -> None:
    lines = wrap("word " * 20, "  1 s  ")
    assert lines[0].startswith("  1 s  word")
    assert lines[1].startswith("       word")
    assert max(map(len, lines)) <= WIDTH
    assert wrap("word " * 20)[1].startswith("  word")
