"""Problems of unit files as text for people, as JSON for programs, and as annotations of a GitHub workflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final
from unicodedata import combining, east_asian_width

from ..errors import Place, Problem
from .text import printable

WIDEST: Final = 120
"""Characters of a line that are shown. Of a longer one, those around the place."""


def render_text(problems: Sequence[Problem]) -> str:
    """Each problem as a paragraph: what, where with the line and a caret, what else belongs to it, and a hint."""
    return "\n".join("".join(f"{line}\n" for line in _paragraph(problem)) for problem in problems)


def render_json(problems: Sequence[Problem]) -> str:
    """A list of objects. ``line`` and ``column`` count from 1 and are 0 where the whole file is meant."""
    return json.dumps([_as_data(problem) for problem in problems], indent=2) + "\n"


def render_github(problems: Sequence[Problem]) -> str:
    """One workflow command a problem, which GitHub shows beside the line in a pull request."""
    return "".join(f"{_annotation(problem)}\n" for problem in problems)


def _paragraph(problem: Problem) -> Iterator[str]:
    yield f"{problem.severity}: {printable(problem.what)}"
    yield from _excerpt(problem.where, "")
    for words, place in problem.also:
        yield from _excerpt(place, f": {words}")
    if problem.hint:
        yield f"hint: {printable(problem.hint)}"


def _excerpt(place: Place, words: str) -> Iterator[str]:
    margin = " " * len(str(place.line)) if place.line else " "
    yield f"{margin}--> {printable(str(place) + words)}"
    if place.line and place.column:
        before, after = _cut(place.text, place.column - 1 - place.shift)
        yield f"{margin} |"
        yield f"{place.line} | {before}{after}".rstrip()
        yield f"{margin} | {' ' * _width(before)}^"


def _cut(text: str, at: int) -> tuple[str, str]:
    """What is shown of a line before and after a place."""
    first = max(0, min(at - WIDEST // 2, len(text) - WIDEST))
    last = first + WIDEST
    before = ("..." if first else "") + text[first:at]
    after = text[at:last] + ("..." if last < len(text) else "")
    return _plain(before), _plain(after)


def _plain(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _as_data(problem: Problem) -> dict[str, object]:
    return {
        "severity": problem.severity,
        "what": problem.what,
        **_place_as_data(problem.where),
        "hint": problem.hint,
        "also": [{"what": words, **_place_as_data(place)} for words, place in problem.also],
    }


def _place_as_data(place: Place) -> dict[str, object]:
    return {"file": place.file, "line": place.line, "column": place.column, "text": place.text}


def _annotation(problem: Problem) -> str:
    place = problem.where
    properties = [f"file={_escape_property(place.file)}"]
    properties += [f"{name}={number}" for name, number in (("line", place.line), ("col", place.column)) if number]
    lines = [problem.what, *(f"{place}: {words}" for words, place in problem.also)]
    if problem.hint:
        lines.append(f"hint: {problem.hint}")
    message = _escape("\n".join(lines))
    return f"::{problem.severity} {','.join(properties)}::{message}"


def _escape(text: str) -> str:
    """What a workflow command's message cannot have as it is; what no encoding knows is shown as in text."""
    lines = "\n".join(printable(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
