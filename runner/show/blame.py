"""Tells which units of a run took longest until they reached their goal."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ..core.event import Outcome
from ..core.record import RunRecord, UnitRecord
from ..core.unit import Kind
from ..core.words import say_count, say_duration, say_size
from .history import JsonRun, make_json, say_run, say_startup
from .summary import OUTCOME_WORDS
from .table import render_rows, wrap
from .text import listed

_NAMES_SHOWN = 8


class Blamed(Struct, frozen=True):
    """A unit, and what it is to blame for. Durations are seconds, null where nothing is known; memory is bytes."""

    unit: str
    kind: Kind
    outcome: Outcome | None
    reached_goal: bool
    took: float | None
    """From its first start until its goal, until its end without it, or until now; null: it never started."""
    expected: float | None
    deviation: float | None
    """How much longer than expected that was; null also where the goal was not reached."""
    attempts: int
    waited: float
    """For units, before its first start; this is not in what it took."""
    held_up: float
    """For locks and jobs. Of a unit with several attempts that may in part be in what it took."""
    backed_off: float
    cpu: float | None
    """Null: its processes are still there, or were never."""
    max_rss: int | None


class Blame(Struct, frozen=True):
    """All units of a run, the one that took longest first."""

    run: JsonRun
    units: tuple[Blamed, ...]


def make_blame(run: RunRecord) -> Blame:
    """What the units of a run took."""
    units = (_blamed(unit, run) for unit in run.units)
    return Blame(make_json(run), tuple(sorted(units, key=lambda unit: -1.0 if unit.took is None else unit.took, reverse=True)))


def render_json(run: RunRecord) -> str:
    """The same as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(make_blame(run)), indent=2).decode() + "\n"


def render_text(run: RunRecord) -> str:
    """The same for people, in 80 columns as far as names and notes allow."""
    units = make_blame(run).units
    started = [unit for unit in units if unit.took is not None]
    lines = [f"{say_run(run)}: {say_startup(run)}", "its units by how long each took from its start to its goal"]
    if started:
        head = ("took", "expected", "change", "waited", "held up", "cpu", "memory", "unit")
        lines += ["", *render_rows(head, [_row(unit) for unit in started], notes=[_say_attempts(unit) for unit in started])]
    if rest := [unit.unit for unit in units if unit.took is None]:
        lines += ["", *wrap(f"{say_count(len(rest), 'unit')} never started: {listed(rest, _NAMES_SHOWN)}")]
    return "\n".join(lines) + "\n"


def _blamed(unit: UnitRecord, run: RunRecord) -> Blamed:
    took = run.duration - unit.began_at if unit.cost is None and unit.began_at is not None else unit.cost
    has_usage = unit.ended_at is not None and unit.attempts > 0
    return Blamed(
        unit=unit.unit,
        kind=unit.kind,
        outcome=unit.outcome,
        reached_goal=unit.reached_at is not None,
        took=took,
        expected=unit.expected,
        deviation=None if unit.reached_at is None or took is None or unit.expected is None else took - unit.expected,
        attempts=unit.attempts,
        waited=unit.waited,
        held_up=unit.held_up,
        backed_off=unit.backed_off,
        cpu=unit.cpu if has_usage else None,
        max_rss=unit.max_rss if has_usage else None,
    )


def _row(unit: Blamed) -> tuple[str, ...]:
    return (
        _say(unit.took),
        _say(unit.expected),
        say_change(unit.deviation) if unit.reached_goal else _say_miss(unit.outcome),
        _say(unit.waited or None),
        _say(unit.held_up or None),
        _say(unit.cpu or None),
        say_size(unit.max_rss) if unit.max_rss else "-",
        unit.unit,
    )


def _say(seconds: float | None) -> str:
    return "-" if seconds is None else say_duration(seconds)


def say_change(seconds: float | None) -> str:
    """By how much something differs: ``+1.2 s``, ``-30 ms``; ``-`` where that is not known."""
    if seconds is None:
        return "-"
    return f"{'-' if seconds < 0 else '+'}{say_duration(abs(seconds))}"


def _say_attempts(unit: Blamed) -> str:
    return f"\N{MULTIPLICATION SIGN}{unit.attempts}" if unit.attempts > 1 else ""


def _say_miss(outcome: Outcome | None) -> str:
    """What became of a unit that did not reach its goal."""
    return "under way" if outcome is None else OUTCOME_WORDS[outcome]
