"""What takes long and would hold up the loop, such as reading hundreds of files: done in a thread, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import trio

_T = TypeVar("_T")

_turn: Final = trio.lowlevel.RunVar[trio.Lock]("turn")


async def in_thread(work: Callable[[], _T], then: Callable[[_T], None]) -> None:
    """Do some work when those before it are done, and hand on its result in the loop. When the loop ends, nobody waits for it."""
    async with _turn_of_this_loop():
        result = await trio.to_thread.run_sync(work, abandon_on_cancel=True)
        then(result)


def _turn_of_this_loop() -> trio.Lock:
    """A lock that is fair: who came first goes first."""
    try:
        return _turn.get()
    except LookupError:
        lock = trio.Lock()
        _turn.set(lock)
        return lock
