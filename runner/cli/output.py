"""How ``up`` tells of the run: listeners of the supervisor that write to standard output, whoever reads that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.event import Decided
    from ..supervisor.outlet import Outlet
    from ..supervisor.supervisor import Supervisor

_STDOUT = 1
_STILL_EVERY = 30.0
"""Seconds from one line about what still runs to the next."""


def show_json(supervisor: Supervisor) -> Outlet:
    """Every event as a line of JSON."""
    from ..supervisor.outlet import Outlet

    def say_gap(missed: int) -> bytes:
        from ..core.stream import Gap
        from ..supervisor.control import lines_of, take_snapshot

        return lines_of([Gap(at=supervisor.now(), missed=missed), take_snapshot(supervisor)])

    def write(_: Sequence[Decided], lines: bytes) -> None:
        for line in lines.splitlines(keepends=True):  # so that lines are what a gap counts
            outlet.write(line)

    outlet = Outlet(supervisor.poller, _STDOUT, say_gap)
    supervisor.listeners.append(write)
    return outlet


def show_plain(supervisor: Supervisor, with_logs: bool) -> Outlet:
    """Every change as a line for people; with logs, also what the units write."""
    from datetime import datetime

    from ..show.plain import Plain
    from ..supervisor.outlet import Outlet
    from ..supervisor.output import printable

    plain = Plain(tail=supervisor.tail, began=datetime.fromtimestamp(supervisor.begun_at))
    outlet = Outlet(supervisor.poller, _STDOUT, lambda missed: _text([plain.gap(supervisor.now(), missed)]))
    supervisor.listeners.append(lambda events, _: outlet.write(_text(line for event in events for line in plain.feed(event))))
    supervisor.every(_STILL_EVERY, lambda: outlet.write(_text(plain.still(supervisor.now()))))
    if with_logs:
        supervisor.on_line = lambda unit, line: outlet.write(_text([plain.log_line(unit, printable(line))]))
    return outlet


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
