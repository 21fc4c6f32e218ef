"""Templates: one file that stands for several units, its instances.

``port@.toml`` with ``instances = ["8080", "9090"]`` makes ``port@8080`` and ``port@9090``. In every string of an instance
``{instance}`` stands for the last part of its name, but not in ``${instance}``, which is a variable of a shell or of ours, and
``{{instance}}`` is ``{instance}`` itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .convert import Finding
from .names import INSTANCES
from .values import quote

_PLACEHOLDER: Final = re.compile(r"\{\{instance\}\}|(?<!\$)\{instance\}")
_NAME: Final = re.compile(r"[A-Za-z0-9._@:-]*[A-Za-z0-9._:-]")
_DEEPEST: Final = 4
"""So deep may a string be in the values of a unit: in an entry, in a list, in a table. What is deeper is wrong anyway."""


def find_instances(name: str, values: Mapping[str, object]) -> tuple[list[str], list[Finding]]:
    """The instances that a template names, and what is wrong with that."""
    if INSTANCES not in values:
        hint = f'write instances = ["NAME"] into it, or into a file in {name.rpartition("/")[2]}.d'
        return [], [Finding((), f'cannot make units of the template "{name}": it has no "{INSTANCES}"', hint)]
    said = values[INSTANCES]
    if not isinstance(said, list):
        what = f'cannot use {quote(said)} for "{INSTANCES}": it must be a list of names'
        return [], [Finding((INSTANCES,), what, 'such as ["1", "2"]')]
    if not said:
        hint = 'name at least one, or write "enabled = false"'
        return [], [Finding((INSTANCES,), f'cannot make units of the template "{name}": it names no instance', hint)]
    instances: dict[str, int] = {}
    findings = []
    for index, instance in enumerate(said):
        if not isinstance(instance, str) or not _NAME.fullmatch(instance):
            findings.append(_say_no_instance(index, instance))
        elif instance in instances:
            also = (("the first time", (INSTANCES, instances[instance])),)
            what = f'cannot have {quote(instance)} twice in "{INSTANCES}"'
            findings.append(Finding((INSTANCES, index), what, "remove one of them", also))
        else:
            instances[instance] = index
    return [*instances], findings


def substitute(values: Mapping[str, object], instance: str) -> dict[str, object]:
    """The values of a file as they are for an instance. Keys stay as they are."""
    return {key: _substitute(value, instance, _DEEPEST) for key, value in values.items()}


def fill(text: str, instance: str) -> str:
    """A string as it is for an instance."""
    return _PLACEHOLDER.sub(lambda match: "{instance}" if match[0][1] == "{" else instance, text)


def _substitute(value: object, instance: str, depth: int) -> object:
    if isinstance(value, str):
        return fill(value, instance)
    if isinstance(value, list) and depth:
        return [_substitute(item, instance, depth - 1) for item in value]
    if isinstance(value, dict) and depth:
        return {key: _substitute(item, instance, depth - 1) for key, item in value.items()}
    return value


def _say_no_instance(index: int, instance: object) -> Finding:
    hint = f'write it in quotes: "{instance}"' if type(instance) is int else "it has letters, digits and ._@:-, not @ at its end"
    return Finding((INSTANCES, index), f'cannot use {quote(instance)} in "{INSTANCES}": it must be the name of an instance', hint)
