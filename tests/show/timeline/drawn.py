"""Timelines to draw: recorded runs, and small ones whose every time is known."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import structs
from msgspec.json import Decoder

from runner.core.declare import declarations
from runner.core.event import Decided
from runner.core.stream import StreamEvent
from runner.core.timeline import Timeline, timeline
from runner.core.unit import Dependency, Probe, Ready, Retry
from runner.show.timeline.layout import Layout, lay_out
from tests.core.world import Life, World, make_unit

RECORDINGS: Final = Path(__file__).parents[2] / "recordings"
RECORDED: Final = ("small", "failures", "locks", "wide", "huge")
BEGAN: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
READY: Final = Ready(probe=Probe(by="tcp"))
STRANGE: Final = "\x1b[31m<script>alert(1)</script>]]>\n\"'&--><!-- \u202e"
"""Text from outside that must stay text."""


@cache
def recorded(name: str) -> Timeline:
    """The timeline of a recorded run."""
    plain = RECORDINGS / f"{name}.jsonl"
    text = plain.read_bytes() if plain.exists() else gzip.decompress((RECORDINGS / f"{name}.jsonl.gz").read_bytes())
    decode = Decoder(StreamEvent).decode
    events = map(decode, text.splitlines())
    return timeline(event for event in events if isinstance(event, Decided))


def layout(of: Timeline | str, *, whole: bool = False) -> Layout:
    """How a timeline, or a recorded one, is drawn."""
    return lay_out(recorded(of) if isinstance(of, str) else of, BEGAN, whole=whole)


def played(world: World, *, declared: bool = True) -> Timeline:
    """The timeline of a world that starts everything at 0."""
    world.start()
    begun, *events = world.run().journal
    if declared:
        begun = structs.replace(begun, declared=declarations(world.engine.graph))
    return timeline([begun, *events])


def after(*names: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name) for name in names)


def eventful() -> World:
    """Every kind of phase, an attempt in vain, a service that goes on, a failure and what is skipped because of it."""
    world = World(
        [
            make_unit("clone", retry=Retry(attempts=2, delay=1.0, jitter=0.0)),
            make_unit("apt/base", locks=("apt",)),
            make_unit("apt/tools", locks=("apt",)),
            make_unit("db", kind="service", ready=READY, after=after("apt/base")),
            make_unit("lint", after=after("apt/base")),
            make_unit("report", after=after("lint")),
            make_unit("late", after=after("apt/base")),
            make_unit("done", kind="target", after=after("db", "clone")),
        ],
        {
            "clone": [Life(runs=1.0, exit=1), Life(runs=2.0)],
            "apt/base": [Life(runs=2.0)],
            "apt/tools": [Life(runs=1.5)],
            "db": [Life(ready=3.0, obeys=0.5)],
            "lint": [Life(runs=0.5, exit=2)],
            "late": [Life(runs=0.25)],
        },
        jobs=3,
    )
    world.stop(at=6.0, reason="enough")
    return world
