"""Says in words what a timeline shows, the same in every drawing."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Final, Literal

from ...core.snapshot import UnitView
from ...core.timeline import Phase, PhaseKind, Row
from ...core.words import say_count, say_duration, say_size
from ..ending import say_end
from ..text import printable
from ..waiting import say_waits
from .layout import Layout

Verdict = Literal["reached", "failed", "not run", "unfinished"]
"""What became of a unit, as far as a drawing shows it by a sign. A service that came up reached its goal, and a stop at the
end of the run takes nothing from that."""

MARKS: Final[dict[Verdict, str]] = {"reached": "✓", "failed": "✗", "not run": "⊘", "unfinished": "…"}
VERDICT_WORDS: Final[dict[Verdict, str]] = {
    "reached": "reached its goal",
    "failed": "failed",
    "not run": "not run",
    "unfinished": "not over",
}

KIND_WORDS: Final[dict[PhaseKind, str]] = {
    "waiting": "waits",
    "lock-wait": "waits for a lock",
    "job-wait": "waits for a job",
    "running": "runs",
    "not-ready": "runs, not yet ready",
    "ready": "ready",
    "backoff": "backoff",
    "stopping": "is stopped",
}
"""Each kind of phase, as a legend has it."""

TIMES: Final = "\N{MULTIPLICATION SIGN}"


def judge(view: UnitView) -> Verdict:
    """What became of a unit."""
    if view.outcome in ("failed", "timed-out"):
        return "failed"
    if view.reached_at is not None:
        return "reached"
    return "not run" if view.outcome else "unfinished"


def say_title(layout: Layout) -> str:
    """Which run this is: ``run 20260131T074502-4711 of 2026-01-31 08:45:02``."""
    return f"run {layout.timeline.run} of {layout.began:%Y-%m-%d %H:%M:%S}"


def say_course(layout: Layout) -> str:
    """What became of the run."""
    startup, over = layout.timeline.startup, layout.timeline.over
    said = [f"startup {startup.outcome} after {say_duration(startup.duration)}"] if startup else []
    if over:
        said.append(f"run {over.outcome} after {say_duration(over.duration)}")
    else:
        said.append(f"drawn as far as its journal goes, {say_duration(layout.timeline.end)}: the run goes on, or was killed")
    return "; ".join(said)


def say_extent(layout: Layout) -> str:
    """What of the run is not drawn; empty where all of it is."""
    said = []
    if layout.is_cut:
        said.append("drawn until its startup was finished; --whole draws the whole run")
    if layout.unwanted:
        said.append(f"{say_count(layout.unwanted, 'unit')} left out that nobody wanted")
    return "; ".join(said)


def say_phase(phase: Phase) -> str:
    """What a unit did, with what it waited for or why: ``waits for lock apt of apt/update``."""
    match phase.kind:
        case "waiting" | "lock-wait" | "job-wait":
            return f"waits for {say_waits(phase.waits_for)}"
        case "running" | "not-ready" | "ready":
            said = {"running": "running", "not-ready": "running, not yet ready", "ready": "ready"}[phase.kind]
            return f"{said} (attempt {phase.attempt})" if phase.attempt > 1 else said
        case "backoff":
            return f"waits for its next attempt: {phase.reason}"
        case "stopping":
            return f"is being stopped: {phase.reason}"


def say_span(begin: float, end: float) -> str:
    """From when to when, exact to the millisecond: ``1.250 s to 3.500 s``."""
    return f"{begin:.3f} s to {end:.3f} s"


def say_work(row: Row) -> str:
    """How long a unit worked, and the number of its attempts where there were more; empty where it never did."""
    attempts = row.view.attempt
    if not attempts:
        return ""
    return say_duration(row.work) + (f" {TIMES}{attempts}" if attempts > 1 else "")


def details(row: Row) -> Iterator[tuple[str, str]]:
    """What there is to know of a unit beside its phases, each with its title."""
    view = row.view
    yield "outcome" if view.outcome else "state", say_end(view, view.optional)
    if view.attempt:
        yield "took", say_work(row)
    if view.expected is not None:
        yield "expected", say_duration(view.expected)
    if view.cpu or view.max_rss:
        yield "used", f"{say_duration(view.cpu)} of CPU, {say_size(view.max_rss)} of memory"
    if view.text:
        yield "said", view.text
    if view.command:
        yield "command", view.command
    if view.log:
        yield "log", view.log


def escape(text: str) -> str:
    """Text from outside for an element or an attribute of HTML or SVG. Line breaks stay; what else cannot be seen is shown."""
    return "\n".join(html.escape(printable(line)) for line in text.split("\n"))
