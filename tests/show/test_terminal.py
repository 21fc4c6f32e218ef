from __future__ import annotations

import os
import pty
import termios
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from rich.text import Text

from runner.show.terminal import CALM, QUICKEST, Pace, Terminal, make_paint, suits_live
from tests.screen import Screen

PLAIN = make_paint(False, {})
XTERM = {"TERM": "xterm-256color"}


class OnPty:
    """A terminal whose other end is in the hands of the test."""

    def __init__(self, columns: int = 20, rows: int = 5, color: bool = False) -> None:
        self.controller, self.fd = pty.openpty()
        self.screen = Screen(columns, rows)
        self.resize(columns, rows)
        self.terminal = Terminal(self.fd, self.screen.feed, make_paint(True, XTERM) if color else PLAIN)

    def resize(self, columns: int, rows: int) -> None:
        termios.tcsetwinsize(self.fd, (rows, columns))
        self.screen.columns, self.screen.rows = columns, rows

    def close(self) -> None:
        os.close(self.controller)
        os.close(self.fd)


@pytest.fixture
def on() -> Iterator[OnPty]:
    made = OnPty()
    yield made
    made.close()


def texts(*lines: str) -> list[Text]:
    return [Text(line) for line in lines]


# ---------------------------------------------------------------- what suits


@pytest.mark.parametrize(
    ("environment", "color", "suits"),
    [
        (XTERM, "auto", True),
        ({}, "auto", False),
        ({"TERM": "dumb"}, "auto", False),
        ({"TERM": "dumb"}, "always", False),
        ({**XTERM, "CI": "true"}, "always", False),
        ({**XTERM, "CI": ""}, "auto", True),
        ({**XTERM, "NO_COLOR": "1"}, "auto", False),
        ({**XTERM, "NO_COLOR": ""}, "auto", True),
        ({**XTERM, "NO_COLOR": "1"}, "never", True),
        ({**XTERM, "NO_COLOR": "1"}, "always", True),
    ],
)
def test_a_live_view_suits_terminals_that_can_and_people_who_look(environment: dict[str, str], color: str, suits: bool) -> None:
    assert suits_live(True, environment, color) is suits  # type: ignore[arg-type]
    assert not suits_live(False, environment, color)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("is_terminal", "environment", "color", "painted"),
    [
        (True, XTERM, "auto", "\x1b[38;5;201mx\x1b[0m"),
        (True, {"TERM": "xterm", "COLORTERM": "truecolor"}, "auto", "\x1b[38;2;255;0;255mx\x1b[0m"),
        (True, {"TERM": "xterm"}, "auto", "\x1b[95mx\x1b[0m"),
        (True, {"TERM": "dumb"}, "auto", "x"),
        (True, {"TERM": "dumb"}, "always", "\x1b[95mx\x1b[0m"),
        (True, {**XTERM, "NO_COLOR": "1"}, "auto", "x"),
        (True, {**XTERM, "NO_COLOR": "1"}, "always", "\x1b[38;5;201mx\x1b[0m"),
        (True, XTERM, "never", "x"),
        (False, XTERM, "auto", "x"),
        (False, XTERM, "always", "\x1b[38;5;201mx\x1b[0m"),
    ],
)
def test_colours_are_those_that_are_promised(is_terminal: bool, environment: dict[str, str], color: str, painted: str) -> None:
    paint = make_paint(is_terminal, environment, color)  # type: ignore[arg-type]
    assert paint(Text("x", style=Style(color="#ff00ff"))) == painted  # one of its own: rich remembers what it made of it


def test_only_what_is_styled_is_painted() -> None:
    assert make_paint(True, XTERM)(Text.assemble("a", ("b", "bold"), "c")) == "a\x1b[1mb\x1b[0mc"


# ---------------------------------------------------------------- when


def test_the_first_frame_is_due_at_once() -> None:
    assert Pace().due_at < 0


def test_without_a_change_the_clock_alone_makes_a_frame_each_second() -> None:
    pace = Pace()
    pace.note_frame(7)
    assert pace.due_at == 7 + CALM


def test_changes_make_at_most_ten_frames_a_second() -> None:
    pace = Pace()
    pace.note_frame(7)
    pace.note_change()
    pace.note_change()
    assert pace.due_at == 7 + QUICKEST
    pace.note_frame(7.1)
    assert pace.due_at == 7.1 + CALM


# ---------------------------------------------------------------- frames


def test_a_frame_is_what_stands_there(on: OnPty) -> None:
    on.terminal.enter()
    on.terminal.draw(texts("one", "two"))
    assert on.screen.text() == "one\ntwo"
    on.terminal.draw(texts("one", "2", "three"))
    assert on.screen.text() == "one\n2\nthree"
    on.terminal.draw(texts("one"))
    assert on.screen.text() == "one"


def test_only_lines_that_changed_are_written(on: OnPty) -> None:
    on.terminal.enter()
    on.terminal.draw(texts("one", "two", "three"))
    before = on.screen.writes
    on.terminal.draw(texts("one", "TWO", "three"))
    assert on.screen.writes == before + 1
    on.terminal.draw(texts("one", "TWO", "three"))
    assert (on.screen.writes, on.screen.frames) == (before + 1, 2)
    assert "2026" not in on.screen.modes


def test_a_line_of_another_colour_is_another_line() -> None:
    on = OnPty(color=True)
    on.terminal.enter()
    on.terminal.draw([Text("one", style="red")])
    on.terminal.draw([Text("one", style="green")])
    on.terminal.draw([Text.assemble(("o", "blue"), "ne")])
    assert on.screen.colors >= {"31", "32", "34"}
    on.close()


def test_what_is_too_large_is_cut_off(on: OnPty) -> None:
    on.terminal.enter()
    on.terminal.draw(texts("x" * 21, "y" * 20, "漢" * 11, *"abcd"))
    assert on.screen.text() == f"{'x' * 20}\n{'y' * 20}\n{'漢' * 10}\na\nb"


def test_after_a_change_of_size_the_frame_is_drawn_whole(on: OnPty) -> None:
    on.terminal.enter()
    on.terminal.draw(texts("one", "two"))
    on.resize(30, 6)
    assert on.terminal.measure() == (30, 6)
    before = on.screen.writes
    on.terminal.draw(texts("one", "two"))
    assert on.screen.writes == before + 2


def test_a_terminal_without_a_size_has_the_usual_one(on: OnPty) -> None:
    on.resize(0, 0)
    assert on.terminal.measure() == (80, 24)


lines = st.lists(st.text(alphabet="ab 漢é\t", max_size=9), max_size=7)


@given(frames=st.lists(st.tuples(lines, st.sampled_from([(8, 4), (5, 6), (1, 1)])), max_size=6))
def test_after_any_frames_the_last_one_stands_there(frames: list[tuple[list[str], tuple[int, int]]]) -> None:
    on = OnPty()
    try:
        on.terminal.enter()
        for frame, size in frames:
            frame = [line.replace("\t", "") for line in frame]
            on.resize(*size)
            on.terminal.draw(texts(*frame))
            anew = OnPty(*size)
            anew.terminal.enter()
            anew.terminal.draw(texts(*frame))
            assert on.screen.text() == anew.screen.text()
            anew.close()
    finally:
        on.close()


# ---------------------------------------------------------------- coming and going


def test_it_is_left_as_it_was(on: OnPty) -> None:
    before = termios.tcgetattr(on.fd)
    on.screen.feed(b"$ runner\r\n")
    on.terminal.enter()
    quiet = termios.tcgetattr(on.fd)
    assert not quiet[3] & (termios.ECHO | termios.ICANON)
    assert quiet[3] & termios.ISIG
    assert on.screen.modes == {"1049"}
    on.terminal.draw(texts("a frame"))
    on.terminal.leave(texts("what stays", "in the end"))
    assert on.screen.text() == "$ runner\nwhat stays\nin the end"
    assert on.screen.modes == {"25", "7"}
    assert termios.tcgetattr(on.fd) == before
    on.terminal.leave()
    assert on.screen.text() == "$ runner\nwhat stays\nin the end"


def test_who_comes_back_finds_how_it_was_at_first(on: OnPty) -> None:
    before = termios.tcgetattr(on.fd)
    on.terminal.enter()
    on.terminal.draw(texts("a frame"))
    on.terminal.enter()
    on.terminal.draw(texts("a frame"))
    assert on.screen.text() == "a frame"
    on.terminal.leave()
    assert termios.tcgetattr(on.fd) == before


def test_a_terminal_that_hung_up_is_no_obstacle() -> None:
    on = OnPty()
    on.terminal.enter()
    os.close(on.fd)
    on.terminal.draw(texts("nobody sees it"))
    on.terminal.leave()
    on.terminal.enter()
    on.terminal.leave()
    os.close(on.controller)
