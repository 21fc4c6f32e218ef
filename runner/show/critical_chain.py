"""Tells which units, one after the other, made a startup as long as it was, and what stood between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from ..core.record import RunRecord
from ..core.timeline import Phase, Row, Stretch, Timeline
from ..core.words import say_duration
from .history import JsonRun, make_json, say_run, say_startup
from .table import WIDTH, wrap
from .text import cut_name
from .waiting import say_waits

_BAR = 24
_LEAST_SHARE = 0.01
"""A gap or delay that is a smaller part of the startup is no cause of anything."""


class Delay(Struct, frozen=True):
    """Time that passed without work."""

    seconds: float
    cause: str


class Link(Struct, frozen=True):
    """A unit of the chain. Times are seconds since the run began."""

    unit: str
    began_at: float
    """When all was there that it waited for: units, locks, a job."""
    took: float
    """From then until the next one of the chain could go, or until its goal."""
    gap: Delay | None
    """Time between the link before and this one."""
    delays: tuple[Delay, ...]
    """Delays that are in another's time, or in its own: locks that it waited for, attempts that failed."""


class Chain(Struct, frozen=True):
    """The chain that made a startup as long as it was."""

    run: JsonRun
    duration: float
    """Of the startup."""
    links: tuple[Link, ...]


def make_chain(run: RunRecord, timeline: Timeline) -> Chain:
    """The chain of a startup that was finished; without links where it was not."""
    rows = {row.unit: row for row in timeline.rows}
    links = []
    before = 0.0
    for stretch in timeline.critical_path:
        links.append(_link(stretch, rows[stretch.unit], before, _LEAST_SHARE * (run.startup or 0.0)))
        before = stretch.end
    return Chain(make_json(run), run.startup or 0.0, tuple(links))


def render_json(run: RunRecord, timeline: Timeline) -> str:
    """The chain as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(make_chain(run, timeline)), indent=2).decode() + "\n"


def render_text(run: RunRecord, timeline: Timeline) -> str:
    """The chain for people, in 80 columns: each unit as a bar in the time of the startup, what delayed it below."""
    chain = make_chain(run, timeline)
    lines = [f"{say_run(run)}: {say_startup(run)}"]
    if not chain.links:
        return f"{lines[0]}; it waited for no unit\n"
    units = f"{len(chain.links)} units one after the other" if len(chain.links) > 1 else "one unit"
    lines += [f"{units} made it so long (@ from when, + for how long)", ""]
    at_width = max(len(_say_at(link)) for link in chain.links)
    gaps = [link.gap.seconds for link in chain.links if link.gap]
    took_width = max(len(_say_took(seconds)) for seconds in [*(link.took for link in chain.links), *gaps])
    for link in chain.links:
        if link.gap:
            bar = _bar(link.began_at - link.gap.seconds, link.gap.seconds, chain.duration, "░")
            lines += wrap(link.gap.cause, f"{'':{at_width}}  {_say_took(link.gap.seconds):>{took_width}}  {bar}  ")
        bar = _bar(link.began_at, link.took, chain.duration, "█")
        head = f"{_say_at(link):>{at_width}}  {_say_took(link.took):>{took_width}}  {bar}  "
        lines.append(head + cut_name(link.unit, WIDTH - len(head)))
        for delay in link.delays:
            lines += wrap(f"{say_duration(delay.seconds)}: {delay.cause}", " " * (at_width + took_width + 4))
    return "\n".join(lines) + "\n"


def _say_at(link: Link) -> str:
    return f"@{say_duration(link.began_at)}"


def _say_took(seconds: float) -> str:
    return f"+{say_duration(seconds)}"


def _link(stretch: Stretch, row: Row, before: float, least: float) -> Link:
    """The link of a stretch. ``before`` is when the link before it ended; delays shorter than ``least`` are left out."""
    held = [phase for phase in row.phases if phase.kind in ("lock-wait", "job-wait") and phase.end == stretch.begin]
    seconds = stretch.begin - before
    gap: Delay | None = None
    if seconds > least:
        gap = Delay(seconds, _say_held(held[-1]) if held else "the runner itself")
        held = []
    hidden = [Delay(phase.duration, _say_held(phase)) for phase in held if phase.duration > least]
    return Link(stretch.unit, stretch.begin, stretch.end - stretch.begin, gap, (*hidden, *_lost(row.phases, stretch)))


def _say_held(phase: Phase) -> str:
    return "waited for " + say_waits(phase.waits_for)


def _lost(phases: Sequence[Phase], stretch: Stretch) -> Iterator[Delay]:
    """What attempts that failed cost, with the delay after each."""
    began = stretch.begin
    for phase in phases:
        if phase.kind == "backoff" and stretch.begin <= phase.begin and phase.end <= stretch.end:
            wait = say_duration(phase.duration)
            yield Delay(phase.end - began, f"attempt {phase.attempt} in vain ({phase.reason}) and {wait} of delay")
            began = phase.end


def _bar(begin: float, seconds: float, whole: float, sign: str) -> str:
    """A stretch of time within the whole, at least one character wide."""
    scale = _BAR / whole if whole else 0.0
    first = min(int(begin * scale), _BAR - 1)
    count = min(max(round(seconds * scale), 1), _BAR - first)
    return f"{' ' * first}{sign * count}".ljust(_BAR)
