"""Sets rows of words in columns that fit a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .text import cut_name, printable

WIDTH = 80
NARROWEST_NAME = 16


def render_rows(head: Sequence[str], rows: Sequence[Sequence[str]], *, notes: Sequence[str] = ()) -> list[str]:
    """Lines with a heading: figures to the right of their columns, and in the last one names, cut where they are too wide.

    ``notes`` stand behind the names, one a row; they are not cut, so that a line with one may be too wide.
    """
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    notes = notes or [""] * len(rows)
    room = max(WIDTH - 2 * len(widths) - sum(widths), NARROWEST_NAME)
    lines = []
    for row, note in zip([head, *rows], ["", *notes], strict=True):
        figures = "  ".join(f"{figure:>{width}}" for figure, width in zip(row[:-1], widths, strict=True))
        name = cut_name(row[-1], max(room - len(note) - 2, NARROWEST_NAME) if note else room)
        lines.append(f"{figures}  {name}  {note}".rstrip())
    return lines


def wrap(text: str, head: str = "") -> list[str]:
    """Words behind a head, safe to print, the further lines below the first of them."""
    indent = " " * (len(head) or 2)
    return textwrap.wrap(printable(text), WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
