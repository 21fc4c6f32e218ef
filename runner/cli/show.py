"""``runner show``: show what a unit is in the end, and which file each value came from."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import suppress

from ..core.mask import Secrets
from ..core.names import hint_for, prefix_of
from ..core.words import say_count
from ..errors import InvalidUnits, UsageError
from ..show.terminal import Color, Paint, make_paint
from ..show.unit import EffectiveUnit, render_json, render_text
from ..unitfile.trace import Traces
from .options import Parser, add_color, add_json, add_units, hint_of_directory, units_directories
from .stdout import hide, write_err, write_out

_STDOUT = 1


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.usage = f"{parser.usage} UNIT"
    parser.add_argument("unit", metavar="UNIT", help="the unit to show, disabled or not")
    parser.add_argument("--all", action="store_true", help="show defaults too")
    add_units(parser)
    add_color(parser)
    add_json(parser)
    parser.epilog = (
        "A value is shown as it is written; where it means something else here, because variables are expanded or "
        "{instance} is filled in, its comment says what.\n\n"
        "exit status: 0, 2 where there is no such unit, or where it cannot be read"
    )


def run(options: Namespace) -> int:
    """Print the unit."""
    traces = Traces(units_directories(options.units, os.environ), os.environ)
    hide(_secrets(traces).mask_text)
    name = options.unit
    if name not in traces.loaded.files:
        raise UsageError(f'cannot find unit "{name}"', hint=_hint(name, traces))
    if name not in traces.units:
        raise InvalidUnits(traces.problems(name))
    unit = traces.units[name]
    entries = traces.entries(name, with_defaults=options.all)
    shown = EffectiveUnit(name, unit.kind, unit.enabled, traces.template(name), traces.files(name), entries)
    write_out(render_json(shown) if options.json else render_text(shown, _paint(options.color)))
    if traces.loaded.errors:
        count = say_count(len(traces.loaded.errors), "error")
        write_err(f'runner: the unit files have {count}, so nothing can be started: see "runner check"\n')
    return 0


def _secrets(traces: Traces) -> Secrets:
    """What is secret in the units, and in their env-files: it may stand in clear text in another unit."""
    secrets = traces.secrets
    if reading := [unit for unit in traces.units.values() if unit.env_file]:
        from ..supervisor.annex import Annex
        from ..supervisor.settings import Settings
        from ..supervisor.spawn import SpawnError

        settings = Settings(os.environ, Annex(), secrets.learn)
        for unit in reading:
            with suppress(SpawnError):  # it will be told when the unit starts
                settings.make(unit, "", 0, None)
    return secrets


def _paint(color: Color) -> Paint | None:
    """How lines are written, where they may be coloured at all: else nothing for it is imported."""
    is_terminal = os.isatty(_STDOUT)
    return make_paint(is_terminal, os.environ, color) if color == "always" or (is_terminal and color == "auto") else None


def _hint(name: str, traces: Traces) -> str:
    known = traces.loaded.files
    member = next((unit for unit in known if unit.startswith(prefix_of(name))), None)
    if member and not name.endswith("@*"):
        return f'it is a group; show one of its units: "{member}"'
    instance = next((unit for unit in known if name.endswith(("@", "@*")) and unit.startswith(name.removesuffix("*"))), None)
    if instance:
        return f'it is a template; show one of its instances: "{instance}"'
    return hint_of_directory(name) or hint_for(name, known, 'see "runner graph" for all units')
