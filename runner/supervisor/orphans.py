"""Reaps the orphans of units: a daemon whose parent has ended becomes a child of the supervisor (``keeper.py``).

Our own children are reaped by whoever spawned them, who wants to know how they ended, so these are not touched here. But
the kernel shows the dead one at a time and may show one of ours first. Then it is looked again: whoever spawned that one
has been told of its end, and will have reaped it by then.
"""

from __future__ import annotations

import os
import signal

from .poller import Poller
from .signals import SignalPipe
from .spawn import own_children


class Orphans:
    """Reaps children that this process did not spawn, as they end, until it is closed."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._signals = SignalPipe((signal.SIGCHLD,))
        poller.add(self._signals.fileno(), self._reap)

    def _reap(self) -> None:
        self._signals.read()
        try:
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended.si_pid in own_children:
                    signal.raise_signal(signal.SIGCHLD)
                    return
                os.waitpid(ended.si_pid, 0)
        except ChildProcessError:  # nobody is there
            return

    def close(self) -> None:
        """Reap nobody any more."""
        self._poller.remove(self._signals.fileno())
        self._signals.close()
