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


def hint_for(word: str, units: Iterable[str], otherwise: str) -> str:
    """What to say where nobody has a name: which unit or group was probably meant, else something else."""
    near = _nearest(word, list(units))
    return f'did you mean "{near}"?' if near else otherwise


def _nearest(word: str, units: list[str]) -> str | None:
    """The unit or group that somebody probably meant, also where they left its group out."""
    if near := nearest(word, [*units, *all_groups(units)]):
        return near
    by_last_part = {unit.rpartition("/")[2]: unit for unit in reversed(units)}
    near = nearest(word, by_last_part)
    return by_last_part[near] if near else None
