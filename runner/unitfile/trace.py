"""What a unit is in the end, value by value: what was written, what it means, and where it stands.

Looked up only for whoever wants to see it. A value **as written** is what its own document has at that place; what it means
can differ, because variables are expanded and ``{instance}`` is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from ..core.mask import Secrets
from ..core.unit import Unit
from ..core.words import say_size
from ..errors import Place, Problem
from .convert import Path
from .describe import branches
from .document import Source
from .keys import KINDS, UnitFile
from .load import load_gathered
from .merge import Merged
from .names import template_of
from .secrets import find_in_values
from .sources import gather
from .table import Table
from .values import Duration, Size


class Part(NamedTuple):
    """A value or an element of a list."""

    written: object
    """As its file has it."""
    value: object
    """As it is meant: with variables expanded, paths put together, and ``{instance}`` replaced."""
    place: Place | None
    """Where it stands; None for a default."""


class Entry(NamedTuple):
    """One key of a unit that is no table."""

    key: tuple[str, ...]
    """Such as ``("ready", "http")``."""
    part: Part
    elements: tuple[Part, ...] = ()
    """Of a list each element by itself."""


class File(NamedTuple):
    """One of the files that make up a unit."""

    path: str
    replaces: tuple[str, ...]
    """Files of earlier directories in whose place it is, the earliest first."""


class Traces:
    """All units of some directories, and where everything in them comes from."""

    def __init__(self, directories: Sequence[FilePath], environment: Mapping[str, str]) -> None:
        self._gathered = gather(directories)
        self.loaded, units = load_gathered(self._gathered, environment)
        self.units: dict[str, Unit] = {unit.name: unit for unit in units}
        """Every unit of which something is known, those too that are disabled."""

    @property
    def secrets(self) -> Secrets:
        """What must not be shown of any of it, as it is meant and as it is written."""
        secrets = Secrets(self.loaded.secrets.values, self.loaded.secrets.names)
        secrets.add(found for document in self._gathered.documents for found in find_in_values(document.values))
        return secrets

    def problems(self, name: str) -> list[Problem]:
        """What is wrong with the file of a unit, which may be why nothing else is known of it."""
        return [problem for problem in self.loaded.problems if problem.where.file == self.loaded.files[name]]

    def files(self, name: str) -> list[File]:
        """The files that make up a unit, in the order in which they do."""
        source = self._gathered.sources[name]
        documents = source.documents if isinstance(source, Merged) else [source]
        return [File(one.file, tuple(self._gathered.stack.replaced.get(one.file, ()))) for one in documents]

    def template(self, name: str) -> str:
        """The template that a unit is an instance of; the empty string where it is none."""
        template = template_of(name)
        return template if template in self._gathered.stack.files else ""

    def entries(self, name: str, *, with_defaults: bool = False) -> list[Entry]:
        """What is written of a unit, in the order of the reference; with defaults all that it can have."""
        source, unit = self._gathered.sources[name], self.units[name]
        return list(_Walk(source, unit, with_defaults).table(source.values, UnitFile, ()))


class _Walk:
    """Goes through what is written of a unit in the order of the reference."""

    def __init__(self, source: Source, unit: Unit, with_defaults: bool) -> None:
        self.source = source
        self.unit = unit
        self.with_defaults = with_defaults

    def table(self, values: Mapping[str, object], struct: type[Table], path: tuple[str, ...]) -> Iterator[Entry]:
        """The entries of a table. What is no key of it comes last."""
        for field in fields(struct):
            at = (*path, field.encode_name)
            inner = next((branch.type for branch in branches(field.type) if branch.is_table), None)
            if field.encode_name in values:
                yield from self._written(values[field.encode_name], at, inner)
            elif self.with_defaults and self._may_have(at):
                yield from self._default(field, at, inner)
        for key in (key for key in values if key not in struct.__struct_encode_fields__):
            yield from self._written(values[key], (*path, key), None)

    def _written(self, value: object, at: tuple[str, ...], struct: type[Table] | None) -> Iterator[Entry]:
        if isinstance(value, dict) and struct:
            yield from self.table(value, struct, at)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self._written(item, (*at, key), None)
        elif isinstance(value, list):
            paths = _paths(self.unit, at)
            meant = paths if len(paths) == len(value) else value  # else some of them cannot be used
            elements = tuple(self._part(item, (*at, index)) for index, item in enumerate(meant))
            whole = Part([one.written for one in elements], [one.value for one in elements], self.source.place(at))
            yield Entry(at, whole, elements)
        else:
            yield Entry(at, self._part(_meaning(self.unit, at) or value, at))

    def _part(self, value: object, path: Path) -> Part:
        document, where = self.source.find(path)
        written: Any = document.values
        for step in where:
            written = written[step]
        return Part(written, value, document.place_of(where))

    def _may_have(self, at: tuple[str, ...]) -> bool:
        return len(at) > 1 or self.unit.kind in KINDS.get(at[0], (self.unit.kind,))

    def _default(self, field: FieldInfo, at: tuple[str, ...], struct: type[Table] | None) -> Iterator[Entry]:
        default: object = field.default
        if at == ("type",):
            default = self.unit.kind
        elif callable(field.default_factory):
            default = field.default_factory()
        if struct and default is None and at[0] in ("stop", "log"):
            yield from self.table({}, struct, at)  # a unit has these whether it says so or not
        elif _says_something(default, in_table=len(at) > 1):
            plain = _plain(default)
            yield Entry(at, Part(plain, plain, None))


def _says_something(default: object, *, in_table: bool) -> bool:
    """Whether a default is worth a line: not one that only means that the key is not there."""
    if default is None or default is NODEFAULT or default == "":
        return False
    return not (in_table and (default is False or default == []))


def _meaning(unit: Unit, path: tuple[str, ...]) -> str:
    """What a string became that is expanded; the empty string for another, and where it cannot be."""
    match path:
        case ("cwd",):
            return unit.cwd
        case ("env", name):
            return unit.env.get(name, "")
        case ("log", "file"):
            return unit.log.file
        case ("ready" | "health" as key, "http" | "tcp" | "unix" | "file" as kind):
            asked = unit.ready if key == "ready" else unit.health
            return asked.probe.target if asked and asked.probe and asked.probe.by == kind else ""
    paths = _paths(unit, path)
    return paths[0] if len(paths) == 1 else ""


def _paths(unit: Unit, path: tuple[str, ...]) -> tuple[str, ...]:
    """A list of paths, as they became; one alone may have been written without a list around it."""
    match path:
        case ("env-file",):
            return unit.env_file
        case ("creates",):
            return unit.creates
        case ("inputs",):
            return unit.inputs
        case ("if", "exists" | "missing" as key):
            found = unit.conditions
            return () if not found else found.exists if key == "exists" else found.missing
    return ()


def _plain(value: object) -> object:
    """A default as it would be written."""
    if isinstance(value, Duration):
        return f"{value:g}s" if value >= 1 or not value else f"{value * 1000:g}ms"
    return say_size(value).replace(" ", "") if isinstance(value, Size) else value
