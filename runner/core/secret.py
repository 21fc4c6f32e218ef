"""What is secret: which variables, and in what forms their values come to light.

A value is secret where its variable's name says so, or where a unit names the variable in ``mask``. What is known as a secret
once is one for the whole run, whoever writes it: output goes from hand to hand, and nobody can tell where a value came from.

**Which parts of it.** White space around a value is no part of the secret. A value of several lines is secret as a whole, and
so is each of its lines, because keys are printed line by line; lines that only mark the beginning and the end of a key
(``-----BEGIN ...``) stand in every key of the world, and are not. What is shorter than :data:`SHORTEST` is not looked for: it
would be found everywhere, and everything would become unreadable. Neither is what is part of a unit's name: names are how
units are told from each other, and stand in every line that the runner writes.

**In what forms.** As it is; as it stands in JSON, in all the ways in which that is commonly written; as it stands in a URL; in
the single quotes of a shell; and with control characters written as escapes. Most secrets have no character that any of these
writes differently, and so one form. What was encoded, cut or spelled in any other way is not recognised: nobody can list all
that a program may do to a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.json import encode

from .unit import Unit

SHORTEST: Final = 6
"""Characters that a secret has at least."""
LOOKS: Final = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")
"""What is in the names of variables that are secret without being named in ``mask``, in capital letters or small ones."""

_LOOK: Final = re.compile("|".join(LOOKS), re.IGNORECASE)
_END_OF_LINE: Final = re.compile(r"\r\n|\n|\r")
_MARK: Final = "-----"
"""How the first and the last line of a key in PEM begin (RFC 7468)."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7e]")
_ESCAPED: Final = re.compile(r"\\u[0-9a-f]{4}")
_OF_HTML: Final = re.compile("[<>&\u2028\u2029]")
"""What Go writes as escapes in JSON, so that it can stand in a web page."""
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""What a URL holds as it is (RFC 3986)."""
_KEPT_BY_SOME: Final = (b"", b"/", b"!*'()")
"""What programs leave as it is beyond that: nothing, the slash, what ``encodeURIComponent`` of JavaScript does."""


def looks_secret(name: str) -> bool:
    """Whether the name of a variable says that its value is secret."""
    return _LOOK.search(name) is not None


def is_secret(name: str, mask: tuple[str, ...] | None) -> bool:
    """Whether a variable of a unit is secret whose ``mask`` names these; None: it has none, empty: nothing of it is secret."""
    return mask != () and (looks_secret(name) or (mask is not None and name in mask))


def find_secrets(units: Iterable[Unit], environment: Mapping[str, str]) -> Iterator[str]:
    """The secret values of a supervisor's environment and of what units set themselves.

    A name in any unit's ``mask`` makes the variable of the environment secret, because every unit gets that. What a unit
    compares a secret variable with is secret too.
    """
    named: set[str] = set()
    for unit in units:
        named.update(unit.mask or ())
        if unit.env:
            yield from secrets_of(unit, unit.env)
        if unit.conditions and unit.conditions.env:
            compared = {name: value.removeprefix("!") for name, value in unit.conditions.env.items() if isinstance(value, str)}
            yield from secrets_of(unit, compared)
    yield from (value for name, value in environment.items() if name in named or looks_secret(name))


def secrets_of(unit: Unit, variables: Mapping[str, str]) -> Iterator[str]:
    """The values of a unit's variables that are secret."""
    return (value for name, value in variables.items() if is_secret(name, unit.mask))


def why_shown(value: str, names: str) -> str:
    """Why a value is not masked though it is secret, in words; empty where it is. ``names`` are those of units, in lines."""
    secret = value.strip()
    if len(secret) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    return "it is part of a unit's name" if secret in names else ""


def forms(value: str, names: str = "") -> set[str]:
    """All that is looked for because of a secret; nothing where it is not masked.

    Bytes that are no UTF-8 are given as ``os.fsdecode`` gives them, and come back like that.
    """
    whole = value.strip()
    found: set[str] = set()
    if not why_shown(whole, names):
        found.update(_written(whole), _in_urls(whole))
        for line in _END_OF_LINE.split(whole):
            part = line.strip()
            if not part.startswith(_MARK) and not why_shown(part, names):
                found.update(_written(part))
    return found


def _written(text: str) -> Iterator[str]:
    yield text
    if not text.isascii():
        text = text.encode(errors="surrogateescape").decode(errors="replace")  # as it is shown where it is no text
        yield text
    if "'" in text:
        yield text.replace("'", "'\\''")
    if _CONTROL.search(text):
        yield _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    in_json = encode(text)[1:-1].decode()
    for safe in {in_json, _OF_HTML.sub(_escape, in_json)}:
        for plain in {safe, _NOT_ASCII.sub(_escape, safe)}:
            for form in {plain, _ESCAPED.sub(lambda found: "\\u" + found[0][2:].upper(), plain)}:
                yield form
                yield form.replace("/", "\\/")


def _escape(found: re.Match[str]) -> str:
    """A character as JSON can write it in ASCII: ``\\u00e9``, and what has more than 16 bits as two of these."""
    data = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{data[place : place + 4]}" for place in range(0, len(data), 4))


def _in_urls(text: str) -> Iterator[str]:
    data = text.encode(errors="surrogateescape")
    if _UNRESERVED.issuperset(data):
        return
    for kept in _KEPT_BY_SOME:
        as_it_is = _UNRESERVED.union(kept)
        for form in ("%%%02X", "%%%02x"):
            written = "".join(chr(byte) if byte in as_it_is else form % byte for byte in data)
            yield written
            yield written.replace("%20", "+")
