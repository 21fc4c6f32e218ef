"""What a unit's processes find in their environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping

from ..core.effect import Cause
from ..core.unit import Unit
from ..core.values import NOTHING
from ..core.words import say_os_error
from .spawn import Environment, SpawnError

OURS_ALONE = (b"NOTIFY_SOCKET", b"WATCHDOG_USEC", b"WATCHDOG_PID", b"LISTEN_FDS", b"LISTEN_PID", b"LISTEN_FDNAMES")
"""What systemd tells the process that it starts; a unit that believed it would speak for the supervisor."""
_OF_ONE_UNIT = (b"RUNNER_ENV", b"RUNNER_CAUSE", b"RUNNER_CAUSE_OUTCOME", b"RUNNER_CAUSE_REASON", b"RUNNER_CAUSE_LOG")
"""What not every unit gets. Where the supervisor is itself a unit of another one, these are for it and not for its units."""


def base_environment(environment: Mapping[str, str]) -> dict[bytes, bytes]:
    """The supervisor's own environment, as far as it concerns units."""
    base = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    for name in (*OURS_ALONE, *_OF_ONE_UNIT):
        base.pop(name, None)
    return base


def unit_environment(
    base: Environment, unit: Unit, invocation: str, attempt: int, received: Mapping[str, str] = NOTHING, uid: int | None = None
) -> dict[bytes, bytes]:
    """The environment of one invocation: the base, then what units before it give, its files, its own values, the runner's.

    ``uid`` is that of its processes where it is another than ours: then no file is read that this user could have put there.

    Raises :class:`~runner.supervisor.spawn.SpawnError` where a file is missing or cannot be read.
    """
    environment = dict(base)
    for name, value in received.items():
        environment[os.fsencode(name)] = os.fsencode(value)
    for path in unit.env_file:
        environment.update(_read_file(path, uid))
    for name, value in unit.env.items():
        environment[os.fsencode(name)] = os.fsencode(value)
    environment[b"RUNNER_UNIT"] = os.fsencode(unit.name)
    environment[b"RUNNER_ATTEMPT"] = b"%d" % attempt
    environment[b"RUNNER_INVOCATION"] = os.fsencode(invocation)
    return environment


def tell_cause(cause: Cause, log: str) -> dict[bytes, bytes]:
    """What a unit is told of the end for which it is started. ``log`` is the other unit's; empty where it was never executed."""
    return {
        b"RUNNER_CAUSE": os.fsencode(cause.unit),
        b"RUNNER_CAUSE_OUTCOME": cause.outcome.encode(),
        b"RUNNER_CAUSE_REASON": cause.reason.replace("\0", "").encode(errors="replace"),
        b"RUNNER_CAUSE_LOG": os.fsencode(log),
    }


def _read_file(path: str, uid: int | None) -> dict[bytes, bytes]:
    """The ``NAME=VALUE`` lines of a file. Its path may begin with ``-``: then it may be missing."""
    may_be_missing = path.startswith("-")
    path = path.removeprefix("-")
    try:
        with open(path, "rb", opener=open_at_once if uid is None else _opener_for(uid)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SpawnError("env-file", f'cannot read the env-file "{path}": it is no regular file')
            lines = file.read().splitlines()
    except OSError as error:
        if may_be_missing and isinstance(error, FileNotFoundError):
            return {}
        raise SpawnError("env-file", f'cannot read the env-file "{path}": {say_os_error(error)}') from None
    values: dict[bytes, bytes] = {}
    for number, line in enumerate(lines, 1):
        try:
            values.update([pair] if (pair := parse_line(line)) else [])
        except ValueError as error:  # which does not quote the line: it may be the rest of a secret
            raise SpawnError("env-file", f'cannot use line {number} of the env-file "{path}": {error}') from None
    return values


def parse_line(line: bytes) -> tuple[bytes, bytes] | None:
    """The name and the value that a line gives; None where it is empty or a comment. Raises ``ValueError`` with the reason."""
    text = line.strip()
    if not text or text.startswith(b"#"):
        return None
    name, equals, value = text.removeprefix(b"export ").partition(b"=")
    if not equals or not name.strip():
        raise ValueError("it must be NAME=VALUE")
    return name.strip(), _unquote(value.strip())


def open_at_once(path: str, flags: int) -> int:
    """Nobody is waited for: not the writer of a FIFO, not whoever is at the other end of a device (open(2))."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def _opener_for(uid: int) -> Callable[[str, int], int]:
    from .guarded import open_to_read

    return lambda path, _: open_to_read(path, uid)


def as_text(said: str) -> str:
    """Text that can be written down: bytes of a path that are no UTF-8 (os.fsdecode) become U+FFFD."""
    return said.encode(errors="surrogateescape").decode(errors="replace")


def _unquote(value: bytes) -> bytes:
    quoted = len(value) >= 2 and value[:1] == value[-1:] and value[:1] in (b'"', b"'")
    return value[1:-1] if quoted else value
