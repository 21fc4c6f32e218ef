"""Several documents into the values of one unit, which remember for each value the document that it came from.

Documents are added one after the other, and each changes what those before it have said:

- A table is merged with the one that is there, key by key.
- A list takes the place of the one that is there; under a key that ends in ``+`` its elements are added to it.
- Anything else takes the place of what is there.
- What excludes each other replaces each other: who writes ``script`` where there was a ``command`` means the script, and who
  asks another question in ``ready`` does not want both. There would be no way to take away what is there.
- A plain value that is short for a table is that table: ``retry = 3`` and then ``retry.delay`` is both. A word that is short
  for a list of it, as in ``if``, is that list.

A unit's own file is added upon what its groups have in common, and there lists are **joined**: what is in common comes first,
but for entries that the file has itself. There a ``+`` needs something to add to; in a drop-in it does not, because its author
need not know what the file has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from msgspec.structs import fields

from ..errors import Place, Problem
from .convert import Finding, Path, show_path
from .describe import branches
from .document import DEEPEST, EMPTY, Document, Source, find_nul
from .keys import SHORT_FORMS, UnitFile
from .names import INSTANCES
from .rules import COME_BY_THEMSELVES, PROBES
from .values import quote

_QUESTIONS: Final = frozenset(PROBES)
_ONE_OF: Final[dict[Path, frozenset[str]]] = {
    (): frozenset({"command", "script"}),
    ("ready",): _QUESTIONS,
    ("health",): _QUESTIONS,
    ("reload",): frozenset({"command", "signal"}),
}
"""By the path of a table those of its keys that exclude each other."""
_BELONGS: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    ("ready", "status", frozenset({"http"})),
    ("health", "status", frozenset({"http"})),
    ("ready", "interval", _QUESTIONS.difference(COME_BY_THEMSELVES)),
)
"""Tables, keys in them that mean something only with some questions, and these questions."""


class Element(NamedTuple):
    """An element of a list, and where it came from."""

    value: object
    document: Document
    path: Path


class Merged(Source):
    """What several documents say together under one name."""

    def __init__(self, name: str, file: str) -> None:
        super().__init__(name, file)
        self.documents: list[Document] = []
        """All that were added, in order."""
        self.own: Document | None = None
        """The own file of the unit or group, which is to blame for what nobody said."""
        self.problems: list[Problem] = []
        """What could not be added, and why."""
        self._origins: dict[Path, tuple[Document, Path]] = {}
        """By the path of a value or table who said it. What is not here was said with what it is in."""

    def add_own(self, document: Document, values: Mapping[str, object]) -> None:
        """Add the own file of a unit or a group, upon what it inherits: lists are joined. ``values`` is what counts of it."""
        self.own = document
        self._add(document, values, joins=True)

    def add_drop_in(self, document: Document, values: Mapping[str, object]) -> None:
        """Add a drop-in: lists are replaced."""
        self._add(document, values, joins=False)

    def take_over(self, other: Merged, key: str) -> None:
        """Take a key with all that is in it from another."""
        self.values[key] = _copy(other.values[key])
        self._origins.update((path, origin) for path, origin in other._origins.items() if path[:1] == (key,))
        self.documents += (document for document, _ in self._origins.values() if document not in self.documents)

    def elements(self, path: Path) -> list[Element]:
        """The elements of the list at a path, each with its origin."""
        return [Element(value, *self.find((*path, index))) for index, value in enumerate(_at(self.values, path))]

    def set_list(self, path: Path, elements: list[Element]) -> None:
        """Let the list at a path have these elements."""
        origin = self._origins[path]
        self._forget(path)
        self._origins[path] = origin
        self._origins.update({(*path, index): (one.document, one.path) for index, one in enumerate(elements)})
        _at(self.values, path[:-1])[path[-1]] = [one.value for one in elements]

    def find(self, path: Path) -> tuple[Document, Path]:
        """The document that said what is at a path, and its path there."""
        for length in range(len(path), 0, -1):
            if origin := self._origins.get(path[:length]):
                return origin[0], (*origin[1], *path[length:])
        assert self.own, "whatever was not inherited came with the own file or after it"
        return self.own, path

    def check(self) -> Iterator[Finding]:
        """What is wrong whatever the keys mean."""
        if self.own and not self.own.values:
            yield EMPTY
        if any(document.may_have_nul for document in self.documents):
            yield from find_nul(self.values)

    def _add(self, document: Document, values: Mapping[str, object], *, joins: bool) -> None:
        self.documents.append(document)
        _Addition(self, document, joins).table(self.values, values, ())

    def _forget(self, path: Path) -> None:
        """Nothing is known any more of who said what is there."""
        for known in [known for known in self._origins if known[: len(path)] == path]:
            del self._origins[known]


class _Addition:
    """Adds one document to what others have said."""

    def __init__(self, merged: Merged, document: Document, joins: bool) -> None:
        self.merged = merged
        self.origins = merged._origins
        self.document = document
        self.joins = joins

    def table(self, base: dict[str, Any], new: Mapping[str, object], path: Path) -> None:
        """Add a table to the one that is there."""
        self._make_way(base, new, path)
        for key, value in new.items():
            at = (*path, key)
            if key.endswith("+") and key != "+":
                self._append(base, new, at)
            elif isinstance(value, dict) and len(path) < DEEPEST:
                self.table(self._table_at(base, at), value, at)
            elif self.joins and isinstance(value, list) and isinstance(base.get(key), list):
                self._join(at, at, value)
            else:
                self._replace(base, at, at, value)

    def _table_at(self, base: dict[str, Any], at: Path) -> dict[str, Any]:
        """The table at a path; what is there and no table makes way for one."""
        old = base.get(str(at[-1]))
        if isinstance(old, dict):
            return old
        table: dict[str, Any] = {}
        long = SHORT_FORMS.get(show_path(at)) if old is not None and len(at) == 1 else None
        before = self.origins.get(at)
        self._replace(base, at, at, table)
        if long and before:
            table[long] = old
            self.origins[*at, long] = before
        return table

    def _replace(self, base: dict[str, Any], at: Path, said_at: Path, value: object) -> None:
        self.merged._forget(at)
        base[str(at[-1])] = value
        self.origins[at] = self.document, said_at

    def _join(self, at: Path, said_at: Path, value: list[object]) -> None:
        said = [_name(element) for element in value]
        kept = [element for element in self.merged.elements(at) if _name(element.value) not in said]
        self.merged.set_list(at, [*kept, *self._elements(said_at, value)])

    def _elements(self, said_at: Path, value: list[object]) -> list[Element]:
        return [Element(element, self.document, (*said_at, index)) for index, element in enumerate(value)]

    def _append(self, base: dict[str, Any], new: Mapping[str, object], said_at: Path) -> None:
        """Add the elements of a list under a key that ends in ``+``."""
        key = str(said_at[-1])
        at = (*said_at[:-1], key.removesuffix("+"))
        self._lengthen(base, at)
        stem, value, old = str(at[-1]), new[key], base.get(str(at[-1]))
        if stem in new:
            also = (("the other one", self.document.place(at)),)
            self._tell(said_at, f"cannot use both {_say(at)} and {_say(said_at)} in one file", "write one of them", also)
        elif _takes_list(at) is False or not (old is None or isinstance(old, list)):
            self._refuse_no_list(at, said_at, old)
        elif not isinstance(value, list):
            what = f"cannot use {quote(value)} for {_say(said_at)}: it must be a list"
            self._tell(said_at, what, f"what is to be added: [{quote(value)}]")
        elif old is None and self.joins:
            what = f"cannot add to {_say(at)}: nothing is there that it could be added to"
            self._tell(said_at, what, f"write {_say(at)} without the +")
        elif old is None:
            self._replace(base, at, said_at, value)
        elif self.joins:
            self._join(at, said_at, value)
        else:
            self.merged.set_list(at, [*self.merged.elements(at), *self._elements(said_at, value)])

    def _lengthen(self, base: dict[str, Any], at: Path) -> None:
        """Make a list of a word that is short for one."""
        if at[0] == "if" and at[-1] != "command" and isinstance(old := base.get(str(at[-1])), str):
            base[str(at[-1])] = [old]
            self.origins[*at, 0] = self.origins[at]

    def _refuse_no_list(self, at: Path, said_at: Path, old: object) -> None:
        what, hint = f"cannot add to {_say(at)}: it is no list", f"write {_say(at)} without the +, with the whole value"
        self._tell(said_at, what, hint, (("this is what it is", self.merged.place(at)),) if old is not None else ())

    def _tell(self, path: Path, what: str, hint: str, also: tuple[tuple[str, Place], ...] = ()) -> None:
        self.merged.wrong.add(str(path[0]).removesuffix("+"))
        self.merged.problems.append(Problem(what, self.document.place(path), hint, also=also))

    def _make_way(self, base: dict[str, Any], new: Mapping[str, object], path: Path) -> None:
        """Take away what the new keys exclude, and what belongs to that alone."""
        alternatives = _ONE_OF.get(path, frozenset())
        meant = {key for key in new if key in alternatives}
        if not meant or not base:
            return
        going = alternatives - meant
        going |= {key for table, key, some in _BELONGS if path == (table,) and key not in new and not meant & some}
        for key in going & base.keys():
            del base[key]
            self.merged._forget((*path, key))


def _name(element: object) -> object:
    """What makes an entry the same as another: the name in it."""
    return element.get("unit") if isinstance(element, dict) else element


def _say(path: Path) -> str:
    return quote(show_path(path))


def _copy(value: object, depth: int = DEEPEST) -> object:
    """A copy whose tables can be changed, as deep as any is. Lists never are: others take their place."""
    if isinstance(value, dict) and depth:
        return {key: _copy(item, depth - 1) for key, item in value.items()}
    return value


def _at(values: dict[str, Any], path: Path) -> Any:
    value: Any = values
    for part in path:
        value = value[part]
    return value


@lru_cache(maxsize=256)
def _takes_list(path: Path) -> bool | None:
    """Whether a key of a unit may hold a list; None for a key that there is not. Going through the types takes a while."""
    if path == (INSTANCES,):
        return True
    types: list[Any] = [UnitFile]
    for key in path:
        found: list[Any] = []
        for branch in (branch for annotation in types for branch in branches(annotation)):
            if branch.is_table:
                found += (field.type for field in fields(branch.type) if field.encode_name == key)
            elif branch.origin is dict:
                found.append(branch.item)
        types = found
    return any(branch.origin is list for annotation in types for branch in branches(annotation)) if types else None
