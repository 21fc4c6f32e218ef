"""``${VAR}``, ``${VAR:-default}`` and ``~`` in strings of a unit file, as they are when the file is read.

Where a variable's value comes from is the caller's business: a function from a name to a value, or None. ``$VAR`` without
braces stays as it is; ``$${`` is a ``${`` that stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Lookup = Callable[[str], str | None]

_TOKEN: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(\}|:-)|\$\{|\}")
_HOME: Final = re.compile(r"\A~(?=/|\Z)")
_HOME_IN_LIST: Final = re.compile(r"(?:\A|(?<=:))~(?=[/:]|\Z)")


class CannotExpand(ValueError):
    """A string names a variable that is not there, or what follows ``${`` is no variable."""

    def __init__(self, why: str, variable: str = "") -> None:
        super().__init__(why)
        self.variable = variable
        """The variable that is not there, if that is why."""


def expand(text: str, lookup: Lookup) -> str:
    """Expand a path or an address: ``~`` at its beginning, variables anywhere."""
    return _expand(text, lookup, _HOME)


def expand_variable(text: str, lookup: Lookup) -> str:
    """Expand the value of an environment variable: ``~`` also after each colon, as a shell does when it assigns."""
    return _expand(text, lookup, _HOME_IN_LIST)


def _expand(text: str, lookup: Lookup, home: re.Pattern[str]) -> str:
    if "~" in text:
        # A tilde becomes a variable before any is expanded, so that no tilde in a variable's value is taken for one of ours.
        text = home.sub("${HOME}", text)
    if "${" not in text:
        return text
    try:
        return _until_end(text, 0, lookup, in_default=False)[0]
    except RecursionError:
        raise CannotExpand("too many defaults stand in each other") from None


def _until_end(text: str, at: int, lookup: Lookup, *, in_default: bool) -> tuple[str, int]:
    """Expand to the end of the text, or of the default that begins here; also tells where that is."""
    parts: list[str] = []
    while match := _TOKEN.search(text, at):
        parts.append(text[at : match.start()])
        at = match.end()
        if match[0] == "$${":
            parts.append("${")
        elif match[0] == "}" and in_default:
            return "".join(parts), at
        elif match[0] == "}":
            parts.append("}")
        elif match[0] == "${":
            raise CannotExpand('a "${" needs a name and a "}" after it; write "$${" for the characters themselves')
        else:
            value, at = _variable(match, at, lookup)
            parts.append(value)
    if in_default:
        raise CannotExpand('a "${" is not closed with "}"')
    return "".join(parts) + text[at:], len(text)


def _variable(match: re.Match[str], at: int, lookup: Lookup) -> tuple[str, int]:
    """The value of one variable, and where the text goes on. A default stands in for an empty value too, as in a shell."""
    name, value = match[1], lookup(match[1])
    if match[2] == ":-":
        default, at = _until_end(match.string, at, _nothing if value else lookup, in_default=True)
        return value or default, at
    if value is None:
        raise CannotExpand(f"{name} is not set", name)
    return value, at


def _nothing(_name: str) -> str:
    """A default that is not used need not be there."""
    return ""
