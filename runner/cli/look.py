"""What the commands that show a run have in common: colours, whether a live view suits, and the summary."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from ..core.stream import StreamEvent
from ..show.terminal import Color, make_paint, suits_live
from .options import Parser

_STDOUT = 1


def add_color(parser: Parser) -> None:
    """``--color WHEN``: whether colours are used."""
    parser.add_argument(
        "--color",
        metavar="WHEN",
        choices=["auto", "always", "never"],
        default="auto",
        help="auto, always or never: whether to use colours (default: auto: on a terminal, unless NO_COLOR is set)",
    )


def is_live(color: Color) -> bool:
    """Whether standard output is a terminal that a live view suits, and ours: not that of another job of the shell."""
    return suits_live(os.isatty(_STDOUT) and _is_in_foreground(), os.environ, color)


def summarise(events: Iterable[StreamEvent], color: Color) -> str:
    """The summary that the live view leaves behind, after these events, as it suits whoever reads standard output."""
    from ..show.live import View, summary

    view = View()
    for event in events:
        view.apply(event)
    paint = make_paint(os.isatty(_STDOUT), os.environ, color)
    return "".join(f"{paint(line)}\n" for line in summary(view, shutil.get_terminal_size().columns))


def _is_in_foreground() -> bool:
    try:
        return os.tcgetpgrp(_STDOUT) == os.getpgrp()
    except OSError:  # it controls no jobs
        return True
