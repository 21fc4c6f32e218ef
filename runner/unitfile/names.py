"""What the names of files and directories mean: a unit, a group, nothing, or a mistake.

Pure: it is told a name and never looks at the disk.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .keys import LATER_FILES, SEGMENT
from .values import quote

SUFFIX: Final = ".toml"

_SEGMENT: Final = re.compile(SEGMENT)
_NEARLY: Final = re.compile(r"(.+)\.(?:toml|tml|tom|toml\.txt)", re.IGNORECASE)


class Verdict(NamedTuple):
    """What to do with an entry of a directory."""

    segment: str = ""
    """The part of a unit's name that it gives; empty: pass it over."""
    what: str = ""
    """Why it cannot be used; empty where it can."""
    hint: str = ""


PASS_OVER: Final = Verdict()
_RULE: Final = "a name begins with a letter or digit and goes on with letters, digits and ._@:-"


def judge_file(name: str) -> Verdict:
    """What a file, or anything that is not a directory, is by its name."""
    if name[0] in "._":
        return PASS_OVER
    if not name.endswith(SUFFIX):
        nearly = _NEARLY.fullmatch(name)
        if not nearly:
            return PASS_OVER
        return Verdict(
            what=f"cannot tell whether {quote(name)} is a unit: it does not end in .toml", hint=f"call it {nearly[1]}.toml"
        )
    segment = name.removesuffix(SUFFIX)
    if segment == "group":
        return _later("group", "group.toml")
    if not _SEGMENT.fullmatch(segment):
        return Verdict(what=f"cannot make a unit's name of {quote(segment)}", hint=_RULE)
    if segment.endswith("@"):
        return _later("template", name)
    return Verdict(segment)


def judge_directory(name: str) -> Verdict:
    """What a directory is by its name. Whether a bad name matters depends on whether units are below it."""
    if name[0] in "._":
        return PASS_OVER
    if name.endswith(SUFFIX):
        return Verdict(
            what=f"cannot use the directory {quote(name)} as a unit file", hint="a group's directory has no .toml in its name"
        )
    if name.endswith(".d"):
        return _later("drop-in", name)
    if not _SEGMENT.fullmatch(name):
        return Verdict(name, what=f"cannot make a group's name of {quote(name)}", hint=_RULE)
    return Verdict(name)


def _later(sort: str, name: str) -> Verdict:
    later = LATER_FILES[sort]
    return Verdict(what=f"cannot use {quote(name)} yet: {later.why}", hint=later.hint)
