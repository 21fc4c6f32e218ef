"""A unit file into a unit: strings are expanded, short forms made long, addresses checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..core.account import OF_A_PERSON, OF_A_SESSION
from ..core.unit import (
    Command,
    Conditions,
    Dependency,
    Health,
    Limit,
    Log,
    Probe,
    Ready,
    Reload,
    Requires,
    Restart,
    Retry,
    Stop,
    Unit,
)
from .convert import Finding, Path, show_path
from .expand import CannotExpand, expand, expand_variable
from .keys import AfterTable, BeforeTable, ConditionsTable, HealthTable, ReadyTable, RestartTable, RetryTable, UnitFile
from .limits import LimitsTable
from .rules import PROBES, Written
from .values import Duration, Unusable, check_host_port, check_path, check_socket_path, check_url, did_you_mean, quote

OURS: Final = frozenset(
    {
        *("RUNNER_UNIT", "RUNNER_ATTEMPT", "RUNNER_INVOCATION", "RUNNER_SOCKET", "RUNNER_ENV", "NOTIFY_SOCKET"),
        *("RUNNER_CAUSE", "RUNNER_CAUSE_OUTCOME", "RUNNER_CAUSE_REASON", "RUNNER_CAUSE_LOG"),
    }
)
"""Variables that the runner gives to a unit, whatever the unit says."""

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_Check = Callable[[str], None]
_TARGETS: Final[dict[str, tuple[_Check, str]]] = {
    "http": (check_url, "an http:// or https:// URL"),
    "tcp": (check_host_port, "host:port"),
    "unix": (check_socket_path, "the path of a socket"),
    "file": (check_path, "a path"),
}
_ARCHITECTURES: Final = {"amd64": "x86_64", "!amd64": "!x86_64", "arm64": "aarch64", "!arm64": "!aarch64"}
"""What Go and Debian call a machine, and what the kernel does (uname(2))."""
_RETRY: Final = Retry()
_RESTART: Final = Restart()
_STOP: Final = Stop()
_LOG: Final = Log()


def build(name: str, written: Written, environment: Mapping[str, str]) -> tuple[Unit, list[Finding]]:
    """The unit that a file means, and which of its strings cannot be expanded or used.

    What cannot be used has its default in the unit, so that the unit's edges can be looked at all the same.
    """
    file, strings = written.file, _Strings(written, environment)
    cwd = strings.path(("cwd",), file.cwd) if file.cwd else ""
    unit = Unit(
        name=name,
        kind=written.kind,
        description=file.description,
        command=_command(file.command) or (Command(script=file.script) if file.script else None),
        after=_dependencies(file.after, file.requires),
        before=_dependencies(file.before, "success"),
        optional=file.optional,
        timeout=_seconds(file.timeout),
        wait_timeout=_seconds(file.wait_timeout),
        retry=_retry(file.retry),
        restart=_restart(file.restart),
        ready=_ready(file.ready, strings) if file.ready else None,
        health=_health(file.health, strings) if file.health else None,
        stop=_stop(file),
        reload=Reload(command=_command(file.reload.command), signal=str(file.reload.signal or "")) if file.reload else None,
        locks=tuple(dict.fromkeys(file.locks)),
        conditions=_conditions(file.conditions, strings, cwd) if file.conditions else None,
        creates=tuple(strings.paths(("creates",), file.creates, cwd)),
        inputs=tuple(strings.paths(("inputs",), file.inputs, cwd)),
        once=file.once,
        env=strings.env,
        env_file=tuple(strings.env_files(file.env_file, cwd)),
        mask=None if file.mask is None else tuple(dict.fromkeys(file.mask)),
        cwd=cwd,
        user=str(file.user or ""),
        user_group=str(file.group or ""),
        nice=file.nice,
        umask=int(file.umask, 8) if file.umask else None,
        limits=_limits(file),
        log=_log(file, strings, cwd),
        on_success=tuple(file.on_success),
        on_failure=tuple(file.on_failure),
        icon=file.icon,
        tags=tuple(file.tags),
        enabled=file.enabled,
        bridge=file.bridge,
    )
    return unit, strings.findings


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else float(duration)


def _command(value: str | list[str] | None) -> Command | None:
    if not value:
        return None
    return Command(shell=value) if isinstance(value, str) else Command(argv=tuple(value))


def _dependencies(entries: Sequence[str | AfterTable | BeforeTable], requires: Requires) -> tuple[Dependency, ...]:
    return tuple(
        Dependency(unit=entry, requires=requires)
        if isinstance(entry, str)
        else Dependency(unit=entry.unit, requires=entry.requires or requires, restart=entry.restart)
        for entry in entries
    )


def _retry(said: int | RetryTable) -> Retry:
    if isinstance(said, int):
        return _RETRY if said == 1 else Retry(attempts=said)
    delay = float(said.delay)
    return Retry(
        attempts=said.attempts,
        delay=delay,
        backoff=said.backoff,
        max_delay=max(delay, float(said.max_delay)),
        jitter=said.jitter,
    )


def _restart(said: str | RestartTable) -> Restart:
    if not isinstance(said, RestartTable):
        return _RESTART if said == "never" else Restart(when="always" if said == "always" else "on-failure")
    delay = float(said.delay)
    return Restart(
        when=said.when,
        delay=delay,
        backoff=said.backoff,
        max_delay=max(delay, float(said.max_delay)),
        limit=said.limit,
        window=float(said.window),
    )


def _stop(file: UnitFile) -> Stop:
    if not (said := file.stop):
        return _STOP
    return Stop(command=_command(said.command), signal=str(said.signal), timeout=float(said.timeout), mode=said.mode)


def _ready(said: ReadyTable, strings: _Strings) -> Ready:
    return Ready(probe=_probe("ready", said, float(said.interval), strings), delay=float(said.delay))


def _health(said: HealthTable, strings: _Strings) -> Health | None:
    probe = _probe("health", said, float(said.interval), strings)
    return Health(probe=probe, failures=said.failures, grace=float(said.grace)) if probe else None


def _probe(name: str, said: ReadyTable | HealthTable, interval: float, strings: _Strings) -> Probe | None:
    table = strings.written.keys[name]
    assert isinstance(table, dict)
    by = next((kind for kind in PROBES if kind in table), None)
    if by is None:
        return None
    target = str(said.log or "")
    if by in _TARGETS and isinstance(table[by], str):
        target = strings.target((name, by), table[by], *_TARGETS[by])
    command = _command(said.command) if by == "command" else None
    return Probe(by=by, target=target, command=command, status=tuple(said.status), interval=interval)


def _conditions(said: ConditionsTable, strings: _Strings, cwd: str) -> Conditions:
    return Conditions(
        exists=tuple(strings.paths(("if", "exists"), said.exists, cwd)),
        missing=tuple(strings.paths(("if", "missing"), said.missing, cwd)),
        env=said.env,
        os=_words(said.os),
        arch=tuple(_ARCHITECTURES.get(word, word) for word in _words(said.arch)),
        user=_words(said.user),
        command=_command(said.command),
    )


def _words(said: str | list[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def _limits(file: UnitFile) -> dict[str, Limit]:
    if not file.limits:
        return {}
    names = zip(LimitsTable.__struct_fields__, LimitsTable.__struct_encode_fields__, strict=True)
    said = {name: getattr(file.limits, attribute) for attribute, name in names}
    return {name: Limit(soft=limit.soft, hard=limit.hard) for name, limit in said.items() if limit}


def _log(file: UnitFile, strings: _Strings, cwd: str) -> Log:
    if not (said := file.log):
        return _LOG
    path = _in_directory(cwd, strings.path(("log", "file"), said.file)) if said.file else ""
    return Log(file=path, max_size=int(said.max_size), keep=said.keep)


def _in_directory(cwd: str, path: str) -> str:
    return path if not cwd or path.startswith("/") else f"{cwd.rstrip('/')}/{path}"


class _Strings:
    """Expands the strings of one unit, and notes what cannot be expanded."""

    def __init__(self, written: Written, environment: Mapping[str, str]) -> None:
        self.written = written
        self.findings: list[Finding] = []
        self._environment = environment
        self.env: dict[str, str] = {}
        """The unit's own variables, expanded one after the other: each sees those above it."""
        for name, text in written.file.env.items():
            self._add_variable(name, text)

    def path(self, path: Path, text: str) -> str:
        """A path, expanded; it cannot be empty."""
        return self.target(path, text, check_path, "a path")

    def target(self, path: Path, text: str, check: _Check, expected: str) -> str:
        """A string, expanded and then checked; empty where it cannot be used."""
        try:
            expanded = expand(text, self._lookup)
            check(expanded)
        except CannotExpand as error:
            self._note_expansion(path, text, error)
            return ""
        except Unusable as error:
            said = quote(text) if expanded == text else f"{quote(text)} (that is {quote(expanded)})"
            self.findings.append(Finding(path, f'cannot use {said} for "{show_path(path)}": it must be {expected}', error.hint))
            return ""
        return expanded

    def paths(self, path: Path, texts: str | Sequence[str], cwd: str) -> list[str]:
        """Paths, each seen from the directory in which the unit runs; one alone may stand without a list around it."""
        if isinstance(texts, str):
            return [_in_directory(cwd, self.path(path, texts))]
        return [_in_directory(cwd, self.path((*path, index), text)) for index, text in enumerate(texts)]

    def env_files(self, files: Sequence[str], cwd: str) -> list[str]:
        """Paths of env files, each with the ``-`` that it may have."""
        found = []
        for index, text in enumerate(files):
            dash = "-" if text.startswith("-") else ""
            found.append(dash + _in_directory(cwd, self.path(("env-file", index), text.removeprefix("-"))))
        return found

    def _add_variable(self, name: str, text: str) -> None:
        if name in OURS:
            self.findings.append(Finding(("env", name), f'cannot set {quote(name)} in "env": the runner sets it', "remove it"))
        elif not _VARIABLE.fullmatch(name):
            hint = "a name has letters, digits and _, and does not begin with a digit"
            self.findings.append(Finding(("env", name), f'cannot use {quote(name)} as the name of a variable in "env"', hint))
        try:
            self.env[name] = expand_variable(text, self._lookup)
        except CannotExpand as error:
            self.env[name] = ""
            self._note_expansion(("env", name), text, error)

    def _lookup(self, name: str) -> str | None:
        if name in self.env:
            return self.env[name]
        value = self._environment.get(name)
        # A variable that is written but wrong has its own problem; what names it is not wrong for that.
        return "" if value is None and self._is_wrong(name) else value

    def _is_wrong(self, name: str) -> bool:
        written = self.written.keys.get("env")
        return isinstance(written, dict) and name in written and name not in self.written.file.env

    def _note_expansion(self, path: Path, text: str, error: CannotExpand) -> None:
        what = f'cannot expand {quote(text)} for "{show_path(path)}": {error}'
        self.findings.append(Finding(path, what, self._hint(error.variable) if error.variable else ""))

    def _hint(self, variable: str) -> str:
        if variable in self.written.file.env:
            return f'{variable} is set further down in "env": write it above'
        if self.written.file.user and variable in (*OF_A_PERSON, *OF_A_SESSION):
            return "it is looked up for the unit's user, not for that of the runner: write the value itself"
        near = did_you_mean(variable, [*self.env, *self._environment])
        return near or f"set it where the runner is started, or give a default: ${{{variable}:-...}}"
