"""What a unit asks for that only root may have: another user or group, a lower niceness, a higher hard limit.

It is told before anything starts, of the process that reads the files: for ``runner up`` that is the supervisor. What this
process may not do is an error, because the unit could never start. A user or a group that nobody has is only a warning where
this process could become that user, because an earlier unit may make it; if none has, the unit fails when it is its turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from ..core.account import Account, environment_of, without_person
from ..core.unit import Unit, is_above, say_limit
from .convert import Finding
from .values import did_you_mean, quote

if TYPE_CHECKING:
    from .files import Capability

_AS_ROOT = "start the runner as root"


class Machine(Protocol):
    """What has to be known of this machine and this process (``files.py``)."""

    @property
    def ids(self) -> tuple[int, int]:
        """The user and the group of this process."""

    def user(self, name: str, /) -> Account | None:
        """The account of a name or number."""

    def group(self, name: str, /) -> int | None:
        """The number of a group."""

    def user_names(self) -> Iterable[str]:
        """All users."""

    def group_names(self) -> Iterable[str]:
        """All groups."""

    def may(self, capability: Capability, /) -> bool:
        """Whether this process has a capability."""

    def lowest_nice(self) -> int:
        """The niceness below which a process needs CAP_SYS_NICE."""

    def hard_limit(self, name: str, /) -> int:
        """The hard limit of a resource."""


def environment_for(user: str, machine: Machine, environment: Mapping[str, str]) -> Mapping[str, str]:
    """What variables stand for in the file of a unit with this ``user``; empty: it has none."""
    if not user:
        return environment
    account = machine.user(user)
    if account is None:
        return without_person(environment)
    return environment_of(account, environment, is_own=account.uid == machine.ids[0])


def check_rights(unit: Unit, machine: Machine) -> Iterator[Finding]:
    """What this process may not do for a unit, and whom this machine does not know.

    A unit without a command has no processes. That it cannot have these keys is told elsewhere.
    """
    if unit.command is None:
        return
    if unit.user:
        yield from _check_user(unit, machine)
    if unit.user_group:
        yield from _check_group(unit, machine)
    if unit.nice is not None and unit.nice < machine.lowest_nice() and not machine.may("CAP_SYS_NICE"):
        what = f'cannot use a "nice" of {unit.nice}: the lowest that the runner may give here is {machine.lowest_nice()}'
        yield Finding(("nice",), what, _hint("CAP_SYS_NICE", machine))
    for name in unit.limits:
        yield from _check_limit(unit, name, machine)


def _check_user(unit: Unit, machine: Machine) -> Iterator[Finding]:
    account = machine.user(unit.user)
    if account and account.uid == machine.ids[0]:
        return
    if lacking := next((one for one in ("CAP_SETUID", "CAP_SETGID") if not machine.may(one)), None):
        what = f"cannot run as the user {quote(unit.user)}: the runner runs as {_say_own(machine)} and may not become another"
        yield Finding(("user",), what, f'{_hint(lacking, machine)}, or remove "user"')
    elif account is None:
        yield _unknown("user", unit.user, machine.user_names())
    elif account.gid is None and not unit.user_group:
        what = f"cannot tell the group of the user {quote(unit.user)}: there is no account with this number"
        yield Finding(("user",), what, 'write a "group" too')


def _check_group(unit: Unit, machine: Machine) -> Iterator[Finding]:
    number = machine.group(unit.user_group)
    if number == machine.ids[1]:
        return
    if not machine.may("CAP_SETGID"):
        who = f"the runner runs as {_say_own(machine)} and may not take on another"
        what = f"cannot run with the group {quote(unit.user_group)}: {who}"
        yield Finding(("group",), what, f'{_hint("CAP_SETGID", machine)}, or remove "group"')
    elif number is None:
        yield _unknown("group", unit.user_group, machine.group_names())


def _unknown(key: str, name: str, known: Iterable[str]) -> Finding:
    near = did_you_mean(name, known)
    hint = "fine if an earlier unit makes it"
    return Finding((key,), f"cannot find the {key} {quote(name)}", f"{near} It is {hint}" if near else hint, severity="warning")


def _check_limit(unit: Unit, name: str, machine: Machine) -> Iterator[Finding]:
    limit, highest = unit.limits[name], machine.hard_limit(name)
    if limit.hard is None:
        if limit.soft is not None and is_above(limit.soft, highest):
            what = f'cannot use {say_limit(limit.soft)} for "limits.{name}.soft": the hard limit is {say_limit(highest)}'
            yield Finding(("limits", name, "soft"), what, 'write "hard" too')
    elif is_above(limit.hard, highest) and not machine.may("CAP_SYS_RESOURCE"):
        what = f'cannot raise "limits.{name}" to {say_limit(limit.hard)}: the runner may go up to {say_limit(highest)}'
        yield Finding(("limits", name), what, _hint("CAP_SYS_RESOURCE", machine))


def _say_own(machine: Machine) -> str:
    account = machine.user(str(machine.ids[0]))
    return f'"{account.name}"' if account else f"user {machine.ids[0]}"


def _hint(capability: str, machine: Machine) -> str:
    """Root that may not is root in a container, most probably."""
    return f"give it the capability {capability}" if machine.ids[0] == 0 else _AS_ROOT
