"""A document into the struct of a unit file, with every key that cannot be used told apart and left out.

``msgspec.convert`` stops at the first mistake, and most documents have none. So the whole is tried first; only where that
fails is the document gone through key by key, each mistake noted in our own words, and what is sound converted again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec.structs import FieldInfo, fields

from ..core.near import nearest
from .describe import Branch, branches, expected
from .keys import ALIASES, FOREIGN_TABLES, UnitFile
from .names import INSTANCES
from .table import Table
from .values import Unusable, did_you_mean, parse, quote

Path = tuple[str | int, ...]

_NEEDS_NO_QUOTES: Final = re.compile(r"true|false|-?[0-9]+")


class Finding(NamedTuple):
    """One thing that is wrong in a document, at the path of a key or of an element."""

    path: Path
    what: str
    hint: str = ""
    also: tuple[tuple[str, Path], ...] = ()
    """Further paths that belong to it, each with a few words."""
    severity: Literal["error", "warning"] = "error"


def convert(document: Mapping[str, object]) -> tuple[UnitFile, list[Finding]]:
    """The unit file that a document says, and what of it cannot be used.

    Keys with a finding have their default; an element of a list with a finding is left out.
    """
    try:
        return msgspec.convert(document, UnitFile, dec_hook=parse), []
    except msgspec.ValidationError:
        return _convert_sound_keys(document)


def show_path(path: Path) -> str:
    """A path as people write it, the number of an element aside: ``ready.http``, ``after``."""
    return ".".join(str(part) for part in path if isinstance(part, str))


def find_meant(key: str, known: Collection[str]) -> str | None:
    """The known key that an unknown one probably stands for: another tool's word for it, or nearly the same letters."""
    alias = ALIASES.get(key.casefold().replace("_", "-"))
    return alias if alias in known else nearest(key, known)


def is_foreign_table(key: str) -> bool:
    """Whether other tools have a table of this name for what stands at the top here."""
    return key.casefold() in FOREIGN_TABLES


def _convert_sound_keys(document: Mapping[str, object]) -> tuple[UnitFile, list[Finding]]:
    sieve = _Sieve()
    sound = sieve.table(document, UnitFile, ())
    return msgspec.convert(sound, UnitFile, dec_hook=parse), sieve.findings


class _Sieve:
    """Goes down into a document beside its type, keeps what is sound and notes the rest."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def table(self, value: Mapping[str, object], struct: type[Table], path: Path) -> dict[str, object]:
        """The keys of a table that are known and sound."""
        known = {field.encode_name: field for field in fields(struct)}
        sound: dict[str, object] = {}
        for key, item in value.items():
            if key in known:
                sound.update((key, kept) for kept in self.value(item, known[key].type, (*path, key)))
            else:
                self._note_unknown(key, item, known, path)
        return sound

    def value(self, value: object, annotation: Any, path: Path) -> Iterator[object]:
        """The value, as far as it is sound; nothing where none of it is."""
        for branch in branches(annotation):
            if isinstance(value, dict) and branch.is_table:
                yield from self._struct(value, branch.type, path)
                return
            if isinstance(value, dict) and branch.origin is dict:
                yield {key: kept for key, item in value.items() for kept in self.value(item, branch.item, (*path, key))}
                return
            if isinstance(value, list) and value and branch.origin is list:
                if kept := list(self._elements(value, branch.item, path)):
                    yield kept
                return
        if self._is_usable(value, annotation, path):
            yield value

    def _struct(self, value: dict[str, object], struct: type[Table], path: Path) -> Iterator[object]:
        required = [field.encode_name for field in fields(struct) if field.required]
        sound = self.table(value, struct, path)
        for key in required:
            if key not in value:
                self._note(path, value, f'"{key}" is missing')
        if all(key in sound for key in required):
            yield sound

    def _elements(self, value: list[object], annotation: Any, path: Path) -> Iterator[object]:
        """The elements that are sound as a whole."""
        for index, item in enumerate(value):
            before = len(self.findings)
            kept = list(self.value(item, annotation, (*path, index)))
            if len(self.findings) == before:
                yield from kept

    def _is_usable(self, value: object, annotation: Any, path: Path) -> bool:
        hint = ""
        for branch in branches(annotation):
            try:
                msgspec.convert(value, branch.whole, dec_hook=parse)
            except msgspec.ValidationError as error:
                if isinstance(error.__cause__, Unusable):
                    hint = error.__cause__.hint
            else:
                return True
        hint = hint or _hint_of_table(value, path) or _hint_of_type(value, branches(annotation)) or _hint_of_place(path)
        self._note(path, value, f"it must be {expected(annotation)}", hint)
        return False

    def _note_unknown(self, key: str, value: object, known: Mapping[str, FieldInfo], path: Path) -> None:
        where = f' in "{show_path(path)}"' if path else ""
        hint = _hint_of_key(key, value, known, path) or (f"it can have {', '.join(sorted(known))}" if path else "")
        self.findings.append(Finding((*path, key), f"cannot use the key {quote(key)}{where}: there is no such key", hint))

    def _note(self, path: Path, value: object, why: str, hint: str = "") -> None:
        preposition = "in" if isinstance(path[-1], int) else "for"
        what = f'cannot use {quote(value)} {preposition} "{show_path(path)}": {why}'
        self.findings.append(Finding(path, what, hint))


def _hint_of_key(key: str, value: object, known: Collection[str], path: Path) -> str:
    """What to write instead of a key that there is not."""
    if path == ("health",) and key == "sync":
        return "a script says once that it is complete, which is no sign of life: use notify, log or command"
    if path == ("limits",) and key in ("mem", "memory", "ram"):
        return '"as" limits the address space of each process, "data" its heap'
    if not path and key == "name":
        return "the unit's name is the name of its file: leave it out"
    if not path and key == INSTANCES:
        return "only a template has instances: a file whose name ends in @.toml"
    if not path and isinstance(value, dict) and is_foreign_table(key):
        return "keys stand at the top, without a table"
    meant = find_meant(key, known)
    return f'did you mean "{meant}"?' if meant else _hint_of_place((*path, key))


def _hint_of_type(value: object, allowed: list[Branch]) -> str:
    """How the same value is written where it is nearly right."""
    words = [str(word) for branch in allowed if branch.origin is Literal for word in branch.type.__args__]
    takes = {branch.origin for branch in allowed}
    if isinstance(value, str):
        if words:
            return did_you_mean(value, words)
        if takes & {bool, int, float} and _NEEDS_NO_QUOTES.fullmatch(value):
            return f"write {value} without quotes"
        if list in takes and value:
            return f"write it as a list: [{quote(value)}]"
    elif str in takes and not isinstance(value, list | dict):
        return f'write it in quotes: "{quote(value)}"'
    return ""


def _hint_of_table(value: object, path: Path) -> str:
    """How a condition or a question is written that stands there as a string."""
    if not isinstance(value, str):
        return ""
    if path in (("if",), ("ready",), ("health",)):
        asked = "http" if value.startswith(("http://", "https://")) and path[0] != "if" else "command"
        return f"write what is asked: {path[0]} = {{ {asked} = {quote(value)} }}"
    return f"write what it has to be: env = {{ {value} = true }}" if path == ("if", "env") and value.isidentifier() else ""


def _hint_of_place(path: Path) -> str:
    """Everything below a ``[table]`` line belongs to that table, which is easily forgotten."""
    if len(path) > 1 and path[-1] in UnitFile.__struct_encode_fields__:
        return f'"{path[-1]}" is a key of the unit: write it above the first [table]'
    return ""
