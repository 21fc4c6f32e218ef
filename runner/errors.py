"""The tree of errors: what cannot be done, where, and one hint.

Everything that a user can do wrong, or that their machine can refuse, is raised as one of these and rendered in one place:
an error in ``show/error.py``, the problems of unit files in ``show/problem.py``. Anything else that escapes is a bug of ours
and keeps its traceback.

This module imports nothing of ours, so that every layer may raise its errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a file something stands. Lines and columns count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0
    text: str = field(default="", compare=False)
    """The line itself, without its newline."""
    shift: int = field(default=0, compare=False)
    """So many characters further to the left the place is in ``text``, where secrets before it were masked."""

    def __str__(self) -> str:
        return ":".join([self.file, *(str(part) for part in (self.line, self.column) if part)])


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the unit files, said so that its author can mend it."""

    what: str
    """Begins with "cannot", names the thing and quotes the value."""
    where: Place
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    also: tuple[tuple[str, Place], ...] = ()
    """Further places that belong to it, each with a few words: the edges of a cycle, the other of two that contradict."""


class RunnerError(Exception):
    """What cannot be done, where, and one hint. The root of all errors that are shown without a traceback."""

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint


class UsageError(RunnerError):
    """The command line asks for something that does not exist or cannot go together. Nothing was started."""

    exit_status = 2


class InvalidUnits(RunnerError):
    """The unit files have problems, all of which it carries. Nothing was started."""

    exit_status = 2

    def __init__(self, problems: list[Problem]) -> None:
        errors = sum(problem.severity == "error" for problem in problems)
        super().__init__(f"cannot use the unit files: {errors} problem{'s' * (errors != 1)}")
        self.problems = problems


class IllegalTransition(AssertionError):
    """The engine said of a unit what its state does not allow: a bug of ours, never a user's mistake."""
