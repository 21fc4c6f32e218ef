"""Signals as something to read: they wake whoever polls, instead of interrupting somebody's work.

The handler only writes the signal's number into a pipe, which is all that is safe at any moment (signal-safety(7)).
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # the keeper imports this module, and that of typing would be most of it
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class SignalPipe:
    """Catches signals, by default those that stop a supervisor, from its making until it is closed.

    A SIGHUP that is ignored, as under nohup(1), stays so. A SIGCHLD does not: the kernel would reap children itself, and
    nobody would learn how they ended (wait(2)).
    """

    def __init__(self, numbers: Iterable[signal.Signals] = STOP_SIGNALS) -> None:
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._before = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, signal.SIG_DFL)}
        for number in numbers:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._reader

    def read(self) -> list[signal.Signals]:
        """The signals that came since the last call, in order."""
        return read_signals(self._reader)

    def close(self) -> None:
        """Give the signals back to whoever had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def _note(self, number: int, _: FrameType | None) -> None:
        try:
            os.write(self._writer, bytes([number]))
        except BlockingIOError:  # so many are there unread that one more says nothing new
            return


def read_signals(reader: int) -> list[signal.Signals]:
    """The numbers of signals in a pipe, without waiting."""
    try:
        return [signal.Signals(number) for number in os.read(reader, 64)]
    except BlockingIOError:
        return []
