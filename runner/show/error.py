"""Says what went wrong: what cannot be done, where, and one hint."""

from __future__ import annotations

from ..errors import InvalidUnits, RunnerError
from .problem import render_text
from .text import printable


def render_error(error: RunnerError) -> str:
    """The lines of an error for standard error; of invalid unit files, all of their problems."""
    if isinstance(error, InvalidUnits):
        return f"{render_text(error.problems)}\nrunner: {error.what}\n"
    lines = [f"runner: {printable(error.what)}"]
    if error.where:
        lines.append(f"  in {printable(error.where)}")
    if error.hint:
        lines.append(f"hint: {printable(error.hint)}")
    return "\n".join(lines) + "\n"
