"""Where in a TOML document each key and each element of an array stands.

``tomli`` gives values without their places, and nearly all documents never need them. So this runs only when something is
wrong, over a text that ``tomli`` has accepted: it need not recognise mistakes, only find its way.

A path is a tuple of keys and indices, as one would index the parsed document: ``("ready", "http")``, ``("after", 1)``. A key
stands where its name begins, where it was first mentioned; an element where its value begins; a table of an array of tables
where the name begins in its ``[[header]]``.
"""

from __future__ import annotations

import re
from typing import Final

import tomli

Path = tuple[str | int, ...]

_SPACE: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_VALUE: Final = re.compile(
    r"""
      \"{3} (?: [^\\] | \\. )*? \"{3,5}     # up to two quotes may stand before the three that end it
    | \'{3} .*? \'{3,5}
    | " (?: [^"\\] | \\. )* "
    | ' [^']* '
    | [^,\]}#\n]+                            # a number, a boolean, a date with a space before its time
    """,
    re.VERBOSE | re.DOTALL,
)


def locate(text: str) -> dict[Path, tuple[int, int]]:
    """Line and column, from 1, of every key and element of a valid document, whose newlines are ``\\n`` alone."""
    scanner = _Scanner(text)
    scanner.document()
    return _in_lines(text, scanner.found)


def _in_lines(text: str, offsets: dict[Path, int]) -> dict[Path, tuple[int, int]]:
    places: dict[Path, tuple[int, int]] = {}
    line, start = 1, 0
    for path, offset in sorted(offsets.items(), key=lambda item: item[1]):
        newlines = text.count("\n", start, offset)
        if newlines:
            line += newlines
            start = text.rindex("\n", start, offset) + 1
        places[path] = line, offset - start + 1
    return places


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.lengths: dict[Path, int] = {}
        """How many tables each array of tables has so far."""

    def document(self) -> None:
        table: Path = ()
        self._skip_space()
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._array_header()
            elif self.text[self.at] == "[":
                table = self._table_header()
            else:
                self._pair(table)
            self._skip_space()

    def _skip_space(self) -> None:
        self.at = self._match(_SPACE).end()

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        assert match, "the document was accepted before"
        return match

    def _array_header(self) -> Path:
        self.at += 2
        *parents, (name, start) = self._key()
        self.at += 2
        array = (*self._descend((), parents), name)
        index = self.lengths.get(array, 0)
        self.lengths[array] = index + 1
        self.found.setdefault(array, start)
        self.found[*array, index] = start
        return (*array, index)

    def _table_header(self) -> Path:
        self.at += 1
        parts = self._key()
        self.at += 1
        return self._descend((), parts)

    def _descend(self, path: Path, parts: list[tuple[str, int]]) -> Path:
        """Go down a dotted key, through the last table of each array of tables on the way."""
        for name, start in parts:
            path = (*path, name)
            self.found.setdefault(path, start)
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        path = self._descend(table, self._key())
        self.at += 1  # the equals sign
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        """A dotted key's parts and where each begins; ends behind the space after it."""
        parts = []
        self._skip_space()
        while True:
            match = self._match(_KEY)
            parts.append((_unquote(match[0]), self.at))
            self.at = match.end()
            dot = _DOT.match(self.text, self.at)
            if not dot:
                self._skip_space()
                return parts
            self.at = dot.end()

    def _value(self, path: Path) -> None:
        """Step over a value; arrays and inline tables may nest as deep as they like."""
        inside: list[tuple[str, Path, int]] = []
        """The brackets that are open: what closes each, its path, and how many elements it has so far."""
        while True:
            self._skip_space()
            opening = self.text[self.at]
            if opening in "[{":
                self.at += 1
                inside.append(("]" if opening == "[" else "}", path, 0))
            else:
                self.at = self._match(_VALUE).end()
            while inside and self._is_closed(inside[-1][0]):
                inside.pop()
            if not inside:
                return
            path = self._next_in(inside)

    def _is_closed(self, closing: str) -> bool:
        """Step over a comma to the next value, or over the bracket that closes."""
        self._skip_space()
        if self.text[self.at] == ",":
            self.at += 1
            self._skip_space()
        if self.text[self.at] != closing:
            return False
        self.at += 1
        return True

    def _next_in(self, inside: list[tuple[str, Path, int]]) -> Path:
        """The path of the value that comes next in the innermost brackets."""
        closing, path, count = inside[-1]
        if closing == "}":
            path = self._descend(path, self._key())
            self.at += 1  # the equals sign
            return path
        inside[-1] = closing, path, count + 1
        self.found[*path, count] = self.at
        return (*path, count)


def _unquote(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if "\\" in key:
        return next(iter(tomli.loads(f"{key} = 0")))
    return key.strip('"')
