"""A terminal for tests: keeps what stands on its two screens, as far as the runner writes to them."""

from __future__ import annotations

import re

from rich.cells import cell_len

_TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([a-zA-Z])|([\r\n])|([^\x1b\r\n]+)")


class Screen:
    """What a person sees. It never scrolls, and what goes beyond its edge is lost."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.modes: set[str] = {"25", "7"}
        """The private modes that are set: the cursor is shown, lines wrap."""
        self.frames = 0
        """How many synchronized updates there were."""
        self.writes = 0
        """How many pieces of text were written."""
        self.colors: set[str] = set()
        """All attributes that were asked for (SGR)."""
        self._normal: list[list[str]] = []
        self._alternate: list[list[str]] = []
        self._row = self._column = 0
        self._rest = ""

    @property
    def _lines(self) -> list[list[str]]:
        return self._alternate if "1049" in self.modes else self._normal

    def text(self) -> str:
        """The screen that is shown, without what is empty at the right and below."""
        return "\n".join("".join(line).rstrip() for line in self._lines).rstrip("\n")

    def scrollback(self) -> str:
        """The normal screen, whichever is shown."""
        return "\n".join("".join(line).rstrip() for line in self._normal).rstrip("\n")

    def feed(self, data: bytes) -> None:
        """Take what is written. All of it must be known here."""
        text = self._rest + data.decode(errors="replace")
        end = text.rfind("\x1b")
        whole = end < 0 or _TOKEN.match(text, end) is not None
        self._rest = "" if whole else text[end:]
        text = text if whole else text[:end]
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found, f"what is {text[at : at + 20]!r}?"
            at = found.end()
            private, numbers, letter, newline, plain = found.groups()
            if plain:
                self._write(plain)
            elif newline:
                self._move(self._row + (newline == "\n"), 0)
            elif private:
                self._set_mode(numbers, letter == "h")
            else:
                self._control(letter, numbers)

    def _set_mode(self, mode: str, is_set: bool) -> None:
        if mode == "1049":
            self._alternate.clear()
            self._row = self._column = 0
            if not is_set:
                self._row = len(self._normal)
        self.frames += mode == "2026" and is_set
        (self.modes.add if is_set else self.modes.discard)(mode)

    def _control(self, letter: str, numbers: str) -> None:
        match letter, numbers:
            case "m", _:
                self.colors.add(numbers)
            case "H", _:
                row, column = (int(number) - 1 for number in numbers.split(";"))
                self._move(row, column)
            case "J", "2":
                self._lines.clear()
            case "J", "":
                del self._lines[self._row :]
            case "K", "":
                if self._row < len(self._lines):
                    del self._lines[self._row][self._column :]
            case _:
                raise AssertionError(f"what is {numbers}{letter}?")

    def _move(self, row: int, column: int) -> None:
        assert "1049" not in self.modes or row < self.rows, "it scrolls"
        self._row, self._column = row, column

    def _write(self, text: str) -> None:
        self.writes += 1
        lines = self._lines
        while len(lines) <= self._row:
            lines.append([])
        line = lines[self._row]
        for character in text:
            width = cell_len(character)
            assert "1049" not in self.modes or self._column + width <= self.columns, "it goes beyond the edge"
            line.extend(" " * (self._column - len(line)))
            line[self._column : self._column + max(width, 1)] = [character, *[""] * (width - 1)]
            self._column += width
