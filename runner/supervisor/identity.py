"""Whom a unit's processes become, and what they are told of that: ``user`` and ``group`` of a unit, looked up at each start.

Looked up anew, because a unit before this one may have made the user. Nothing is left of the supervisor's own groups: those
are its user's, or, for a number without an account, the one that the unit names.
"""

from __future__ import annotations

import os

from ..core.account import Account
from ..core.unit import Unit
from ..unitfile.files import find_group, find_user
from .spawn import Identity, SpawnError


def find_account(unit: Unit) -> Account | None:
    """The user that a unit names; None where it names none. Raises :class:`SpawnError`."""
    if not unit.user:
        return None
    account = find_user(unit.user)
    if account is None:
        raise SpawnError("user", f'cannot run as the user "{unit.user}": there is no such user')
    return account


def find_identity(unit: Unit, account: Account | None) -> Identity | None:
    """Whom its processes become; None where that is who the supervisor is. Raises :class:`SpawnError`."""
    own_uid, own_gid = os.geteuid(), os.getegid()
    uid = account.uid if account else own_uid
    gid = _find_gid(unit, account)
    if (uid, gid) == (own_uid, own_gid):
        return None
    if account is None or uid == own_uid:
        return Identity(uid, gid)
    return Identity(uid, gid, tuple(os.getgrouplist(account.name, gid)) if account.gid is not None else (gid,))


def _find_gid(unit: Unit, account: Account | None) -> int:
    if unit.user_group:
        gid = find_group(unit.user_group)
        if gid is None:
            raise SpawnError("user", f'cannot run with the group "{unit.user_group}": there is no such group')
        return gid
    if account is None:
        return os.getegid()
    if account.gid is None:
        raise SpawnError("user", f'cannot run as the user "{unit.user}": no account says which group it has')
    return account.gid
