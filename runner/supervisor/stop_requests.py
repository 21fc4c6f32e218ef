"""Who may ask for the end of a run: a signal to the supervisor or to its keeper, the keeper's death, a process that ended.

The first signal asks for an orderly stop, a second one kills. Ctrl-c reaches both processes of a terminal's group, and the
keeper passes on what it gets, so both sources are counted apart: what counts is the one that has heard more.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from ..core.observed import KillRequested, Observed, StopRequested
from .poller import Poller
from .signals import SignalPipe, read_signals


class StopRequests:
    """Makes facts of what asks for the end. ``passed_on`` is where the keeper writes the signals that it gets."""

    def __init__(
        self, poller: Poller, observe: Callable[[Observed], None], now: Callable[[], float], passed_on: int | None = None
    ) -> None:
        self.stopped_by: signal.Signals | None = None
        """The signal that asked for the end."""
        self.is_kill = False
        """Whoever is left is not asked any more."""
        self._poller = poller
        self._observe = observe
        self._now = now
        self._signals = SignalPipe()
        self._heard = 0
        self._passed_on = 0
        self._taken = 0
        """As many requests have been acted on."""
        self._pidfd: int | None = None
        poller.add(self._signals.fileno(), self._hear)
        self._keeper = passed_on
        if passed_on is not None:
            poller.add(passed_on, self._hear_keeper)

    def _hear(self) -> None:
        for number in self._signals.read():
            self._heard += 1
            self._take(number)

    def _hear_keeper(self) -> None:
        assert self._keeper is not None
        numbers = read_signals(self._keeper)
        if not numbers:
            self._poller.remove(self._keeper)
            self._keeper = None
            self._kill("the process that was to look after the supervisor has died")
        for number in numbers:
            self._passed_on += 1
            self._take(number)

    def _take(self, number: signal.Signals) -> None:
        if max(self._heard, self._passed_on) == self._taken:
            return
        self._taken += 1
        is_first = self.stopped_by is None
        self.stopped_by = self.stopped_by or number
        if number == signal.SIGQUIT:
            self._kill(f"killed by {number.name}")
        elif is_first:
            self._stop(f"stopped by {number.name}")
        else:
            self._kill(f"killed by a second signal, {number.name}")

    def follow(self, pidfd: int) -> None:
        """Stop when a process ends."""

        def gone() -> None:
            self._let_go()
            self._stop("the process that it was to stop with has ended")

        self._pidfd = pidfd
        self._poller.add(pidfd, gone)

    def _let_go(self) -> None:
        if self._pidfd is not None:
            self._poller.remove(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None

    def _stop(self, reason: str) -> None:
        self._observe(StopRequested(at=self._now(), reason=reason))

    def _kill(self, reason: str) -> None:
        self.is_kill = True
        self._observe(KillRequested(at=self._now(), reason=reason))

    def close(self) -> None:
        """Hear nobody any more."""
        self._let_go()
        self._signals.close()
