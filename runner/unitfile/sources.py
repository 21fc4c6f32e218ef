"""From the files of several directories to what each unit is made from.

Of most units that is one document, and then it is just that. Only where there is something to merge is it merged: what the
unit's groups have in common, then its own file or its template, then the drop-ins of the template, then its own drop-ins.

A file that only says ``enabled = false`` is a mask: nothing is merged with it. Drop-ins from the same or a later directory,
whose authors may not know of the mask, get a warning; those from earlier ones are what is masked.
A mask that masks nothing gets one too: most likely its name is wrong.

Most directories have nothing to merge, and then the modules that do it are not even imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ..errors import Place, Problem
from .document import Document, Source, decode
from .files import read
from .layers import Found, Stack, stack
from .names import INSTANCES, group_of, groups_of, is_common, is_template, template_of
from .values import did_you_mean, quote

if TYPE_CHECKING:
    from .merge import Merged

_NAMING: Final = frozenset({INSTANCES, f"{INSTANCES}+"})
"""Keys that say of a template which instances it has, and nothing of these."""


class Gathered(Struct):
    """All units, each with what it is made from."""

    stack: Stack
    sources: dict[str, Source] = {}
    """By the name of each unit of which something is known, in the order of the names."""
    files: dict[str, str] = {}
    """The file of each unit, read or not: its own or its template."""
    problems: list[Problem] = []
    unread: set[str] = set()
    """Units and groups that are there, but of which nothing is known."""
    unsure: set[str] = set()
    """Templates of which not all instances may be known."""
    masked: set[str] = set()
    """Templates that are masked: all that could be their instances is disabled."""
    documents: list[Document] = []
    """All files that could be read."""
    unreadable: list[str] = []
    """The texts of files that are no TOML."""
    incomplete: set[str] = set()
    """Units of which a part cannot be read, so that nobody knows what they are as a whole."""


def gather(directories: Sequence[Path]) -> Gathered:
    """Read all files of the directories and put together what belongs together."""
    return _Gatherer(stack(directories)).gather()


class _Gatherer:
    def __init__(self, layers: Stack) -> None:
        self.stack = layers
        self.result = Gathered(layers, problems=[*layers.problems], unread=set(layers.unread))
        self.documents: dict[str, Document | None] = {}
        """By path the files that were read; None: it cannot be."""
        self.commons: dict[str, Merged | None] = {}
        """By group what it and those around it have in common."""
        self.broken: set[str] = set()
        """Groups of which what they have in common cannot be read as a whole."""
        self.used: set[str] = set()
        """Stems for whose drop-ins there is a file."""
        self.masks: dict[str, Document] = {}
        """By stem the files that only mask, and take no other file's place."""
        self.instances: set[str] = set()
        """All that the templates name, those too that have a file of their own."""

    def gather(self) -> Gathered:
        result = self.result
        for stem, found in self.stack.files.items():
            if is_common(stem):
                self._common(group_of(stem))
            elif is_template(stem):
                self._add_template(stem, found)
            else:
                self._add_unit(stem, found)
        self._check_drop_ins()
        self._check_groups()
        self._check_masks()
        result.sources = dict(sorted(result.sources.items()))
        result.problems = list(dict.fromkeys(result.problems))
        return result

    def _read(self, path: str, stem: str) -> Document | None:
        """A file, read only once. What keeps it from being read is told once, too."""
        if path not in self.documents:
            data = read(path)
            document = data if isinstance(data, Problem) else _parse(data, path, stem)
            if isinstance(document, Document):
                self.result.documents.append(document)
            else:
                self.result.problems.append(document)
                self.result.unreadable += [data.decode(errors="replace")] if isinstance(data, bytes) else []
            self.documents[path] = document if isinstance(document, Document) else None
        return self.documents[path]

    def _read_drop_ins(self, stem: str) -> tuple[list[Document], bool]:
        """The drop-ins of a file that can be read, in order, and whether these are all."""
        self.used.add(stem)
        read = [self._read(found.path, stem) for found in self.stack.drop_ins.get(stem, ())]
        return [document for document in read if document], None not in read and stem not in self.stack.incomplete

    # ---------------------------------------------------------------- units

    def _add_unit(self, name: str, found: Found) -> None:
        self.result.files[name] = found.path
        document = self._read(found.path, name)
        template = template_of(name) if "@" in name else ""
        if template not in self.stack.files:
            template = ""
        if document is None:
            self.result.unread.add(name)
            self._read_drop_ins(name)
        elif _is_mask(document):
            self._warn_of_mask(document, found, name)
            self._note_mask(document, found, name)
            self.result.sources[name] = document
        else:
            self._make(name, document, template)

    def _make(self, name: str, document: Document, template: str) -> None:
        """Put together what makes up a unit: ``document`` is its own file or its template."""
        common = self._common(group_of(name))
        drop_ins, is_whole = self._read_drop_ins(name)
        if template and template not in self.result.masked:
            more, are_all = self._read_drop_ins(template)
            drop_ins, is_whole = [*more, *drop_ins], is_whole and are_all
        if not is_whole or (self.broken and not self.broken.isdisjoint((*groups_of(name), ""))):
            self.result.incomplete.add(name)
        if not (common or template or drop_ins or document.has_appends):
            self.result.sources[name] = document
            return
        from .merge import Merged

        merged = Merged(name, document.file)
        values = [_values(one, name, template) for one in (document, *drop_ins)]
        if common:
            from .group import inherit, kind_of, own_keys

            own = own_keys(values)
            inherit(merged, common, own, kind_of(own))
        merged.add_own(document, values[0])
        for one, said in zip(drop_ins, values[1:], strict=True):
            merged.add_drop_in(one, said)
        self.result.problems += merged.problems
        self.result.sources[name] = merged

    def _warn_of_mask(self, document: Document, found: Found, *stems: str) -> None:
        """Tell of drop-ins that a mask takes no notice of. Those that were there before it are not even read."""
        for stem in stems:
            self.used.add(stem)
            for one in self.stack.drop_ins.get(stem, ()):
                if one.layer >= found.layer and self._read(one.path, stem):
                    also = (("which masks it", document.place(("enabled",))),)
                    what = f'cannot change "{stem}" by a drop-in: it is masked, so this has no effect'
                    hint = "remove one of the two, or write a whole file in place of the mask"
                    self.result.problems.append(Problem(what, Place(one.path), hint, "warning", also))

    # ---------------------------------------------------------------- templates

    def _add_template(self, stem: str, found: Found) -> None:
        document = self._read(found.path, stem)
        if document and _is_mask(document):
            without_file = self.stack.drop_ins.keys() - self.stack.files
            self._warn_of_mask(document, found, stem, *(other for other in without_file if template_of(other) == stem))
            self._note_mask(document, found, stem)
            self.result.masked.add(stem)
            return
        drop_ins, is_whole = self._read_drop_ins(stem)
        if document is None or not is_whole:
            self.result.unsure.add(stem)
        if document is None:
            return
        from .merge import Merged
        from .template import find_instances

        naming = Merged(stem, document.file)
        naming.add_own(document, _naming(document.values))
        for one in drop_ins:
            naming.add_drop_in(one, _naming(one.values))
        instances, findings = find_instances(stem, naming.values)
        if findings:
            self.result.unsure.add(stem)
        self.result.problems += [*naming.problems, *map(naming.problem, findings)]
        for name in (stem + instance for instance in instances):
            self.instances.add(name)
            if name not in self.stack.files:  # else that file takes its place
                self.result.files[name] = found.path
                self._make(name, document, stem)

    # ---------------------------------------------------------------- groups

    def _common(self, group: str) -> Merged | None:
        """What a group and those around it have in common; None where that is nothing."""
        if group not in self.commons:
            outer = self._common(group_of(group)) if group else None
            stem = f"{group}/group" if group else "group"
            found = self.stack.files.get(stem)
            self.commons[group] = self._add_common(group, stem, found, outer) if found else outer
        return self.commons[group]

    def _add_common(self, group: str, stem: str, found: Found, outer: Merged | None) -> Merged | None:
        document = self._read(found.path, stem)
        drop_ins, is_whole = self._read_drop_ins(stem)
        if document is None or not is_whole:
            self.broken.add(group)
        if document is None:
            return outer
        from .group import check_group
        from .merge import Merged

        alone, common = Merged(stem, document.file), Merged(stem, document.file)
        for key in outer.values if outer else ():
            assert outer
            common.take_over(outer, key)
        for merged in (alone, common):
            merged.add_own(document, document.values)
            for one in drop_ins:
                merged.add_drop_in(one, one.values)
        self.result.problems += [*common.problems, *map(alone.problem, check_group(alone))]
        return common

    # ---------------------------------------------------------------- what belongs to nothing

    def _check_drop_ins(self) -> None:
        for stem, found in self.stack.drop_ins.items():
            if stem in self.used or not self.stack.unread.isdisjoint(groups_of(stem)):
                continue
            self._read_drop_ins(stem)
            if template_of(stem) not in self.result.unsure:
                for directory in dict.fromkeys(one.path.rpartition("/")[0] for one in found):
                    self.result.problems.append(self._say_orphan(stem, directory))

    def _say_orphan(self, stem: str, directory: str) -> Problem:
        template, instance = template_of(stem), stem.rpartition("/")[2].partition("@")[2]
        if is_common(stem):
            what, hint = "cannot find the group.toml that these drop-ins are for", "write the keys into a group.toml beside it"
        elif is_template(stem):
            what = f'cannot find the template "{stem}" that these drop-ins are for'
            hint = did_you_mean(stem, filter(is_template, self.stack.files)) or f"write {stem}.toml"
        else:
            what = f'cannot find the unit "{stem}" that these drop-ins are for'
            hint = did_you_mean(stem, self.result.files) or f"write {stem}.toml"
            if template in self.stack.files:
                hint = f'add "{instance}" to the "{INSTANCES}" of "{template}"'
        return Problem(what, Place(directory), hint)

    def _check_groups(self) -> None:
        """What a group has in common needs somebody who has it."""
        populated = {group for stem in self.stack.files if not is_common(stem) for group in groups_of(stem)}
        for stem in filter(is_common, self.stack.files):
            group = group_of(stem)
            is_unread = any(other in self.stack.unread for other in (group, *groups_of(group)))
            if group and group not in populated and not is_unread and not self._hides_unread(group):
                what = f"cannot find a unit in the group {quote(group)} that has this in common"
                hint = did_you_mean(group, populated) or "write one, or remove the file"
                self.result.problems.append(Problem(what, Place(self.stack.files[stem].path), hint))

    def _note_mask(self, document: Document, found: Found, stem: str) -> None:
        """Keep in mind a mask that hides no file of an earlier directory. An instance it may hide yet."""
        if found.layer and found.path not in self.stack.replaced:
            self.masks[stem] = document

    def _check_masks(self) -> None:
        """A mask needs something that it hides: what it names, most likely, has another name."""
        for stem, document in self.masks.items():
            is_hidden = stem in self.instances or template_of(stem) in self.result.unsure
            if is_hidden or not self.stack.unread.isdisjoint(groups_of(stem)):
                continue
            what = f'cannot find the {"template" if is_template(stem) else "unit"} "{stem}" that this masks'
            others = [
                name for name in {**self.result.files, **self.stack.files} if name not in self.masks and not is_common(name)
            ]
            hint = did_you_mean(stem, others) or "it has no effect: no earlier directory declares it"
            self.result.problems.append(Problem(what, document.place(("enabled",)), hint, "warning"))

    def _hides_unread(self, group: str) -> bool:
        return any(name.startswith(f"{group}/") for name in self.stack.unread)


def _parse(data: bytes, path: str, stem: str) -> Document | Problem:
    document = decode(stem, path, data)
    return document if isinstance(document, Problem) else document.parse() or document


def _is_mask(document: Document) -> bool:
    return len(document.values) == 1 and document.values.get("enabled") is False


def _values(document: Document, name: str, template: str) -> Mapping[str, object]:
    """What a file says of a unit: of a template and what changes it, all but which instances there are."""
    if not template:
        return document.values
    from .template import substitute

    said = _unnamed(document.values) if is_template(document.name) else document.values
    return substitute(said, name.removeprefix(template))


def _naming(values: Mapping[str, object]) -> dict[str, object]:
    """What the files of a template say of which instances there are."""
    return {key: value for key, value in values.items() if key in _NAMING}


def _unnamed(values: Mapping[str, object]) -> dict[str, object]:
    """What they say of each instance."""
    return {key: value for key, value in values.items() if key not in _NAMING}
