"""What the units of a group have in common: which keys may stand in ``group.toml``, and what of them a member inherits.

A member does not inherit what means nothing to its kind, so that a group of services may have a target in it: a target and an
external unit have no ``env``, ``cwd`` and ``locks``, and ``requires`` means nothing to a unit that waits for nobody.

Nor does a member that ``after`` or ``before`` of its own group names inherit what that list says of its group: of a group
that is to wait for some of its members, all others wait for these, and these do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, get_args

from ..core.names import prefix_of
from ..core.unit import Kind
from .convert import Finding, convert, find_meant
from .document import Source
from .keys import GROUP_KEYS, KINDS, UnitFile
from .merge import Element, Merged
from .names import INSTANCES, group_of, groups_of
from .values import quote

_KINDS: Final = get_args(Kind)


def check_group(common: Source) -> Iterator[Finding]:
    """What is wrong with the keys that a group has in common, whether it has members or not."""
    known = {key: value for key, value in common.values.items() if key in GROUP_KEYS}
    for key in common.values.keys() - known:
        yield _say_foreign(key)
    yield from convert(known)[1]
    group = group_of(common.name)
    for key in ("after", "before"):
        entries = known.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            name = _name(entry)
            if name and name in (group, *groups_of(group)):
                what = f"cannot let the units of {quote(group)} wait for {quote(name)}: they would wait for themselves"
                yield Finding((key, index), what, "name the units that are meant")


def inherit(unit: Merged, common: Merged, own: Collection[str], kind: str) -> None:
    """Give a unit what its groups have in common, before anything of its own is added.

    ``own`` are the keys that it has itself, and ``kind`` what it is: the empty string where nobody can tell.
    """
    for key in (key for key in GROUP_KEYS if key in common.values):
        if kind and kind not in KINDS.get(key, _KINDS):
            continue
        if key == "requires" and "after" not in own and not unit.values.get("after"):
            continue
        unit.take_over(common, key)
        if key in ("after", "before") and isinstance(common.values[key], list):
            _leave_out_own(unit, key)


def own_keys(parts: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """The keys that files write at the top, with the last value of each; one that is added to counts as written."""
    return {key.removesuffix("+"): value for values in parts for key, value in values.items()}


def kind_of(own: Mapping[str, object]) -> str:
    """The kind of a unit with these keys, as far as one can tell; the empty string where its type is none."""
    if "type" in own:
        return str(own["type"]) if own["type"] in _KINDS else ""
    return "oneshot" if "command" in own or "script" in own else "target"


def _leave_out_own(unit: Merged, key: str) -> None:
    """Take away what a list says of the members of the group whose list it is, if this unit is among those it names."""
    elements = unit.elements((key,))
    naming = {_group(one) for one in elements if _means(_name(one.value), unit.name)}

    def is_left_out(one: Element) -> bool:
        name = _name(one.value)
        return _means(name, unit.name) or (_group(one) in naming and _is_in(name, _group(one)))

    unit.set_list((key,), [one for one in elements if not is_left_out(one)])


def _group(element: Element) -> str:
    """The group whose file an entry comes from."""
    return group_of(element.document.name)


def _means(name: str, unit: str) -> bool:
    return name == unit or unit.startswith(prefix_of(name))


def _is_in(name: str, group: str) -> bool:
    return group in ("", *groups_of(name))


def _name(entry: object) -> str:
    name = entry.get("unit") if isinstance(entry, dict) else entry
    return name if isinstance(name, str) else ""


def _say_foreign(key: str) -> Finding:
    what = f"cannot use {quote(key)} for a group: its units do not inherit it"
    if key in UnitFile.__struct_encode_fields__ or key == INSTANCES:
        return Finding((key,), what, f"write it into the files of the units; a group has {', '.join(sorted(GROUP_KEYS))}")
    meant = find_meant(key, GROUP_KEYS)
    what = f"cannot use the key {quote(key)} for a group: there is no such key"
    return Finding((key,), what, f'did you mean "{meant}"?' if meant else f"a group has {', '.join(sorted(GROUP_KEYS))}")
