"""Looks at the world on behalf of ``core.freshness``: which paths are there, what inputs contain, which system this is.

Everything here may take long (a tree of thousands of files, a slow network file system), so it belongs into a thread.

A file is read again only where it may have changed since it was read last: its size, the times of its content and of its
inode, and its number are kept beside the digest of what is in it. The time of the inode (``st_ctime``) is the kernel's and
nobody can set it back. A file that was changed shortly before it was read is read again next time: a second change within
the resolution of the clock would look the same.
"""

from __future__ import annotations

import glob
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from msgspec import json

from ..core.freshness import Content, Found, Made, Memory
from ..core.unit import Unit
from ..core.words import say_os_error
from .environment import open_at_once

_CHUNK: Final = 1 << 20
_RACY: Final = 2_000_000_000
"""Nanoseconds. The coarsest clock of a file system in use (FAT) has steps of two seconds."""
_GONE: Final = Content("")
_SIZE: Final = 16


def look(
    unit: Unit,
    environment: Mapping[bytes, bytes],
    own: Mapping[bytes, bytes],
    memory: Memory | None,
    state: str,
    uid: int,
) -> Found:
    """All that the unit's keys ask about.

    ``environment`` is the whole that its command would get, ``own`` the part that is not the supervisor's; ``memory`` is what
    is remembered of it, ``state`` the directory where that is kept, and ``uid`` the user as whom it runs.
    """
    conditions = unit.conditions
    paths = [*(conditions.exists + conditions.missing if conditions else ()), *unit.creates]
    values = {name: environment.get(os.fsencode(name)) for name in (conditions.env if conditions else ())}
    is_user_asked = conditions is not None and bool(conditions.user)
    before = memory.made.inputs if memory and memory.made else {}
    made, unreadable = None, ""
    try:
        made = Made(_digest_of_command(unit), _digest_of_pairs(own), dict(read_inputs(unit.inputs, before)))
    except OSError as error:
        unreadable = f'its input "{_text(error.filename)}" cannot be read: {say_os_error(error)}'
    return Found(
        there=frozenset(path for path in paths if os.path.exists(path)),  # noqa: PTH110
        environment={name: _text(value) for name, value in values.items() if value is not None},
        os=os.uname().sysname.lower(),
        arch=os.uname().machine,
        user=user_name(uid) if is_user_asked else "",
        memory=memory,
        boot=boot_id() if unit.once == "boot" else "",
        system=system_id() if unit.inputs else "",
        made=made,
        unreadable=unreadable,
        is_on_volume=_are_on_volume([*unit.creates, *unit.inputs], state) if unit.inputs else True,
    )


def remember(found: Found, values: Mapping[str, str], *, has_secrets: bool) -> Memory:
    """What to keep of a unit that was found so before it ran, and has succeeded."""
    return Memory(found.made, boot_id(), system_id(), dict(values), has_secrets)


def takes_a_look_at_files(unit: Unit) -> bool:
    """Whether the keys of a unit speak of files, or all that they ask for is at hand."""
    conditions = unit.conditions
    return bool(unit.creates or unit.inputs or (conditions and (conditions.exists or conditions.missing)))


def _text(path: str | bytes) -> str:
    """As it can be kept and told: bytes that are no UTF-8 as escapes, so that two names stay two."""
    return os.fsencode(path).decode(errors="backslashreplace")


# ------------------------------------------------------------------ inputs


def read_inputs(patterns: Iterable[str], before: Mapping[str, Content]) -> Iterator[tuple[str, Content]]:
    """What is in every file that the paths and globs stand for, in the order of their names; of a directory, in all below it.

    Raises ``OSError`` where one cannot be read. One that is not there is an input too: it may come.
    """
    paths = {path for pattern in patterns for path in _expand(pattern)}
    now = time.time_ns()
    for path in sorted(paths):
        name = _text(path)
        yield name, _content(path, before.get(name, _GONE), now)


def _expand(pattern: str) -> Iterator[str]:
    if not glob.has_magic(pattern) or os.path.lexists(pattern):
        yield from _files_below(pattern)
        return
    for path in glob.iglob(pattern, recursive=True):  # noqa: PTH207 (it need not be below one directory)
        if not os.path.isdir(path):  # noqa: PTH112
            yield path
        elif not pattern.endswith("**"):  # which names what is below by itself
            yield from _files_below(path)


def _files_below(path: str) -> Iterator[str]:
    """The files of a directory and all below it. Links to directories are not followed: they may lead back."""
    if not os.path.isdir(path):  # noqa: PTH112
        yield path
        return

    def refuse(error: OSError) -> None:
        raise error

    for directory, subdirectories, files in os.walk(path, onerror=refuse):
        links = [name for name in subdirectories if os.path.islink(os.path.join(directory, name))]  # noqa: PTH114, PTH118
        for name in (*files, *links):
            yield os.path.join(directory, name)  # noqa: PTH118


def _content(path: str, before: Content, now: int) -> Content:
    try:
        about = os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return _GONE
    if stat.S_ISDIR(about.st_mode):  # a link, or nothing would have led here
        return Content(_digest(b"link", os.fsencode(os.readlink(path))))  # noqa: PTH115
    if not stat.S_ISREG(about.st_mode):
        return Content(_digest(b"special", str(stat.S_IFMT(about.st_mode)).encode()))
    stamp = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
    if before.stamp == stamp:
        return before
    is_old = now - max(about.st_mtime_ns, about.st_ctime_ns) > _RACY
    try:
        return Content(_digest_of_file(path), stamp if is_old else ())
    except OSError as error:
        error.filename = path  # which read(2) does not know
        raise


def _digest_of_file(path: str) -> str:
    digest = blake2b(digest_size=_SIZE)
    with open(path, "rb", buffering=0, opener=open_at_once) as file:  # it may have become a FIFO meanwhile
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _digest(*parts: bytes) -> str:
    digest = blake2b(digest_size=_SIZE)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def _digest_of_pairs(pairs: Mapping[bytes, bytes]) -> str:
    return _digest(*(part for pair in sorted(pairs.items()) for part in pair))


def _digest_of_command(unit: Unit) -> str:
    return _digest(json.encode(unit.command), os.fsencode(unit.cwd))


# ------------------------------------------------------------------ which machine this is


def user_name(uid: int) -> str:
    """The name of a user, or its number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@lru_cache
def boot_id() -> str:
    """Which boot of the machine this is; of a container, which start of it.

    The kernel's own number (random(4)) is that of the host, so the moment when process 1 began is added: it is the
    container's first process (proc(5), ``starttime``).
    """
    kernel = _read("/proc/sys/kernel/random/boot_id")
    of_first = _read("/proc/1/stat").rpartition(")")[2].split()
    return f"{kernel}.{of_first[19] if len(of_first) > 19 else ''}"


@lru_cache
def system_id(root: str = "/") -> str:
    """Which system this is: another one after an image was exchanged or a container was made anew.

    That is when the root directory was made and its number, which an overlay takes from its upper layer, and what systemd has
    called the machine (machine-id(5)).
    """
    return f"{os.stat(root).st_ino}.{_birth_time(root)}.{_read(f'{root}/etc/machine-id')}"  # noqa: PTH116


def _birth_time(path: str) -> int:
    """When something was made, as the file system writes it down; 0 where it does not (statx(2))."""
    import ctypes

    if not sys.platform.startswith("linux"):
        return 0
    statx = getattr(ctypes.CDLL(None), "statx", None)
    answer = ctypes.create_string_buffer(256)
    if statx is None or statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, answer):
        return 0
    mask = int.from_bytes(answer.raw[0:4], sys.byteorder)
    seconds_and_nanoseconds = answer.raw[_BTIME_AT : _BTIME_AT + 12]
    return int.from_bytes(seconds_and_nanoseconds, sys.byteorder) if mask & _STATX_BTIME else 0


_AT_FDCWD: Final = -100
_STATX_BTIME: Final = 0x800
_BTIME_AT: Final = 80
"""Where ``stx_btime`` is in ``struct statx``."""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _are_on_volume(paths: Iterable[str], state: str) -> bool:
    volume = _device(state)
    return all(_device(_fixed_part(path)) == volume for path in paths)


def _fixed_part(pattern: str) -> str:
    """The directory of a glob that all that it stands for is below."""
    while glob.has_magic(pattern):
        pattern = os.path.dirname(pattern)  # noqa: PTH120
    return pattern or "."


def _device(path: str) -> int:
    """The device that something is on, or would be if it were there."""
    path = os.path.abspath(path)  # noqa: PTH100
    while True:
        try:
            return os.stat(path).st_dev  # noqa: PTH116
        except OSError:
            if path == "/":
                return 0
            path = os.path.dirname(path)  # noqa: PTH120
