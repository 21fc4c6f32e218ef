"""Wakes a task when something happens where a path is or will be, whether or not its directories exist yet: inotify(7).

Theory of operation. A watch sits on the nearest existing directory above the path and wakes for the one name in it that is
the next step towards the path. When that appears the directory below is the nearest, and arming the watch anew moves it
there. Directories can come between looking and watching, so after a watch was set we look once more. Where the path leads
through symbolic links, the place that they lead to is watched as well.

All watches of a loop share one inotify instance, because a user has but 128 of them and to close one takes the kernel
milliseconds. It is opened with the first watch, read by one task of the loop, and closed when the loop ends. A directory that
several watch is watched once and let go with the last.

A wake-up is a hint and not an answer: who is woken looks for itself. Nothing at all may be heard on file systems that are
changed from elsewhere, so nobody should wait for a watch alone.
"""

from __future__ import annotations

import os
from typing import Final, Self

import trio

from .inotify_instance import ATTRIB, CREATE, DELETE_SELF, IGNORED, MOVE_SELF, MOVED_TO, ONLYDIR, Inotify, Notice

_MASK: Final = CREATE | MOVED_TO | ATTRIB | DELETE_SELF | MOVE_SELF | ONLYDIR
_TRIES: Final = 8
"""So often directories may come and go while one looks for the nearest."""


class PathWatch:
    """Wakes when something may have happened to a path. Use it as a context manager, in the loop that waits."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)  # noqa: PTH100 (a Path would not take what only fails later, such as a null byte)
        self._instance: _Instance | None = None
        self._numbers: set[int] = set()
        self._names: set[bytes] = set()
        self._woken = trio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave(self._numbers)

    def arm(self) -> bool:
        """Watch where the path is nearest to existing now; a later :meth:`wait` tells of everything from here on.

        False: the system does not let us (too many watches or instances, an unreadable directory). Then nothing will wake.
        """
        self._woken = trio.Event()
        before, self._numbers, self._names = self._numbers, set(), set()
        try:
            self._instance = _Instance.of_this_loop()
            for path in (self._path, os.path.realpath(self._path)):
                self._watch_nearest(self._instance, path)
        except (OSError, ValueError):
            self._leave(before | self._numbers)
            return False
        self._leave(before - self._numbers)
        return True

    async def wait(self) -> None:
        """Return as soon as something happened since the watch was armed."""
        await self._woken.wait()

    def wake(self, name: bytes) -> None:
        """Something happened to a name in a watched directory, or, where it is empty, to the directory itself."""
        if not name or name in self._names:
            self._woken.set()

    def _watch_nearest(self, instance: _Instance, path: str) -> None:
        for _ in range(_TRIES):
            directory, name = _nearest(path)
            try:
                self._numbers.add(instance.join(directory, self))
            except (FileNotFoundError, NotADirectoryError):
                continue  # it went while we looked
            self._names.add(os.fsencode(name))
            if _nearest(path)[0] == directory:
                return
        self._woken.set()  # too much is going on to sit still

    def _leave(self, numbers: set[int]) -> None:
        if self._instance:
            for number in numbers:
                self._instance.leave(number, self)


def _nearest(path: str) -> tuple[str, str]:
    """The nearest existing directory above a path, and the name in it that is the next step towards the path."""
    directory, name = os.path.split(path)
    while not os.path.isdir(directory):  # noqa: PTH112
        directory, name = os.path.split(directory)
    return directory, name


class _Instance:
    """An inotify instance with who watches what."""

    def __init__(self) -> None:
        self._inotify = Inotify()
        self.watchers: dict[int, set[PathWatch]] = {}

    @classmethod
    def of_this_loop(cls) -> _Instance:
        """The instance of the running loop, opened if need be. Raises ``OSError``: ``EMFILE`` where there are too many."""
        try:
            return _instance.get()
        except LookupError:
            instance = cls()
            _instance.set(instance)
            trio.lowlevel.spawn_system_task(instance.listen)
            return instance

    def join(self, directory: str, watcher: PathWatch) -> int:
        """Watch a directory, again or anew, and return the number of its watch."""
        number = self._inotify.add(directory, _MASK)
        self.watchers.setdefault(number, set()).add(watcher)
        return number

    def leave(self, number: int, watcher: PathWatch) -> None:
        """Watch a directory no more, unless others do. A watch that the kernel has already ended is none to leave."""
        watchers = self.watchers.get(number, set())
        watchers.discard(watcher)
        if not watchers and self.watchers.pop(number, None) is not None:
            self._inotify.remove(number)

    async def listen(self) -> None:
        """Read what the kernel tells and wake whom it concerns, until the loop ends."""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._inotify.fileno())
                for notice in self._inotify.read():
                    self._tell(notice)
        finally:
            self._inotify.close()

    def _tell(self, notice: Notice) -> None:
        has_overflowed = notice.watch < 0
        for watcher in set().union(*self.watchers.values()) if has_overflowed else self.watchers.get(notice.watch, ()):
            watcher.wake(notice.name)
        if notice.mask & IGNORED:
            self.watchers.pop(notice.watch, None)


_instance: Final = trio.lowlevel.RunVar[_Instance]("inotify")
