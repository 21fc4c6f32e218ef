"""Makes text from outside fit a screen: clean, in one line, and no wider than its place."""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ..text import printable

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movement
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC and the other strings: titles, links
    r"|\x1b[ -/]*[0-~]?"  # every other escape sequence
)
_TAB = 8


def clean(line: str) -> str:
    """A line of output as a terminal would leave it: without escape sequences, of what ``\\r`` writes anew the last."""
    line = _ESCAPE.sub("", line) if "\x1b" in line or not line.isprintable() else line
    return one_line(line.rstrip("\r").rpartition("\r")[2])


def one_line(text: str) -> str:
    """The text without anything that moves a cursor: tabs as spaces, other control characters as escapes to read."""
    return text if text.isprintable() else printable(text.expandtabs(_TAB))


def cut(text: str, width: int, more: str) -> str:
    """The text in so many cells at most, with a sign at its end where there is more of it."""
    if cell_len(text) <= width:
        return text
    kept = width - cell_len(more)
    return set_cell_size(text, kept).rstrip() + more if kept >= 0 else set_cell_size(text, max(width, 0))


def cut_front(text: str, width: int, more: str) -> str:
    """The same for what matters at its end, as a path does."""
    if cell_len(text) <= width:
        return text
    kept = text[-max(width, 1) :]
    while kept and cell_len(kept) + cell_len(more) > width:
        kept = kept[1:]
    return cut(more + kept, width, "")


def pad(text: str, width: int, more: str) -> str:
    """The text in exactly so many cells."""
    return set_cell_size(cut(text, width, more), max(width, 0))


def fit(line: Text, width: int, more: str) -> Text:
    """A line in so many cells at most, with its styles."""
    if line.cell_len > width:
        kept = max(width - cell_len(more), 0)
        line.truncate(kept)
        line.rstrip()
        line.append(more if kept else "")
        line.truncate(max(width, 0))
    return line


def fold(line: Text, width: int, indent: str) -> list[Text]:
    """A line in as many as it needs, those after the first behind an indent; between words where that is possible."""
    indent = indent if width > 2 * len(indent) else ""
    first, *further = line.divide(_breaks(line.plain, width, len(indent)))
    lines = [first, *(Text.assemble(indent, piece) for piece in further)]
    for piece in lines:
        piece.rstrip()
        piece.truncate(max(width, 0))
        piece.end = ""
    return lines


def _breaks(text: str, width: int, indent: int) -> list[int]:
    """Where to divide a text that is too wide."""
    breaks = [0]
    while True:
        start = breaks[-1]
        end = start + _count_fitting(text[start:], width - indent * (start > 0))
        if end >= len(text):
            return breaks[1:]
        after_space = text.rfind(" ", start, end + 1) + 1
        breaks.append(after_space if after_space > start else end)


def _count_fitting(text: str, width: int) -> int:
    """How many letters from the first on fit; one, though none does."""
    cells = 0
    for place, letter in enumerate(text):
        cells += cell_len(letter)
        if cells > width and place:
            return place
    return len(text)
