"""Whose the processes of a unit are, and what their environment says of that.

A unit with ``user`` inherits the environment of the supervisor as every other does, but three sorts of variables in it are of
a person, not of a machine. ``HOME``, ``USER``, ``LOGNAME`` and ``SHELL`` are those of the unit's user. Where that is somebody
else than the supervisor's, what names the places and the sessions of the supervisor's user is left out: none of it can be
used by another, and a program that tries fails in odd ways. Everything else stays, secrets too: what a unit is not to
have, its supervisor must not have.

The same holds for ``${VAR}`` and ``~`` in the unit's file, so that both always say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .unit import Value

OF_A_PERSON: Final = ("HOME", "USER", "LOGNAME", "SHELL")
"""Variables that a unit with ``user`` gets from the account of that user."""

OF_A_SESSION: Final = (
    *("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_SESSION_ID"),
    *("DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "XAUTHORITY", "MAIL"),
    *("SUDO_USER", "SUDO_UID", "SUDO_GID", "SUDO_COMMAND"),
)
"""Variables that a unit of another user does not inherit."""

_NO_SHELLS: Final = ("", "nologin", "false")


class Account(Value, frozen=True, kw_only=True):
    """A user of the machine."""

    name: str
    """For a number that nobody has, the number."""
    uid: int
    gid: int | None = None
    """None: nobody says."""
    home: str = "/"
    shell: str = ""


def environment_of(account: Account, environment: Mapping[str, str], *, is_own: bool) -> dict[str, str]:
    """What a unit of this user inherits of an environment. ``is_own``: it is the supervisor's user too."""
    left_out = () if is_own else OF_A_SESSION
    inherited = {name: value for name, value in environment.items() if name not in left_out}
    has_shell = account.shell.rpartition("/")[2] not in _NO_SHELLS
    about = (account.home, account.name, account.name, account.shell if has_shell else "/bin/sh")
    return inherited | dict(zip(OF_A_PERSON, about, strict=True))


def without_person(environment: Mapping[str, str]) -> dict[str, str]:
    """What is known of the environment of a user who is not there yet."""
    return {name: value for name, value in environment.items() if name not in (*OF_A_PERSON, *OF_A_SESSION)}
