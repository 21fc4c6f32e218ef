"""The reference of unit files: prose from a template, tables from the definitions of the keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

from runner.core.account import OF_A_SESSION
from runner.core.secret import LOOKS, SHORTEST
from runner.core.words import say_size
from runner.unitfile.build import OURS
from runner.unitfile.describe import branches, label
from runner.unitfile.files import LARGEST
from runner.unitfile.keys import GROUP_KEYS, KINDS, UnitFile
from runner.unitfile.table import Table
from runner.unitfile.values import Duration, Size

SOURCE: Final = "docs/templates/unit-files.md or runner/unitfile/keys.py"

_TEMPLATE: Final = Path(__file__).resolve().parents[1] / "templates" / "unit-files.md"
_ALL_KINDS: Final[tuple[str, ...]] = ("oneshot", "service", "target")
_UNITS_OF_TIME: Final = ((3600, "h"), (60, "m"), (1, "s"))


def page() -> str:
    """The text."""
    template = _TEMPLATE.read_text(encoding="utf-8")
    parts = {
        "largest": say_size(LARGEST),
        "ours": ", ".join(f"`{name}`" for name in sorted(OURS)),
        "looks": f"{', '.join(LOOKS[:-1])} or {LOOKS[-1]}",
        "shortest": str(SHORTEST),
        "session": ", ".join(f"`{name}`" for name in OF_A_SESSION),
        "keys": "\n".join(_unit_table()),
        "group": ", ".join(f"`{key}`" for key in GROUP_KEYS),
        "tables": "\n\n".join("\n".join(_table(title, struct)) for title, struct in _tables()),
    }
    for name, text in parts.items():
        template = template.replace(f"@@{name}@@", text)
    return template


def _unit_table() -> Iterator[str]:
    yield "| key | type | default | on | meaning |"
    yield "|---|---|---|---|---|"
    for field in fields(UnitFile):
        kinds = KINDS.get(field.encode_name, _ALL_KINDS)
        on = "all" if len(kinds) == len(_ALL_KINDS) else ", ".join(kinds)
        yield f"| `{field.encode_name}` | {_type(field)} | {_default(field)} | {on} | {_meaning(field)} |"


def _tables() -> Iterator[tuple[str, type[Table]]]:
    """Each table that a key may hold, in the order of the keys, with the heading that it gets."""
    for field in fields(UnitFile):
        for branch in branches(field.type):
            inner = branches(branch.item)[-1] if branch.origin is list else branch
            if inner.is_table:
                heading = f"An entry of `{field.encode_name}`" if branch.origin is list else f"`[{field.encode_name}]`"
                yield heading, inner.type


def _table(heading: str, struct: type[Table]) -> Iterator[str]:
    yield f"### {heading}"
    yield ""
    yield "\n".join(line.strip() for line in (struct.__doc__ or "").strip().splitlines())
    yield ""
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for field in fields(struct):
        yield f"| `{field.encode_name}` | {_type(field)} | {_default(field)} | {_meaning(field)} |"


def _type(field: FieldInfo) -> str:
    return label(field.type).replace("|", "\\|")


def _meaning(field: FieldInfo) -> str:
    (description,) = [part.description for part in field.type.__metadata__ if isinstance(part, Meta) and part.description]
    return description.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.required:
        return "required"
    value = None if field.default is NODEFAULT else field.default
    return f"`{_toml(value)}`" if value is not None and value != "" else ""


def _toml(value: Any) -> str:
    if isinstance(value, Duration):
        return f'"{_short_duration(value)}"'
    if isinstance(value, Size):
        return f'"{say_size(value).replace(" ", "")}"'
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _short_duration(seconds: float) -> str:
    for size, unit in _UNITS_OF_TIME:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0s"
