"""``runner check``: report all that is wrong in the unit files; start nothing."""

from __future__ import annotations

import os
from argparse import SUPPRESS, Namespace

from ..core.words import say_count
from ..errors import UsageError
from ..show.problem import render_github, render_json, render_text
from ..unitfile import Loaded
from .options import Parser, add_format, add_units, hint_of_directory, read_units, units_directories
from .stdout import write_out

_RENDERERS = {"json": render_json, "github": render_github}
_UNUSABLE = 2
"""Exit status where nothing could be started."""


def configure(parser: Parser) -> None:
    """Add the options."""
    add_units(parser)
    add_format(parser, ["text", *_RENDERERS], "for people, for programs, as annotations of a GitHub workflow")
    parser.add_argument("--strict", action="store_true", help="let warnings fail the check too")
    parser.add_argument("words", nargs="*", help=SUPPRESS)  # so that each can be told what is wrong with it
    parser.epilog = "exit status: 0 where the units can be used, 2 where not"


def run(options: Namespace) -> int:
    """Say everything that is wrong, or that nothing is."""
    if options.words:
        word = options.words[0]
        what = f'cannot check "{word}" alone: all unit files are checked together'
        raise UsageError(what, hint=hint_of_directory(word) or "leave it out")
    loaded = read_units(units_directories(options.units, os.environ))
    write_out(_text(loaded) if options.format == "text" else _RENDERERS[options.format](loaded.problems))
    return _UNUSABLE if loaded.errors or (options.strict and loaded.warnings) else 0


def _text(loaded: Loaded) -> str:
    if not loaded.problems:
        return f"{say_count(len(loaded.graph.units), 'unit')}, no problems\n"
    counts = f"{say_count(len(loaded.errors), 'error')}, {say_count(len(loaded.warnings), 'warning')}"
    return f"{render_text(loaded.problems)}\n{counts}\n"
