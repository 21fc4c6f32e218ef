"""Keeps secrets out of what is said about unit files, and says where one cannot be kept.

A diagnosis quotes values and whole lines, also of files that nobody could make sense of. So beside the values that units have,
it is looked for what is written: the strings of ``env`` as they stand in the file, and in the text of a file with a mistake
whatever follows ``API_TOKEN =``, however it goes on. There it is better to hide too much.

A value may be put together: ``"${USER}:hunter2"``. Then what stands around the variables is hidden, and their names are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ..core.mask import Secrets
from ..core.secret import LOOKS, is_secret, why_shown
from ..core.unit import Unit
from ..errors import Place, Problem
from .convert import Finding, Path
from .document import Document
from .lint import gives_values
from .values import did_you_mean, quote

_EXPANSION: Final = re.compile(r"\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*(?:\}|:-)|\}")
_MASK: Final = re.compile(r"\bmask[\"']?[ \t]*=[ \t]*\[([^\]]*)")
_NAMED: Final = re.compile(r"[\"']([A-Za-z_][A-Za-z0-9_]*)")
_ASSIGNED: Final = r"""
    (?:%s) \w{0,100} \\?["']? [ \t]* [=:] [ \t]*
    (?: \"{3} (.*?) (?:\"{3}|\Z)
      | '{3} (.*?) (?:'{3}|\Z)
      | \\?" ((?:[^"\\\n]|\\.)*)
      | ' ([^'\n]*)
      | ([^\s,"'\]\}]+)
    )
"""
"""A name, what assigns to it, and the value: in quotes of one or several lines, closed or not, or a word."""


def written_mask(values: Mapping[str, object]) -> tuple[str, ...] | None:
    """The names in the ``mask`` of a document, also where something is wrong with it; None where there is none."""
    said = values.get("mask")
    if isinstance(said, str):
        return (said,)
    return tuple(str(name) for name in said) if isinstance(said, list) else None


def find_in_values(values: Mapping[str, object]) -> Iterator[str]:
    """The secret strings, and numbers, of ``env`` and ``if.env`` of a document, as they are written."""
    conditions, mask = values.get("if"), written_mask(values)
    for env in (values.get("env"), conditions.get("env") if isinstance(conditions, dict) else None):
        if isinstance(env, dict):
            for name, value in env.items():
                if is_secret(name, mask):
                    yield from _EXPANSION.split(str(value).removeprefix("!"))


def find_in_text(text: str) -> Iterator[str]:
    """What is assigned to a name that is secret, anywhere in the text of a unit file."""
    named = (name for names in _MASK.findall(text) for name in _NAMED.findall(names))
    assigned = re.compile(_ASSIGNED % "|".join([*LOOKS, *named]), re.IGNORECASE | re.VERBOSE | re.DOTALL)
    for match in assigned.finditer(text):
        yield from _EXPANSION.split(next(filter(None, match.groups()), ""))


def find_shown(unit: Unit, written: Mapping[str, object], environment: Mapping[str, str], names: str) -> Iterator[Finding]:
    """Warnings about a unit's secrets that are not masked, and about names in ``mask`` that no variable has.

    ``written`` are the values of its document; ``environment`` is the supervisor's; ``names`` are those of all units, in lines.
    """
    for name, value in unit.env.items():
        if value and is_secret(name, unit.mask) and (why := why_shown(value, names)):
            yield _cannot_mask(("env", name), name, why)
    for name in unit.mask or ():
        path = "mask", (written_mask(written) or ()).index(name)
        if value := "" if name in unit.env else environment.get(name, ""):
            if why := why_shown(value, names):
                yield _cannot_mask(path, name, why)
        elif name not in unit.env and name not in environment and not unit.env_file and not gives_values(unit):
            known = did_you_mean(name, [*unit.env, *environment])
            what = f'cannot find the variable {quote(name)} of "mask": nothing sets it'
            hint = known or 'it is masked where the environment of the runner, "env" or an "env-file" sets it'
            yield Finding(path, what, hint, severity="warning")


def _cannot_mask(path: Path, name: str, why: str) -> Finding:
    hint = "everybody can read it; if it is no secret: mask = []"
    return Finding(path, f"cannot mask the value of {quote(name)}: {why}", hint, severity="warning")


def mask_problems(
    problems: list[Problem], secrets: Secrets, documents: Sequence[Document], unreadable: Sequence[str]
) -> list[Problem]:
    """The problems without secrets: those of the units, and what looks like one in the files where something is wrong.

    ``documents`` are all files that were read, and ``unreadable`` the texts of those that are no TOML.
    """
    if not problems:
        return []
    wrong = {problem.where.file for problem in problems}
    texts = [document.text for document in documents if document.file in wrong and written_mask(document.values) != ()]
    quoted = Secrets(secrets.values, secrets.names)
    quoted.add(found for document in documents for found in find_in_values(document.values))
    quoted.add(found for text in [*texts, *unreadable] for found in find_in_text(text))
    return [mask_problem(problem, quoted) for problem in problems] if quoted else problems


def mask_problem(problem: Problem, secrets: Secrets) -> Problem:
    """A problem that quotes no secret."""
    said = secrets.mask_quoted
    also = tuple((said(words), _mask_place(place, said)) for words, place in problem.also)
    return replace(problem, what=said(problem.what), where=_mask_place(problem.where, said), hint=said(problem.hint), also=also)


def _mask_place(place: Place, said: Callable[[str], str]) -> Place:
    """The same place; its column is that of the file, and in the line that is shown it may stand further to the left."""
    file, text = said(place.file), said(place.text)
    if (file, text) == (place.file, place.text):
        return place
    before = place.text[: max(place.column - 1, 0)]
    return replace(place, file=file, text=text, shift=len(before) - len(said(before)))
