"""Types of the file format in words: how an error goes on after "it must be", and what the reference writes in its column.

Works on the annotations of the structs themselves, so that there is no second list of types to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from msgspec import Meta, Struct

_PLAIN: Final[dict[Any, tuple[str, str, str]]] = {
    str: ("a string", "string", "strings"),
    bool: ("true or false", "boolean", "booleans"),
    int: ("an integer", "integer", "integers"),
    float: ("a number", "number", "numbers"),
}


class Branch(NamedTuple):
    """One of the types that a value may have."""

    type: Any
    """A plain type, a struct, or one with arguments, such as ``list[str]``; never a union."""
    meta: tuple[Meta, ...] = ()

    @property
    def origin(self) -> Any:
        """``list`` of ``list[str]``; the type itself where it has no arguments."""
        return get_origin(self.type) or self.type

    @property
    def is_table(self) -> bool:
        """Whether it is one of the structs, with keys of its own."""
        return isinstance(self.type, type) and issubclass(self.type, Struct)

    @property
    def item(self) -> Any:
        """The type of the elements of a list, or of the values of a table of any keys."""
        return get_args(self.type)[-1]

    def said(self, key: str) -> str:
        """What the type itself says of how it is called."""
        return next((meta.extra[key] for meta in self.meta if meta.extra and key in meta.extra), "")

    @property
    def whole(self) -> Any:
        """The type with its constraints, to convert a value with."""
        return Annotated[(self.type, *self.meta)] if self.meta else self.type

    def range(self) -> str:
        """The bounds of a number in words."""
        for meta in self.meta:
            if meta.ge is not None:
                return f" of at least {meta.ge}" if meta.le is None else f" from {meta.ge} to {meta.le}"
        return ""


def branches(annotation: Any) -> list[Branch]:
    """The types that a value may have, None aside: TOML has none."""
    meta: tuple[Meta, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        meta = tuple(part for part in rest if isinstance(part, Meta))
    if get_origin(annotation) in (Union, UnionType):
        return [branch for part in get_args(annotation) if part is not NoneType for branch in branches(part)]
    return [Branch(annotation, meta)]


def expected(annotation: Any) -> str:
    """What a value must be: ``a string``, ``an integer of at least 1 or a table``."""
    return join_words([_expected(branch) for branch in branches(annotation)])


def label(annotation: Any) -> str:
    """The type as the reference names it: ``string``, ``list of names``."""
    return join_words([_label(branch) for branch in branches(annotation)])


def join_words(words: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _expected(branch: Branch) -> str:
    if said := branch.said("expected"):
        return said
    if branch.type in _PLAIN:
        return _PLAIN[branch.type][0] + branch.range()
    return _compound(branch, "a ", lambda value: f'"{value}"', "expected")


def _label(branch: Branch) -> str:
    if said := branch.said("label"):
        return said
    if branch.type in _PLAIN:
        return _PLAIN[branch.type][1] + branch.range()
    return _compound(branch, "", lambda value: f'`"{value}"`', "label")


def _compound(branch: Branch, article: str, quoted: Callable[[object], str], attribute: str) -> str:
    if branch.is_table:
        return article + "table"
    if branch.origin is Literal:
        return join_words([quoted(value) for value in get_args(branch.type)])
    if branch.origin is list:
        return f"{article}list of {_many(branch.item)}"
    if branch.origin is dict:
        return f"{article}table of {_many(branch.item)}"
    return str(getattr(branch.type, attribute))


def _many(annotation: Any) -> str:
    return join_words([_many_of(branch) for branch in branches(annotation)])


def _many_of(branch: Branch) -> str:
    if branch.is_table:
        return "tables"
    return branch.said("many") or _PLAIN[branch.type][2] + branch.range()
