"""What keys cannot stand together, and what a kind of unit must or cannot have.

Each rule looks at which keys were written, not only at their values: a default is never in the way, and what was written is
never passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, get_args

from ..core.unit import Kind, ProbeKind, is_above
from .convert import Finding, find_meant, is_foreign_table
from .describe import join_words
from .keys import KINDS, UnitFile
from .values import quote

PROBES: Final[tuple[ProbeKind, ...]] = get_args(ProbeKind)
COME_BY_THEMSELVES: Final[tuple[ProbeKind, ...]] = ("log", "notify", "sync")
"""Those whose answer the unit gives unasked, so that they have no interval where it is to be ready."""

_NO_TARGET: Final = 'a unit without "command" or "script" is a target'


class Written(NamedTuple):
    """A unit file, the keys that were written, and which of them are known to be wrong already."""

    file: UnitFile
    keys: Mapping[str, object]
    wrong: frozenset[str]

    @property
    def kind(self) -> Kind:
        """The type that it says, else what its keys make of it."""
        return self.file.type or ("oneshot" if "command" in self.keys or "script" in self.keys else "target")

    def table(self, key: str) -> Mapping[str, object]:
        """The keys written in a table; none where it is no table, or wrong already."""
        value = self.keys.get(key)
        return value if isinstance(value, dict) and key not in self.wrong else {}


def wrong_keys(findings: Iterable[Finding]) -> frozenset[str]:
    """The keys at the top that something is wrong with. One that is mistyped stands for the one that was probably meant.

    A table that other tools would have holds, most probably, the command.
    """
    wrong = {str(finding.path[0]) for finding in findings if finding.path}
    known = UnitFile.__struct_encode_fields__
    unknown = wrong.difference(known)
    meant = {"command" if is_foreign_table(key) else find_meant(key, known) for key in unknown}
    return frozenset(wrong.union(key for key in meant if key))


def check_rules(written: Written) -> Iterator[Finding]:
    """All contradictions of one unit file."""
    if not written.wrong & {"type", "command", "script"}:
        yield from _check_kind(written)
    yield from _check_two_commands(written)
    yield from _check_probe(written, "ready")
    yield from _check_probe(written, "health")
    yield from _check_ready_interval(written)
    yield from _check_reload(written)
    yield from _check_conditions(written)
    yield from _check_requires(written)
    yield from _check_limits(written)
    for key in ("retry", "restart"):
        yield from _check_delays(written, key)


def _check_kind(written: Written) -> Iterator[Finding]:
    kind = written.kind
    if kind in ("oneshot", "service") and "command" not in written.keys and "script" not in written.keys:
        yield Finding(("type",), f"cannot make a {kind} without a command", 'add "command" or "script"')
    for key in written.keys:
        kinds = KINDS.get(key)
        if kinds and kind not in kinds:
            told = written.file.type is not None
            also = (("its type", ("type",)),) if told else ()
            hint = "" if told else _hint_of_kind(kind)
            who = "an external unit" if kind == "external" else f"a {kind}"
            owners = join_words([f"{owner} unit" if owner == "external" else owner for owner in kinds])
            yield Finding((key,), f'cannot use "{key}" on {who}: only a {owners} has it', hint, also)


def _hint_of_kind(kind: Kind) -> str:
    return _NO_TARGET if kind == "target" else 'a unit with a command is a oneshot, unless it says type = "service"'


def _check_two_commands(written: Written) -> Iterator[Finding]:
    if "command" in written.keys and "script" in written.keys:
        also = (("the other one", ("command",)),)
        yield Finding(
            ("script",), 'cannot use both "command" and "script": a unit executes one thing', "remove one of them", also
        )


def _check_probe(written: Written, name: str) -> Iterator[Finding]:
    if name not in written.keys or name in written.wrong:
        return
    table = written.table(name)
    kinds = [key for key in table if key in PROBES]
    if not kinds and (name == "health" or set(table) != {"delay"}):
        known = [kind for kind in PROBES if (name, kind) != ("health", "sync")]
        hint = f"write one of {join_words(known)}" + (', or "delay" alone' if name == "ready" else "")
        yield Finding((name,), f'cannot use "{name}" without a question to ask', hint)
    for other in kinds[1:]:
        what = f'cannot use both "{name}.{kinds[0]}" and "{name}.{other}": one thing is asked'
        yield Finding((name, other), what, "remove one of them", (("the other one", (name, kinds[0])),))
    for flag in ("notify", "sync"):
        if flag in kinds and table[flag] is False:
            yield Finding((name, flag), f'cannot use false for "{name}.{flag}": it can only be true', "leave it out")
    if "status" in table and "http" not in table:
        yield Finding((name, "status"), f'cannot use "{name}.status" without "{name}.http": only HTTP has statuses')


def _check_ready_interval(written: Written) -> Iterator[Finding]:
    table = written.table("ready")
    for kind in COME_BY_THEMSELVES:
        if "interval" in table and kind in table:
            what = f'cannot use "ready.interval" with "ready.{kind}": nothing is asked again and again'
            yield Finding(("ready", "interval"), what, "remove it", (("what comes by itself", ("ready", kind)),))


def _check_reload(written: Written) -> Iterator[Finding]:
    if "reload" not in written.keys or "reload" in written.wrong:
        return
    table = written.table("reload")
    if not table:
        yield Finding(("reload",), 'cannot use "reload" without "command" or "signal"', 'such as reload = { signal = "SIGHUP" }')
    if len(table) > 1:
        what = 'cannot use both "reload.command" and "reload.signal": one of them is the way'
        yield Finding(("reload", "signal"), what, "remove one of them", (("the other one", ("reload", "command")),))


def _check_conditions(written: Written) -> Iterator[Finding]:
    if "if" in written.keys and "if" not in written.wrong and not any(written.table("if").values()):
        yield Finding(("if",), 'cannot use "if" without a condition', 'such as if = { exists = "~/project" }')


def _check_requires(written: Written) -> Iterator[Finding]:
    if "requires" in written.keys and "after" not in written.keys:
        hint = 'an entry of "before" says its own: { unit = "NAME", requires = "completion" }' if "before" in written.keys else ""
        yield Finding(("requires",), 'cannot use "requires" without "after": it says what is needed of those', hint)


def _check_limits(written: Written) -> Iterator[Finding]:
    for name, said in written.table("limits").items():
        if isinstance(said, dict) and len(said) == 2:
            limit = getattr(written.file.limits, "as_" if name == "as" else name)
            if is_above(limit.soft, limit.hard):
                what = f'cannot use a "limits.{name}.soft" of {quote(said["soft"])}: it is above "limits.{name}.hard"'
                also = ((f"which is {quote(said['hard'])}", ("limits", name, "hard")),)
                yield Finding(("limits", name, "soft"), what, also=also)


def _check_delays(written: Written, key: str) -> Iterator[Finding]:
    table = written.table(key)
    value = getattr(written.file, key)
    if "delay" in table and "max-delay" in table and value.delay > value.max_delay:
        what = f'cannot use a "{key}.delay" of {quote(table["delay"])}: it is longer than "{key}.max-delay"'
        yield Finding((key, "delay"), what, also=((f"which is {quote(table['max-delay'])}", (key, "max-delay")),))
