"""Reads log files from outside, while a supervisor writes and rotates them.

What a rotation does to a reader: the file that it has open gets another name (``x.log`` becomes ``x.log.1``), and in its place
comes a new one. So a reader keeps its file open, reads it to the end, and then goes on with what came after it: where its file
is ``x.log.2`` by now, that is ``x.log.1`` and then ``x.log``. Nothing is read twice or left out, however often a log was
rotated between two looks, as long as its file is still there; where it was deleted meanwhile, all that is there is newer.
A file that has become shorter was emptied by somebody, and is read from its beginning.

Only ordinary files are read. A pipe or a device that a unit writes to has readers of its own, and keeps nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from ..core.words import say_os_error

CHUNK: Final = 65_536
_MOST_MISSING: Final = 2
"""So many names in a row may be missing in the middle of a rotation."""
_MOST_ROTATED: Final = 1_000
"""Rotated files that are looked for; a log that keeps more is read from this one on."""


def last_lines(path: str, n: int) -> list[bytes]:
    """The last lines of a log, at most ``n``, also from its rotated files; none where there is no such log."""
    reader = LogReader(path)
    lines = reader.begin(n)
    reader.close()
    return [*lines, *reader.rest()][-n:]


class LogReader:
    """One log, from some place in it on. Lines come without their ends."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1
        self._identity = (0, 0)
        self._rest = b""

    def begin(self, n: int | None, since: float = 0.0) -> list[bytes]:
        """The last lines that were finished, at most ``n`` (None: all), of those files that were written to ``since`` (epoch).

        What comes later is for :meth:`read`.
        """
        files = self._files(since)
        first, offset = (0, 0) if n is None else _place_of_last(files, n)
        lines: list[bytes] = []
        for path in files[first:]:
            if self._open(path):
                os.lseek(self._fd, offset, os.SEEK_SET)
                lines.extend(self._drain())
            offset = 0
        return lines

    def rest(self) -> list[bytes]:
        """The line that was begun and is not finished, if there is one."""
        return [self._rest] if self._rest else []

    def read(self) -> Iterator[bytes]:
        """The lines that have come to an end since the last call, through every rotation in between."""
        for _ in range(_MOST_ROTATED):
            if self._fd >= 0:
                yield from self._drain()
            if not self._go_on():
                return

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _drain(self) -> Iterator[bytes]:
        """The lines that end between here and the end of the open file."""
        with suppress(OSError):
            if os.fstat(self._fd).st_size < os.lseek(self._fd, 0, os.SEEK_CUR):
                os.lseek(self._fd, 0, os.SEEK_SET)
                self._rest = b""
        while data := self._read():
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from lines

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, CHUNK)
        except OSError:
            return b""

    def _open(self, path: str, identity: tuple[int, int] | None = None) -> bool:
        """Have this file instead of the one before, unless it has gone, is not for us to read, or is not this one any more."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            return False
        there = os.fstat(fd)
        found = _identity(there)
        if identity not in (None, found) or not stat.S_ISREG(there.st_mode):
            os.close(fd)
            return False
        self.close()
        self._fd, self._identity = fd, found
        return True

    def _go_on(self) -> bool:
        """Open the file that came after the open one; False where there is none, or not yet.

        In the middle of a rotation a file may have no name that we find. The rotation is not over then, and is heard of again.
        """
        files = {there: path for path in self._files(0.0) if (there := _identity_of(path))}
        order = list(files)
        if self._fd < 0:
            newer = order
        elif self._identity in files:
            newer = order[order.index(self._identity) + 1 :]
        elif (ours := os.fstat(self._fd)).st_nlink:
            newer = []
        else:
            self._rest = b""
            newer = [there for there in order if written_at(files[there]) > ours.st_mtime]
        return bool(newer) and self._open(files[newer[0]], newer[0])

    def _files(self, since: float) -> list[str]:
        """The log and its rotated files, the oldest first, as far as they are there."""
        found = []
        missing = 0
        for number in range(_MOST_ROTATED):
            path = f"{self.path}.{number}" if number else self.path
            at = _written_at(path)
            missing = missing + 1 if at is None else 0
            if missing > _MOST_MISSING:
                break
            if at is not None and at >= since:
                found.append(path)
        return found[::-1]


def _place_of_last(files: list[str], n: int) -> tuple[int, int]:
    """Where the last lines begin: the number of the file, the oldest of which is the first, and the place in it."""
    wanted = n + 1  # the line before the first that is wanted ends there
    for number in range(len(files) - 1, -1, -1):
        try:
            with open(files[number], "rb") as file:  # noqa: PTH123
                place = file.seek(0, os.SEEK_END)
                while place > 0:
                    begin = max(place - CHUNK, 0)
                    file.seek(begin)
                    data = file.read(place - begin)
                    while (found := data.rfind(b"\n")) >= 0:
                        wanted -= 1
                        if not wanted:
                            return number, begin + found + 1
                        data = data[:found]
                    place = begin
        except OSError:  # it went while we looked
            continue
    return 0, 0


def written_at(path: str) -> float:
    """When a log was last written to, in seconds since the epoch; 0 where there is none."""
    return _written_at(path) or 0.0


def _written_at(path: str) -> float | None:
    try:
        there = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return there.st_mtime if stat.S_ISREG(there.st_mode) else None


def explain_unreadable(path: str) -> str:
    """Why a log that is there cannot be read; nothing where it can, or where there is none."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        return ""
    except OSError as error:
        return say_os_error(error)
    if not stat.S_ISREG(mode):
        return "it is no ordinary file"
    return "" if os.access(path, os.R_OK) else "permission denied"


def _identity(there: os.stat_result) -> tuple[int, int]:
    return there.st_dev, there.st_ino


def _identity_of(path: str) -> tuple[int, int] | None:
    try:
        return _identity(os.stat(path))  # noqa: PTH116
    except OSError:
        return None
