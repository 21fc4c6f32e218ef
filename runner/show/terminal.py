"""Owns the terminal: says whether a live view suits it, draws frames on it, and leaves it as it was.

A frame is a list of lines, drawn on the alternate screen. Only lines that have changed are written, each with its place, so
that a frame costs a slow connection little, and all of them at once (synchronized update) where a terminal knows how. Lines
are never wrapped and the screen never scrolls.

Nothing is written but through ``write``, which the owner gives, so that a supervisor can have it done without waiting.
"""

from __future__ import annotations

import termios
import tty
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.text import Text

Paint = Callable[["Text"], str]
"""Makes a line what the output takes, without its end."""
Color = Literal["auto", "always", "never"]

QUICKEST = 0.1
"""Seconds from one frame to the next while things change."""
CALM = 1.0
"""Seconds from one frame to the next while only the clock goes on."""
_FALLBACK_SIZE = 80, 24
"""Columns and rows of a terminal that does not say."""

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""Alternate screen, no cursor, no wrapping (DECSET 1049, DECTCEM, DECAWM)."""
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_BEGIN_FRAME, _END_FRAME = "\x1b[?2026h", "\x1b[?2026l"
_CLEAR_SCREEN, _CLEAR_BELOW, _CLEAR_LINE = "\x1b[2J", "\x1b[J", "\x1b[K"

_Look = tuple[str, object, tuple[object, ...]]
"""What a line looks like: its text, its style and those of its parts."""


def can_move(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether the output is a terminal on which something can be drawn anew."""
    return is_terminal and environment.get("TERM", "") not in ("", "dumb", "unknown")


def suits_live(is_terminal: bool, environment: Mapping[str, str], color: Color = "auto") -> bool:
    """Whether a view that moves suits whoever reads the output. Else it gets plain lines without any escape codes.

    ``NO_COLOR`` asks for those, but not against somebody who said with ``--color`` what to do about colours.
    """
    if not can_move(is_terminal, environment) or environment.get("CI"):
        return False
    return color != "auto" or not environment.get("NO_COLOR")


def make_paint(is_terminal: bool, environment: Mapping[str, str], color: Color = "auto") -> Paint:
    """How lines are written: in the colours that ``TERM`` and ``COLORTERM`` promise, or without any escape codes.

    Where somebody insists on colours, they are at least the sixteen.
    """
    from rich.color import ColorSystem
    from rich.console import Console

    console = Console(force_terminal=True, _environ=environment)
    name = console.color_system or ("standard" if color == "always" else None)
    is_plain = color == "auto" and (not is_terminal or environment.get("NO_COLOR"))
    if name is None or color == "never" or is_plain:
        return lambda line: line.plain
    colors = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}.get(name, ColorSystem.TRUECOLOR)

    def paint(line: Text) -> str:
        if not line.spans:  # of a line without parts, rich would not tell the style
            return console.get_style(line.style).render(line.plain, color_system=colors)
        segments = line.render(console)
        return "".join(style.render(text, color_system=colors) if style else text for text, style, _ in segments)

    return paint


class Pace:
    """When the next frame is due: soon after a change, and every second for the clock. Times are those of any one clock."""

    def __init__(self) -> None:
        self._drawn_at = -inf
        self._has_changed = True

    def note_change(self) -> None:
        """What the next frame shows is not what the last one did."""
        self._has_changed = True

    def note_frame(self, at: float) -> None:
        """A frame was drawn."""
        self._drawn_at, self._has_changed = at, False

    @property
    def due_at(self) -> float:
        """When the next frame is due: in the past where that is now."""
        return self._drawn_at + (QUICKEST if self._has_changed else CALM)


class Terminal:
    """A terminal and what stands on it, between :meth:`enter` and :meth:`leave`."""

    def __init__(self, fd: int, write: Callable[[bytes], object], paint: Paint) -> None:
        """``fd`` is open for the terminal; nothing is written to it, and nothing read from it."""
        self._fd = fd
        self._write = write
        self._paint = paint
        self._before: list[Any] | None = None
        """How its keyboard was, while that is ours."""
        self._is_entered = False
        self._size = 0, 0
        self._shown: list[_Look] | None = None
        """The lines that stand on it; None: whatever."""

    @property
    def is_entered(self) -> bool:
        """Whether the screen is ours."""
        return self._is_entered

    def enter(self) -> None:
        """Take the whole screen, and let no key be echoed. Once more where somebody else may have had it meanwhile."""
        before = _quieten(self._fd)
        if not self._is_entered:
            self._is_entered, self._before = True, before
        self._shown = None
        self._say(_ENTER)

    def leave(self, last: Sequence[Text] = ()) -> None:
        """Give the screen back as it was, and write some last lines below what stands there."""
        if self._is_entered:
            self._is_entered = False
            self._say(_LEAVE)
            if self._before is not None:
                with suppress(termios.error):  # it has hung up
                    termios.tcsetattr(self._fd, termios.TCSANOW, self._before)
        self._say("".join(f"{self._paint(line)}\n" for line in last))

    def measure(self) -> tuple[int, int]:
        """Columns and rows. After a change of size the next frame is drawn whole."""
        try:
            rows, columns = termios.tcgetwinsize(self._fd)
        except termios.error:
            rows = columns = 0
        size = (columns, rows) if rows and columns else _FALLBACK_SIZE
        if size != self._size:
            self._size, self._shown = size, None
        return size

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines and nothing else, by writing those that are new. What is beyond the screen is cut off."""
        columns, rows = self.measure()
        new = [_look(line) for line in lines[:rows]]
        old = self._shown
        changes = "" if old is not None else "\x1b[0m" + _CLEAR_SCREEN
        for row, line in enumerate(lines[:rows]):
            if old is None or row >= len(old) or old[row] != new[row]:
                changes += f"\x1b[{row + 1};1H{self._line(line, columns)}"
        if old is not None and len(old) > len(new):
            changes += f"\x1b[{len(new) + 1};1H{_CLEAR_BELOW}"
        self._shown = new
        if changes:
            self._say(f"{_BEGIN_FRAME}{changes}{_END_FRAME}")

    def _line(self, line: Text, columns: int) -> str:
        width = line.cell_len
        if width > columns:
            line = line.copy()
            line.truncate(columns)
        # after a full line the cursor stands on its last character, which erasing would take away
        return self._paint(line) + _CLEAR_LINE * (width < columns)

    def _say(self, text: str) -> None:
        if text:
            self._write(text.encode(errors="backslashreplace"))


def _look(line: Text) -> _Look:
    return line.plain, line.style, tuple(line.spans)


def _quieten(fd: int) -> list[Any] | None:
    """Let keys come one by one and unechoed, while ctrl-c and ctrl-z stay what they are (termios(3), cbreak).

    But ctrl-s does not halt the output, for what gives the screen back could not be written either.

    What is returned is how it was; None where it cannot be had, as of a terminal that has hung up.
    """
    try:
        before = termios.tcgetattr(fd)
        tty.setcbreak(fd, termios.TCSANOW)  # now: a terminal that takes no output is not waited for
        quiet = termios.tcgetattr(fd)
        quiet[tty.IFLAG] &= ~termios.IXON
        termios.tcsetattr(fd, termios.TCSANOW, quiet)
    except termios.error:
        return None
    return before
