"""Writes the pages of docs/ that are made of the code, or with ``--check`` names those that are not up to date.

Run as ``python docs/generate.py [--check]``. Each page is a function in ``PAGES`` that returns its text; ``tests/test_docs.py``
compares them with the files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, get_args

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

ROOT: Final = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from runner.core.event import Outcome  # noqa: E402
from runner.core.state import STATES, TRANSITIONS  # noqa: E402
from runner.core.words import say_size  # noqa: E402
from runner.unitfile import keys  # noqa: E402
from runner.unitfile.build import OURS  # noqa: E402
from runner.unitfile.describe import branches, label  # noqa: E402
from runner.unitfile.files import LARGEST  # noqa: E402
from runner.unitfile.keys import KINDS, Table, UnitFile  # noqa: E402
from runner.unitfile.values import Duration, Size  # noqa: E402

Page = Callable[[], str]

_NOTE: Final = "<!-- Made by docs/generate.py. Change {source} instead. -->\n\n"
_ALL_KINDS: Final[tuple[str, ...]] = ("oneshot", "service", "target")
_UNITS_OF_TIME: Final = ((3600, "h"), (60, "m"), (1, "s"))


def generate() -> dict[Path, str]:
    """The text of every generated page, by its file."""
    return {ROOT / "docs" / "reference" / name: page() for name, page in PAGES.items()}


def unit_files() -> str:
    """The reference of unit files: prose from a template, tables from the definitions of the keys."""
    template = (ROOT / "docs" / "templates" / "unit-files.md").read_text(encoding="utf-8")
    parts = {
        "largest": say_size(LARGEST),
        "ours": ", ".join(f"`{name}`" for name in sorted(OURS)),
        "keys": "\n".join(_unit_table()),
        "tables": "\n\n".join("\n".join(_table(title, struct)) for title, struct in _tables()),
        "later": "\n".join(_later_table()),
    }
    for name, text in parts.items():
        template = template.replace(f"@@{name}@@", text)
    return _NOTE.format(source="docs/templates/unit-files.md or runner/unitfile/keys.py") + template


def states() -> str:
    """The states of a unit: a diagram and two tables, all from the one table of transitions."""
    return _NOTE.format(source="runner/core/state.py") + "\n".join([*_states_text()]) + "\n"


PAGES: Final[dict[str, Page]] = {"unit-files.md": unit_files, "states.md": states}


def main(arguments: list[str]) -> int:
    """Write what has changed, or only name it; the exit status."""
    outdated = [file for file, text in generate().items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    for file in outdated:
        if "--check" not in arguments:
            file.write_text(generate()[file], encoding="utf-8")
        sys.stdout.write(f"{file.relative_to(ROOT)}\n")
    return 1 if outdated and "--check" in arguments else 0


# ---------------------------------------------------------------- unit files


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


def _later_table() -> Iterator[str]:
    yield "| what | why it cannot be used yet | what to do instead |"
    yield "|---|---|---|"
    named = [(f"`{key}`", later) for key, later in keys.LATER_KEYS.items()]
    named += [(f"`{name}.{key}`", later) for (name, key), later in keys.LATER_IN_TABLES.items()]
    named.append(("a key that ends in `+`", keys.LATER_APPEND))
    files = {"drop-in": "a directory `NAME.d/`", "group": "a file `group.toml`", "template": "a file `NAME@.toml`"}
    named += [(files[sort], later) for sort, later in keys.LATER_FILES.items()]
    named.append(("several units directories", keys.LATER_LAYERS))
    for what, later in named:
        yield f"| {what} | {later.why} | {later.hint} |"


# ---------------------------------------------------------------- states


def _states_text() -> Iterator[str]:
    yield "# States of a unit"
    yield ""
    yield "A unit is in one of these states, and only a decided event moves it."
    yield "How it went is not a state but the *outcome*, which only an ended unit has: " + _listed(get_args(Outcome)) + "."
    yield ""
    yield "| state | what is going on |"
    yield "|---|---|"
    yield from (f"| `{state}` | {meaning} |" for state, meaning in STATES.items())
    yield ""
    yield "## Transitions"
    yield ""
    yield "```mermaid"
    yield from _diagram()
    yield "```"
    yield ""
    yield "An event in a state that this table does not have for it is a bug of the runner."
    yield ""
    yield "| event | " + " | ".join(f"`{state}`" for state in STATES) + " |"
    yield "|---|" + "---|" * len(STATES)
    for event, moves in TRANSITIONS.items():
        yield f"| `{_name(event)}` | " + " | ".join(f"`{moves[state]}`" if state in moves else "" for state in STATES) + " |"


def _diagram() -> Iterator[str]:
    """One arrow from a state to another, with all the events that it stands for. What stays where it is has none."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for event, moves in TRANSITIONS.items():
        for start, end in moves.items():
            if start != end:
                arrows.setdefault((start, end), []).append(_name(event))
    yield "stateDiagram-v2"
    yield "    [*] --> idle"
    for (before, after), names in arrows.items():
        yield f"    {before} --> {after}: {', '.join(names)}"


def _name(event: type) -> str:
    """What an event is called in the journal."""
    tag = getattr(event, "__struct_config__").tag  # noqa: B009
    assert isinstance(tag, str)
    return tag


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
