"""``runner why``: tell why a unit is where it is, now or in a run that is over."""

from __future__ import annotations

from argparse import Namespace

from ..core.explain import explain, explainable
from ..core.names import hint_for
from ..core.snapshot import Snapshot, fold
from ..errors import UsageError
from ..show.why import render_json, render_text
from .options import Parser, add_json
from .runs import Present, add_places, add_run, find_present, load_run, say_when
from .stdout import write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    parser.usage = f"{parser.usage} UNIT"
    parser.add_argument("unit", metavar="UNIT", help="the unit to explain")
    add_places(parser)
    add_run(parser)
    add_json(parser)
    parser.epilog = (
        "Without --run it is about the run that goes on or, where none does, about the last one.\n\n"
        "exit status: 0, 2 where there is no such unit, 3 where there is no run at all"
    )


def run(options: Namespace) -> int:
    """Print the explanation."""
    present = find_present(options) if options.run is None else _past(options)
    _check(options.unit, present.snapshot)
    explanation = explain(present.snapshot, options.unit, present.at)
    write_out(render_json(explanation) if options.json else render_text(explanation, _note(present)))
    return 0


def _past(options: Namespace) -> Present:
    recorded = load_run(options)
    snapshot = fold(recorded.events)
    return Present(snapshot, snapshot.at, recorded.begun_at, is_live=False)


def _check(unit: str, snapshot: Snapshot) -> None:
    """Raise UsageError where the run knows no such unit."""
    names = explainable(snapshot)
    if unit in names:
        return
    member = next((name for name in names if name.startswith(f"{unit}/")), None)
    if member:
        hint = f'it is a group; ask about one of its units: "{member}"'
    else:
        hint = hint_for(unit, names, 'see "runner list" for all units')
    raise UsageError(f'cannot find unit "{unit}" in this run', hint=hint)


def _note(present: Present) -> str:
    """Which run it is about, where that is not what goes on now."""
    if present.is_live:
        return ""
    snapshot = present.snapshot
    what = "it ended" if snapshot.ended else "its journal breaks off"
    which = f"run {snapshot.run.run}, which is over" if snapshot.run else "a run whose beginning is lost"
    return f"This is about {which}: {what} at {say_when(present.begun_at, present.at)}."
