"""Units directories on top of each other: which file counts of those that have the same name, and what changes it.

One rule: a file takes the place of all that have the same path in earlier directories. It holds for units, for templates, for
``group.toml``, and for each single drop-in. What an earlier directory has under that path is not even read.

The drop-ins of one file come from all directories, earlier directories first, and within one in the order of their names. So
a drop-in changes the file that counts, wherever that comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ..errors import Place, Problem
from .files import list_units
from .names import is_common


class Found(Struct, frozen=True, order=True):
    """A file that counts."""

    layer: int
    """Which of the directories it is from, the first is 0."""
    path: str
    """Its path, beginning as the directory was given."""


class Stack(Struct):
    """What several units directories hold together."""

    files: dict[str, Found] = {}
    """By stem the file that counts, in the order of the stems."""
    drop_ins: dict[str, list[Found]] = {}
    """By stem the drop-ins that change it, in the order in which they do."""
    replaced: dict[str, list[str]] = {}
    """By the path of a file that counts the paths of those that it takes the place of, the earliest first."""
    groups: set[str] = set()
    unread: set[str] = set()
    """Groups of which a directory cannot be read."""
    incomplete: set[str] = set()
    """Stems of which a directory of drop-ins cannot be read."""
    problems: list[Problem] = []


def stack(directories: Sequence[Path]) -> Stack:
    """List all directories and lay each upon those before it."""
    result = Stack()
    by_name: dict[str, dict[str, Found]] = {}
    for layer, directory in enumerate(directories):
        listing = list_units(directory)
        for stem, path in listing.files.items():
            _lay(result, result.files, stem, Found(layer, path))
        for stem, paths in listing.drop_ins.items():
            for path in paths:
                _lay(result, by_name.setdefault(stem, {}), path.rpartition("/")[2], Found(layer, path))
        result.groups.update(listing.groups)
        result.unread.update(listing.unread)
        result.incomplete.update(listing.incomplete)
        result.problems += listing.problems
    result.files = dict(sorted(result.files.items()))
    result.drop_ins = {stem: sorted(found.values()) for stem, found in sorted(by_name.items())}
    if directories and not result.problems and all(map(is_common, result.files)):
        result.problems.append(_say_empty(directories))
    return result


def _lay(result: Stack, found: dict[str, Found], name: str, new: Found) -> None:
    """Let a file count under its name, in the place of the one that did."""
    if (old := found.get(name)) and old.path != new.path:
        result.replaced[new.path] = [*result.replaced.pop(old.path, ()), old.path]
    found[name] = new


def _say_empty(directories: Sequence[Path]) -> Problem:
    if len(directories) == 1:
        return Problem("cannot find a unit: the directory has none", Place(str(directories[0])), "put a NAME.toml into it")
    others = tuple(("neither has this one", Place(str(directory))) for directory in directories[1:])
    what = "cannot find a unit: none of the directories has one"
    return Problem(what, Place(str(directories[0])), "put a NAME.toml into one of them", also=others)
