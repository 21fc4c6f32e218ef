"""Lists past runs."""

from __future__ import annotations

import time
from collections.abc import Container, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct, structs

from ..core.event import RunOutcome
from ..core.record import RunRecord, UnitRecord
from ..core.words import say_count, say_duration
from .table import render_rows

_FAILURES = ("failed", "timed-out")


class _JsonSlowest(Struct, frozen=True):
    unit: str
    seconds: float


class JsonRun(Struct, frozen=True):
    """A run, as every ``--json`` tells it. Durations are seconds."""

    number: int
    run: str
    begun_at: datetime
    version: str
    startup_outcome: RunOutcome | None
    startup: float | None
    outcome: RunOutcome | None
    """Null: it goes on, or its supervisor was killed."""
    duration: float
    failed: tuple[str, ...]
    slowest: _JsonSlowest | None


class _JsonListed(JsonRun, frozen=True):
    goes_on: bool
    """Its supervisor lives. Without that and without an outcome it was cut off."""


def make_json(run: RunRecord) -> JsonRun:
    """A run as data."""
    slowest = _slowest(run)
    return JsonRun(
        number=run.number,
        run=run.run,
        begun_at=datetime.fromtimestamp(run.begun_at, UTC),
        version=run.version,
        startup_outcome=run.startup_outcome,
        startup=run.startup,
        outcome=run.outcome,
        duration=run.duration,
        failed=tuple(unit.unit for unit in run.units if has_failed(unit)),
        slowest=_JsonSlowest(slowest.unit, slowest.cost or 0.0) if slowest else None,
    )


def render_json(runs: Sequence[RunRecord], going: Container[str] = ()) -> str:
    """The runs as a JSON array, the oldest first. ``going`` are the ids of those whose supervisor lives."""
    listed = [_JsonListed(**structs.asdict(make_json(run)), goes_on=run.run in going) for run in runs]
    return msgspec.json.format(msgspec.json.encode(listed), indent=2).decode() + "\n"


def render_text(runs: Sequence[RunRecord], going: Container[str] = ()) -> str:
    """The runs as a table, the last one at its end, where the prompt will be."""
    if not runs:
        return "no runs\n"
    rows = [_row(run, "goes on" if run.run in going else "cut off") for run in runs]
    head = ("run", "begun", "outcome", "startup", "failed", "slowest", "unit")
    return "\n".join([f"{say_count(len(runs), 'run')}, the last one at the end", "", *render_rows(head, rows)]) + "\n"


def say_run(run: RunRecord) -> str:
    """Which run it is: ``run 12 of 2026-01-31 07:45:02``, in local time; by its id where the history has not counted it."""
    return f"run {run.number or run.run} of {_say_begun(run)}"


def say_startup(run: RunRecord) -> str:
    """What its startup came to: ``startup succeeded after 12.3 s``."""
    if run.startup is None:
        return f"startup not finished after {say_duration(run.duration)}"
    return f"startup {run.startup_outcome} after {say_duration(run.startup)}"


def has_failed(unit: UnitRecord) -> bool:
    """Whether it missed its goal by itself. What was skipped or stopped did not."""
    return unit.outcome in _FAILURES


def _row(run: RunRecord, otherwise: str) -> tuple[str, ...]:
    """A run in a line; ``otherwise`` stands where it has no outcome."""
    slowest = _slowest(run)
    return (
        str(run.number),
        _say_begun(run),
        run.outcome or otherwise,
        "-" if run.startup is None else say_duration(run.startup),
        str(sum(map(has_failed, run.units)) or "-"),
        "-" if slowest is None else say_duration(slowest.cost or 0.0),
        "" if slowest is None else slowest.unit,
    )


def _slowest(run: RunRecord) -> UnitRecord | None:
    """The unit that took longest until its goal."""
    reached = [unit for unit in run.units if unit.reached_at is not None and unit.cost is not None]
    return max(reached, key=lambda unit: unit.cost or 0.0, default=None)


def _say_begun(run: RunRecord) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.begun_at))
