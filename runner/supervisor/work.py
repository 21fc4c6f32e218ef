"""What takes long and would hold up the loop, such as reading hundreds of files: done in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T], then: Callable[[_T], None]) -> None:
    """Do some work, and hand on its result in the loop. When the loop ends, nobody waits for it."""
    then(await trio.to_thread.run_sync(work, abandon_on_cancel=True))
