"""Follows many logs at once, woken by inotify(7): what is written, rotated, emptied or begun is read when it happens.

A watch sits on the directory of each log or, where that does not exist yet, on the nearest above it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from .inotify_instance import CREATE, MODIFY, MOVED_TO, Inotify, Notice
from .log_reader import LogReader

_MASK = CREATE | MOVED_TO | MODIFY
_LOG = b".log"
"""What follows in the name of a log: of a rotated one there is more."""


class LogFollower:
    """The logs of units, by the name of the unit. Only those are looked at of which something was heard."""

    def __init__(self) -> None:
        self._inotify = Inotify()
        self._readers: dict[str, LogReader] = {}
        self._units: dict[tuple[int, bytes], set[str]] = {}
        """Who is concerned by a name in a directory that is watched: a log, or the next step towards its directory."""
        self._news: set[str] = set()

    def fileno(self) -> int:
        """Readable when :meth:`read` may have something."""
        return self._inotify.fileno()

    def add(self, unit: str, reader: LogReader) -> None:
        """Follow a log, from where its reader is. A unit has one log: another one takes the place of the one before."""
        before = self._readers.get(unit)
        if before and before.path == reader.path:
            return
        self._readers[unit] = reader
        self._watch(unit)

    def read(self) -> Iterator[tuple[str, bytes]]:
        """The lines that were finished since the last call, each with its unit; what each has written, in order."""
        with suppress(BlockingIOError):
            while True:
                for notice in self._inotify.read():
                    self._hear(notice)
        news, self._news = self._news, set()
        for unit in news:
            for line in self._readers[unit].read():
                yield unit, line

    def _hear(self, notice: Notice) -> None:
        if notice.watch < 0:
            self._news.update(self._readers)
            return
        for unit in list(self._units.get((notice.watch, notice.name.partition(_LOG)[0]), ())):
            self._watch(unit)

    def _watch(self, unit: str) -> None:
        """Watch the directory of a log, or the nearest above it, and look at the log once more after that."""
        directory, name = os.path.split(self._readers[unit].path)
        while True:
            with suppress(FileNotFoundError, NotADirectoryError):
                watch = self._inotify.add(directory, _MASK)
                break
            directory, name = os.path.split(directory)
        self._units.setdefault((watch, os.fsencode(name).partition(_LOG)[0]), set()).add(unit)
        self._news.add(unit)

    def close(self) -> None:
        """Let go of everything."""
        self._inotify.close()
        for reader in self._readers.values():
            reader.close()
