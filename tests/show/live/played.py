"""Views of recorded runs, and of runs that a test makes up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from rich.text import Text

from runner.core.event import Declaration, Outcome, RunStarted, UnitEnded, UnitReady, UnitStarted, UnitStarting
from runner.core.stream import StreamEvent, UnitWrote
from runner.show.live import View
from tests.recordings import read_recording

MOMENTS = {
    "small": (0.3, 2.9, 6.0, 7.5),
    "failures": (0.3, 0.9, 3.5, 6.3),
    "locks": (0.9, 3.9, 6.7),
    "wide": (0.9, 3.9, 4.7),
    "huge": (0.3, 1.7, 4.0),
}
"""Early, in the middle, and at the end."""

recorded = cache(read_recording)


def view_of(events: Iterable[StreamEvent]) -> View:
    view = View()
    for event in events:
        view.apply(event)
    return view


def view_at(name: str, at: float) -> View:
    """A recorded run at a moment."""
    return view_of(event for event in recorded(name) if event.at <= at)


def moments_of(name: str, every: float) -> Iterator[tuple[float, View]]:
    """A recorded run, again and again, as it would be drawn; it is one and the same view."""
    view, at = View(), 0.0
    for event in recorded(name):
        while event.at > at:
            yield at, view
            at += every
        view.apply(event)
    yield at, view


def plain(lines: Iterable[Text]) -> str:
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


def run_of(*units: str | Declaration, **more: Any) -> View:
    """A run of these units, of which nothing is known but what is declared."""
    declared = tuple(unit if isinstance(unit, Declaration) else Declaration(unit=unit) for unit in units)
    names = tuple(one.unit for one in declared)
    return view_of([RunStarted(at=0.0, run="r", version="1", pid=1, units=names, declared=declared, **more)])


def start(view: View, unit: str, at: float = 0.0, attempt: int = 1, log: str = "") -> None:
    view.apply(UnitStarting(at=at, unit=unit, invocation=f"{unit}.{attempt}", attempt=attempt))
    view.apply(UnitStarted(at=at, unit=unit, pid=1, invocation=f"{unit}.{attempt}", attempt=attempt, command="x", log=log))


def become_ready(view: View, unit: str, at: float = 0.0) -> None:
    view.apply(UnitReady(at=at, unit=unit, after=0.0))


def end(view: View, unit: str, at: float = 1.0, outcome: Outcome = "succeeded", reason: str = "", **more: Any) -> None:
    view.apply(UnitEnded(at=at, unit=unit, outcome=outcome, reason=reason, **more))


def write(view: View, unit: str, *lines: str, at: float = 0.0) -> None:
    view.apply(UnitWrote(at=at, unit=unit, lines=lines))


def calls(function: Any) -> int:
    """How many functions are called, of Python and of C: a measure of work that no machine changes."""
    import sys

    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count
