"""Whether a unit need run: its conditions, and whether what it makes is up to date.

Pure: somebody else looks at the world and brings what was :class:`Found`; here is what that means, and how it is said.

The conditions (``if``) come first: where one does not hold, nothing else is asked. Then what the unit makes is up to date if
*every* key that speaks of it says so, and the first that does not is the reason why the unit runs:

- ``creates``: all of these paths are there;
- ``inputs``: their content, the unit's command and its own environment are as at its last success;
- ``once``: it has succeeded since the machine booted, or ever in this workspace.

What is remembered is believed only as far as it can be true
===========================================================

The last success of a unit is kept in the state directory, which may live longer than what the unit made, and less long.

A unit whose last attempt did not succeed is not up to date, though all that it creates may be there: half of it may be
missing inside. So the beginning of an attempt is kept too.

Where nothing is remembered, because the state directory is new or was lost, paths that exist are believed, because nothing
says otherwise; ``inputs`` and ``once`` are not, because only memory could speak for them.

A home volume survives the image. When the system is another one than at the last success, that success speaks for nothing
that was on the old system: ``inputs`` are believed only if all that they are and all that the unit creates is on the volume
of the state directory, and not at all where the unit does not say what it creates. ``once = "workspace"`` is about the
workspace, not about the system, and is believed.

Somebody may force a unit to run though it is up to date; nobody can force a condition.

What a unit gave to the units after it at its last success it gives again when it need not run. Secrets are not kept, and
values that are no text cannot be; a unit that gives such is never up to date, because the units after it would miss them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from .graph import Graph
from .mask import Secrets
from .secret import is_secret
from .unit import Conditions, Unit
from .words import say_count

Verdict = Literal["needed", "unneeded", "failed"]

_NO_TEXT = re.compile("[\ud800-\udfff]")
"""What stands for bytes that are no UTF-8 (``os.fsdecode``)."""


class Content(Struct, frozen=True, omit_defaults=True):
    """What was in a file, or what else was there."""

    digest: str
    """Of what is in it; empty where it is not there."""
    stamp: tuple[int, ...] = ()
    """By which it can be told unchanged without reading it again; empty: it cannot."""


class Made(Struct, frozen=True):
    """What a unit makes its work from."""

    command: str
    """A digest."""
    env: str
    """A digest of its own environment, not of the supervisor's."""
    inputs: dict[str, Content] = {}
    """By path."""


class Memory(Struct, frozen=True, omit_defaults=True):
    """What is kept of a unit from one run to the next: how it was at its last success, or that it has begun since in vain."""

    made: Made | None = None
    """What it was made from; None where its last attempt has not succeeded."""
    boot: str = ""
    """Which boot of the machine that was."""
    system: str = ""
    """On which system, as its root directory tells."""
    values: dict[str, str] = {}
    """What it has handed on to the units after it."""
    has_secrets: bool = False
    """It has handed on more, which is not kept."""


class Found(Struct, frozen=True, kw_only=True):
    """What somebody found who looked at all that the keys of a unit speak of, and at nothing else."""

    there: frozenset[str] = frozenset()
    """Of the paths in its conditions and of those that it creates, the ones that are there."""
    environment: Mapping[str, str] = {}
    """Of the variables in its conditions, those that are set."""
    os: str = ""
    arch: str = ""
    user: str = ""
    memory: Memory | None = None
    """None: nothing is remembered."""
    boot: str = ""
    system: str = ""
    made: Made | None = None
    """What it would be made from now; None where an input cannot be read."""
    unreadable: str = ""
    """Which input cannot be read and why, in words."""
    is_on_volume: bool = True
    """All that it is made from and all that it creates is on the volume of the state directory."""


class Judgement(Struct, frozen=True):
    """Whether a unit need run, and why."""

    verdict: Verdict
    reason: str = ""
    """In words. Of what is needed it is why it is not up to date; empty where it could not be."""
    runs_if: tuple[str, ...] = ()
    """What would make it run: each alone is enough. In words that follow "it runs if"."""
    gives: Mapping[str, str] = {}
    """What it gave to the units after it when it last succeeded, where it is up to date."""


NEEDED = Judgement("needed")
BY_HAND = "somebody restarts it"
"""What makes every unit run that is up to date."""


def judge(unit: Unit, found: Found, *, is_forced: bool = False) -> Judgement:
    """Whether a unit need run, as far as can be told without its condition's command."""
    broken = list(_broken(unit.conditions, found)) if unit.conditions else []
    if broken:
        return Judgement("unneeded", broken[0][0], (" and ".join(wanted for _, wanted in broken),))
    if is_forced:
        return NEEDED
    stale = _stale(unit, found)
    if stale or not could_be_fresh(unit):
        return Judgement("needed", stale)
    gives = found.memory.values if found.memory else {}
    return Judgement("unneeded", _say_fresh(unit, found), (*_what_would_do(unit, found), BY_HAND), gives)


def foresee(graph: Graph, judgements: Mapping[str, Judgement]) -> dict[str, Judgement]:
    """What can be said before anything runs, of the judgements on how things are now.

    A unit that is made from what an earlier one makes is not up to date any more when that one has run. Whether it makes
    something else than before, nobody can know; that it does is the better guess.
    """
    foreseen = dict(judgements)
    making = [name for name, unit in graph.units.items() if unit.creates]
    for name in graph.order():
        unit, judgement = graph.units[name], foreseen.get(name, NEEDED)
        if unit.inputs and BY_HAND in judgement.runs_if:
            before = graph.closure([name]) - {name}
            running = (other for other in making if other in before and foreseen.get(other, NEEDED).verdict == "needed")
            maker = next((other for other in running if _makes_input_of(graph.units[other], unit)), None)
            if maker:
                foreseen[name] = Judgement("needed", f"it is made from what {maker} makes")
    return foreseen


def _makes_input_of(maker: Unit, unit: Unit) -> bool:
    return any(_overlap(made, pattern) for made in maker.creates for pattern in unit.inputs)


def _overlap(path: str, pattern: str) -> bool:
    """Whether what a pattern stands for may be at or below a path, or the path below it."""
    fixed = re.split(r"[*?\[]", pattern)[0]
    if fixed != pattern:
        return path.startswith(fixed) or fixed.startswith(f"{path}/")
    return path == pattern or path.startswith(f"{pattern}/") or pattern.startswith(f"{path}/")


def keepable(unit: Unit, values: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    """Of the values that a unit gives those that may be kept: none that is secret or has a secret in it, nor what is no text."""

    def may_be_kept(name: str, value: str) -> bool:
        return not is_secret(name, unit.mask) and not _NO_TEXT.search(value) and secrets.mask_text(value) == value

    return {name: value for name, value in values.items() if may_be_kept(name, value)}


def could_be_fresh(unit: Unit) -> bool:
    """Whether anything speaks of what the unit makes, so that something is to be remembered of it."""
    return bool(unit.creates or unit.inputs) or unit.once != "run"


# ------------------------------------------------------------------ conditions


def _broken(conditions: Conditions, found: Found) -> Iterator[tuple[str, str]]:
    """Each condition that does not hold: how it is, and how it would have to be."""
    for path in conditions.exists:
        if path not in found.there:
            yield f'"{path}" is not there', f'"{path}" is there'
    for path in conditions.missing:
        if path in found.there:
            yield f'"{path}" is there', f'"{path}" is not there'
    for name, wanted in conditions.env.items():
        yield from _broken_variable(name, wanted, found.environment.get(name))
    for what, words, is_ in (
        ("the system", conditions.os, found.os),
        ("the machine", conditions.arch, found.arch),
        ("the user", conditions.user, found.user),
    ):
        if words and not any(_is_meant(word, is_) for word in words):
            wanted = " or ".join(map(_say_word, words))
            yield f"{what} is {is_}" + ("" if "!" in "".join(words) else f", not {wanted}"), f"{what} is {wanted}"


def _broken_variable(name: str, wanted: str | bool, value: str | None) -> Iterator[tuple[str, str]]:
    is_ = f'{name} is "{value}"' if value else f"{name} is empty" if value is not None else f"{name} is not set"
    if wanted is True:
        if not value:
            yield is_, f"{name} is set"
    elif wanted is False:
        if value:
            yield f"{name} is set", f"{name} is not set"
    elif wanted.startswith("!"):
        if value == wanted[1:]:
            yield is_, f'{name} is not "{value}"'
    elif value != wanted:
        yield is_ + (f', not "{wanted}"' if value else ""), f'{name} is "{wanted}"'


def _is_meant(word: str, is_: str) -> bool:
    return is_ != word[1:] if word.startswith("!") else is_ == word


def _say_word(word: str) -> str:
    return f"not {word[1:]}" if word.startswith("!") else word


# ------------------------------------------------------------------ freshness


def _stale(unit: Unit, found: Found) -> str:
    """Why what the unit makes is not up to date, the reason that says most; empty where it is."""
    memory = found.memory
    if missing := [path for path in unit.creates if path not in found.there]:
        return f"{_say_paths(missing)} {_be(missing)} not there"
    if memory is None:
        return "no success of it is remembered" if unit.inputs or unit.once != "run" else ""
    if unit.inputs and found.made is None:  # at its last success too, perhaps, and then that says nothing
        return found.unreadable
    if memory.made is None:
        return "its last attempt did not succeed"
    if unit.once == "boot" and memory.boot != found.boot:
        return "it has not succeeded since the machine booted"
    if memory.has_secrets:
        return "it hands on what is not kept: a secret, or what is no text"
    return _stale_inputs(unit, found, memory, memory.made, found.made) if unit.inputs and found.made else ""


def _stale_inputs(unit: Unit, found: Found, memory: Memory, before: Made, now: Made) -> str:
    if memory.system != found.system and not (unit.creates and found.is_on_volume):
        return "the system is not the one that it has succeeded on, and what it made there may be gone"
    if before.command != now.command:
        return "its command has changed"
    if before.env != now.env:
        return "its environment has changed"
    return _changed(before.inputs, now.inputs)


def _changed(before: Mapping[str, Content], now: Mapping[str, Content]) -> str:
    paths = [path for path in now if path in before and before[path].digest != now[path].digest]
    paths += [path for path in now if path not in before]
    paths += [path for path in before if path not in now]
    if not paths:
        return ""
    first, others = paths[0], len(paths) - 1
    what = "is new" if first not in before else "is gone" if first not in now or not now[first].digest else "has changed"
    have = "have" if others > 1 else "has"
    if not others:
        return f'"{first}" {what}'
    if what == "has changed":
        return f'"{first}" has changed, and so {have} {say_count(others, "other input")}'
    return f'"{first}" {what}, and {say_count(others, "other input")} {have} changed'


def _say_fresh(unit: Unit, found: Found) -> str:
    said = []
    if unit.creates:
        said.append(f"{_say_paths(unit.creates)} {_be(unit.creates)} there")
    if unit.inputs and found.made:
        said.append(f"{_say_inputs(unit, found.made.inputs)}, its command and its environment are as at its last success")
    if unit.once == "boot":
        said.append("it has succeeded since the machine booted")
    if unit.once == "workspace":
        said.append("it has succeeded in this workspace")
    return ", and ".join(said)


def _say_inputs(unit: Unit, inputs: Mapping[str, Content]) -> str:
    """How many there are, and which are not there: most likely the name of such a one is wrong, and it would never change."""
    gone = [path for path, content in inputs.items() if not content.digest]
    if len(gone) == len(inputs):
        return f"no input is there ({_say_paths(gone or unit.inputs)})"
    missing = f" ({_say_paths(gone)} {_be(gone)} not there)" if gone else ""
    return say_count(len(inputs) - len(gone), "input") + missing


def _what_would_do(unit: Unit, found: Found) -> Iterator[str]:
    if unit.creates:
        yield f"{_say_paths(unit.creates, 'or')} is not there"
    if unit.inputs and found.made:
        paths = list(found.made.inputs)
        yield f"{_say_paths(paths, 'or')} changes" if paths else f"there is an input: {', '.join(unit.inputs)}"
        yield "its command or its environment changes"
    if unit.once == "boot":
        yield "the machine boots"
    if unit.once == "workspace":
        yield "the state directory is new"


def _say_paths(paths: tuple[str, ...] | list[str], join: Literal["and", "or"] = "and") -> str:
    """``"a"``, ``"a" and "b"``, ``"a" and 2 others``."""
    if len(paths) == 2:
        return f'"{paths[0]}" {join} "{paths[1]}"'
    more = len(paths) - 1
    if join == "or" and more:
        return f'"{paths[0]}" or one of {more} others'
    return f'"{paths[0]}"' + (f" and {more} others" if more else "")


def _be(paths: tuple[str, ...] | list[str]) -> str:
    return "is" if len(paths) == 1 else "are"
