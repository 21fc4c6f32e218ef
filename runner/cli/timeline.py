"""``runner timeline``: draw what each unit of a run did when."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.timeline import timeline
from ..errors import RunnerError
from .look import can_say
from .options import Parser, add_color, add_format, add_state, add_units
from .runs import add_run, load_run
from .stdout import write_out

if TYPE_CHECKING:
    from ..show.timeline.layout import Layout

_FORMATS = ["text", "svg", "html", "chrome", "json"]


def configure(parser: Parser) -> None:
    """Add the options."""
    add_run(parser)
    add_format(
        parser,
        _FORMATS,
        "bars in the terminal, a picture, a page to move about in, a trace for Perfetto or chrome://tracing, data for programs",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="write to a file (default: standard output)")
    parser.add_argument("--whole", action="store_true", help="draw the whole run, also where it went on long after its startup")
    parser.add_argument("--all", action="store_true", help="text: draw every unit, also of a large run")
    parser.add_argument("--ascii", action="store_true", help="text: draw with the characters that every terminal has")
    add_color(parser)
    add_units(parser)
    add_state(parser)


def run(options: Namespace) -> int:
    """Draw the run that is named, or the last one."""
    from ..show.timeline.layout import lay_out

    recorded = load_run(options)
    told = timeline(recorded.events)
    if not told.run:
        raise RunnerError("cannot draw this run: its journal does not tell how it began")
    began = datetime.fromtimestamp(recorded.begun_at).astimezone()
    drawn = _renderer(options)(lay_out(told, began, whole=options.whole))
    if options.output:
        _write(options.output, drawn)
    else:
        write_out(drawn)
    return 0


def _renderer(options: Namespace) -> Callable[[Layout], str]:
    """What draws; a drawing that is not asked for is not imported."""
    match options.format:
        case "svg":
            from ..show.timeline.svg import render_svg as render
        case "html":
            from ..show.timeline.html import render_html as render
        case "chrome":
            from ..show.timeline.chrome import render_chrome as render
        case "json":
            from ..show.timeline.data import render_json as render
        case _:
            return _text_renderer(options)
    return render


def _text_renderer(options: Namespace) -> Callable[[Layout], str]:
    from ..show.terminal import make_paint
    from ..show.timeline.text import ASCII, FEW, UNICODE, render_text

    paint = make_paint(sys.stdout.isatty() and not options.output, os.environ, options.color)
    signs = ASCII if options.ascii or not (options.output or can_say("".join(UNICODE.phases.values()))) else UNICODE
    width = shutil.get_terminal_size().columns
    most = None if options.all else FEW
    return lambda layout: "".join(f"{paint(line)}\n" for line in render_text(layout, width, signs=signs, most=most))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise RunnerError(f'cannot write "{file}": {error.strerror or error}') from None
