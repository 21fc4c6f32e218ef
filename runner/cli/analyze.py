"""``runner analyze``: find out what made a startup slow: blame, critical-chain, compare."""

from __future__ import annotations

from argparse import Namespace
from typing import Final

from ..core.event import Decided
from ..core.record import RunRecord, record
from ..errors import RunnerError, UsageError
from .options import Parser, add_json, add_state, add_units
from .runs import add_run, find_journal, find_run, open_history, read_past
from .stdout import write_out

ANALYSES: Final[dict[str, str]] = {
    "blame": "list the units of a run, those that took longest first",
    "critical-chain": "show the units that made a startup as long as it was, one after the other, and what delayed them",
    "compare": "compare two runs: what became slower or fails now comes first",
}
"""Each analysis, and what it does in one line."""


class _Analysis(Parser):
    """The arguments of one analysis. argparse names what it makes by the whole command line before it."""

    def __init__(self, prog: str, summary: str) -> None:
        super().__init__(prog.removeprefix("runner "), summary)


def configure(parser: Parser) -> None:
    """Add the analyses with their options."""
    parser.usage = f"runner analyze {'|'.join(ANALYSES)} [OPTION...]"
    analyses = parser.add_subparsers(
        prog="runner analyze", parser_class=_Analysis, dest="analysis", metavar="ANALYSIS", required=True
    )
    for name, summary in ANALYSES.items():
        analysis = analyses.add_parser(name, summary=summary, help=summary)
        if name == "compare":
            analysis.usage = f"{analysis.usage} [RUN] [RUN]"
            analysis.add_argument(
                "runs",
                metavar="RUN",
                nargs="*",
                help='the run before and the run after, by id or by number as "runner history" tells it; the second is the last '
                "one where it is not given, the first the one before that (default: the last against the one before)",
            )
        else:
            add_run(analysis)
        add_units(analysis)
        add_state(analysis)
        add_json(analysis)


def run(options: Namespace) -> int:
    """Print the analysis."""
    match options.analysis:
        case "blame":
            said = _blame(options)
        case "critical-chain":
            said = _critical_chain(options)
        case _:
            said = _compare(options)
    write_out(said)
    return 0


def _blame(options: Namespace) -> str:
    from ..show.blame import render_json, render_text

    told, _ = _recorded(options)
    return render_json(told) if options.json else render_text(told)


def _critical_chain(options: Namespace) -> str:
    from ..core.timeline import timeline
    from ..show.critical_chain import render_json, render_text

    told, events = _recorded(options)
    if told.startup is None:
        raise RunnerError(
            f'cannot tell the critical chain of run "{told.run}": its startup was not finished',
            hint='"runner analyze blame" tells what took long until then',
        )
    return (render_json if options.json else render_text)(told, timeline(events))


def _recorded(options: Namespace) -> tuple[RunRecord, tuple[Decided, ...]]:
    """The run that ``--run`` names, or the last one, with its events."""
    journal = find_journal(options)
    recorded = read_past(journal)
    return record(journal.stem, recorded.begun_at, recorded.events), recorded.events


def _compare(options: Namespace) -> str:
    from ..show.compare import render_json, render_text

    before, after = _find_two(options)
    return (render_json if options.json else render_text)(before, after)


def _find_two(options: Namespace) -> tuple[RunRecord, RunRecord]:
    """The run before and the run after."""
    before, after = _choose_two(options)
    if before.number == after.number:
        raise UsageError(f"cannot compare run {after.number} with itself", hint='see "runner history" for all runs')
    return before, after


def _choose_two(options: Namespace) -> tuple[RunRecord, RunRecord]:
    names = options.runs
    if len(names) > 2:
        raise UsageError(f'cannot compare more than two runs: "{names[2]}" is one too many')
    if len(names) == 2:
        return find_run(options, names[0]), find_run(options, names[1])
    with open_history(options) as history:
        runs = history.runs(2)
    if names:
        return find_run(options, names[0]), runs[-1]
    if len(runs) < 2:
        raise UsageError("cannot compare runs: there are not two yet", hint='start another one: "runner up"')
    return runs[0], runs[1]
