"""What a supervisor tells of its run, as it comes."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from math import inf

from msgspec import DecodeError
from msgspec.json import encode

from ..core.line import parse_event
from ..core.stream import SnapshotTaken, StreamEvent
from ..errors import RunnerError
from ..rpc.client import Client
from ..rpc.failure import NoAnswer
from ..rpc.methods import EVENTS
from .runs import PATIENCE, NothingTold
from .stdout import write_err


class EventStream:
    """The run as it is now, then what becomes of it: a :class:`~.viewer.Feed`.

    ``doing`` is what cannot be done any longer where the supervisor goes away in the middle.
    """

    def __init__(self, client: Client, doing: str, *, with_output: bool) -> None:
        self._client = client
        self._doing = doing
        self._begun = 0.0
        """When the run began, on the clock of ``time.monotonic``."""
        self._has_told = False
        try:
            client.listen(EVENTS.path, encode({"output": with_output}), timeout=PATIENCE)
        except NoAnswer as error:
            raise NothingTold(str(error)) from None

    @property
    def is_over(self) -> bool:
        """The run has ended, and all of it was taken."""
        return self._client.is_over

    def fileno(self) -> int:
        """Readable when something has come."""
        return self._client.fileno()

    def wait_for_word(self, timeout: float | None) -> None:
        """Wait until it tells anything, for no longer than so many seconds; say so where that takes long.

        A supervisor answers at once, unless it has hardly begun, the machine is very busy, or somebody has stopped its process.
        """
        waiter = select.poll()
        waiter.register(self, select.POLLIN)
        patience = PATIENCE if timeout is None else min(timeout, PATIENCE)
        if not waiter.poll(patience * 1000) and patience == PATIENCE:
            write_err(f'the supervisor has not answered for {PATIENCE:g} s; still waiting, "runner doctor" may tell why\n')

    def due_at(self) -> float:
        """Nothing comes by the clock alone."""
        return inf

    def lines(self) -> Iterator[bytes]:
        """The lines that have come, without waiting. Raises NoAnswer where the supervisor went away."""
        try:
            for message in self._client.take():
                self._has_told = True
                yield from message.splitlines()
        except NoAnswer as error:
            if not self._has_told:
                raise NothingTold(str(error)) from None
            raise NoAnswer(
                f"cannot {self._doing} any longer: the supervisor went away without ending its run",
                hint='how far it came: "runner watch"',
            ) from None

    def take(self) -> Iterator[StreamEvent]:
        """The events that have come, without waiting."""
        for line in self.lines():
            try:
                event = parse_event(line)
            except DecodeError as error:
                raise RunnerError(
                    f"cannot understand what the supervisor tells: {error}", hint="it may be of another version"
                ) from None
            if isinstance(event, SnapshotTaken):
                self._begun = time.monotonic() - event.at
            if event is not None:
                yield event

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun
