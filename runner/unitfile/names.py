"""What the names of files and directories mean: a unit, a template, a group, a drop-in, nothing, or a mistake.

Pure: it is told a name and never looks at the disk.

A file's **stem** is its whole name below the units directory without ``.toml``. Of it alone one sees what the file is:
``editor/vim`` is a unit, ``net/port@`` a template, and ``editor/group`` what the group ``editor`` has in common (so no unit
is called ``group``). A directory ``STEM.d`` holds what is changed in that file.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .keys import SEGMENT
from .values import quote

SUFFIX: Final = ".toml"
DROP_INS: Final = ".d"
GROUP: Final = "group"
"""The last part of the stem of a file that a group has in common."""
INSTANCES: Final = "instances"
"""The one key of a template that is none of its units."""

_SEGMENT: Final = re.compile(SEGMENT)
_NEARLY: Final = re.compile(r"(.+)\.(?:toml|tml|tom|toml\.txt)", re.IGNORECASE)


class Verdict(NamedTuple):
    """What to do with an entry of a directory."""

    segment: str = ""
    """The part of a name that it gives; empty: pass it over."""
    what: str = ""
    """Why it cannot be used; empty where it can."""
    hint: str = ""
    holds_drop_ins: bool = False
    """A directory, of drop-ins for the file of that name."""


PASS_OVER: Final = Verdict()
_RULE: Final = "a name begins with a letter or digit and goes on with letters, digits and ._@:-"


def judge_file(name: str) -> Verdict:
    """What a file, or anything that is not a directory, is by its name."""
    if name[0] in "._":
        return PASS_OVER
    if not name.endswith(SUFFIX):
        return _judge_other_file(name, "a unit")
    return _judge_stem(name.removesuffix(SUFFIX))


def judge_drop_in(name: str) -> Verdict:
    """What a file in a directory of drop-ins is by its name. It stands in no unit's name, so all letters will do."""
    if name[0] in "._":
        return PASS_OVER
    return Verdict(name) if name.endswith(SUFFIX) else _judge_other_file(name, "a drop-in")


def judge_directory(name: str) -> Verdict:
    """What a directory is by its name. Whether a bad name matters depends on whether there is something in it."""
    if name[0] in "._":
        return PASS_OVER
    if name.endswith(SUFFIX):
        return Verdict(
            what=f"cannot use the directory {quote(name)} as a unit file", hint="a group's directory has no .toml in its name"
        )
    if name.endswith(DROP_INS):
        stem = name.removesuffix(DROP_INS)
        if stem.endswith(SUFFIX):
            hint = f"call it {stem.removesuffix(SUFFIX)}{DROP_INS}"
            return Verdict(what=f"cannot tell which unit the drop-ins in {quote(name)} are for", hint=hint)
        return _judge_stem(stem)._replace(segment=stem, holds_drop_ins=True)
    if not _SEGMENT.fullmatch(name):
        return Verdict(name, what=f"cannot make a group's name of {quote(name)}", hint=_RULE)
    return Verdict(name)


def is_template(stem: str) -> bool:
    """Whether the file of this stem is a template."""
    return stem.endswith("@")


def is_common(stem: str) -> bool:
    """Whether the file of this stem is what a group has in common."""
    return stem.rpartition("/")[2] == GROUP


def template_of(name: str) -> str:
    """The template that a unit would be an instance of: ``net/port@`` for ``net/port@8080``, nothing for ``net/port``."""
    group, slash, last = name.rpartition("/")
    first, at, instance = last.partition("@")
    return f"{group}{slash}{first}{at}" if instance else ""


def group_of(stem: str) -> str:
    """The innermost group that a file is in; the empty string at the top."""
    return stem.rpartition("/")[0]


def groups_of(name: str) -> list[str]:
    """The groups that a unit belongs to, from the innermost: ``a/b`` and ``a`` for ``a/b/c``."""
    groups = []
    while name := group_of(name):
        groups.append(name)
    return groups


def _judge_stem(segment: str) -> Verdict:
    if not _SEGMENT.fullmatch(segment):
        return Verdict(what=f"cannot make a unit's name of {quote(segment)}", hint=_RULE)
    if segment.endswith("@") and "@" in segment[:-1]:
        return Verdict(what=f"cannot make a template's name of {quote(segment)}", hint="it has one @, at its end")
    return Verdict(segment)


def _judge_other_file(name: str, what: str) -> Verdict:
    """What does not end in .toml: of no interest, unless it nearly does."""
    nearly = _NEARLY.fullmatch(name)
    if not nearly:
        return PASS_OVER
    return Verdict(
        what=f"cannot tell whether {quote(name)} is {what}: it does not end in .toml", hint=f"call it {nearly[1]}.toml"
    )
