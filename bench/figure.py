"""What a benchmark found, and how a person reads it: one row of the table a figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

from .timing import Spread

Measure = Literal["x", "ms", "MB", ""]
UNITS: dict[Measure, tuple[float, str]] = {"x": (1.0, "x"), "ms": (1000.0, "ms"), "MB": (1e-6, "MB"), "": (1.0, "")}


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, with its aim where it has one."""

    section: str
    name: str
    value: Spread
    """A ratio, seconds, bytes or a number; over all rounds."""
    unit: Measure
    """How it is printed: as a ratio, as milliseconds, as megabytes or as it is."""
    aim: float | None = None
    """The median is to be at most this."""
    of: str = ""
    """The times behind a ratio, in words."""

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        return None if self.aim is None else self.value.median <= self.aim


def as_json(figure: Figure) -> dict[str, Any]:
    """The figure as plain data, in seconds and ratios, with the verdict."""
    return {**asdict(figure), "met": figure.is_met}


def table(figures: Iterable[Figure]) -> str:
    """All figures, section by section, as text for a person."""
    blocks = []
    for section, rows in groupby(figures, key=lambda figure: figure.section):
        head = f"{section:<48}{'median':>11}  {'min - max':>17}   aim"
        blocks.append("\n".join([head, *(_row(figure) for figure in rows)]))
    return "\n\n".join(blocks)


def verdict(figures: Iterable[Figure]) -> str:
    """One sentence: how many aims are met, and which are not."""
    judged = [figure for figure in figures if figure.is_met is not None]
    missed = [f"{figure.section}: {figure.name}" for figure in judged if not figure.is_met]
    if not judged:
        return "No aim was measured."
    if not missed:
        return f"All aims are met ({len(judged)} of {len(judged)})."
    return f"{len(judged) - len(missed)} of {len(judged)} aims are met. Missed: " + "; ".join(missed) + "."


def _row(figure: Figure) -> str:
    scale, unit = UNITS[figure.unit]
    low, middle, high = (f"{value * scale:.2f}" for value in (figure.value.low, figure.value.median, figure.value.high))
    row = f"  {figure.name:<46}{middle:>8} {unit:<2}  {low:>7} - {high:>7}"
    if figure.aim is not None:
        row += f"   at most {figure.aim * scale:g}{unit and f' {unit}'}: {'met' if figure.is_met else 'MISSED'}"
    return row + (f"\n      {figure.of}" if figure.of else "")
