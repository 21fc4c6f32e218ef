"""A units directory into a graph of units, and all that is wrong with it at once.

Files are read (``files``), their text is parsed (``document``), their keys converted (``convert``), contradictions found
(``rules``), strings expanded (``build``) and names linked (``core.graph``). Each step goes on with what is sound, so that one
mistake does not hide another, and what is wrong already is not blamed on those who name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.graph import DisabledDependency, Fault, Graph, Origin, UnknownName, link
from ..core.mask import Secrets
from ..core.secret import find_secrets
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
from .secrets import find_in_text, find_in_values, find_shown, mask_problem, written_mask


@dataclass(slots=True)
class Loaded:
    """What the unit files say."""

    graph: Graph
    """The enabled units and their edges. Where there are errors it is what could be understood, and not to be run."""
    problems: list[Problem]
    """Everything that is wrong, errors and warnings, in the order of files and lines."""
    files: dict[str, str]
    """The file of each unit that was found, enabled or not, beginning as the directory was given."""
    secrets: Secrets = field(default_factory=Secrets)
    """What must not be shown of the units and of the environment. The problems do not show it."""

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
        self.unreadable: list[str] = []
        """The texts of files that are no TOML."""

    def read_directory(self, directory: Path) -> None:
        self.listing = list_units(directory)
        self.problems += self.listing.problems
        self.unread.update(self.listing.unread)
        for unit_path in self.listing.units:
            self._read(unit_path)

    def _read(self, unit_path: UnitPath) -> None:
        data = read(unit_path.file)
        document = data if isinstance(data, Problem) else _parse(unit_path, data)
        if isinstance(document, Document):
            self._add(document)
            return
        self.problems.append(document)
        self.unread.add(unit_path.name)
        if isinstance(data, bytes):
            self.unreadable.append(data.decode(errors="replace"))

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
        secrets = Secrets(find_secrets(self.units, self.environment), files)
        self._look_for_shown(enabled, "\n".join(files))
        return Loaded(graph, self._masked(secrets), files, secrets)

    def _look_for_shown(self, units: Iterable[Unit], names: str) -> None:
        """Say which secrets of units cannot be masked."""
        for unit in units:
            if unit.env or unit.mask:
                document = self.documents[unit.name]
                findings = find_shown(unit, document.values, self.environment, names)
                self.problems += [document.problem(finding) for finding in findings]

    def _masked(self, secrets: Secrets) -> list[Problem]:
        """The problems in order, without secrets: those of the units, and what looks like one where something is wrong."""
        if not self.problems:
            return []
        problems = sorted(self.problems, key=_by_place)
        wrong = {problem.where.file for problem in problems}
        documents = [document for document in self.documents.values() if document.file in wrong]
        texts = [document.text for document in documents if written_mask(document.values) != ()]
        quoted = Secrets(secrets.values, secrets.names)
        quoted.add(found for document in self.documents.values() for found in find_in_values(document.values))
        quoted.add(found for text in [*texts, *self.unreadable] for found in find_in_text(text))
        return [mask_problem(problem, quoted) for problem in problems] if quoted else problems

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


def _parse(unit_path: UnitPath, data: bytes) -> Document | Problem:
    document = decode(unit_path.name, unit_path.file, data)
    return document if isinstance(document, Problem) else document.parse() or document


def _groups_of(name: str) -> Iterable[str]:
    """The groups that a unit belongs to: ``a`` and ``a/b`` for ``a/b/c``."""
    while name := name.rpartition("/")[0]:
        yield name


def _by_place(problem: Problem) -> tuple[Place, str]:
    return problem.where, problem.what
