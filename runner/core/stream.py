"""What a watcher of a run gets: the run as it is, then every event, and beside them what the units write.

The same lines can be kept in a file and shown again. Of those below nothing is in the journal, for nothing here was decided:
they are what a reader needs who came late, is slow, or wants to see the output.
"""

from __future__ import annotations

from .event import Event, JournalEvent
from .snapshot import Snapshot


class SnapshotTaken(Event, frozen=True, kw_only=True, tag="snapshot"):
    """The run at this moment: the first that a watcher gets, and again after a gap."""

    begun_at: float
    """The wall clock at the run's beginning, in seconds since the epoch."""
    seq: int
    """The number of the last event that is folded into it."""
    snapshot: Snapshot
    """All that is known."""


class Gap(Event, frozen=True, kw_only=True):
    """The reader was too slow, and so many lines were left out. A snapshot follows."""

    missed: int
    """How many."""


class UnitWrote(Event, frozen=True, kw_only=True):
    """How a unit's output ends, safe to print: a few of its last lines, some of which may have been told before."""

    unit: str
    """Its name."""
    lines: tuple[str, ...]
    """Each without its end."""


StreamEvent = JournalEvent | SnapshotTaken | Gap | UnitWrote
"""What can stand in a stream, as one type to decode into."""
