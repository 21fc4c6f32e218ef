"""Draws one unit as one line: its sign, its name, its time against what is expected, and what it waits for or does."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET
from rich.text import Text

from ...core.snapshot import UnitView
from ...core.words import say_count
from ..ending import say_reason
from ..summary import OUTCOME_WORDS
from ..waiting import say_obstacles
from .cells import clean, one_line, pad
from .pen import Pen, say_clock
from .style import ALARM, STRONG, bar, sign_of
from .view import split_name

_WORTH_TELLING: Final = 0.05
"""Seconds. Less would be told as none."""


def draw_row(pen: Pen, name: str, *, in_group: bool) -> Text:
    """The line of a unit: below its group, or by its whole name."""
    view = pen.units[name]
    sign, style = sign_of(view, pen.glyphs)
    shown, width = (split_name(name)[1], pen.label) if in_group else (name, pen.name)
    line = Text("  " if in_group else "", end="")
    line.append(sign, style)
    line.append(" " + pad(one_line(shown), width, pen.glyphs.more) + "  ", _name_style(view))
    time = _say_time(pen, view)
    if time:
        _append_time(line, pen, view, time)
    words = one_line(_say_words(pen, name))
    line.append(words, ALARM if view.outcome in ("failed", "timed-out") else "")
    output = clean(pen.view.last_line(name)) if view.outcome is None else ""
    if output:
        line.append(("  " if words else "") + f"{pen.glyphs.gutter} {output}")
    line.rstrip()
    return pen.finish(line)


def _name_style(view: UnitView) -> str:
    if view.outcome in ("failed", "timed-out"):
        return ALARM
    return STRONG if view.state in ("running", "backoff", "stopping") else ""


def _append_time(line: Text, pen: Pen, view: UnitView, time: str) -> None:
    """A time in its column, before it where there is room how much of the expected time a unit that runs has had."""
    if pen.is_wide and view.state == "running" and view.expected:
        for piece, style in bar((pen.at - _began(view)) / view.expected, pen.bar, pen.glyphs):
            line.append(piece, style)
    elif pen.is_wide:
        line.append(" " * pen.bar)
    line.append(f"{'  ' * pen.is_wide}{time:>{pen.time}}  ")


def _say_time(pen: Pen, view: UnitView) -> str:
    """How long it has been at it, of how long it is expected to take; how long it took; what is left of its backoff."""
    match view.state:
        case "running":
            elapsed = say_clock(pen.at - _began(view))
            return f"{elapsed} of {say_clock(view.expected)}" if view.expected and view.expected >= _WORTH_TELLING else elapsed
        case "backoff" if view.retry_at is not None:
            return f"in {say_clock(view.retry_at - pen.at)}"
        case "stopping":
            return say_clock(pen.at - view.since)
        case "ready" if view.started_at is not None and view.ready_at is not None:
            return say_clock(view.ready_at - view.started_at)
        case "ended" if view.duration:
            return say_clock(view.duration)
    return ""


def _began(view: UnitView) -> float:
    """When its process was there; before that, when it was ordered."""
    return view.since if view.started_at is None else view.started_at


def _say_words(pen: Pen, name: str) -> str:
    view = pen.units[name]
    match view.state:
        case "waiting":
            return f"waits for {say_obstacles(view, pen.units, pen.holders)}{_say_others(pen, view)}"
        case "backoff":
            return f"attempt {view.attempt + 1} after {say_reason(view)}"
        case "stopping":
            return f"stopping: {view.reason}"
        case "ready":
            return ", ".join(filter(None, ["ready", _say_attempt(view), view.text]))
        case "ended":
            return _say_ended(view)
    return ", ".join(filter(None, [_say_running(view), _say_attempt(view), view.text]))


def _say_others(pen: Pen, view: UnitView) -> str:
    """How many others wait for a lock that this one waits for, where there is room for that."""
    if pen.is_narrow:
        return ""
    waiting = {name for one in view.waits_for if one.lock is not UNSET for name in pen.queues[one.lock]}
    return f", with {say_count(len(waiting) - 1, 'other')}" if len(waiting) > 1 else ""


def _say_running(view: UnitView) -> str:
    if view.kind == "external":
        return "its script works"
    return "not ready yet" if view.kind == "service" else ""


def _say_attempt(view: UnitView) -> str:
    return f"attempt {view.attempt}" if view.attempt > 1 else ""


def _say_ended(view: UnitView) -> str:
    """Nothing more of a success, which its sign and its time tell."""
    if view.outcome is None or view.outcome == "succeeded":
        return ""
    mark = " (optional)" if view.optional and view.outcome != "unneeded" else ""
    return f"{OUTCOME_WORDS[view.outcome]}{mark}: {say_reason(view)}"
