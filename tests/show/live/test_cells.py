from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from runner.show.live.cells import clean, cut, cut_front, fit, fold, pad

MORE = st.sampled_from(["…", "..."])
WIDTHS = st.integers(0, 40)
LINES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs", "M"]), max_size=60)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;32madded\x1b[0m 214 \x1b[2min 1s\x1b[0m", "added 214 in 1s"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2K\x1b[1Gredrawn", "redrawn"),
        ("\x1b(Bcharset\x1b7", "charset"),
        ("cut off \x1b[38;5", "cut off "),
        (" 12%\r 57%\r100%", "100%"),
        ("100%\r", "100%"),
        ("a\tb", "a       b"),
        ("bell\x07 back\x08", r"bell\x07 back\x08"),
        ("turned \u202eround", r"turned \u202eround"),
        ("数据库 📦", "数据库 📦"),
    ],
)
def test_a_line_is_shown_as_a_terminal_would_leave_it(line: str, shown: str) -> None:
    assert clean(line) == shown


@given(st.text(st.characters(codec=None)))
def test_no_line_moves_the_cursor(line: str) -> None:
    shown = clean(line)
    assert shown.splitlines() in ([], [shown])
    assert not any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in shown)


@given(LINES, WIDTHS, MORE)
def test_nothing_is_wider_than_its_place(text: str, width: int, more: str) -> None:
    assert cell_len(cut(text, width, more)) <= width
    assert cell_len(cut_front(text, width, more)) <= width
    assert cell_len(pad(text, width, more)) == width
    assert fit(Text(text), width, more).cell_len <= width


@given(LINES, WIDTHS, MORE)
def test_what_has_room_stays_as_it_is(text: str, width: int, more: str) -> None:
    if cell_len(text) <= width:
        assert cut(text, width, more) == cut_front(text, width, more) == fit(Text(text), width, more).plain == text


def test_what_is_cut_says_so() -> None:
    assert cut("application", 6, "…") == "appli…"
    assert cut("数据库客户端", 6, "…") == "数据…"
    assert cut("application", 2, "...") == "ap"
    assert cut_front("/var/log/runner/x.log", 10, "…") == "…ner/x.log"
    assert pad("数据", 6, "…") == "数据  "


def test_a_cut_line_keeps_its_styles() -> None:
    line = fit(Text.assemble(("red", "red"), " and more"), 6, "…")
    assert (line.plain, [(span.start, span.end, span.style) for span in line.spans]) == ("red a…", [(0, 3, "red")])


@given(st.text("ab 数", max_size=60), st.integers(2, 20))
def test_a_folded_line_has_all_of_its_letters(text: str, width: int) -> None:
    lines = fold(Text(text), width, "  ")
    assert all(line.cell_len <= width for line in lines)
    assert "".join(line.plain for line in lines).replace(" ", "") == text.replace(" ", "")


def test_a_line_is_folded_between_words() -> None:
    assert [line.plain for line in fold(Text("one two three four"), 9, "  ")] == ["one two", "  three", "  four"]
    assert [line.plain for line in fold(Text("a/path/without/a/gap"), 9, "  ")] == ["a/path/wi", "  thout/a", "  /gap"]
