"""The live view in a process that does nothing else: waits for events, keys, signals and the clock at once, and draws."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from math import ceil
from typing import Literal, Protocol

from ..core.stream import StreamEvent
from ..show.terminal import Color
from ..supervisor.poller import Poller
from ..supervisor.signals import SignalPipe
from . import stage

_STDIN = 0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, *stage.SIGNALS)
_PATIENCE = 2.0
"""Seconds that a slow terminal has to take the last lines."""
_LONGEST_WAIT = 3600.0
"""Seconds: poll(2) takes no more than an int of milliseconds."""

Ending = Literal["over", "left"] | signal.Signals
"""How the view ended: there is nothing more to come, somebody left with q or ctrl-c, or a signal says so."""


class Feed(Protocol):
    """Where the events come from."""

    @property
    def is_over(self) -> bool:
        """Nothing more comes."""

    def fileno(self) -> int:
        """Readable when something has come; -1: only the clock tells."""

    def due_at(self) -> float:
        """When something comes by the clock alone (``time.monotonic``); infinity: never."""

    def take(self) -> Iterable[StreamEvent]:
        """What has come, without waiting."""

    def now(self) -> float:
        """The moment that is shown, in seconds since the run began."""


def view_live(feed: Feed, color: Color, note: str) -> Ending:
    """Show what a feed brings until it is over, which leaves a summary behind, or until somebody has seen enough.

    ``note`` says which keys there are.
    """
    with closing(_Viewer(feed, color, note)) as viewer:
        return viewer.run()


class _Viewer:
    def __init__(self, feed: Feed, color: Color, note: str) -> None:
        self._feed = feed
        self._ending: Ending | None = None
        self._poller = Poller()
        self._waiter = select.poll()
        self._waiter.register(self._poller.fileno(), select.POLLIN)
        self._stage = stage.Stage(self._poller, color, note)
        self._signals = SignalPipe(_SIGNALS)
        self._poller.add(self._signals.fileno(), self._take_signals)
        if os.isatty(_STDIN):
            self._poller.add(_STDIN, self._take_keys)
        if feed.fileno() >= 0:
            self._poller.add(feed.fileno(), self._take_events)

    def run(self) -> Ending:
        """Go on to the end, whatever that is. Then the terminal is as it was."""
        while self._ending is None:
            self._stage.draw(time.monotonic(), self._feed.now())
            self._wait()
            self._poller.dispatch()
            if self._feed.due_at() <= time.monotonic():
                self._take_events()
        self._stage.leave(with_summary=self._ending == "over")
        return self._ending

    def _wait(self) -> None:
        """Until something has come or is due."""
        due_at = min(self._feed.due_at(), self._stage.due_at)
        seconds = min(max(due_at - time.monotonic(), 0), _LONGEST_WAIT)
        self._waiter.poll(ceil(seconds * 1000))

    def _take_events(self) -> None:
        for event in self._feed.take():
            self._stage.apply(event)
        if self._feed.is_over:
            self._ending = "over"

    def _take_keys(self) -> None:
        keys = b""
        with suppress(OSError):  # it has hung up
            keys = os.read(_STDIN, 4096)
        if not keys:
            self._poller.remove(_STDIN)
        elif b"q" in keys.lower():
            self._ending = "left"

    def _take_signals(self) -> None:
        for number in self._signals.read():
            match number:
                case signal.SIGINT:
                    self._ending = "left"
                case signal.SIGTERM | signal.SIGHUP:
                    self._ending = number
                case _:
                    self._stage.heed(number)

    def close(self) -> None:
        """Let go of everything; a slow terminal has a moment to take the rest."""
        self._stage.close(_PATIENCE)
        self._signals.close()
        self._poller.close()
