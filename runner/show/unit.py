"""Shows what a unit is in the end: every value with the file and line that it came from, and the files that make it up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from ..core.unit import Kind
from ..errors import Place
from .text import printable
from .toml import show_element, show_path, show_value

if TYPE_CHECKING:
    from .terminal import Paint

_COLUMN: Final = 48
"""Comments begin here, or further left where all values are short; a longer value pushes its own away."""
_INDENT: Final = "    "


class Part(Protocol):
    """A value or an element of a list: as written, as meant, and where it stands; None for a default."""

    @property
    def written(self) -> object: ...  # noqa: D102

    @property
    def value(self) -> object: ...  # noqa: D102

    @property
    def place(self) -> Place | None: ...  # noqa: D102


class Entry(Protocol):
    """One key, with the elements of its list."""

    @property
    def key(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def part(self) -> Part: ...  # noqa: D102

    @property
    def elements(self) -> Sequence[Part]: ...  # noqa: D102


class File(Protocol):
    """A file, and those of earlier directories that it takes the place of."""

    @property
    def path(self) -> str: ...  # noqa: D102

    @property
    def replaces(self) -> Sequence[str]: ...  # noqa: D102


class EffectiveUnit(NamedTuple):
    """What a unit is in the end."""

    name: str
    kind: Kind
    is_enabled: bool
    template: str
    """The template that it is an instance of; empty where it is none."""
    files: Sequence[File]
    """The files that make it up, in the order in which they do."""
    entries: Sequence[Entry]


class _Line(NamedTuple):
    text: str
    comment: str = ""


def render_text(unit: EffectiveUnit, paint: Paint | None = None) -> str:
    """The unit as the text of one file. ``paint`` makes the comments dim, where that can be seen."""
    lines = [*_head(unit), _Line(""), *(line for entry in unit.entries for line in _entry(entry))]
    column = min(max((len(line.text) for line in lines if line.comment), default=0), _COLUMN) + 2
    write = _dimming(paint) if paint else lambda text, comment: text + comment
    return "".join(f"{write(*_columns(line, column))}\n" for line in lines)


def render_json(unit: EffectiveUnit) -> str:
    """The unit as one object. A default has no file and no line."""
    data = {
        "unit": unit.name,
        "kind": unit.kind,
        "enabled": unit.is_enabled,
        "template": unit.template or None,
        "files": [{"file": file.path, "replaces": file.replaces} for file in unit.files],
        "values": [
            {
                "key": show_path(one.key),
                **_data(one.part),
                **({"elements": list(map(_data, one.elements))} if one.elements else {}),
            }
            for one in unit.entries
        ],
    }
    return json.dumps(data, indent=2, default=show_value) + "\n"


def _head(unit: EffectiveUnit) -> Iterator[_Line]:
    kind = "an external unit" if unit.kind == "external" else f"a {unit.kind}"
    instance = f" made from the template {unit.template}" if unit.template else ""
    off = next((one.part.place for one in unit.entries if one.key == ("enabled",) and not unit.is_enabled), None)
    if off and not any(one.part.place and one.key != ("enabled",) for one in unit.entries):
        yield _Line("", f"# {printable(unit.name)}: masked by {_say_place(off)}")
    else:
        disabled = f", disabled by {_say_place(off)}" if off else ""
        yield _Line("", f"# {printable(unit.name)}: {kind}{instance}{disabled}")
    for file in unit.files:
        replaced = f", in place of {', '.join(map(printable, file.replaces))}" if file.replaces else ""
        yield _Line("", f"#   {printable(file.path)}{replaced}")


def _entry(entry: Entry) -> Iterator[_Line]:
    key = show_path(entry.key)
    places = {(part.place.file, part.place.line) if part.place else None for part in entry.elements}
    if len(places) > 1 or any(part.written != part.value for part in entry.elements):
        yield _Line(f"{key} = [")
        for part in entry.elements:
            yield _Line(f"{_INDENT}{show_element(part.written)},", _comment(part))
        yield _Line("]")
        return
    part = entry.elements[0] if entry.elements else entry.part
    has_lines = isinstance(entry.part.written, str) and "\n" in entry.part.written
    first, *rest = show_value(entry.part.value if has_lines else entry.part.written).split("\n")
    yield _Line(f"{key} = {first}", _comment(part, is_filled=has_lines))
    yield from map(_Line, rest)


def _comment(part: Part, *, is_filled: bool = False) -> str:
    """Where it came from. What differs from what is written is said, unless it stands there instead of that."""
    if part.written == part.value:
        return f"# {_say_place(part.place)}"
    return f"# {_say_place(part.place)}{', filled in' if is_filled else f' means {show_element(part.value)}'}"


def _say_place(place: Place | None) -> str:
    return printable(f"{place.file}:{place.line}" if place.line else place.file) if place else "default"


def _columns(line: _Line, column: int) -> tuple[str, str]:
    """The text up to its comment, and the comment."""
    if not line.comment:
        return line.text, ""
    return (f"{line.text:{column - 2}}  " if line.text else ""), line.comment


def _dimming(paint: Paint) -> Callable[[str, str], str]:
    from rich.text import Text

    return lambda text, comment: paint(Text.assemble(text, (comment, "dim")))


def _data(part: Part) -> dict[str, object]:
    place = part.place
    return {
        "value": part.value,
        "written": part.written,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }
