"""Units directories into a graph of units, and all that is wrong with them at once.

Directories are listed (``files``) and laid upon each other (``layers``), their files are read (``document``) and what makes
up a unit is put together (``sources``). Then keys are converted (``convert``), contradictions found (``rules``), strings
expanded (``build``) and names linked (``core.graph``). Each step goes on with what is sound, so that one mistake does not
hide another, and what is wrong already is not blamed on those who name it.

Places of values are looked for only where something is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from ..core.graph import DisabledDependency, Fault, Graph, Origin, UnknownName, link
from ..core.mask import Secrets
from ..core.names import prefix_of
from ..core.secret import find_secrets
from ..core.unit import Unit
from ..errors import Place, Problem
from .build import build
from .convert import Finding, convert
from .document import Source
from .faults import say_faults
from .files import Machine, Programs
from .lint import lint
from .names import groups_of
from .rights import check_rights, environment_for
from .rules import Written, check_rules, wrong_keys
from .secrets import find_shown, mask_problems
from .sources import Gathered, gather


@dataclass(slots=True)
class Loaded:
    """What the unit files say."""

    graph: Graph
    """The enabled units and their edges. Where there are errors it is what could be understood, and not to be run."""
    problems: list[Problem]
    """Everything that is wrong, errors and warnings, in the order of files and lines."""
    files: dict[str, str]
    """The file of each unit that was found, enabled or not, beginning as the directory was given: its own or its template."""
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


def load(directories: Sequence[Path], environment: Mapping[str, str], *, to_run: bool = True) -> Loaded:
    """Read all units of the directories, of which later ones replace and change what earlier ones have.

    ``environment`` is that of the supervisor: what ``${VAR}`` and ``~`` stand for, and the ``PATH`` on which programs have to
    be. What this process may not do for a unit is a problem too, unless it is not ``to_run`` them. Raises nothing for a
    mistake in the files: those are the problems.
    """
    return load_gathered(gather(directories), environment, to_run=to_run)[0]


def load_gathered(gathered: Gathered, environment: Mapping[str, str], *, to_run: bool = True) -> tuple[Loaded, list[Unit]]:
    """The same of files that were read, and besides all units, those too that are disabled."""
    loader = _Loader(gathered, environment, to_run=to_run)
    return loader.load(), loader.units


class _Loader:
    def __init__(self, gathered: Gathered, environment: Mapping[str, str], *, to_run: bool) -> None:
        self.gathered = gathered
        self.environment = environment
        self.to_run = to_run
        self.machine = Machine()
        self.programs = Programs()
        self.problems: list[Problem] = [*gathered.problems]
        self.wrong: dict[str, set[tuple[str | int, ...]]] = {}
        """Paths of what was left out of a unit, by its name."""
        self.units: list[Unit] = []
        self.meant: dict[tuple[str, str], list[int]] = {}
        """By unit and key, for each name of a list that patterns were replaced in, which of the entries it is from."""

    def load(self) -> Loaded:
        for source in self.gathered.sources.values():
            self._add(source)
        groups = {group for unit in self.units for group in groups_of(unit.name)}
        for unit in self.units:
            if unit.name in groups:
                what = f'cannot use the name "{unit.name}" for a unit: a directory with units has it, as a group'
                place = Place(self.gathered.files[unit.name])
                self.problems.append(Problem(what, place, "give one of them another name"))
        graph = self._link(groups)
        files = dict(sorted(self.gathered.files.items()))
        secrets = Secrets(find_secrets(self.units, self.environment), files)
        self._look_for_shown([unit for unit in self.units if unit.enabled], "\n".join(files))
        problems = sorted(dict.fromkeys(self.problems), key=_by_place)
        return Loaded(graph, mask_problems(problems, secrets, self.gathered.documents, self.gathered.unreadable), files, secrets)

    def _add(self, source: Source) -> None:
        unit, findings = self._interpret(source)
        if unit.enabled and not findings and not source.wrong and unit.name not in self.gathered.incomplete:
            findings += lint(unit, self.environment.get("PATH"), self.programs.has)
        if unit.enabled and self.to_run and source.name not in self.gathered.incomplete:
            findings += check_rights(unit, self.machine)
        self.units.append(unit)
        self.problems += [source.problem(finding) for finding in findings]

    def _interpret(self, source: Source) -> tuple[Unit, list[Finding]]:
        findings = list(source.check())
        values = source.values
        file, unusable = convert(values)
        findings += unusable
        if findings:
            self.wrong[source.name] = {finding.path for finding in findings}
        written = Written(file, values, wrong_keys(findings).union(source.wrong))
        unit, unexpanded = build(source.name, written, environment_for(file.user or "", self.machine, self.environment))
        if source.name not in self.gathered.incomplete:  # else what is missing may be in what cannot be read
            findings += [*check_rules(written), *unexpanded]
        return unit, findings

    # ---------------------------------------------------------------- names

    def _link(self, groups: set[str]) -> Graph:
        """Link the enabled units, and tell what is wrong with the names in them."""
        enabled = self._find_handlers([unit for unit in self.units if unit.enabled])
        away = self.gathered.unread.union(unit.name for unit in self.units if not unit.enabled)
        away.update(*map(groups_of, away))
        if self.gathered.masked:
            away.update(name for unit in enabled for name in _names_in(unit) if self._is_masked(name))
        known = [*groups, *self.gathered.stack.groups]
        graph, faults = link(enabled, groups=known, disabled=away)
        told = [fault for fault in faults if not self._is_known_already(fault)]
        self.problems += say_faults(told, graph, groups, self._place)
        without_effect = [fault.origin for fault in faults if isinstance(fault, DisabledDependency)]
        return link(_leave_out(enabled, without_effect), groups=known)[0] if without_effect else graph

    def _look_for_shown(self, units: Iterable[Unit], names: str) -> None:
        """Say which secrets of units cannot be masked."""
        for unit in units:
            if unit.env or unit.mask:
                source = self.gathered.sources[unit.name]
                findings = find_shown(unit, source.values, self.environment, names)
                self.problems += [source.problem(finding) for finding in findings]

    def _find_handlers(self, enabled: list[Unit]) -> list[Unit]:
        """The units with names in place of patterns in ``on-success`` and ``on-failure``: these start units one by one."""
        return [self._with_names(unit, enabled) if _has_pattern(unit) else unit for unit in enabled]

    def _with_names(self, unit: Unit, enabled: Iterable[Unit]) -> Unit:
        lists = {"on-success": unit.on_success, "on-failure": unit.on_failure}
        for key, names in lists.items():
            found = [(name, index) for index, entry in enumerate(names) for name in _handlers(entry, enabled) or [entry]]
            lists[key] = tuple(name for name, _ in found)
            self.meant[unit.name, key] = [index for _, index in found]
        return replace(unit, on_success=lists["on-success"], on_failure=lists["on-failure"])

    def _is_masked(self, name: str) -> bool:
        return any(name.startswith(template) and name != template for template in self.gathered.masked)

    def _is_known_already(self, fault: Fault) -> bool:
        """Whether the fault is only that a file could not be read, which is told of that file."""
        match fault:
            case UnknownName(_, name) | DisabledDependency(_, name):
                unread = self.gathered.unread
                if any(part in unread for part in [name, *groups_of(name)]) or name.startswith((*self.gathered.unsure,)):
                    return True
                return any(other.startswith(prefix_of(name)) for other in unread)
        return False

    def _place(self, origin: Origin) -> Place:
        """The place of an entry, which those before it that were left out have moved."""
        source, key = self.gathered.sources[origin.unit], origin.key
        entries = source.values[key]
        assert isinstance(entries, list)
        left_out = {path[1] for path in self.wrong.get(origin.unit, ()) if len(path) > 1 and path[0] == key}
        kept = [index for index in range(len(entries)) if index not in left_out]
        meant = self.meant.get((origin.unit, key))
        return source.place((key, kept[meant[origin.index] if meant else origin.index]))


def _handlers(entry: str, enabled: Iterable[Unit]) -> list[str]:
    """The units that a pattern stands for; none for what is no pattern."""
    return [unit.name for unit in enabled if unit.name.startswith(prefix_of(entry))] if entry.endswith("@*") else []


def _has_pattern(unit: Unit) -> bool:
    return any(name.endswith("@*") for name in (*unit.on_success, *unit.on_failure))


def _names_in(unit: Unit) -> list[str]:
    return [*(entry.unit for entry in (*unit.after, *unit.before)), *unit.on_success, *unit.on_failure]


def _leave_out(units: Iterable[Unit], origins: Iterable[Origin]) -> list[Unit]:
    """The units without entries that have no effect: whoever links them again need not know of what is disabled."""
    gone: dict[str, set[tuple[str, int]]] = {}
    for origin in origins:
        gone.setdefault(origin.unit, set()).add((origin.key, origin.index))
    return [_without(unit, gone[unit.name]) if unit.name in gone else unit for unit in units]


def _without(unit: Unit, gone: set[tuple[str, int]]) -> Unit:
    return replace(
        unit,
        after=tuple(entry for index, entry in enumerate(unit.after) if ("after", index) not in gone),
        before=tuple(entry for index, entry in enumerate(unit.before) if ("before", index) not in gone),
        on_success=tuple(name for index, name in enumerate(unit.on_success) if ("on-success", index) not in gone),
        on_failure=tuple(name for index, name in enumerate(unit.on_failure) if ("on-failure", index) not in gone),
    )


def _by_place(problem: Problem) -> tuple[Place, str]:
    return problem.where, problem.what
