"""One file as text and as values, and the place in the text of whatever is wrong with the values.

:class:`Source` is what a unit is made from, as the rest sees it: values, and the place of each. Of most units one
:class:`Document` is all there is; of the others :mod:`.merge` makes one of several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

import tomli

from ..errors import Place, Problem
from .convert import Finding, Path, show_path
from .locate import locate

_NUL_ESCAPES: Final = ("\\u0000", "\\U00000000", "\\x00")
_HINTS: Final = {
    "Invalid value": 'strings stand in quotes: key = "value"',
    "Cannot overwrite a value": "the key is written twice",
    "Cannot declare": "the table is written twice",
    "Invalid statement": 'a line is key = "value", [table] or # a comment',
    "Expected '=' after a key": 'a line is key = "value", [table] or # a comment',
    "Expected newline": "each key stands on its own line",
    "Unescaped '\\' in a string": "write \\\\ for a backslash, or use '...' quotes",
    "Illegal character": "the closing quotes are missing; a string of several lines has three",
    "Unterminated string": "the closing quotes are missing",
    "Unclosed array": "a closing ] or a comma is missing",
    "Unclosed inline table": "a closing } or a comma is missing",
}

DEEPEST: Final = 2
"""So deep are tables nested that the format knows, those in lists aside."""
EMPTY: Final = Finding((), "cannot make a unit of an empty file", 'to leave a unit out, write "enabled = false" into it')


class Source:
    """Values under a name, and the place of each."""

    def __init__(self, name: str, file: str) -> None:
        self.name = name
        """The unit's name; of another file its stem."""
        self.file = file
        """Its own file, as the user gave its directory."""
        self.values: dict[str, object] = {}
        self.wrong: set[str] = set()
        """Keys at the top of which it is known already that something is wrong with them."""

    def find(self, path: Path) -> tuple[Document, Path]:
        """The document that said what is at a path, and its path there."""
        raise NotImplementedError

    def check(self) -> Iterator[Finding]:
        """What is wrong whatever the keys mean."""
        raise NotImplementedError

    def place(self, path: Path) -> Place:
        """Where a path stands, or the nearest of what it is in; the whole file for the empty path."""
        document, path = self.find(path)
        return document.place_of(path)

    def problem(self, finding: Finding) -> Problem:
        """A finding with its places."""
        also = tuple((words, self.place(path)) for words, path in finding.also)
        return Problem(finding.what, self.place(finding.path), finding.hint, finding.severity, also)


class Document(Source):
    """A file that was read."""

    def __init__(self, name: str, file: str, text: str) -> None:
        super().__init__(name, file)
        self.text = text

    def parse(self) -> Problem | None:
        """Read the values. Returns what makes the whole text unusable."""
        try:
            self.values = tomli.loads(self.text)
        except tomli.TOMLDecodeError as error:
            return self._invalid(error)
        except RecursionError:
            return Problem("cannot read it as TOML: arrays or tables are nested too deeply", Place(self.file))
        except ValueError as error:
            return Problem(f"cannot read it as TOML: {str(error).lower()}", Place(self.file))
        return None

    def check(self) -> Iterator[Finding]:
        """What is wrong with the document whatever its keys mean."""
        if not self.values:
            yield EMPTY
        if self.may_have_nul:
            yield from find_nul(self.values)

    @property
    def may_have_nul(self) -> bool:
        """Whether a search for the character U+0000 may find one: TOML can write it only as an escape."""
        return any(escape in self.text for escape in _NUL_ESCAPES)

    @property
    def has_appends(self) -> bool:
        """Whether a key of a table ends in ``+``."""
        return ("+" in self.text or "\\" in self.text) and _has_appends(self.values)

    def find(self, path: Path) -> tuple[Document, Path]:
        """Itself: it has said all that it says."""
        return self, path

    def place_of(self, path: Path) -> Place:
        """Where a path of this file stands."""
        while path:
            if found := self._places.get(path):
                return Place(self.file, *found, self._lines[found[0] - 1])
            path = path[:-1]
        return Place(self.file)

    @cached_property
    def _places(self) -> dict[Path, tuple[int, int]]:
        return locate(self.text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def _invalid(self, error: tomli.TOMLDecodeError) -> Problem:
        place = Place(self.file, error.lineno, error.colno, self._lines[error.lineno - 1])
        hint = next((hint for start, hint in _HINTS.items() if error.msg.startswith(start)), "")
        return Problem(f"cannot read it as TOML: {error.msg[0].lower()}{error.msg[1:]}", place, hint)


def decode(name: str, file: str, data: bytes) -> Document | Problem:
    """Make a document of the bytes of a file. A byte order mark is passed over, and lines may end as on Windows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line_start = before.rfind(b"\n") + 1
        line = data[line_start:].split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
        column = len(before[line_start:].decode(errors="replace")) + 1
        place = Place(file, before.count(b"\n") + 1, column, line)
        return Problem(f"cannot read it as UTF-8: byte 0x{data[error.start]:02x}", place, "save the file as UTF-8")
    return Document(name, file, text.replace("\r\n", "\n"))


def find_nul(values: Mapping[str, object]) -> Iterator[Finding]:
    """Strings with the character U+0000 in them."""
    stack: list[tuple[Path, object]] = [((), values)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str) and "\0" in value:
            yield Finding(path, f'cannot use "\\u0000" in "{show_path(path)}": no program can be given it', "leave it out")
        elif isinstance(value, dict):
            stack.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend(((*path, index), item) for index, item in enumerate(value))


def _has_appends(values: Mapping[str, object], depth: int = DEEPEST) -> bool:
    """No table of a unit is nested deeper than that, and a text may nest them by the thousand."""
    inside = (value for value in values.values() if isinstance(value, dict)) if depth else ()
    return any(key.endswith("+") for key in values) or any(_has_appends(table, depth - 1) for table in inside)
