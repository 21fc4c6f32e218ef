"""What names stand for among the units of a run: a unit itself, a group for all of its members, ``a@*`` for all instances."""

from __future__ import annotations

from collections.abc import Iterable

from .near import nearest


def prefix_of(name: str) -> str:
    """How the names of all begin that a name stands for which is no unit's: ``a/`` for the group ``a``, ``a@`` for ``a@*``."""
    return name[:-1] if name.endswith("@*") else f"{name}/"


def select(units: Iterable[str], name: str) -> list[str]:
    """The units that a name stands for, in their order; none for a name that nobody has."""
    known, prefix = list(units), prefix_of(name)
    return [name] if name in known else [unit for unit in known if unit.startswith(prefix)]


def all_groups(units: Iterable[str]) -> list[str]:
    """All groups that these units are in, from the outermost."""
    parts = (unit.split("/")[:-1] for unit in units)
    return list(dict.fromkeys("/".join(some[: depth + 1]) for some in parts for depth in range(len(some))))


def nearest_name(word: str, units: Iterable[str]) -> str | None:
    """The unit or group that somebody probably meant, also where they left its group out."""
    known = list(units)
    if near := nearest(word, [*known, *all_groups(known)]):
        return near
    by_last_part = {unit.rpartition("/")[2]: unit for unit in reversed(known)}
    near = nearest(word, by_last_part)
    return by_last_part[near] if near else None
