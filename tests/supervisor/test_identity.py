from __future__ import annotations

import grp
import os
import pwd
from typing import Any

import pytest

from runner.core.account import Account
from runner.core.unit import Unit
from runner.supervisor.identity import find_account, find_identity
from runner.supervisor.spawn import Identity, Setting, SpawnError

OWN = pwd.getpwuid(os.geteuid())
OTHER = next(entry for entry in pwd.getpwall() if entry.pw_uid != os.geteuid() and entry.pw_gid != os.getegid())
NO_ID = 3_999_999_999


def find(**keys: Any) -> Identity | None:
    unit = Unit(name="a", kind="oneshot", **keys)
    return find_identity(unit, find_account(unit))


def refused(**keys: Any) -> str:
    with pytest.raises(SpawnError) as caught:
        find(**keys)
    assert caught.value.stage == "user"
    return caught.value.reason


def test_who_says_nothing_stays_who_the_supervisor_is() -> None:
    assert find_account(Unit(name="a", kind="oneshot")) is None
    assert find() is None
    assert find(user=OWN.pw_name, user_group=str(os.getegid())) is None
    assert Setting({}).other_uid is None


def test_another_user_has_the_groups_of_that_user_alone() -> None:
    groups = tuple(os.getgrouplist(OTHER.pw_name, OTHER.pw_gid))
    identity = find(user=OTHER.pw_name)
    assert identity == find(user=str(OTHER.pw_uid)) == Identity(OTHER.pw_uid, OTHER.pw_gid, groups)
    assert OTHER.pw_gid in groups
    assert Setting({}, identity=identity).other_uid == OTHER.pw_uid


def test_a_group_takes_the_place_of_the_user_s() -> None:
    identity = find(user=OTHER.pw_name, user_group=str(NO_ID))
    assert identity
    assert (identity.gid, NO_ID in (identity.groups or ())) == (NO_ID, True)


def test_a_group_alone_leaves_the_supervisor_s_others() -> None:
    identity = find(user_group=str(NO_ID))
    assert identity == find(user=OWN.pw_name, user_group=str(NO_ID)) == Identity(os.geteuid(), NO_ID)
    assert Setting({}, identity=identity).other_uid is None


def test_a_number_without_an_account() -> None:
    assert find(user=str(NO_ID), user_group=grp.getgrgid(0).gr_name) == Identity(NO_ID, 0, (0,))
    assert find_account(Unit(name="a", kind="oneshot", user=str(NO_ID))) == Account(name=str(NO_ID), uid=NO_ID)
    assert refused(user=str(NO_ID)) == f'cannot run as the user "{NO_ID}": no account says which group it has'


def test_who_is_not_there() -> None:
    assert refused(user="no-such-user") == 'cannot run as the user "no-such-user": there is no such user'
    assert refused(user_group="no-such-group") == 'cannot run with the group "no-such-group": there is no such group'
