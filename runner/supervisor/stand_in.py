"""The stand-in for ``coder`` that units find where no ``coder`` is on their PATH."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_PROGRAM = "coder"
_IMPORT = "from runner.cli.coder import main"
"""What is in every stand-in, and in no other program."""


def make_stand_in(place: str, *, is_shared: bool = False) -> None:
    """Write the stand-in into a directory to put on a PATH, which is made. Raises ``OSError`` where that cannot be done.

    One that ``is_shared`` can be executed by everybody, where this Python and this package can be read by them.

    It runs Python without ``site``, which costs as much as all the rest, and so has to be told where this package is.
    """
    package = str(Path(__file__).parent.parent.parent)
    program = f"import sys; sys.path.insert(0, {package!r}); {_IMPORT}; sys.exit(main(sys.argv[1:]))"
    with suppress(FileExistsError):
        os.mkdir(place, 0o700)  # noqa: PTH102
    text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S -c {shlex.quote(program)} "$@"\n'
    descriptor = os.open(f"{place}/.{_PROGRAM}-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o700)
    with open(descriptor, "wb") as file:  # noqa: PTH123
        file.write(os.fsencode(text))
    for path in (place, f"{place}/.{_PROGRAM}-{os.getpid()}") if is_shared else ():
        os.chmod(path, 0o755)  # noqa: PTH101, S103
    os.replace(f"{place}/.{_PROGRAM}-{os.getpid()}", f"{place}/{_PROGRAM}")  # noqa: PTH105


def remove_stand_in(place: str) -> None:
    """Leave nothing behind."""
    with suppress(OSError):
        os.unlink(f"{place}/{_PROGRAM}")  # noqa: PTH108
        os.rmdir(place)  # noqa: PTH106


@lru_cache
def has_coder(path: str) -> bool:
    """Whether a PATH has a ``coder``."""
    return shutil.which(_PROGRAM, path=path) is not None


def is_stand_in(program: str) -> bool:
    """Whether a program is a stand-in. Raises ``OSError`` where it cannot be read."""
    with open(program, "rb") as file:  # noqa: PTH123
        return _IMPORT.encode() in file.read(4096)
