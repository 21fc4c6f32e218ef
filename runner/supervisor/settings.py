"""What each invocation starts with: its environment, its directory, and the sockets that it is told of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ..core.unit import Unit
from ..core.values import NOTHING
from .environment import base_environment, unit_environment
from .notify import NotifySocket
from .paths import runtime_directory
from .spawn import Environment, Setting, SpawnError
from .stand_in import has_coder, make_stand_in, remove_stand_in
from .values import ValueFiles
from .warning import warn_on_stderr

_NOTHING_MORE: Environment = {}


class Settings:
    """The settings of a run's invocations, from the supervisor's own environment on.

    ``learn`` gets what a unit finds in its environment where that was not known before: from its files, and from other units.
    ``warn`` gets what units are to do without, in words.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        learn: Callable[[Unit, Environment], None],
        warn: Callable[[str], None] = warn_on_stderr,
    ) -> None:
        self.socket = ""
        """The sync socket; empty where none is served."""
        self._environment = environment
        self._learn = learn
        self._warn = warn
        self._base = base_environment(environment)
        self._stand_in = ""
        """The directory for the PATH of units that have no ``coder``."""
        self._value_files: ValueFiles | None = None

    def offer_socket(self, path: str) -> None:
        """Let the units know the sync socket, and let those who have no ``coder`` find one."""
        self.socket = path
        self._base |= {b"RUNNER_SOCKET": os.fsencode(path), b"CODER_AGENT_SOCKET_PATH": os.fsencode(path)}
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
        environment = unit_environment(self._base, unit, invocation, attempt, received)
        environment.update(more)
        if unit.env_file or (received and unit.mask):
            self._learn(unit, environment)
        if self._stand_in and not has_coder(path := os.fsdecode(environment.get(b"PATH", b""))):
            environment[b"PATH"] = os.fsencode(f"{path or os.defpath}:{self._stand_in}")
        if notify:
            environment[b"NOTIFY_SOCKET"] = os.fsencode(notify.path)
        if unit.health and unit.health.probe.by == "notify":
            environment[b"WATCHDOG_USEC"] = b"%d" % (unit.health.probe.interval * 1_000_000)
        values_file = self._value_files.path(invocation) if self._value_files and attempt else ""
        if values_file:
            environment[b"RUNNER_ENV"] = os.fsencode(values_file)
        umask = -1 if unit.umask is None else unit.umask
        return Setting(environment, unit.cwd or None, umask, unit.nice, values_file)

    def own(self, unit: Unit) -> dict[bytes, bytes]:
        """What of a unit's environment is its own: neither the supervisor's nor what the runner tells it.

        Raises :class:`SpawnError`.
        """
        own = unit_environment({}, unit, "", 0)
        return {name: value for name, value in own.items() if not name.startswith(b"RUNNER_")}

    def close(self) -> None:
        """Leave nothing behind."""
        if self._stand_in:
            remove_stand_in(self._stand_in)
        if self._value_files:
            self._value_files.close()
