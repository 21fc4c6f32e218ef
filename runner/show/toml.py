"""Values as TOML has them, whole and on as many lines as they have.

What no terminal should get is an escape: TOML's own in strings with quotes that have any.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from math import isinf, isnan
from typing import Final

from .text import printable

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_LINES: Final = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]*")
_ESCAPED: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def show_value(value: object) -> str:
    """A value as one would write it. A string of several lines has several, if nothing in it needs an escape."""
    match value:
        case str():
            return _string(value)
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return f"[{', '.join(map(show_element, value))}]"
        case dict():
            pairs = ", ".join(f"{show_key(key)} = {show_element(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case datetime() | date() | time():
            return value.isoformat()
        case float() if isinf(value) or isnan(value):
            return str(value)
    return printable(repr(value))


def show_element(value: object) -> str:
    """The same on one line, whatever it is."""
    return _basic(value) if isinstance(value, str) else show_value(value)


def show_key(key: str) -> str:
    """One part of a key, in quotes where it needs them."""
    return key if _BARE_KEY.fullmatch(key) else _basic(key)


def show_path(keys: tuple[str, ...]) -> str:
    """A dotted key."""
    return ".".join(map(show_key, keys))


def _string(text: str) -> str:
    if "\n" in text and "'''" not in text and not text.endswith("'") and _PLAIN_LINES.fullmatch(text):
        return f"'''\n{text}'''"
    return _basic(text)


def _basic(text: str) -> str:
    """In quotes. What JSON escapes is written in the same way in TOML."""
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
