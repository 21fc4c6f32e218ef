"""A units directory into a graph of units, and all that is wrong with it at once.

Files are read (``files``), their text is parsed (``document``), their keys converted (``convert``), contradictions found
(``rules``), strings expanded (``build``) and names linked (``core.graph``). Each step goes on with what is sound, so that one
mistake does not hide another, and what is wrong already is not blamed on those who name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.graph import DisabledDependency, Fault, Graph, Origin, UnknownName, link
from ..core.unit import Unit
from ..errors import Place, Problem
from .build import build
from .convert import Finding, convert
from .document import Document, decode
from .faults import say_faults
from .files import Listing, Programs, UnitPath, list_units, read
from .keys import LATER_LAYERS
from .lint import lint
from .rules import Written, check_rules, take_later, wrong_keys


@dataclass(slots=True)
class Loaded:
    """What the unit files say."""

    graph: Graph
    """The enabled units and their edges. Where there are errors it is what could be understood, and not to be run."""
    problems: list[Problem]
    """Everything that is wrong, errors and warnings, in the order of files and lines."""
    files: dict[str, str]
    """The file of each unit that was found, enabled or not, beginning as the directory was given."""

    @property
    def errors(self) -> list[Problem]:
        """The problems with which nothing can be started."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that are probably mistakes."""
        return [problem for problem in self.problems if problem.severity == "warning"]

    def source(self, unit: str) -> str:
        """The file that declares a unit. Raises KeyError for a name that no file has."""
        return self.files[unit]


def load(directories: Sequence[Path], environment: Mapping[str, str]) -> Loaded:
    """Read all units of the directories.

    ``environment`` is that of the supervisor: what ``${VAR}`` and ``~`` stand for, and the ``PATH`` on which programs have to
    be. Raises nothing for a mistake in the files: those are the problems.
    """
    loader = _Loader(environment)
    for directory in directories[:1]:
        loader.read_directory(directory)
    for directory in directories[1:]:
        what = f"cannot use several units directories yet: {LATER_LAYERS.why}"
        loader.problems.append(Problem(what, Place(str(directory)), LATER_LAYERS.hint))
    return loader.finish()


class _Loader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.programs = Programs()
        self.listing = Listing()
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}
        self.wrong: dict[str, set[tuple[str | int, ...]]] = {}
        """Paths of what was left out of a unit, by its name."""
        self.units: list[Unit] = []
        self.unread: set[str] = set()
        """Units that are there, but of which nothing is known."""

    def read_directory(self, directory: Path) -> None:
        self.listing = list_units(directory)
        self.problems += self.listing.problems
        self.unread.update(self.listing.unread)
        for unit_path in self.listing.units:
            document = _read_document(unit_path)
            if isinstance(document, Problem):
                self.problems.append(document)
                self.unread.add(unit_path.name)
            else:
                self._add(document)

    def _add(self, document: Document) -> None:
        unit, findings = self._interpret(document)
        if unit.enabled and not findings:
            findings += lint(unit, self.environment.get("PATH"), self.programs.has)
        self.documents[unit.name] = document
        self.units.append(unit)
        self.problems += [document.problem(finding) for finding in findings]

    def _interpret(self, document: Document) -> tuple[Unit, list[Finding]]:
        findings = list(document.check())
        values, later = take_later(document.values)
        file, unusable = convert(values)
        findings += [*later, *unusable]
        if findings:
            self.wrong[document.name] = {finding.path for finding in findings}
        written = Written(file, values, wrong_keys(findings))
        findings += check_rules(written)
        unit, unexpanded = build(document.name, written, self.environment)
        return unit, findings + unexpanded

    def finish(self) -> Loaded:
        enabled = [unit for unit in self.units if unit.enabled]
        away = self.unread.union(unit.name for unit in self.units if not unit.enabled)
        groups = {group for unit in self.units for group in _groups_of(unit.name)}
        graph, faults = link(enabled, groups=[*groups, *self.listing.groups], disabled=away.union(*map(_groups_of, away)))
        for unit in self.units:
            if unit.name in groups:
                what = f'cannot use the name "{unit.name}" for a unit: a directory with units has it, as a group'
                self.problems.append(Problem(what, Place(self.documents[unit.name].file), "give one of them another name"))
        told = [fault for fault in faults if not self._is_known_already(fault)]
        self.problems += say_faults(told, graph, groups, self._place)
        files = {unit_path.name: unit_path.file for unit_path in self.listing.units}
        return Loaded(graph, sorted(self.problems, key=_by_place), files)

    def _is_known_already(self, fault: Fault) -> bool:
        """Whether the fault is only that a file could not be read, which is told of that file."""
        match fault:
            case UnknownName(_, name) | DisabledDependency(_, name):
                return any(part in self.unread for part in [name, *_groups_of(name)]) or self._hides_unread(name)
        return False

    def _hides_unread(self, group: str) -> bool:
        return any(name.startswith(group + "/") for name in self.unread)

    def _place(self, origin: Origin) -> Place:
        """The place of an entry, which those before it that were left out have moved."""
        document = self.documents[origin.unit]
        entries = document.values[origin.key]
        assert isinstance(entries, list)
        left_out = {path[1] for path in self.wrong.get(origin.unit, ()) if len(path) > 1 and path[0] == origin.key}
        kept = [index for index in range(len(entries)) if index not in left_out]
        return document.place((origin.key, kept[origin.index]))


def _read_document(unit_path: UnitPath) -> Document | Problem:
    data = read(unit_path.file)
    if isinstance(data, Problem):
        return data
    document = decode(unit_path.name, unit_path.file, data)
    if isinstance(document, Problem):
        return document
    return document.parse() or document


def _groups_of(name: str) -> Iterable[str]:
    """The groups that a unit belongs to: ``a`` and ``a/b`` for ``a/b/c``."""
    while name := name.rpartition("/")[0]:
        yield name


def _by_place(problem: Problem) -> tuple[Place, str]:
    return problem.where, problem.what
