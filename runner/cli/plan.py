"""``runner plan``: show what would run, in which order and for how long, or what if; start nothing."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..core.freshness import Judgement, foresee
from ..core.graph import Graph
from ..core.simulate import simulate, takes_time
from ..core.unit import Unit
from ..errors import RunnerError, UsageError
from ..show import plan, what_if
from ..show.error import render_error
from ..supervisor.history import learn
from ..unitfile.values import Duration, Unusable
from .options import Parser, add_jobs, add_json, add_names, add_state, add_units, check_names, find_paths, load_units
from .stdout import write_err, write_out

if TYPE_CHECKING:
    from ..core.mask import Secrets
    from ..supervisor.paths import StatePaths


def configure(parser: Parser) -> None:
    """Add the options."""
    add_names(parser, "all units")
    add_units(parser)
    add_state(parser)
    add_jobs(parser)
    parser.add_argument(
        "--what-if",
        metavar="UNIT=DURATION",
        action="append",
        default=[],
        help='tell how long the startup would take if this unit took so long, such as "app/install=5s"; repeatable',
    )
    parser.add_argument(
        "--fail",
        metavar="UNIT",
        action="append",
        default=[],
        help="tell what would be skipped and what would still run if this unit failed; repeatable",
    )
    add_json(parser)
    parser.epilog = "Durations are those of earlier runs. A unit that has not succeeded yet as it is now has none.\n"
    parser.epilog += "Whether a unit need run is told as things are now; the command of a condition is not executed."


def run(options: Namespace) -> int:
    """Print the plan, or the answer."""
    loaded = load_units(options)
    graph, secrets = loaded.graph, loaded.secrets
    names = check_names(graph, options.names)
    durations = learn(find_paths(options), graph, _warn, mask=secrets.mask_text)
    judgements = _judge(graph, find_paths(options), secrets)
    predict = partial(simulate, graph, jobs=options.jobs, names=names, judgements=judgements)
    before = predict(durations)
    if not options.what_if and not options.fail:
        planned = plan.make_plan(graph, before, names)
        write_out(plan.render_json(planned) if options.json else plan.render_text(planned))
        return 0
    changes, failing = _parse_changes(options.what_if, graph), _check_failing(options.fail, graph)
    after = predict({**durations, **changes}, failing=failing)
    for name in (*changes, *failing):
        if "idle" == before.snapshot.units[name].state == after.snapshot.units[name].state:
            raise UsageError(f'cannot ask about "{name}": it would not run', hint='see "runner plan" for what would')
    answer = what_if.make_what_if(before, after, changes, failing)
    write_out(what_if.render_json(answer) if options.json else what_if.render_text(answer))
    return 0


def _warn(what: str) -> None:
    write_err(render_error(RunnerError(what)))


def _judge(graph: Graph, paths: StatePaths, secrets: Secrets) -> dict[str, Judgement]:
    """Which units need not run, as far as can be known beforehand. No command is executed: a condition's command holds."""
    checked = [unit for unit in graph.units.values() if unit.checks]
    if not checked:
        return {}
    from ..supervisor.annex import Annex
    from ..supervisor.checks import judge_now
    from ..supervisor.memories import Memories
    from ..supervisor.settings import Settings

    settings, memories = Settings(os.environ, Annex(), secrets.learn), Memories(paths.memories, lambda _: None)
    return foresee(graph, {unit.name: judge_now(unit, settings, memories) for unit in checked})


def _parse_changes(words: Sequence[str], graph: Graph) -> dict[str, float]:
    """The durations that are asked about; the last one of a unit counts."""
    changes: dict[str, float] = {}
    for word in words:
        name, _, duration = word.rpartition("=")
        if not name:
            raise UsageError(f'cannot use "--what-if {word}"', hint='it takes a unit and a duration, such as "app/install=5s"')
        unit = _find_unit(name, graph)
        if unit.kind == "target":
            raise UsageError(f'cannot use "{name}" with --what-if: a target takes no time')
        if not takes_time(unit):
            raise UsageError(f'cannot use "{name}" with --what-if: nobody asks whether it is ready', hint="give it [ready]")
        try:
            changes[name] = float(Duration.parse(duration))
        except Unusable as error:
            raise UsageError(f'cannot use "{duration}": it must be {Duration.expected}', hint=error.hint) from None
    return changes


def _check_failing(names: Sequence[str], graph: Graph) -> list[str]:
    for name in names:
        if _find_unit(name, graph).kind == "target":
            raise UsageError(f'cannot use "{name}" with --fail: a target does nothing that could fail')
    return list(dict.fromkeys(names))


def _find_unit(name: str, graph: Graph) -> Unit:
    check_names(graph, [name])
    if name not in graph.units:
        raise UsageError(f'cannot use group "{name}" here', hint="name its units one by one")
    return graph.units[name]
