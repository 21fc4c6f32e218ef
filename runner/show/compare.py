"""Compares two runs: what became slower, what became quicker, what is new, gone, or fails now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from ..core.record import RunRecord, UnitRecord
from ..core.words import say_count, say_duration
from .blame import say_change
from .history import JsonRun, has_failed, make_json, say_run, say_startup
from .table import render_rows, wrap
from .text import listed

_LEAST_SHARE = 0.05
_LEAST_SECONDS = 0.05
"""What changed by less than one of these is about the same: no two runs are equal."""
_NAMES_SHOWN = 8


class Change(Struct, frozen=True):
    """How long a unit took until its goal in both runs, in seconds, failed attempts and their delays too."""

    unit: str
    before: float
    after: float
    change: float


class Comparison(Struct, frozen=True):
    """Two runs side by side."""

    before: JsonRun
    after: JsonRun
    slower: tuple[Change, ...]
    """Where most was lost first."""
    faster: tuple[Change, ...]
    """Where most was won first."""
    same: tuple[Change, ...]
    failed: tuple[str, ...]
    """Units that failed and had not before."""
    mended: tuple[str, ...]
    """Units that had failed and reached their goal."""
    new: tuple[str, ...]
    gone: tuple[str, ...]


def compare(before: RunRecord, after: RunRecord) -> Comparison:
    """What changed from one run to the other."""
    old, new = _by_name(before), _by_name(after)
    changes = sorted(_changes(old, new), key=lambda one: one.change, reverse=True)
    both = [name for name in new if name in old]
    return Comparison(
        before=make_json(before),
        after=make_json(after),
        slower=tuple(one for one in changes if one.change > 0 and _matters(one)),
        faster=tuple(one for one in reversed(changes) if one.change < 0 and _matters(one)),
        same=tuple(one for one in changes if not _matters(one)),
        failed=tuple(name for name in both if has_failed(new[name]) and not has_failed(old[name])),
        mended=tuple(name for name in both if has_failed(old[name]) and new[name].reached_at is not None),
        new=tuple(name for name in new if name not in old),
        gone=tuple(name for name in old if name not in new),
    )


def render_json(before: RunRecord, after: RunRecord) -> str:
    """The comparison as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(compare(before, after)), indent=2).decode() + "\n"


def render_text(before: RunRecord, after: RunRecord) -> str:
    """The comparison for people, regressions first, in 80 columns as far as names allow."""
    told = compare(before, after)
    lines = [f"{say_run(after)} against {say_run(before)}", f"{say_startup(after)}{_say_before(before, after)}"]
    for title, names in (("fails now", told.failed), ("new", told.new), ("gone", told.gone), ("no longer fails", told.mended)):
        if names:
            lines += wrap(f"{title}: {listed(names, _NAMES_SHOWN)}")
    for title, changes in (("slower", told.slower), ("faster", told.faster)):
        if changes:
            lines += ["", *_table(title, changes)]
    if told.same:
        lines += ["", f"{say_count(len(told.same), 'unit')} took about as long as before"]
    return "\n".join(lines) + "\n"


def _by_name(run: RunRecord) -> dict[str, UnitRecord]:
    return {unit.unit: unit for unit in run.units}


def _changes(old: Mapping[str, UnitRecord], new: Mapping[str, UnitRecord]) -> Iterator[Change]:
    """The units that reached their goal in both runs."""
    for name, unit in new.items():
        was, now = _took(old.get(name)), _took(unit)
        if was is not None and now is not None:
            yield Change(name, was, now, now - was)


def _took(unit: UnitRecord | None) -> float | None:
    return None if unit is None or unit.reached_at is None else unit.cost


def _matters(one: Change) -> bool:
    return abs(one.change) >= max(_LEAST_SECONDS, _LEAST_SHARE * one.before)


def _say_before(before: RunRecord, after: RunRecord) -> str:
    if before.startup is None:
        return f"; before: {say_startup(before)}"
    change = None if after.startup is None else after.startup - before.startup
    said = f"; before: {before.startup_outcome} after {say_duration(before.startup)}"
    return said if change is None else f"{said} ({say_change(change)})"


def _table(title: str, changes: Sequence[Change]) -> list[str]:
    rows = [(say_change(one.change), say_duration(one.before), say_duration(one.after), one.unit) for one in changes]
    return render_rows((title, "before", "after", "unit"), rows)
