"""Says how a run stands: all units in a table, those that need somebody's eye first, or all that is known of one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from msgspec import Struct, json, to_builtins

from ..core.explain import explain
from ..core.snapshot import Snapshot, UnitView
from ..core.words import say_count, say_duration, say_size
from .ending import say_reason
from .queue import Queue, queues_of, say_queue
from .reason import named
from .summary import OUTCOME_WORDS, say_counts
from .table import WIDTH, wrap
from .text import cut_name, printable
from .waiting import lock_holders, say_obstacles
from .why import say_answer

_WIDEST_NAME = 28
_ATTENTION: Final = (
    *("failed", "timed-out", "backoff", "stopping", "skipped", "running", "waiting"),
    *("cancelled", "ready", "succeeded", "unneeded", "idle"),
)
"""The order of the table: first what is wrong, then what moves, then what stands as it should."""
_COLUMN = 10
"""Where what is known of one unit stands behind what it is."""


class Usage(Protocol):
    """What the processes of a unit use."""

    @property
    def processes(self) -> int:
        """How many there are."""

    @property
    def memory(self) -> int:
        """Bytes."""

    @property
    def cpu(self) -> float:
        """Seconds."""


class Status(Struct, frozen=True):
    """A run at the moment of asking."""

    snapshot: Snapshot
    at: float
    begun_at: float
    is_live: bool
    usage: Mapping[str, Usage]


# ------------------------------------------------------------------ all units


def render_text(status: Status, units: Sequence[str], note: str = "") -> str:
    """The run in a few lines, then a table of these units."""
    lines = [*([note] if note else _headline(status)), *_counts(status)]
    if status.is_live:
        lines += [line for queue in queues_of(status.snapshot) for line in wrap(say_queue(queue), "  ")]
    return "\n".join([*lines, "", *_table(status, units)]) + "\n"


def _headline(status: Status) -> Iterator[str]:
    run = status.snapshot.run
    if run:
        yield f"run {printable(run.run)} for {say_duration(status.at)}, pid {run.pid}"
        if run.socket:
            yield f"  socket {printable(run.socket)}"


def _counts(status: Status) -> list[str]:
    optional = {name for name, view in status.snapshot.units.items() if view.optional}
    return wrap(f"{say_count(len(status.snapshot.units), 'unit')}: {say_counts(status.snapshot, optional)}", "  ")


def _table(status: Status, units: Sequence[str]) -> Iterator[str]:
    views = status.snapshot.units
    ordered = sorted(units, key=lambda name: _ATTENTION.index(_word(views[name])))
    holders = lock_holders(views)
    rows = [(cut_name(name, _WIDEST_NAME), _say_state(views[name]), _say_since(status, views[name])) for name in ordered]
    head = ("unit", "state", "for")
    name_width, state_width, since_width = (max(map(len, column)) for column in zip(head, *rows, strict=True))
    is_anything_used = any(name in status.usage for name in units)
    yield f"{'unit':{name_width}}  {'state':{state_width}}  {'for':>{since_width}}{_USAGE_HEAD if is_anything_used else ''}"
    for name, (shown, state, since) in zip(ordered, rows, strict=True):
        begin = f"{shown:{name_width}}  {state:{state_width}}  {since:>{since_width}}  "
        said = _say_detail(status, name, holders)
        usage = _say_usage(views[name], status.usage.get(name))
        if usage:
            yield (begin + usage).rstrip()
            begin = " " * (name_width + 2)
        if said:
            yield from _fill(said, begin)
        elif not usage:
            yield begin.rstrip()


_USAGE_HEAD: Final = f"  {'pid':>7}  {'memory':>7}  {'cpu':>9}"


def _say_usage(view: UnitView, usage: Usage | None) -> str:
    if usage is None:
        return f"{view.pid:>7}" if view.pid else ""
    return f"{view.pid or '-':>7}  {say_size(usage.memory):>7}  {say_duration(usage.cpu):>9}"


def _word(view: UnitView) -> str:
    return view.outcome if view.state == "ended" and view.outcome else view.state


def _say_state(view: UnitView) -> str:
    return OUTCOME_WORDS[view.outcome] if view.state == "ended" and view.outcome else view.state


def _say_since(status: Status, view: UnitView) -> str:
    return "" if view.state == "idle" else say_duration(status.at - view.since)


def _say_detail(status: Status, name: str, holders: Mapping[str, str]) -> str:
    """Why a unit is where it is, where that is not what it should be."""
    view = status.snapshot.units[name]
    mark = "optional: " if view.optional and view.outcome in ("failed", "timed-out") else ""
    match _word(view):
        case "failed" | "timed-out" | "stopping":
            return mark + say_reason(view)
        case "skipped" | "cancelled" | "unneeded":
            return view.reason
        case "backoff":
            return f"tries again in {say_duration((view.retry_at or status.at) - status.at)}: {say_reason(view)}"
        case "waiting":
            return f"for {say_obstacles(view, status.snapshot.units, holders)}"
        case "running" | "ready":
            return view.text
    return ""


def _fill(text: str, begin: str) -> list[str]:
    """Text behind the beginning of its line, the further lines below it."""
    indent = " " * min(len(begin), WIDTH // 2)
    return textwrap.wrap(printable(text), WIDTH, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False)


# ------------------------------------------------------------------ one unit


def render_unit(status: Status, unit: str, last_lines: Sequence[str], note: str = "") -> str:
    """All that is known of a unit, and how its output ends."""
    view = status.snapshot.units[unit]
    lines = [note, ""] if note else []
    title = f"{printable(unit)}: {printable(view.description)}" if view.description else printable(unit)
    lines += [title, *wrap(f"{say_answer(explain(status.snapshot, unit, status.at))}.", "  "), ""]
    for word, said in _facts(status, unit, view):
        lines += wrap(said, f"  {word:{_COLUMN}}") if word not in ("command", "log") else [f"  {word:{_COLUMN}}{printable(said)}"]
    if last_lines:
        lines += ["", *(f"  | {line}" for line in last_lines)]
    return "\n".join(lines) + "\n"


def _facts(status: Status, unit: str, view: UnitView) -> Iterator[tuple[str, str]]:
    yield "kind", view.kind + (", optional" if view.optional else "") + ("" if view.is_declared else ", brought by a script")
    usage = status.usage.get(unit)
    if view.pid:
        yield "pid", str(view.pid)
    if usage:
        processes = say_count(usage.processes, "process").replace("processs", "processes")
        yield "uses", f"{say_size(usage.memory)}, {say_duration(usage.cpu)} of CPU time, {processes}"
    elif view.cpu or view.max_rss:
        yield "used", f"{say_duration(view.cpu)} of CPU time, {say_size(view.max_rss)}"
    if view.attempt > 1:
        yield "attempt", str(view.attempt)
    if view.expected is not None:
        yield "usually", f"takes {say_duration(view.expected)} to its goal"
    if view.because:
        yield "ran", f"because {view.because}"
    if view.runs_if:
        yield "runs", f"if {'; if '.join(view.runs_if)}"
    yield from _edges(status, unit, view)
    for word, text in (("gives", ", ".join(view.gives)), ("command", view.command), ("log", view.log)):
        if text:
            yield word, text


def _edges(status: Status, unit: str, view: UnitView) -> Iterator[tuple[str, str]]:
    units = status.snapshot.units
    if view.after:
        yield "after", ", ".join(_say_need(name, need.requires) for name, need in view.after.items())
    if dependents := [name for name, other in units.items() if unit in other.after]:
        yield "before", ", ".join(_say_need(name, units[name].after[unit].requires) for name in dependents)
    for how, handlers in (("succeeds", view.on_success), ("fails", view.on_failure)):
        if handlers:
            yield "starts", f"{named(handlers)} if it {how}"
    for lock in view.locks:
        queue = next((one for one in queues_of(status.snapshot) if one.by == "lock" and one.name == lock), None)
        yield "lock", say_queue(queue).removeprefix("lock ") if queue and status.is_live else f'"{lock}"'


def _say_need(name: str, requires: str) -> str:
    return name if requires == "success" else f"{name} (however it ends)"


# ------------------------------------------------------------------ data


class _Json(Struct, frozen=True):
    run: str
    begun_at: datetime
    elapsed: float
    is_live: bool
    pid: int | None
    socket: str
    queues: list[Queue]
    units: list[dict[str, object]]


def render_json(status: Status, units: Sequence[str]) -> str:
    """The run and these units, each with all that is known of it."""
    run = status.snapshot.run
    data = _Json(
        run=run.run if run else "",
        begun_at=datetime.fromtimestamp(status.begun_at, UTC),
        elapsed=status.at,
        is_live=status.is_live,
        pid=run.pid if run and status.is_live else None,
        socket=run.socket if run else "",
        queues=queues_of(status.snapshot) if status.is_live else [],
        units=[_unit_data(status, name) for name in units],
    )
    return json.format(json.encode(data), indent=2).decode() + "\n"


def _unit_data(status: Status, name: str) -> dict[str, object]:
    view, usage = status.snapshot.units[name], status.usage.get(name)
    used = {"processes": usage.processes, "memory": usage.memory, "cpu": usage.cpu} if usage else {}
    return {"unit": name, "state": view.state, "kind": view.kind, **to_builtins(view), **used}


# ------------------------------------------------------------------ a list


def render_list(snapshot: Snapshot, width: int | None = None) -> str:
    """A unit a line: its name, kind, state and what it is for; cut to a width, where there is one."""
    rows = [
        (cut_name(name, _WIDEST_NAME), view.kind, _say_state(view), view.description) for name, view in snapshot.units.items()
    ]
    widths = [max(map(len, column), default=0) for column in list(zip(*rows, strict=True))[:3]]
    lines = ("  ".join([*map(str.ljust, row[:3], widths), printable(row[3])]).rstrip() for row in rows)
    return "".join(f"{line}\n" if width is None or len(line) <= width else f"{line[: width - 1]}…\n" for line in lines)
