"""What each invocation starts with: its environment, its directory, whom it becomes, and the sockets that it is told of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from ..core.account import Account, environment_of
from ..core.unit import Unit
from ..core.values import NOTHING
from ..core.words import say_os_error
from .annex import Annex
from .environment import base_environment, unit_environment
from .notify import NotifySocket
from .output import LogFile
from .paths import StatePaths, runtime_directory
from .spawn import Environment, Identity, Setting, SpawnError
from .stand_in import has_coder, make_stand_in, remove_stand_in
from .values import ValueFiles
from .warning import warn_on_stderr

_NOTHING_MORE: Environment = {}
_T = TypeVar("_T")


class Settings:
    """The settings of a run's invocations, from the supervisor's own environment on.

    ``annex`` is the place for what units of other users must reach; ``learn`` gets what a unit finds in its environment where
    that was not known before: from its files, and from other units; ``warn`` gets what units are to do without, in words.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        annex: Annex,
        learn: Callable[[Unit, Environment], None],
        warn: Callable[[str], None] = warn_on_stderr,
    ) -> None:
        self.socket = ""
        """The sync socket; empty where none is served."""
        self._annex = annex
        self._environment = environment
        self._learn = learn
        self._warn = warn
        self._base = base_environment(environment)
        self._stand_in = ""
        """The directory for the PATH of units that have no ``coder``."""
        self._value_files: ValueFiles | None = None

    def offer_socket(self, path: str) -> None:
        """Let the units know the sync socket, and let those who have no ``coder`` find one."""
        self.socket = self._annex.key = path
        self._base |= _say_socket(path)
        try:
            make_stand_in(f"{path}.bin")
        except OSError as error:
            where = f': "{error.filename}"' if error.filename else ""
            self._warn(f'cannot make a "coder" for units that have none: {error.strerror}{where}')
        else:
            self._stand_in = f"{path}.bin"

    def offer_values(self) -> None:
        """Let the units give values to those after them.

        The place for that belongs to the sync socket, which no other supervisor serves.
        """
        try:
            place = self.socket or f"{runtime_directory(self._environment)}/{os.getpid()}"
            self._value_files = ValueFiles(f"{place}.env")
        except OSError as error:
            self._warn(f'cannot let units give values to others, RUNNER_ENV is not set: {error.strerror}: "{error.filename}"')

    def make_notify_socket(self, unit: Unit, invocation: str) -> NotifySocket | None:
        """The socket on which a unit says how it is, where it is to say so. Raises :class:`SpawnError`."""
        probes = (unit.ready and unit.ready.probe, unit.health and unit.health.probe)
        if not any(probe and probe.by == "notify" for probe in probes):
            return None
        _, identity = _find_identity(unit)
        if identity and identity.is_other:
            uid = identity.uid
            return _give(unit.user, "a socket", lambda: NotifySocket(self._annex.notify_path(invocation), uid))
        try:
            return NotifySocket(f"{runtime_directory(self._environment)}/notify-{invocation}.sock")
        except OSError as error:
            raise SpawnError("spawn", f"cannot make its notify socket: {error}") from None

    def make(
        self,
        unit: Unit,
        invocation: str,
        attempt: int,
        notify: NotifySocket | None,
        received: Mapping[str, str] = NOTHING,
        more: Environment = _NOTHING_MORE,
    ) -> Setting:
        """The setting of one invocation that receives these values. Attempt 0 is a look whether the unit need run.

        ``more`` is what else it is told. Raises :class:`SpawnError`.
        """
        account, identity = _find_identity(unit)
        uid = identity.uid if identity and identity.is_other else None
        base = self._base_of(account, is_other=uid is not None) if account else self._base
        environment = unit_environment(base, unit, invocation, attempt, received, uid)
        environment.update(more)
        if unit.env_file or (received and unit.mask):
            self._learn(unit, environment)
        if self._stand_in and not has_coder(path := os.fsdecode(environment.get(b"PATH", b""))):
            stand_in = self._stand_in if uid is None else _give(unit.user, "a coder", self._annex.stand_in)
            environment[b"PATH"] = os.fsencode(f"{path or os.defpath}:{stand_in}")
        if notify:
            environment[b"NOTIFY_SOCKET"] = os.fsencode(notify.path)
        if unit.health and unit.health.probe.by == "notify":
            environment[b"WATCHDOG_USEC"] = b"%d" % (unit.health.probe.interval * 1_000_000)
        values_file = self._values_file(unit, invocation, uid) if attempt else ""
        if values_file:
            environment[b"RUNNER_ENV"] = os.fsencode(values_file)
        umask = -1 if unit.umask is None else unit.umask
        return Setting(environment, unit.cwd or None, umask, unit.nice, values_file, unit.limits, identity)

    def _base_of(self, account: Account, *, is_other: bool) -> dict[bytes, bytes]:
        """The base of a unit that has a ``user``, with the sync socket that this user may connect to."""
        base = base_environment(environment_of(account, self._environment, is_own=not is_other))
        if not self.socket:
            return base
        make = lambda: self._annex.socket_for(account.uid)  # noqa: E731
        return base | _say_socket(_give(account.name, "a socket", make) if is_other else self.socket)

    def _values_file(self, unit: Unit, invocation: str, uid: int | None) -> str:
        """Where an invocation writes the values that it gives; empty where none can."""
        if self._value_files is None:
            return ""
        if uid is None:
            return self._value_files.path(invocation)
        return _give(unit.user, "a file for RUNNER_ENV", lambda: self._annex.values_file(invocation, uid))

    def own(self, unit: Unit, uid: int | None) -> dict[bytes, bytes]:
        """What of a unit's environment is its own: neither the supervisor's nor what the runner tells it.

        ``uid`` is that of its processes where it is another than ours. Raises :class:`SpawnError`.
        """
        own = unit_environment({}, unit, "", 0, uid=uid)
        return {name: value for name, value in own.items() if not name.startswith(b"RUNNER_")}

    def close(self) -> None:
        """Leave nothing behind."""
        if self._stand_in:
            remove_stand_in(self._stand_in)
        if self._value_files:
            self._value_files.close()


def make_log(
    unit: Unit, setting: Setting, paths: StatePaths, on_error: Callable[[str], None], on_state_error: Callable[[str], None]
) -> LogFile:
    """The log of an invocation. ``on_error`` hears of a file that the unit names itself, ``on_state_error`` of the usual one."""
    log, uid = unit.log, setting.other_uid
    if not log.file:
        return LogFile(paths.log(unit.name), log.max_size, log.keep, on_state_error)
    if uid is None:
        return LogFile(log.file, log.max_size, log.keep, on_error)
    from .guarded import GuardedLog

    return GuardedLog(log.file, log.max_size, log.keep, on_error, uid)


def _give(user: str, what: str, make: Callable[[], _T]) -> _T:
    """Make something that another user is to reach. Raises :class:`SpawnError`."""
    try:
        return make()
    except OSError as error:
        raise SpawnError("user", f'cannot give the user "{user}" {what}: {say_os_error(error)}') from None


def _say_socket(path: str) -> dict[bytes, bytes]:
    return {b"RUNNER_SOCKET": os.fsencode(path), b"CODER_AGENT_SOCKET_PATH": os.fsencode(path)}


def _find_identity(unit: Unit) -> tuple[Account | None, Identity | None]:
    """Whom a unit names, and whom its processes become. Nothing is imported for units that say nothing of it."""
    if not unit.user and not unit.user_group:
        return None, None
    from .identity import find_account, find_identity

    account = find_account(unit)
    return account, find_identity(unit, account)
