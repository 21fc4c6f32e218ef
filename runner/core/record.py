"""What each unit of a run came to, as one row: what the history keeps, and what runs are compared by.

A unit may live several times in a run, because somebody starts it again. The life that counts is the last one that began
before the startup was finished, or else the first one after that: so the rows tell of the startup, whatever is done by hand
while services run on. In a life the first time counts that the goal was reached, so a service that is restarted later does
not change what its start took.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec import UNSET, Struct, UnsetType

from ..errors import IllegalTransition
from .event import (
    Decided,
    Outcome,
    RunOutcome,
    UnitEnded,
    UnitEvent,
    UnitReady,
    UnitRetrying,
    UnitStarted,
    UnitStarting,
    UnitWaiting,
)
from .snapshot import Snapshot
from .unit import Kind


class UnitRecord(Struct, omit_defaults=True):
    """What became of a unit. Times are seconds since the run began."""

    unit: str
    kind: Kind
    outcome: Outcome | None = None
    """None: it had none yet when the journal ended."""
    reason: str = ""
    command: str = ""
    attempts: int = 0
    """How many it took until the goal was reached, or in vain. 0: it never started."""
    wanted_at: float | None = None
    began_at: float | None = None
    """When its first attempt began."""
    started_at: float | None = None
    """When the program of the attempt was there that reached the goal, or of the last one."""
    reached_at: float | None = None
    """When it first reached its goal: a service became ready, anything else ended well."""
    ended_at: float | None = None
    waited: float = 0.0
    """Seconds from when it was wanted until all that it depends on was there."""
    held_up: float = 0.0
    """Seconds that it then waited for locks and jobs, before all of its attempts."""
    backed_off: float = 0.0
    """Seconds between its attempts before the goal was reached."""
    duration: float = 0.0
    """Seconds for which the main process of its last attempt was there."""
    exit_code: int | None = None
    signal: str | None = None
    cpu: float = 0.0
    max_rss: int = 0
    expected: float | None = None
    """Seconds that the attempt which reaches the goal was expected to take."""

    @property
    def took(self) -> float | None:
        """Seconds that the attempt took which reached the goal. None: there was none, or it needed no program."""
        return None if self.reached_at is None or self.started_at is None else self.reached_at - self.started_at

    @property
    def cost(self) -> float | None:
        """Seconds from its first start until the goal, or until its end without it, failed attempts and their delays too.

        None: it never started, or is still on its way.
        """
        until = self.ended_at if self.reached_at is None else self.reached_at
        return None if until is None or self.began_at is None else until - self.began_at


class RunRecord(Struct, frozen=True, omit_defaults=True):
    """What a run came to."""

    number: int
    """1, 2, 3... as the history counts; 0 where it has not counted it."""
    run: str
    """Its id."""
    begun_at: float
    """The wall clock at its beginning, in seconds since the epoch."""
    version: str
    startup_outcome: RunOutcome | None
    """None: the startup was not finished."""
    startup: float | None
    """How long that took, in seconds."""
    outcome: RunOutcome | None
    """None: the run goes on, or its supervisor was killed."""
    duration: float
    """Seconds until its end, or until the last event that is known."""
    units: tuple[UnitRecord, ...]


def record(run: str, begun_at: float, events: Iterable[Decided]) -> RunRecord:
    """What a journal says of a run and of its units, in the order of the unit files.

    Where a journal has lost lines, what does not fit any more is passed over: a row with a gap is better than none.
    """
    snapshot = Snapshot()
    lives: dict[str, _Life] = {}
    for event in events:
        with suppress(IllegalTransition):
            snapshot.apply(event)
            if isinstance(event, UnitEvent):
                _tell(event, snapshot, lives)
    for name, life in lives.items():
        life.row.expected = snapshot.units[name].expected
    return RunRecord(
        number=0,
        run=run,
        begun_at=begun_at,
        version=snapshot.run.version if snapshot.run else "",
        startup_outcome=snapshot.startup.outcome if snapshot.startup else None,
        startup=snapshot.startup.duration if snapshot.startup else None,
        outcome=snapshot.ended.outcome if snapshot.ended else None,
        duration=snapshot.at,
        units=tuple(lives[name].row for name in snapshot.units if name in lives),
    )


def _tell(event: UnitEvent, snapshot: Snapshot, lives: dict[str, _Life]) -> None:
    """Let the life of a unit that counts hear of an event, or begin one."""
    life = lives.get(event.unit)
    may_begin = life is None or (life.is_over and snapshot.startup is None)
    if may_begin and isinstance(event, UnitWaiting | UnitStarting | UnitEnded):
        life = lives[event.unit] = _Life(UnitRecord(event.unit, snapshot.units[event.unit].kind, wanted_at=event.at))
    if life and not life.is_over:
        life.hear(event)


class _Life:
    """The row of a unit while its life goes on."""

    def __init__(self, row: UnitRecord) -> None:
        self.row = row
        self.is_over = False
        self._waits_since: float | None = row.wanted_at
        self._holds_up = False
        """What it waits for are locks or jobs."""
        self._backs_off_since: float | None = None

    def hear(self, event: UnitEvent) -> None:
        """Fold one more event. What comes after the goal changes only how it ended."""
        if self.row.reached_at is None:
            self._go_on(event)
        if isinstance(event, UnitEnded):
            self._end(event)

    def _go_on(self, event: UnitEvent) -> None:
        row = self.row
        match event:
            case UnitWaiting():
                self._stop_waiting(event.at)
                self._waits_since = event.at
                self._holds_up = any(one.unit is UNSET and one.call is UNSET for one in event.waits_for)
            case UnitStarting():
                self._stop_waiting(event.at)
                row.attempts = event.attempt
                row.began_at = event.at if row.began_at is None else row.began_at
                row.started_at = None
            case UnitStarted():
                row.started_at, row.command = event.at, event.command
            case UnitReady() if row.kind == "service":
                row.reached_at = event.at
            case UnitRetrying():
                self._backs_off_since = event.at
            case UnitEnded():
                self._stop_waiting(event.at)
                if row.kind != "service" and event.outcome in ("succeeded", "unneeded"):
                    row.reached_at = event.at

    def _stop_waiting(self, at: float) -> None:
        """Account for the time since it began to wait, for whatever it was."""
        row = self.row
        if self._backs_off_since is not None:
            row.backed_off += at - self._backs_off_since
        elif self._waits_since is not None and self._holds_up:
            row.held_up += at - self._waits_since
        elif self._waits_since is not None:
            row.waited += at - self._waits_since
        self._waits_since = self._backs_off_since = None
        self._holds_up = False

    def _end(self, event: UnitEnded) -> None:
        row = self.row
        self.is_over = True
        row.ended_at, row.outcome, row.reason = event.at, event.outcome, event.reason
        row.duration, row.cpu, row.max_rss = event.duration, event.cpu, event.max_rss
        row.exit_code = None if isinstance(event.exit_code, UnsetType) else event.exit_code
        row.signal = None if isinstance(event.signal, UnsetType) else event.signal
