"""What the commands that show a run have in common: whether a live view suits, and the summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..show.terminal import Color, make_paint, suits_live

if TYPE_CHECKING:
    from ..core.stream import StreamEvent
    from ..show.live import Glyphs

_STDOUT = 1


def is_live(color: Color) -> bool:
    """Whether standard output is a terminal that a live view suits, and ours: not that of another job of the shell."""
    return suits_live(os.isatty(_STDOUT) and is_in_foreground(), os.environ, color)


def summarise(events: Iterable[StreamEvent], color: Color) -> str:
    """The summary that the live view leaves behind, after these events, as it suits whoever reads standard output."""
    import shutil

    from ..show.live import View, summary

    view = View()
    for event in events:
        view.apply(event)
    paint = make_paint(os.isatty(_STDOUT), os.environ, color)
    return "".join(f"{paint(line)}\n" for line in summary(view, shutil.get_terminal_size().columns, glyphs=choose_glyphs()))


def choose_glyphs() -> Glyphs:
    """The signs of a live view that standard output can show."""
    from ..show.live import ASCII, UNICODE

    return UNICODE if can_say("".join([*UNICODE.states.values(), *UNICODE.outcomes.values()])) else ASCII


def can_say(text: str) -> bool:
    """Whether standard output has these characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_in_foreground() -> bool:
    """Whether the terminal of standard output is ours now, and not another job's of the shell."""
    try:
        return os.tcgetpgrp(_STDOUT) == os.getpgrp()
    except OSError:  # it controls no jobs
        return True
