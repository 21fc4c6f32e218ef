"""The files to which units write what they give to the units after them: ``$RUNNER_ENV``.

Each invocation has a path of its own, at which nothing is until it writes there. A path that holds no file costs next to
nothing, so units that give nothing do. What a file says is told as a whole or not at all, and no word of it is ever quoted:
a value may be secret, and a line that is none may be a part of one.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from typing import Final

from ..core.words import say_os_error
from .environment import OURS_ALONE, open_at_once, parse_line

LARGEST: Final = 1_000_000
"""Bytes of a file that are read; one that has more cannot be used."""
_LONGEST: Final = 131_071
"""Bytes of ``NAME=VALUE`` that a process can be given (execve(2), MAX_ARG_STRLEN)."""
_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


class CannotUse(Exception):
    """A file says what cannot be used, or is none. The message says where and why, in words."""


class ValueFiles:
    """The directory of a run's files. Raises ``OSError`` where it cannot be made; what a killed run left there is removed."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        try:
            os.mkdir(directory, 0o700)  # noqa: PTH102
        except FileExistsError:
            shutil.rmtree(directory, ignore_errors=True)
            os.mkdir(directory, 0o700)  # noqa: PTH102

    def path(self, invocation: str) -> str:
        """Where an invocation is to write. A unit of another user needs the file made here and given to it (chown(2))."""
        return f"{self._directory}/{invocation}"

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._directory, ignore_errors=True)


def read_values(path: str) -> dict[str, str]:
    """What an invocation has written until now: of each name the last value. Raises :class:`CannotUse`."""
    values = {}
    for number, line in enumerate(_read(path).splitlines(), 1):
        try:
            if pair := parse_line(line):
                values[os.fsdecode(_checked(*pair))] = os.fsdecode(pair[1])
        except ValueError as error:
            raise CannotUse(f"cannot use line {number} of $RUNNER_ENV: {error}") from None
    return values


def _read(path: str) -> bytes:
    """All of a file that may be missing. Nobody is waited for, and no link followed: the path is the runner's."""
    try:
        with open(path, "rb", opener=lambda path, flags: open_at_once(path, flags | os.O_NOFOLLOW)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CannotUse("cannot use $RUNNER_ENV: it is no regular file any more")
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise CannotUse(f"cannot read $RUNNER_ENV: {say_os_error(error)}") from None
    if len(data) > LARGEST:
        raise CannotUse("cannot use $RUNNER_ENV: it is larger than 1 MB")
    return data


def _checked(name: bytes, value: bytes) -> bytes:
    """The name, if a variable can have it and the value. Raises ``ValueError`` with the reason."""
    if not _NAME.fullmatch(name):
        raise ValueError("a name has letters, digits and _, and does not begin with a digit")
    if name.startswith(b"RUNNER_") or name in OURS_ALONE:
        raise ValueError(f"{name.decode()} is for the runner to set")
    if b"\0" in value:
        raise ValueError("there is a null byte in it")
    if len(name) + len(value) >= _LONGEST:
        raise ValueError("no process can be given a variable of 128 KiB or more")
    return name


def remove(path: str) -> None:
    """Remove the file of an invocation that is over, if it wrote one."""
    with suppress(OSError):  # most often there is none; what stays goes with the directory
        os.unlink(path)  # noqa: PTH108
