"""Files of a unit of another user: opened by root, in directories that this user may change while root looks.

A link there could lead root to any file of the machine: what the unit writes would be added to it, or what it holds would
become the unit's environment. So a path is walked directory by directory. As long as only root, or the supervisor's user, can
change a directory, links in it are that user's word and are followed. From the first directory on that others can change,
none is, and the file at the end has to be an ordinary one that is the unit's user's, or ours with no other name (a hard link
would be one).
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from .output import LogFile

_MOST_LINKS = 40
"""As many as the kernel follows (path_resolution(7))."""


class Found(NamedTuple):
    """Where a file is, or is to be."""

    directory: int
    """A descriptor, the caller's to close."""
    name: str
    is_safe: bool
    """Only our own user can change what is there."""


def find(path: str, *, make: bool = False) -> Found:
    """Walk to a file. ``make``: make directories that are missing, where only our user can change what is above them.

    Raises ``OSError``.
    """
    parts = deque(_split(os.path.join(os.getcwd(), path)))  # noqa: PTH109, PTH118
    at, is_safe, links = _open_root(), True, 0
    try:
        while True:
            name = parts.popleft() if parts else "."
            is_safe = is_safe and _is_ours_alone(os.fstat(at))
            if (target := _read_link(name, at)) is not None:
                links += 1
                _check_link(path, links, is_safe=is_safe)
                parts.extendleft(reversed(_split(target)))
                if target.startswith("/"):
                    at = _replace(at, _open_root())
            elif parts:
                at = _replace(at, _enter(name, at, make=make and is_safe))
            else:
                return Found(at, name, is_safe)
    except BaseException:
        os.close(at)
        raise


def _split(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _check_link(path: str, links: int, *, is_safe: bool) -> None:
    if not is_safe:
        raise OSError(errno.ELOOP, "there is a link in a directory that other users can change", path)
    if links > _MOST_LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


def check(file: int, uid: int, path: str) -> None:
    """Raise ``OSError`` where a file that others could have put there is none that this user may have."""
    there = os.fstat(file)
    is_theirs = there.st_uid == uid or (there.st_uid in _ours() and there.st_nlink == 1)
    if not stat.S_ISREG(there.st_mode) or not is_theirs:
        raise PermissionError(errno.EPERM, "it is not an ordinary file of the unit's user", path)


def open_to_read(path: str, uid: int) -> int:
    """A descriptor of a file to be read for a unit of this user. Nobody is waited for. Raises ``OSError``."""
    directory, name, is_safe = find(path)
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(name, flags, dir_fd=directory)
    finally:
        os.close(directory)
    try:
        if not is_safe:
            check(file, uid, path)
    except OSError:
        os.close(file)
        raise
    return file


class GuardedLog(LogFile):
    """A log file of a unit of another user. In a directory of that user it is given to that user, to be read by them."""

    __slots__ = ("uid",)

    def __init__(self, path: str, max_size: int, keep: int, on_error: Callable[[str], None] | None, uid: int) -> None:
        super().__init__(path, max_size, keep, on_error)
        self.uid = uid

    def _open(self) -> os.stat_result:
        directory, name, is_safe = find(self.path, make=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW
        try:
            try:
                self._fd = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
            except FileExistsError:
                self._fd = os.open(name, flags, dir_fd=directory)
                if not is_safe:
                    check(self._fd, self.uid, self.path)
            else:
                if os.fstat(directory).st_uid == self.uid:
                    os.fchown(self._fd, self.uid, -1)
        finally:
            os.close(directory)
        there = os.fstat(self._fd)
        self._identity = (there.st_dev, there.st_ino)
        return there

    def _rotate(self) -> None:
        self.close()
        directory, name, _ = find(self.path)
        try:
            names = [name, *(f"{name}.{number}" for number in range(1, self.keep + 1))]
            for older, newer in pairwise(reversed(names)):
                with suppress(FileNotFoundError):
                    os.replace(newer, older, src_dir_fd=directory, dst_dir_fd=directory)
            if not self.keep:
                os.unlink(name, dir_fd=directory)
        finally:
            os.close(directory)


def _ours() -> tuple[int, int]:
    return 0, os.geteuid()


def _is_ours_alone(there: os.stat_result) -> bool:
    return there.st_uid in _ours() and not there.st_mode & 0o022


def _open_root() -> int:
    return os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _enter(name: str, directory: int, *, make: bool) -> int:
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=directory)
    return os.open(name, flags, dir_fd=directory)


def _replace(old: int, new: int) -> int:
    os.close(old)
    return new


def _read_link(name: str, directory: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:  # it is no link, or not there
        return None
