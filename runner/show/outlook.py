"""Says what a predicted startup comes to: how long it takes, what that depends on, what fails."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import UNSET, Struct

from ..core.simulate import Prediction
from ..core.snapshot import UnitView
from ..core.words import say_count, say_duration
from .text import chain, listed, printable

WIDTH = 80
_CHAIN_SHOWN = 40
_NAMES_SHOWN = 12


class Link(Struct, frozen=True):
    """A unit of the critical path."""

    unit: str
    takes: float | None
    """Seconds from its first start until it has reached its goal or failed. None: not known, or it has nothing to execute."""


class Outlook(Struct, frozen=True):
    """A startup as it is predicted."""

    outcome: Literal["succeeded", "failed", "unfinished"]
    exit_status: int | None
    """That of the startup; None where it is never finished."""
    is_known: bool
    """The duration of at least one unit is known."""
    total: float | None
    """Seconds. None: it is never finished, or nothing is known."""
    is_at_least: bool
    """The durations of some units are not known."""
    unknown: tuple[str, ...]
    """These units."""
    critical_path: tuple[Link, ...]
    stuck: dict[str, str]
    """In an unfinished startup: what waits for what never comes, in words."""


def make_outlook(prediction: Prediction) -> Outlook:
    """What people want to know of a prediction."""
    snapshot, startup = prediction.snapshot, prediction.snapshot.startup
    is_known = is_anything_known(prediction)
    return Outlook(
        outcome="unfinished" if startup is None else "failed" if startup.failed else "succeeded",
        exit_status=None if startup is None else int(bool(startup.failed)),
        is_known=is_known,
        total=prediction.total if is_known else None,
        is_at_least=bool(prediction.unknown),
        unknown=prediction.unknown,
        critical_path=tuple(Link(name, takes(prediction, name)) for name in prediction.critical_path),
        stuck={} if startup else dict(_stuck(snapshot.units)),
    )


def is_anything_known(prediction: Prediction) -> bool:
    """Whether the duration of a unit that would run is known."""
    return any(view.expected is not None and view.first_started_at is not None for view in prediction.snapshot.units.values())


def takes(prediction: Prediction, unit: str) -> float | None:
    """Seconds from a unit's first start until it has reached its goal or its end. None: it is not known, or never starts."""
    view = prediction.snapshot.units[unit]
    over = view.since if view.reached_at is None else view.reached_at
    if view.first_started_at is None or unit in prediction.unknown or (view.reached_at is None and view.outcome is None):
        return None
    return over - view.first_started_at


def _stuck(units: Mapping[str, UnitView]) -> Iterator[tuple[str, str]]:
    for name, view in units.items():
        if view.state == "waiting":
            locks = [f'lock "{one.lock}", which {one.holder} holds' for one in view.waits_for if one.lock is not UNSET]
            yield name, " and ".join(locks) or listed([str(one.unit) for one in view.waits_for], _NAMES_SHOWN)


def say_total(outlook: Outlook) -> str:
    """How long it takes, in words: ``at least 3.2 s``."""
    if outlook.outcome == "unfinished":
        return "never finished"
    if outlook.total is None:
        return "not known yet"
    return f"{'at least ' if outlook.is_at_least else ''}{say_duration(outlook.total)}"


def path_lines(title: str, outlook: Outlook) -> list[str]:
    """The critical path with its durations."""
    labels = [_say_link(link, outlook) for link in outlook.critical_path]
    return [f"{title}: {say_count(len(labels), 'unit')}, each let go by the one before", *wrap(chain(labels, _CHAIN_SHOWN), "  ")]


def _say_link(link: Link, outlook: Outlook) -> str:
    if link.takes is not None:
        return f"{link.unit} ({say_duration(link.takes)})"
    return f"{link.unit} (?)" if link.unit in outlook.unknown else link.unit


def stuck_lines(outlook: Outlook) -> list[str]:
    """Why it is never finished, if so."""
    return [line for unit, what in outlook.stuck.items() for line in wrap(f"{unit} waits for {what}", "  ")]


def wrap(text: str, first: str, further: str | None = None) -> list[str]:
    """Lines of 80 columns, as far as names allow; none for no text."""
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
