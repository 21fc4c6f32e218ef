"""Says what a request has set in motion, and how that went, a unit a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..core.event import StartupFinished
from ..core.snapshot import UnitView
from ..core.words import say_duration, say_exit
from .ending import say_end
from .reason import named
from .table import wrap
from .text import printable

_WIDEST_NAME = 32
_GAP = "  "


def say_start(doing: str, units: Sequence[str], meant: Collection[str]) -> list[str]:
    """``starting web, and what it needs: db and cache``; ``trying again clone, and with it build``.

    Only a start has no other reason than need; who is restarted or tried again takes dependents along.
    """
    chosen = [unit for unit in units if unit in meant]
    others = [unit for unit in units if unit not in meant]
    if not chosen:
        return wrap(f"{doing} {named(others)}")
    if not others:
        return wrap(f"{doing} {named(chosen)}")
    if doing == "starting":
        why = f"what {'it needs' if len(chosen) == 1 else 'they need'}:"
    else:
        why = f"with {'it' if len(chosen) == 1 else 'them'}"
    return wrap(f"{doing} {named(chosen)}, and {why} {named(others)}")


def say_stop(doing: str, units: Sequence[str], meant: Collection[str]) -> list[str]:
    """``stopping db, and before it api and web, which depend on it``."""
    chosen = [unit for unit in units if unit in meant]
    others = [unit for unit in units if unit not in meant]
    if not others or not chosen:
        return wrap(f"{doing} {named(chosen or others)}")
    they = "it" if len(chosen) == 1 else "them"
    return wrap(f"{doing} {named(chosen)}, and before {they} {named(others)}, which depend{'s' * (len(others) == 1)} on {they}")


def say_down(units: Sequence[str]) -> list[str]:
    """``stopping web, api and db, then the supervisor``."""
    return wrap(f"stopping {named(units)}, then the supervisor" if units else "stopping the supervisor: nothing else runs")


def say_startup(startup: StartupFinished) -> list[str]:
    """``startup failed after 3.2 s: lint did not reach its goal``."""
    failed = startup.failed
    missed = f": {named(failed)} did not reach {'its' if len(failed) == 1 else 'their'} goal" if failed else ""
    return wrap(f"startup {startup.outcome} after {say_duration(startup.duration)}{missed}")


def say_changes(added: Sequence[str], changed: Sequence[str], removed: Sequence[str], *, restarts: bool) -> list[str]:
    """What the unit files say now and did not, a unit a line."""
    told = [
        *(("added", unit, "") for unit in added),
        *(("changed", unit, "" if restarts else "at its next start") for unit in changed),
        *(("removed", unit, "") for unit in removed),
    ]
    if not told:
        return ["the unit files say what they said before: nothing has changed"]
    column = _column([unit for _, unit, _ in told])
    return [f"{word:7}{_GAP}{printable(unit):{column}}{_GAP}{note}".rstrip() for word, unit, note in told]


def say_stopped(view: UnitView, asked_at: float) -> str:
    """How the stop of a unit went."""
    if view.outcome not in ("cancelled", None):
        return say_end(view, view.optional)
    said = f"stopped after {say_duration(view.since - asked_at)}"
    return f"{said}, {say_exit(None, view.signal)}" if view.signal == "SIGKILL" else said


def say_reached(view: UnitView) -> str:
    """How the start of a unit went."""
    if view.state == "ready":
        after = (view.ready_at or 0.0) - (view.started_at or 0.0)
        return f"ready after {say_duration(after)}" if after > 0 else "ready"
    return say_end(view, view.optional)


class Lines:
    """Lines that begin with the name of a unit, in columns."""

    def __init__(self, units: Collection[str]) -> None:
        """Say which units there will be."""
        self._column = _column(units)

    def line(self, unit: str, said: str) -> str:
        """The line of a unit; one that is too long goes on below."""
        head = f"{printable(unit):{self._column}}{_GAP}"
        return "\n".join(wrap(said, head))

    def lines(self, said: dict[str, str]) -> Iterator[str]:
        """The lines of several."""
        return (self.line(unit, words) for unit, words in said.items())


def _column(units: Collection[str]) -> int:
    return min(max((len(printable(unit)) for unit in units), default=0), _WIDEST_NAME)
