"""Says how the unit files differ from what they said before."""

from __future__ import annotations

from typing import Protocol

from .text import listed

_NAMES_SHOWN = 5


class Changes(Protocol):
    """The names of units that are new, that are otherwise, and that are gone."""

    @property
    def added(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def changed(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def removed(self) -> tuple[str, ...]: ...  # noqa: D102


def say_changes(changes: Changes) -> str:
    """In one line: ``added a, b; changed c; removed d``."""
    told = (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed))
    said = [f"{what} {listed(names, _NAMES_SHOWN)}" for what, names in told if names]
    return "; ".join(said) or "nothing changed"
