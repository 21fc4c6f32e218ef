"""The reference of the events: what can stand in a journal, in JSON output and in a stream, from their definitions."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from msgspec import Struct, UnsetType
from msgspec.structs import fields

from runner.core.event import Declaration, JournalEvent, Need, Peer, WaitsFor
from runner.core.stream import Gap, SnapshotTaken, UnitWrote

SOURCE: Final = "runner/core/event.py and runner/core/stream.py"

_PARTS: Final[tuple[type[Struct], ...]] = (Declaration, Need, WaitsFor, Peer)
_STREAM: Final[tuple[type[Struct], ...]] = (SnapshotTaken, Gap, UnitWrote)
_WORDS: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}


def page() -> str:
    """The text."""
    return "\n".join(_text()) + "\n"


def _text() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "The journal, `runner up --output json` and `runner watch --json` are one format: one JSON object a line, in order."
    yield "Every line has `event`, its name, and `elapsed`, the seconds since the run began on a clock that never steps."
    yield "In the journal it also has `seq` (1, 2, 3...) and `at`, the wall clock (RFC 3339, UTC, microseconds)."
    yield "New events and new fields may come; a reader passes over what it does not know. A field without a value is left out."
    yield "\n## The journal"
    for event in get_args(JournalEvent):
        yield from _entry(event, f"`{_tag(event)}`")
    yield "\n## Parts of events"
    for part in _PARTS:
        yield from _entry(part, part.__name__)
    yield "\n## Only in a stream"
    yield ""
    yield "A watcher first gets the run as it is."
    yield "Where it reads too slowly, lines are left out and counted, and the run as it is then follows."
    for event in _STREAM:
        yield from _entry(event, f"`{_tag(event)}`")


def _entry(struct: type[Struct], heading: str) -> Iterator[str]:
    yield f"\n### {heading}\n"
    yield " ".join((struct.__doc__ or "").split())
    rows = [field for field in fields(struct) if field.name != "at"]
    if not rows:
        return
    meanings = {
        name: text for base in reversed(struct.__mro__) if base.__module__.startswith("runner.") for name, text in _docs(base)
    }
    yield "\n| field | type | meaning |"
    yield "|---|---|---|"
    for field in rows:
        yield f"| `{field.encode_name}` | {_say(field.type)} | {meanings.get(field.name, '').replace('|', chr(92) + '|')} |"


def _docs(struct: type) -> Iterator[tuple[str, str]]:
    """The fields of a class that have a docstring below them."""
    (definition,) = ast.parse(inspect.getsource(struct)).body
    assert isinstance(definition, ast.ClassDef)
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            assert isinstance(below.value, ast.Constant)
            yield field.target.id, " ".join(str(below.value.value).split())


def _tag(event: type[Struct]) -> str:
    return str(event.__struct_config__.tag)


def _say(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_say(one) for one in arguments if one not in (UnsetType, type(None)))
    if origin is tuple:
        return f"list of {_say(arguments[0])}"
    if origin is dict:
        return f"table of {_say(arguments[1])} by name"
    return f"[{kind.__name__}](#{kind.__name__.lower()})" if kind in _PARTS else f"{kind.__name__}"
