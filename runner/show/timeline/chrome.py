"""Writes a timeline as a trace that Perfetto and chrome://tracing open, in the Trace Event Format.

A run is a process and each unit a thread of it, whose phases are complete events (``X``). Times are whole microseconds since
the run began. The first thread is the critical path as a whole; flow events (``s``, ``f``) lead along it from unit to unit. A
flow belongs to the slice that encloses its time on its thread, so it leaves just before the end of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from msgspec import to_builtins
from msgspec.json import encode

from ...core.timeline import Phase, Row, Timeline
from .layout import Layout
from .words import details, say_phase

_PROCESS: Final = 1
_PATH: Final = 1
"""The thread of the critical path; those of the units follow."""
_CATEGORY: Final = "critical-path"

Event = dict[str, Any]


def render_chrome(layout: Layout) -> str:
    """The trace as one JSON object. It has the whole run, whatever the layout shows."""
    timeline = layout.timeline
    trace = {
        "traceEvents": list(_events(timeline)),
        "displayTimeUnit": "ms",
        "otherData": {"run": timeline.run, "begun_at": layout.began.isoformat(), "has_ended": timeline.over is not None},
    }
    return encode(trace).decode() + "\n"


def _events(timeline: Timeline) -> Iterator[Event]:
    rows = {row.unit: row for row in timeline.rows}
    threads = {name: number for number, name in enumerate(rows, start=_PATH + 1)}
    yield _metadata("process_name", _PROCESS, name=f"run {timeline.run}")
    if timeline.critical_path:
        yield from _name_thread(_PATH, "critical path")
    for stretch in timeline.critical_path:
        yield _slice(_PATH, stretch.unit, _CATEGORY, stretch.begin, stretch.end, {})
    for name, row in rows.items():
        yield from _name_thread(threads[name], name)
        yield from _row(threads[name], row)
    yield from _flows(timeline, rows, threads)


def _row(thread: int, row: Row) -> Iterator[Event]:
    for phase in row.phases:
        known = to_builtins(phase)
        about = {key: known[key] for key in ("attempt", "for", "reason") if key in known}
        yield _slice(thread, say_phase(phase), phase.kind, phase.begin, phase.end, about)
    if row.view.outcome:
        ended = {"name": row.view.outcome, "cat": "ended", "ph": "i", "s": "t", "ts": _ticks(row.view.since)}
        yield {**ended, "pid": _PROCESS, "tid": thread, "args": dict(details(row))}


def _flows(timeline: Timeline, rows: Mapping[str, Row], threads: Mapping[str, int]) -> Iterator[Event]:
    """Arrows from unit to unit. One that has no slice on its thread cannot have any, and is passed over."""
    path = [stretch for stretch in timeline.critical_path if rows[stretch.unit].phases]
    for number, (one, after) in enumerate(pairwise(path), start=1):
        ends = (("s", one.unit, one.end), ("f", after.unit, after.begin))
        for form, name, at in ends:
            about: Event = {"name": "lets go", "cat": _CATEGORY, "ph": form, "id": number}
            binding = {"bp": "e"} if form == "f" else {}
            yield {**about, **binding, "ts": _inside(rows[name].phases, at, form), "pid": _PROCESS, "tid": threads[name]}


def _inside(phases: tuple[Phase, ...], at: float, form: str) -> int:
    """The time of a flow, within the slice that ends then or, for the end of the flow, the one that begins then."""
    ticks = _ticks(at)
    begun = [phase for phase in phases if (_ticks(phase.begin) < ticks if form == "s" else _ticks(phase.begin) <= ticks)]
    phase = begun[-1] if begun else phases[0]
    return max(_ticks(phase.begin), min(ticks, _ticks(phase.end) - 1))


def _slice(thread: int, name: str, category: str, begin: float, end: float, about: Event) -> Event:
    ticks = _ticks(begin)
    event = {"name": name, "cat": category, "ph": "X", "ts": ticks, "dur": _ticks(end) - ticks}
    return {**event, "pid": _PROCESS, "tid": thread, "args": about}


def _name_thread(thread: int, name: str) -> Iterator[Event]:
    yield _metadata("thread_name", thread, name=name)
    yield _metadata("thread_sort_index", thread, sort_index=thread)


def _metadata(kind: str, thread: int, **about: object) -> Event:
    return {"name": kind, "ph": "M", "ts": 0, "pid": _PROCESS, "tid": thread, "args": about}


def _ticks(at: float) -> int:
    """A moment in microseconds; both ends of a phase are rounded alike, so that neighbours neither overlap nor part."""
    return round(at * 1_000_000)
