"""The unit files of a run: where they are, what they said when they were read last, and how they are read anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..unitfile import Loaded


class UnitFiles:
    """Directories, and what their files say. The environment is the supervisor's: it is what variables stand for.

    Which directories these are is found out anew each time: somebody may have made one of the usual ones meanwhile.
    """

    def __init__(self, find: Callable[[], Sequence[Path]], environment: Mapping[str, str], loaded: Loaded) -> None:
        self._find = find
        self._environment = environment
        self.loaded = loaded

    def source(self, unit: str) -> str:
        """The file that declares a unit. Raises KeyError for a name that no file has."""
        return self.loaded.source(unit)

    def read(self) -> Loaded:
        """What the files say now. It is for the caller to put that in the place of what they said."""
        from ..unitfile import load

        return load(self._find(), self._environment)
