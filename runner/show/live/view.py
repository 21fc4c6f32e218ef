"""What a live view knows of a run: the snapshot, the last lines of every unit's output, and the groups in their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len

from ...core.event import Decided, RunStarted, UnitEvent
from ...core.snapshot import Snapshot
from ...core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from .cells import one_line

KEPT_LINES: Final = 20
"""Lines of a unit's output that are kept."""
KEPT_WIDTH: Final = 1_000
"""Characters of each."""


class View:
    """Folds the events of a stream, in order. What an event costs does not depend on how many units there are.

    A unit's place is that of its name in the run's list of units; one that a script brings comes after those before it. So
    no unit ever moves.
    """

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.missed = 0
        """Lines of the stream that were left out, because whoever read it was too slow."""
        self.groups: dict[str, list[str]] = {}
        """The units of each group, which is the first part of their names; those without one are in the group ``""``."""
        self.name_width = 0
        """Cells of the widest name."""
        self.label_width = 0
        """Cells of the widest name within its group, or of the widest group."""
        self._output: dict[str, list[str]] = {}

    def apply(self, event: StreamEvent | Decided) -> None:
        """Fold one more event. Raises IllegalTransition or KeyError where it cannot follow those before it."""
        match event:
            case UnitWrote():
                self._keep(event)
            case Gap():
                self.missed += event.missed
            case SnapshotTaken():
                self.snapshot = event.snapshot.fork()  # the event is whoever's it is, and the snapshot goes on
                self._place_all(self.snapshot.units)
            case Decided():
                self._fold(event)

    def last_lines(self, unit: str, count: int) -> list[str]:
        """How a unit's output ends, oldest line first, each as it was written."""
        kept = self._output.get(unit, [])
        return kept[max(len(kept) - count, 0) :]

    def last_line(self, unit: str) -> str:
        """The last line of a unit's output that is not blank, or the empty string."""
        return next((line for line in reversed(self._output.get(unit, ())) if line.strip()), "")

    def _fold(self, event: Decided) -> None:
        is_new = isinstance(event, UnitEvent) and event.unit not in self.snapshot.units
        self.snapshot.apply(event)
        if isinstance(event, RunStarted):
            self._place_all(event.units)
        elif is_new and isinstance(event, UnitEvent):
            self._place(event.unit)

    def _keep(self, event: UnitWrote) -> None:
        """What was told before goes: each telling says how the output ends, with lines of the one before it among them."""
        self._output[event.unit] = [_shortened(line) for line in event.lines[-KEPT_LINES:]]

    def _place_all(self, names: Iterable[str]) -> None:
        self.groups = {}
        self.name_width = self.label_width = 0
        for name in names:
            self._place(name)

    def _place(self, name: str) -> None:
        group, label = split_name(name)
        self.groups.setdefault(group, []).append(name)
        self.name_width = max(self.name_width, cell_len(one_line(name)))
        self.label_width = max(self.label_width, cell_len(one_line(label)), cell_len(one_line(group)))


def split_name(name: str) -> tuple[str, str]:
    """The group that a unit is shown in, and its name there: ``editor/extensions/vim`` is ``extensions/vim`` in ``editor``."""
    group, slash, label = name.partition("/")
    return (group, label) if slash and label else ("", name)


def _shortened(line: str) -> str:
    """The part of a long line that can be shown: of a progress bar, which begins anew with each ``\\r``, the last one."""
    return line if len(line) <= KEPT_WIDTH else line.rstrip("\r").rpartition("\r")[2][:KEPT_WIDTH]
