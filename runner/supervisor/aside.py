"""Has a thread do what has to wait for a disk, so that the loop does not: it hears of it when it is done."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from .poller import Poller

_T = TypeVar("_T")


def do_aside(poller: Poller, work: Callable[[], _T], take: Callable[[_T], None]) -> None:
    """Have a thread do the work, and take in the loop what comes of it.

    Nobody waits for it: of work that is not done when the run is over, nothing is taken. Nor is there anything to take
    where there is no thread to be had, or where the work raised what it should not.
    """
    is_done, at_work = os.pipe2(os.O_CLOEXEC)
    results: list[_T] = []

    def run() -> None:
        try:
            results.append(work())
        finally:
            os.close(at_work)  # which is what the loop hears

    def finish() -> None:
        poller.remove(is_done)
        os.close(is_done)
        for result in results:
            take(result)

    poller.add(is_done, finish)
    try:
        Thread(target=run, daemon=True).start()
    except RuntimeError:  # the limit of processes, which are threads too (setrlimit(2))
        os.close(at_work)
