"""Masks the secrets in values: in every string of an event or a unit that says something.

What is one of a few words (an outcome, the kind of a unit) says nothing of its own, and is left as it is, for readers could not
understand another word. Names of units are strings as others are: no secret is part of one that is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import fields, replace

from .mask import Secrets

_T = TypeVar("_T")


def mask_all(values: Sequence[_T], secrets: Secrets) -> Sequence[_T]:
    """The same values with their secrets masked; most often these themselves, for they have none."""
    if not secrets or not secrets.occur_in(encode(values)):
        return values
    return [mask_value(value, secrets.mask_text) for value in values]


def mask_value(value: _T, mask: Callable[[str], str]) -> _T:
    """A value with all of its strings masked, those of the structs, tuples and tables in it too."""
    return _mask(value, mask)  # type: ignore[no-any-return]


def _mask(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, tuple):
        return tuple(_mask(item, mask) for item in value)
    if isinstance(value, dict):
        return {_mask(key, mask): _mask(item, mask) for key, item in value.items()}
    if isinstance(value, Struct):
        before = {name: getattr(value, name) for name in _free(type(value))}
        return replace(value, **{name: _mask(item, mask) for name, item in before.items()})
    return value


@lru_cache
def _free(struct: type[Struct]) -> tuple[str, ...]:
    """The fields of a struct that can say anything."""
    return tuple(field.name for field in fields(struct) if not _is_word(field.type))


def _is_word(annotation: Any) -> bool:
    """Whether a type is one of a few words, or one of them and something without a word."""
    origin = get_origin(annotation)
    if origin is Literal:
        return True
    return origin is not Annotated and origin not in (tuple, dict) and any(map(_is_word, get_args(annotation)))
