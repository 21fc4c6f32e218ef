from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from runner.core.account import Account
from runner.core.unit import UNLIMITED, Command, Limit, Unit
from runner.unitfile.rights import check_rights, environment_for

USERS = {
    "root": Account(name="root", uid=0, gid=0, home="/root"),
    "ann": Account(name="ann", uid=1000, gid=1000, home="/home/ann"),
    "bob": Account(name="bob", uid=1001, gid=1001, home="/home/bob"),
}
GROUPS = {"root": 0, "ann": 1000, "staff": 50}


class Machine:
    """One with three users, on which the process is one of them."""

    def __init__(self, own: str, *capabilities: str, nice: int = 0, hard: int = 4096) -> None:
        self.ids = (USERS[own].uid, USERS[own].gid or 0) if own in USERS else (int(own), int(own))
        self.capabilities = capabilities
        self.nice = nice
        self.hard = hard

    def user(self, name: str) -> Account | None:
        if name.isdecimal():
            return next((user for user in USERS.values() if user.uid == int(name)), Account(name=name, uid=int(name)))
        return USERS.get(name)

    def group(self, name: str) -> int | None:
        return int(name) if name.isdecimal() else GROUPS.get(name)

    def user_names(self) -> Iterable[str]:
        return USERS

    def group_names(self) -> Iterable[str]:
        return GROUPS

    def may(self, capability: str) -> bool:
        return capability in self.capabilities

    def lowest_nice(self) -> int:
        return self.nice

    def hard_limit(self, name: str) -> int:
        return self.hard


ROOT = Machine("root", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_NICE", "CAP_SYS_RESOURCE")
IN_CONTAINER = Machine("root", "CAP_SETUID", "CAP_SETGID")
ANN = Machine("ann")


def told(machine: Machine, **keys: Any) -> list[tuple[str, str, str]]:
    """What is told of a unit: how bad it is, what, and the hint."""
    unit = Unit(name="a", kind="oneshot", command=Command(shell="x"), **keys)
    return [(finding.severity, finding.what, finding.hint) for finding in check_rights(unit, machine)]


@pytest.mark.parametrize(
    ("machine", "keys"),
    [
        (ROOT, {}),
        (ROOT, {"user": "ann"}),
        (ROOT, {"user": "1000", "user_group": "staff"}),
        (ROOT, {"user": "4711", "user_group": "4711"}),
        (ROOT, {"user_group": "staff", "nice": -20}),
        (ROOT, {"limits": {"core": Limit(hard=UNLIMITED, soft=UNLIMITED)}}),
        (ANN, {"user": "ann"}),
        (ANN, {"user": "1000", "user_group": "ann"}),
        (ANN, {"user_group": "1000", "nice": 0}),
        (ANN, {"nice": 19}),
        (ANN, {"limits": {"nofile": Limit(soft=4096, hard=4096), "core": Limit(soft=5), "as": Limit(hard=0)}}),
        (Machine("ann", nice=-5), {"nice": -5}),
        (Machine("ann", hard=UNLIMITED), {"limits": {"core": Limit(soft=UNLIMITED, hard=UNLIMITED)}}),
        (Machine("ann", hard=UNLIMITED), {"limits": {"core": Limit(soft=UNLIMITED)}}),
    ],
)
def test_what_may_be(machine: Machine, keys: dict[str, Any]) -> None:
    assert told(machine, **keys) == []


def test_another_user() -> None:
    what = 'cannot run as the user "bob": the runner runs as "ann" and may not become another'
    assert told(ANN, user="bob") == [("error", what, 'start the runner as root, or remove "user"')]
    (who_is_not_there,) = told(ANN, user="bbo")
    assert who_is_not_there[0] == "error"


@pytest.mark.parametrize("has", ["CAP_SETUID", "CAP_SETGID"])
def test_root_that_may_not(has: str) -> None:
    lacks = ({"CAP_SETUID", "CAP_SETGID"} - {has}).pop()
    what = 'cannot run as the user "ann": the runner runs as "root" and may not become another'
    hint = f'give it the capability {lacks}, or remove "user"'
    assert told(Machine("root", has), user="ann") == [("error", what, hint)]


def test_a_runner_of_a_user_that_nobody_knows() -> None:
    ((_, what, _),) = told(Machine("4711"), user="ann")
    assert what == 'cannot run as the user "ann": the runner runs as "4711" and may not become another'


def test_a_user_that_is_not_there_yet() -> None:
    hint = "fine if an earlier unit makes it"
    assert told(ROOT, user="zzzzz") == [("warning", 'cannot find the user "zzzzz"', hint)]
    assert told(ROOT, user="rot") == [("warning", 'cannot find the user "rot"', f'did you mean "root"? It is {hint}')]


def test_a_number_without_an_account_says_no_group() -> None:
    what = 'cannot tell the group of the user "4711": there is no account with this number'
    assert told(ROOT, user="4711") == [("error", what, 'write a "group" too')]


def test_another_group() -> None:
    what = 'cannot run with the group "staff": the runner runs as "ann" and may not take on another'
    assert told(ANN, user_group="staff") == [("error", what, 'start the runner as root, or remove "group"')]
    hint = 'did you mean "staff"? It is fine if an earlier unit makes it'
    assert told(ROOT, user_group="stafff") == [("warning", 'cannot find the group "stafff"', hint)]


def test_a_low_nice_value() -> None:
    what = 'cannot use a "nice" of -1: the lowest that the runner may give here is 0'
    assert told(ANN, nice=-1) == [("error", what, "start the runner as root")]
    assert told(IN_CONTAINER, nice=-1) == [("error", what, "give it the capability CAP_SYS_NICE")]


@pytest.mark.parametrize(("limit", "said"), [(4097, "4097"), (UNLIMITED, "unlimited")])
def test_a_high_limit(limit: int, said: str) -> None:
    what = f'cannot raise "limits.nofile" to {said}: the runner may go up to 4096'
    limits = {"nofile": Limit(soft=5, hard=limit)}
    assert told(ANN, limits=limits) == [("error", what, "start the runner as root")]
    assert told(IN_CONTAINER, limits=limits) == [("error", what, "give it the capability CAP_SYS_RESOURCE")]
    assert told(ROOT, limits=limits) == []


@pytest.mark.parametrize("machine", [ANN, ROOT])
def test_a_soft_limit_above_the_hard_one_that_there_is(machine: Machine) -> None:
    what = 'cannot use 4097 for "limits.nofile.soft": the hard limit is 4096'
    assert told(machine, limits={"nofile": Limit(soft=4097)}) == [("error", what, 'write "hard" too')]


def test_nothing_is_told_of_what_has_no_processes() -> None:
    assert list(check_rights(Unit(name="a", kind="target", user="bob", nice=-20), ANN)) == []


def test_variables_are_looked_up_for_the_unit_s_user() -> None:
    environment = {"HOME": "/root", "XDG_DATA_HOME": "/root/data", "PATH": "/bin"}
    assert environment_for("", ROOT, environment) is environment
    of_ann = environment_for("ann", ROOT, environment)
    assert (of_ann["HOME"], of_ann["PATH"], "XDG_DATA_HOME" in of_ann) == ("/home/ann", "/bin", False)
    assert environment_for("root", ROOT, environment)["XDG_DATA_HOME"] == "/root/data"
    assert environment_for("zzzzz", ROOT, environment) == {"PATH": "/bin"}
