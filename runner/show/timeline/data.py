"""Writes a timeline as JSON, for programs. It has the whole run and every unit, whatever a drawing would show."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ...core.event import Outcome, RunOutcome
from ...core.state import State
from ...core.timeline import Phase, Row, Stretch
from ...core.unit import Kind
from .layout import Layout


class _JsonUnit(Struct, frozen=True):
    unit: str
    kind: Kind
    state: State
    outcome: Outcome | None
    reason: str
    exit_code: int | None
    signal: str | None
    attempts: int
    work: float
    """Seconds that all of its attempts worked towards its goal."""
    log: str
    phases: tuple[Phase, ...]


class _JsonTimeline(Struct, frozen=True):
    """Times are seconds since the run began."""

    run: str
    begun_at: str
    """The wall clock then, RFC 3339."""
    end: float
    outcome: RunOutcome | None
    """None: the journal has no end."""
    startup_outcome: RunOutcome | None
    startup_finished_at: float | None
    """None: the journal ends before that."""
    critical_path: tuple[Stretch, ...]
    units: list[_JsonUnit]


def render_json(layout: Layout) -> str:
    """The timeline as one JSON object."""
    timeline = layout.timeline
    data = _JsonTimeline(
        run=timeline.run,
        begun_at=layout.began.isoformat(timespec="microseconds"),
        end=timeline.end,
        outcome=timeline.over.outcome if timeline.over else None,
        startup_outcome=timeline.startup.outcome if timeline.startup else None,
        startup_finished_at=timeline.startup.at if timeline.startup else None,
        critical_path=timeline.critical_path,
        units=[_unit(row) for row in timeline.rows],
    )
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def _unit(row: Row) -> _JsonUnit:
    view = row.view
    return _JsonUnit(
        unit=row.unit,
        kind=view.kind,
        state=view.state,
        outcome=view.outcome,
        reason=view.reason,
        exit_code=view.exit_code,
        signal=view.signal,
        attempts=view.attempt,
        work=row.work,
        log=view.log,
        phases=row.phases,
    )
