"""Recorded runs, as the commands that analyse them get them."""

from __future__ import annotations

from typing import Any

from runner.core.event import Decided
from runner.core.record import RunRecord, UnitRecord, record
from runner.core.timeline import Timeline, timeline
from tests.recordings import read_recording

BEGUN = 1_767_603_600.0
"""2026-01-05 09:00:00 UTC"""
RUN = "20260105T090000-1000"


def decided(name: str) -> list[Decided]:
    return [event for event in read_recording(name) if isinstance(event, Decided)]


def read_record(name: str) -> RunRecord:
    return record(RUN, BEGUN, decided(name))


def read_timeline(name: str) -> Timeline:
    return timeline(decided(name))


def make_run(*units: UnitRecord, **fields: Any) -> RunRecord:
    """A run of 9 s that succeeded, where the fields say nothing else."""
    usual: dict[str, Any] = {"number": 1, "run": RUN, "begun_at": BEGUN, "version": "1", "startup_outcome": "succeeded"}
    return RunRecord(**{**usual, "startup": 9.0, "outcome": "succeeded", "duration": 10.0, "units": units, **fields})


def make_row(name: str, took: float | None = 1.0, **fields: Any) -> UnitRecord:
    """A oneshot that started at 1 and reached its goal after so many seconds; None: it failed after one."""
    reached = None if took is None else 1.0 + took
    outcome = "failed" if took is None else "succeeded"
    usual = {"began_at": 1.0, "started_at": 1.0, "reached_at": reached, "ended_at": reached or 2.0, "attempts": 1}
    return UnitRecord(name, "oneshot", **{"outcome": outcome, **usual, **fields})
