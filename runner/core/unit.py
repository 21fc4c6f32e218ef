"""What a unit means: frozen values, without a trace of the file that they came from.

Durations are seconds, sizes are bytes. Every field's default is the one that the file format documents, so a unit that
says nothing about a thing has what the reference says it has.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Kind = Literal["oneshot", "service", "external", "target"]
Requires = Literal["success", "completion"]
Once = Literal["run", "boot", "workspace"]
ProbeKind = Literal["http", "tcp", "unix", "file", "command", "log", "notify", "sync"]


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen value that compares by content."""


class Command(Value, frozen=True, kw_only=True):
    """What to execute, in exactly one of three forms; how each becomes an argv is the supervisor's business."""

    argv: tuple[str, ...] = ()
    """Executed as it stands, without a shell."""
    shell: str = ""
    """One line for ``sh -c``."""
    script: str = ""
    """Several lines; a ``#!`` line names the interpreter."""

    def __str__(self) -> str:
        if self.argv:
            return " ".join(self.argv)
        return self.shell or next((line for line in self.script.splitlines() if line and not line.startswith("#")), "script")


class Dependency(Value, frozen=True, kw_only=True):
    """A name in ``after`` or ``before``: a unit, a group, or ``*``."""

    unit: str
    requires: Requires = "success"
    restart: bool = False
    """Whoever waits is restarted where somebody restarts what it waits for."""


class Probe(Value, frozen=True, kw_only=True):
    """A question that is asked until the answer is yes."""

    by: ProbeKind
    target: str = ""
    """The URL, ``host:port``, path or regular expression; empty for a command, notify or sync."""
    command: Command | None = None
    status: tuple[int, ...] = ()
    """HTTP: the statuses that mean yes. Empty: any 2xx or 3xx."""
    interval: float = 0.1
    """Seconds from one question to the next, where the answer does not come by itself."""


class Ready(Value, frozen=True, kw_only=True):
    """When dependents may go on before the end."""

    probe: Probe | None = None
    """None: as soon as the program has been executed."""
    delay: float = 0.0
    """Seconds from the probe's yes until the unit counts as ready."""


class Health(Value, frozen=True, kw_only=True):
    """Liveness of a ready service."""

    probe: Probe
    failures: int = 3
    """So many noes in a row restart it."""
    grace: float = 0.0
    """Seconds after it became ready before the first question."""


class Retry(Value, frozen=True, kw_only=True):
    """How often an attempt that failed or timed out is made again."""

    attempts: int = 1
    """Attempts in all."""
    delay: float = 1.0
    backoff: float = 2.0
    """Each further delay is so many times the one before."""
    max_delay: float = 60.0
    jitter: float = 0.0
    """Each delay varies by this share of itself, up or down: 0.1 is 10 %."""


class Restart(Value, frozen=True, kw_only=True):
    """What happens when a service ends after it was ready."""

    when: Literal["never", "on-failure", "always"] = "never"
    delay: float = 1.0
    backoff: float = 2.0
    max_delay: float = 60.0
    limit: int = 5
    """More restarts than this within the window, and the service has failed. 0: no limit."""
    window: float = 60.0


class Stop(Value, frozen=True, kw_only=True):
    """The stop ladder: the command, then the signal, then after the timeout SIGKILL."""

    command: Command | None = None
    signal: str = "SIGTERM"
    timeout: float = 10.0
    mode: Literal["group", "main"] = "group"


class Reload(Value, frozen=True, kw_only=True):
    """How a running service is told to read its configuration again."""

    command: Command | None = None
    signal: str = ""


class Log(Value, frozen=True, kw_only=True):
    """Where the output goes and how much of it is kept."""

    file: str = ""
    """Empty: a file of the unit's name in the state directory."""
    max_size: int = 10_000_000
    keep: int = 2
    """Rotated files kept beside the one that is written."""


class Conditions(Value, frozen=True, kw_only=True):
    """What must hold for a unit to run at all. Each that is empty holds."""

    exists: tuple[str, ...] = ()
    """Paths that are there."""
    missing: tuple[str, ...] = ()
    """Paths that are not."""
    env: dict[str, str | bool] = {}
    """Variables: the value, ``!`` and another than this value, or whether it is set and not empty."""
    os: tuple[str, ...] = ()
    """Any of these, as ``uname -s`` says it in small letters; ``!`` and a word: any but this."""
    arch: tuple[str, ...] = ()
    """The same of the machine, as ``uname -m`` says it."""
    user: tuple[str, ...] = ()
    """The same of the name of the user as whom the unit runs."""
    command: Command | None = None
    """Exit status 0: it holds."""


UNLIMITED: Final = -1
"""As a limit: none (``RLIM_INFINITY`` of getrlimit(2))."""


def is_above(limit: int, other: int) -> bool:
    """Whether a limit allows more than another one."""
    return other != UNLIMITED and (limit == UNLIMITED or limit > other)


def say_limit(limit: int) -> str:
    """A limit as it is written in a unit file, in the kernel's own measure."""
    return "unlimited" if limit == UNLIMITED else str(limit)


class Limit(Value, frozen=True, kw_only=True):
    """How much of a resource a process may use (getrlimit(2)). None: as the supervisor has it."""

    soft: int | None = None
    """What holds. A process may raise it itself, up to the hard one."""
    hard: int | None = None


class Unit(Value, frozen=True, kw_only=True):
    """One unit, as its files say it, with names not yet resolved against the other units."""

    name: str
    kind: Kind
    description: str = ""
    command: Command | None = None
    after: tuple[Dependency, ...] = ()
    before: tuple[Dependency, ...] = ()
    optional: bool = False
    timeout: float | None = None
    wait_timeout: float | None = None
    retry: Retry = Retry()
    restart: Restart = Restart()
    ready: Ready | None = None
    health: Health | None = None
    stop: Stop = Stop()
    reload: Reload | None = None
    locks: tuple[str, ...] = ()
    conditions: Conditions | None = None
    creates: tuple[str, ...] = ()
    """Paths that it makes: where one is not there, it is not up to date. Its ``cwd`` is in them already, here and below."""
    inputs: tuple[str, ...] = ()
    """Paths and globs of what it is made from: where their content has changed, it is not up to date."""
    once: Once = "run"
    env: dict[str, str] = {}
    env_file: tuple[str, ...] = ()
    mask: tuple[str, ...] | None = None
    """Variables whose values are secret, beside those whose names say so. Empty: not even those of them that it sets."""
    cwd: str = ""
    user: str = ""
    """A name or a number; empty: that of the supervisor."""
    user_group: str = ""
    """The same of the group of its processes; empty: that of the user."""
    nice: int | None = None
    umask: int | None = None
    limits: dict[str, Limit] = {}
    """By the name of the resource, such as ``nofile``: in bytes, seconds (``rttime``: microseconds) or as a count."""
    log: Log = Log()
    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    icon: str = ""
    tags: tuple[str, ...] = ()
    enabled: bool = True
    bridge: bool = False
    """Its beginning and end are told to the agent's own socket, or for an external unit: come from there."""

    @property
    def group(self) -> str:
        """The innermost group that it belongs to, or the empty string."""
        return self.name.rpartition("/")[0]

    @property
    def checks(self) -> tuple[str, ...]:
        """The keys that say whether it need run at all; none: it always does."""
        keys = (("if", self.conditions), ("creates", self.creates), ("inputs", self.inputs), ("once", self.once != "run"))
        return tuple(key for key, is_said in keys if is_said)
