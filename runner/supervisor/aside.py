"""Has a thread do what has to wait for a disk, so that the loop does not: it hears of it when it is done."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from .poller import Poller

_T = TypeVar("_T")


class Aside:
    """Work that a thread does."""

    def __init__(self, thread: Thread, end: Callable[[], None]) -> None:
        self._thread = thread
        self._end = end

    def close(self) -> None:
        """Wait until the work is done, and take nothing of it."""
        self._thread.join()
        self._end()


def do_aside(poller: Poller, work: Callable[[], _T], take: Callable[[_T], None]) -> Aside | None:
    """Have a thread do the work, and take in the loop what comes of it.

    Nobody waits for it: of work that is not done when the run is over, nothing is taken. Nor is there anything to take
    where there is no thread to be had, which is returned as None, or where the work raised what it should not.
    """
    is_done, at_work = os.pipe2(os.O_CLOEXEC)
    results: list[_T] = []
    is_open = True

    def run() -> None:
        try:
            results.append(work())
        finally:
            os.close(at_work)  # which is what the loop hears

    def end() -> None:
        nonlocal is_open
        if is_open:
            is_open = False
            poller.remove(is_done)
            os.close(is_done)

    def finish() -> None:
        end()
        for result in results:
            take(result)

    thread = Thread(target=run, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the limit of processes, which are threads too (setrlimit(2))
        os.close(at_work)
        os.close(is_done)
        return None
    poller.add(is_done, finish)
    return Aside(thread, end)
