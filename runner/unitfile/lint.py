"""What is probably a mistake in a unit that can be used.

A program that is not there, a call of apt without a lock, values for others that come too late.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Protocol

from ..core.unit import Command, Unit
from .convert import Finding
from .values import quote

_PLAIN_WORD: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9_.+-]*)(?=\s|;|$)")
_SHELL_WORDS: Final = frozenset(
    """
    alias bg break case cd command continue do done echo elif else esac eval exec exit export false fg fi for function
    getopts hash if in jobs kill let local newgrp printf pwd read readonly return select set shift source test then
    time times trap true type ulimit umask unalias unset until wait while
    """.split()  # noqa: SIM905
)
"""Words that a shell knows by itself, or that no program stands behind."""
_GIVEN: Final = frozenset({"coder"})
"""Programs that every unit finds, because the supervisor has a stand-in where there is none."""
_APT: Final = re.compile(
    r"""
    (?: ^ | [;&|(`{!] | \b(?:then|do|else|exec|time|command|sudo(?:\s+-\S+)*)\s )   # where a command begins
    \s* (?: [A-Za-z_]\w*=\S*\s+ | env\s+ | nice\s+ )*
    (?: /usr/bin/ )?
    (?: (apt-get|apt|aptitude) (?= \s(?!\s*(?:list|show|search|policy)\b) )
      | (dpkg) (?= \s(?:[^;&|\n]*\s)? (?:-i|-r|-P|-a|--install|--remove|--purge|--configure|--unpack)\b ) )
    """,
    re.VERBOSE | re.MULTILINE,
)
_DEFAULT_SEARCH_PATH: Final = "/bin:/usr/bin"


class HasProgram(Protocol):
    """Tells whether a program is on a search path."""

    def __call__(self, name: str, search_path: str, /) -> bool:
        """Look it up."""


def lint(unit: Unit, search_path: str | None, has_program: HasProgram) -> Iterator[Finding]:
    """Warnings about one unit. ``search_path`` is the supervisor's ``PATH``; the unit's own comes before it."""
    search_path = unit.env.get("PATH", search_path or _DEFAULT_SEARCH_PATH)
    for path, command in _commands(unit):
        program = _program(command)
        if program and program not in _GIVEN and not has_program(program, search_path):
            what = f'cannot find the program {quote(program)} of "{".".join(path)}": it is not on PATH'
            without = "; until then the condition does not hold" if path[0] == "if" and command.shell else ""
            yield Finding(path, what, f"fine if an earlier unit installs it{without}", severity="warning")
    if unit.command is None:
        return
    path = ("script",) if unit.command.script else ("command",)
    if not unit.locks and (call := _find_apt(unit.command)):
        what = f'cannot be sure that {quote(call)} runs alone: the unit has no "locks"'
        yield Finding(path, what, 'write locks = ["apt"] in every unit that calls it', severity="warning")
    if unit.kind == "service" and unit.ready is None and gives_values(unit):
        what = 'cannot read what it writes to $RUNNER_ENV: a service without "ready" is ready before it can write'
        yield Finding(path, what, 'let "ready" say when it has written', severity="warning")


def gives_values(unit: Unit) -> bool:
    """Whether it writes to ``RUNNER_ENV``, as far as one can see."""
    return unit.command is not None and "RUNNER_ENV" in _text(unit.command)


def _commands(unit: Unit) -> Iterator[tuple[tuple[str, ...], Command]]:
    if unit.command:
        yield ("command",), unit.command
    if unit.conditions and unit.conditions.command:
        yield ("if", "command"), unit.conditions.command
    for name, probe in (("ready", unit.ready and unit.ready.probe), ("health", unit.health and unit.health.probe)):
        if probe and probe.command:
            yield (name, "command"), probe.command
    if unit.stop.command:
        yield ("stop", "command"), unit.stop.command
    if unit.reload and unit.reload.command:
        yield ("reload", "command"), unit.reload.command


def _program(command: Command) -> str:
    """The program that a command begins with, where it has to be on PATH; a path is looked up when the unit starts."""
    if command.argv:
        return "" if "/" in command.argv[0] else command.argv[0]
    word = _PLAIN_WORD.match(command.shell)
    return word[1] if word and word[1] not in _SHELL_WORDS else ""


def _text(command: Command) -> str:
    return " ".join(command.argv) or command.shell or command.script


def _find_apt(command: Command) -> str:
    text = _text(command)
    if "apt" not in text and "dpkg" not in text:
        return ""
    match = _APT.search(text)
    return (match[1] or match[2]) if match else ""
