"""inotify(7) as it is: the one place that calls the C library."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

MODIFY: Final = 0x2
ATTRIB: Final = 0x4
MOVED_TO: Final = 0x80
CREATE: Final = 0x100
DELETE_SELF: Final = 0x400
MOVE_SELF: Final = 0x800
IGNORED: Final = 0x8000
"""Sent by the kernel when a watch is no more."""
ONLYDIR: Final = 0x0100_0000
_EVENT: Final = struct.Struct("iIII")
"""``struct inotify_event``: watch, mask, cookie, length of the name that follows."""
_BUFFER_SIZE: Final = 16_384


class Notice(Struct, frozen=True):
    """Something that happened."""

    watch: int
    """The number of the watch; negative where events were lost, so that anything may have happened."""
    mask: int
    name: bytes
    """The name in the directory that is watched; empty: it is about the directory itself."""


class Inotify:
    """An instance. Raises ``OSError``: ``EMFILE`` where there are too many."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._fd = _checked(self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def fileno(self) -> int:
        """Readable when there is something to :meth:`read`."""
        return self._fd

    def add(self, path: str, mask: int) -> int:
        """Watch a path, again or anew, and return the number of its watch."""
        return _checked(self._library.inotify_add_watch(self._fd, os.fsencode(path), mask), path)

    def remove(self, watch: int) -> None:
        """End a watch."""
        self._library.inotify_rm_watch(self._fd, watch)

    def read(self) -> Iterator[Notice]:
        """What the kernel has told, at most a buffer full of it. Raises ``BlockingIOError`` where that is nothing."""
        buffer = os.read(self._fd, _BUFFER_SIZE)
        offset = 0
        while offset < len(buffer):
            watch, mask, _, length = _EVENT.unpack_from(buffer, offset)
            offset += _EVENT.size + length
            yield Notice(watch, mask, buffer[offset - length : offset].rstrip(b"\0"))

    def close(self) -> None:
        """End all watches."""
        os.close(self._fd)


def _checked(result: int, path: str | None = None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result
