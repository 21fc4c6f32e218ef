"""Shows what would become of a startup if units took another time, or failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from ..core.event import Outcome
from ..core.simulate import Prediction
from ..core.words import say_duration
from .outlook import Outlook, make_outlook, path_lines, say_total, stuck_lines, takes, wrap
from .text import listed

_NAMES_SHOWN = 40
_NO_CHANGE = 0.0005
"""Seconds that nobody would see."""
_RUNS = (7, "runs")


class Change(Struct, frozen=True):
    """Another duration for a unit, in seconds; ``before`` is None where it is not known yet."""

    unit: str
    before: float | None
    after: float


class Fate(Struct, frozen=True):
    """What would become of a unit that is wanted."""

    unit: str
    optional: bool
    outcome: Outcome | None
    """None: it would not end by itself."""
    is_reached: bool
    """It reaches its goal."""
    cause: str
    """For a skipped unit: the one at the root of it."""
    starts: float | None
    """Seconds from the beginning; None where it does not start, or no duration is known."""
    takes: float | None
    """Seconds from then until it reaches its goal or fails; None where that is not known."""
    is_new: bool
    """Otherwise it would not be wanted: it handles what another came to."""


class WhatIf(Struct, frozen=True):
    """A question and its answer."""

    durations: tuple[Change, ...]
    fail: tuple[str, ...]
    before: Outlook
    after: Outlook
    change: float | None
    """Seconds by which the startup would take longer; None where one of the two totals is not known."""
    units: tuple[Fate, ...]
    not_wanted: tuple[str, ...]
    """Units that would be wanted otherwise: they handle what another came to."""


def make_what_if(before: Prediction, after: Prediction, durations: Mapping[str, float], failing: Iterable[str]) -> WhatIf:
    """Compare two predictions: without the ``durations`` and the failures that are asked about, and with them."""
    was, becomes = before.snapshot.units, after.snapshot.units
    outlooks = make_outlook(before), make_outlook(after)
    totals = [outlook.total for outlook in outlooks if outlook.total is not None]
    wanted = [name for name, view in becomes.items() if view.state != "idle"]
    return WhatIf(
        durations=tuple(Change(name, was[name].expected, seconds) for name, seconds in durations.items()),
        fail=tuple(failing),
        before=outlooks[0],
        after=outlooks[1],
        change=totals[1] - totals[0] if len(totals) == 2 else None,
        units=tuple(_fate(after, name, outlooks[1].is_known, was[name].state == "idle") for name in wanted),
        not_wanted=tuple(name for name, view in was.items() if view.state != "idle" and becomes[name].state == "idle"),
    )


def render_json(answer: WhatIf) -> str:
    """The answer as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n"


def render_text(answer: WhatIf) -> str:
    """The answer for people, in 80 columns as far as names allow."""
    lines = wrap(_question(answer), "", "  ")
    if fates := list(_fates(answer)):
        lines += ["", *fates]
    lines += ["", f"startup before: {_say_end(answer.before)}"]
    lines += wrap(f"startup after:  {_say_end(answer.after)}{_say_change(answer)}", "", "  ")
    lines += stuck_lines(answer.after)
    if answer.after.is_known and answer.after.critical_path:
        lines += ["", *_paths(answer)]
    return "\n".join(lines) + "\n"


def _question(answer: WhatIf) -> str:
    parts = []
    for change in answer.durations:
        instead = "" if change.before is None else f" instead of {say_duration(change.before)}"
        parts.append(f"{change.unit} took {say_duration(change.after)}{instead}")
    parts += [f"{name} failed" for name in answer.fail]
    return f"what if {' and '.join(parts)}?"


def _fate(prediction: Prediction, name: str, is_known: bool, is_new: bool) -> Fate:
    view = prediction.snapshot.units[name]
    return Fate(
        unit=name,
        optional=view.optional,
        outcome=view.outcome,
        is_reached=view.reached_at is not None,
        cause=view.cause,
        starts=view.first_started_at if is_known else None,
        takes=takes(prediction, name) if is_known else None,
        is_new=is_new,
    )


def _fates(answer: WhatIf) -> Iterator[str]:
    """What becomes of whom, the worst first, where not all is well."""
    groups: dict[tuple[int, str], list[str]] = {}
    for fate in answer.units:
        groups.setdefault(_rank(fate), []).append(f"{fate.unit} (optional)" if fate.optional else fate.unit)
    if answer.not_wanted:
        groups[6, "does not start"] = list(answer.not_wanted)
    if set(groups) != {_RUNS}:
        for rank in sorted(groups):
            yield from wrap(f"{rank[1]}: {listed(groups[rank], _NAMES_SHOWN)}", "", "  ")


def _rank(fate: Fate) -> tuple[int, str]:
    match fate.outcome:
        case "failed":
            return 1, "fails"
        case "timed-out":
            return 2, "times out"
        case "skipped":
            return 3, f"skipped because of {fate.cause}"
    if not fate.is_reached:
        return 4, "waits for ever"
    return (5, "starts because of that") if fate.is_new else _RUNS


def _say_end(outlook: Outlook) -> str:
    if outlook.outcome == "unfinished":
        return "never finished"
    word = "fails" if outlook.exit_status else "succeeds"
    after = "" if outlook.total is None else f" after {say_total(outlook)}"
    return f"{word}{after}{f', exit status {outlook.exit_status}' if outlook.exit_status else ''}"


def _say_change(answer: WhatIf) -> str:
    if answer.change is None or answer.before.total is None:
        return ""
    if abs(answer.change) < _NO_CHANGE:
        return ", no change"
    percent = round(100 * abs(answer.change) / answer.before.total) if answer.before.total else 0
    share = f" ({percent} %)" if percent else ""
    return f", {say_duration(abs(answer.change))} {'sooner' if answer.change < 0 else 'later'}{share}"


def _paths(answer: WhatIf) -> list[str]:
    units_before, units_after = ([link.unit for link in outlook.critical_path] for outlook in (answer.before, answer.after))
    if units_before == units_after and answer.before.is_known:
        return path_lines("critical path as before", answer.after)
    before = [*path_lines("critical path before", answer.before), ""] if answer.before.is_known else []
    return [*before, *path_lines("critical path after", answer.after)]
