"""What is remembered of units from one run to the next, one small file a unit in the state directory.

Losing them costs time and nothing else: a unit of which nothing is remembered runs again. So what cannot be read is as if it
were not there, and what cannot be written is said once. A file is replaced in one go, so no crash leaves half of one.

Where it cannot be replaced, because the disk is full, it is emptied, which takes no room: the success that it tells of may be
out of date, and would be believed. An empty file is remembered as an attempt in vain.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import MsgspecError, json

from ..core.freshness import Memory

_TEMPORARY = "~"
"""No unit's name ends so, and no two supervisors write to one state directory at once."""


class Memories:
    """The memories of one state directory."""

    def __init__(self, directory: str, on_error: Callable[[str], None]) -> None:
        """Nothing is made here. ``on_error`` gets, in words, why something cannot be kept."""
        self.directory = directory
        self._on_error = on_error

    def recall(self, unit: str) -> Memory | None:
        """What is remembered of a unit; None: nothing."""
        try:
            data = Path(self._path(unit)).read_bytes()
            return json.decode(data, type=Memory) if data else Memory()
        except (OSError, MsgspecError, UnicodeDecodeError):
            return None

    def keep(self, unit: str, memory: Memory) -> None:
        """Remember this of a unit, and nothing else any more."""
        path = self._path(unit)
        try:
            try:
                self._write(path, json.encode(memory))
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
                self._write(path, json.encode(memory))
        except OSError as error:
            with suppress(OSError):
                os.close(_open_for_its_owner(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW))
            self._on_error(f'cannot remember what became of "{unit}": {error.strerror}: "{error.filename}"')

    def _path(self, unit: str) -> str:
        return f"{self.directory}/{unit}.json"

    def _write(self, path: str, data: bytes) -> None:
        temporary = path + _TEMPORARY
        with open(temporary, "wb", opener=_open_for_its_owner) as file:
            file.write(data)
        os.replace(temporary, path)  # noqa: PTH105


def _open_for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
