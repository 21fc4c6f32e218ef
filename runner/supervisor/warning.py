"""Says on standard error what costs no unit but should be known, if somebody reads it."""

from __future__ import annotations

import os
import select
from contextlib import suppress

_STDERR = 2


def warn_on_stderr(text: str) -> None:
    """Write a line, without waiting for whoever reads it."""
    with suppress(OSError):  # nobody listens any more
        listener = select.poll()
        listener.register(_STDERR, select.POLLOUT)
        if listener.poll(0):  # a pipe that says so takes this much at once (pipe(7), PIPE_BUF)
            os.write(_STDERR, f"runner: {text}\n".encode(errors="backslashreplace")[-select.PIPE_BUF :])
