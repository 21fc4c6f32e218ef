"""``up --detach``: three processes, of which the first shows the startup and goes, and the other two stay on their own.

The first forks before anything is imported; its child leads a new session and becomes the keeper, which forks the supervisor
(``keeper.py``). Until the supervisor serves its socket, all three write to the caller's terminal or pipe, so that whatever is
wrong with the unit files is told where people look. Then keeper and supervisor let go of it: a caller that waits for the end
of a pipe is not held. The first process learns of that from the end of a pipe of ours, which both held.
"""

from __future__ import annotations

import os
import signal

from .processes import fill_standard_streams

_RELEASED = b"."
_held: int | None = None
"""The writing end of the pipe to the first process, in the two that it has started."""
_keeper = 0
"""The process that was left to itself."""


def is_apart() -> bool:
    """Whether this process is, or was forked by, one that a detaching command has left behind."""
    return _held is not None


class Apart:
    """In the first process: what stays. It is its child."""

    def __init__(self, pid: int, reader: int) -> None:
        self.pid = pid
        self._reader = reader

    def wait_until_served(self) -> bool:
        """Wait until the two are on their own; False: they have ended before that, and have said why."""
        said = b""
        while piece := os.read(self._reader, 8):
            said += piece
        os.close(self._reader)
        return said == _RELEASED

    def wait_until_ended(self) -> int:
        """The exit status."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def fork_apart() -> Apart | None:
    """Leave a process to itself, in a session of its own. There, None is returned."""
    global _held, _keeper
    fill_standard_streams()
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid:
        os.close(writer)
        return Apart(pid, reader)
    os.closerange(3, writer)  # whatever else the caller has handed down is let go of too
    os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    _held = writer
    _keeper = os.getpid()
    return None


def let_go(log: str) -> None:
    """In the supervisor: have nothing more to do with whoever started it, the keeper neither. What they say goes to a file."""
    assert _held is not None
    _redirect(_open_log(log))
    if os.getppid() == _keeper:  # it lives
        os.kill(_keeper, signal.SIGUSR1)
    os.write(_held, _RELEASED)
    os.close(_held)


def let_go_as(supervisor: int) -> None:
    """In the keeper: write where its supervisor does."""
    assert _held is not None
    try:
        log = os.open(f"/proc/{supervisor}/fd/2", os.O_WRONLY | os.O_APPEND)
    except OSError:  # it has just been killed
        log = os.open(os.devnull, os.O_WRONLY)
    _redirect(log)
    os.close(_held)


def _open_log(path: str) -> int:
    """A file for what is said; where it cannot be written, nothing is kept, as with any other log."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _redirect(log: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(fd, standard)
    os.close(nothing)
    os.close(log)
