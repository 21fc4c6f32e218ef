"""Writes to standard output and standard error without secrets, and knows what to do when it cannot.

Whoever reads unit files says with :func:`hide` what is secret in them. Whoever reads nothing has nothing to hide: what a
supervisor, a journal or a log tells has been masked before.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see __init__
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import RunnerError

_mask: Callable[[str], str] = str


def hide(mask: Callable[[str], str]) -> None:
    """Have this done from now on with all that is written: it puts something else in the place of secrets."""
    global _mask
    _mask = mask


def write_out(text: str) -> None:
    """Write text at once. Raises BrokenPipeError where the reader went away, RunnerError where there is another obstacle."""
    if sys.stdout is None:
        raise _cannot("it is closed")
    try:
        sys.stdout.write(_encodable(_mask(text)))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_stdout()
        raise _cannot(error.strerror) from None


def write_err(text: str) -> None:
    """Write text to standard error at once. Where that is closed or full, nobody can be told of it, and nothing else suffers."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(_mask(text))
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def _cannot(reason: str | None) -> RunnerError:
    from ..errors import RunnerError

    return RunnerError(f"cannot write to standard output: {reason}")


def abandon_stdout() -> None:
    """Let what is still unwritten go nowhere, or Python would try once more at its end and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _encodable(text: str) -> str:
    """The text with escapes in place of what the terminal's encoding lacks, and of file names that are no text at all."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
