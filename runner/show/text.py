"""Makes text from outside safe to show, and long lists short."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves the cursor, breaks the line or turns its direction, and what no encoding knows. A tab is harmless."""


def printable(text: str) -> str:
    """The text with every control character as an escape that one can read, such as ``\\x1b``."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def cut_name(name: str, length: int) -> str:
    """A name, safe to show, in at most so many characters; of a longer one the end, for its beginning is only its group."""
    name = printable(name)
    return name if len(name) <= length else f"…{name[len(name) - length + 1 :]}"


def listed(names: Sequence[str], limit: int) -> str:
    """Names in a row, of many only the first: ``a, b, c and 97 more``."""
    rest = len(names) - limit
    return f"{', '.join(names[:limit])} and {rest} more" if rest > 1 else ", ".join(names)


def chain(names: Sequence[str], limit: int) -> str:
    """Names one after the other, of many the first and the last: ``a -> b -> (96 more) -> y -> z``."""
    rest = len(names) - limit
    if rest <= 1:
        return " -> ".join(names)
    ends = limit // 2
    return " -> ".join([*names[: limit - ends], f"({rest} more)", *names[len(names) - ends :]])
