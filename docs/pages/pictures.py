"""Pictures of the live view, drawn from recorded runs as a terminal would show them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from runner.show.live import View, draw, summary
from tests.recordings import read_recording

_COLUMNS: Final = 104
_ROWS: Final = 28
_MIDDLE: Final = 3.0
"""Seconds from the beginning of the run: some has ended, some runs, some waits."""

_THEME: Final = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)
"""Background, text, and the eight colours of a terminal."""
_FORMAT: Final = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>@@TITLE@@</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px; }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 16px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Without a font from elsewhere, which the usual one fetches."""


def live() -> str:
    """A startup in the middle."""
    view = _view("locks", until=_MIDDLE)
    return _export("live", "runner up", draw(view, _COLUMNS, _ROWS, _MIDDLE, note="ctrl-c stops the run"))


def closing() -> str:
    """What a startup leaves in the scrollback in which much went wrong."""
    return _export("closing", "runner up, when it is over", summary(_view("failures"), _COLUMNS))


PICTURES: Final[dict[str, Callable[[], str]]] = {"live.svg": live, "summary.svg": closing}


def _view(recording: str, *, until: float = inf) -> View:
    view = View()
    for event in read_recording(recording):
        if event.at <= until:
            view.apply(event)
    return view


def _export(name: str, title: str, lines: Iterable[Text]) -> str:
    console = Console(record=True, file=io.StringIO(), width=_COLUMNS, force_terminal=True, color_system="standard", _environ={})
    for line in [*lines, Text()]:  # the last one is a margin
        console.print(line, end="\n", highlight=False, no_wrap=True)
    drawn = console.export_svg(title=title, theme=_THEME, code_format=_FORMAT.replace("@@TITLE@@", title), unique_id=name)
    return "".join(f"{line.rstrip()}\n" for line in drawn.splitlines())
