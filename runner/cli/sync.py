"""``runner sync``, and ``coder exp sync`` in its place: the calls by which scripts coordinate.

Scripts call it several times each at the busiest moment of a workspace, so it imports next to nothing and reads its few
options itself. Its texts are those that scripts know from ``coder``, to the letter.
"""

from __future__ import annotations

import os
import sys

from .stdout import write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from ..rpc.client import Client
    from ..rpc.messages import SyncStatusResponse
    from ..rpc.methods import Method
    from ..rpc.proto import Message

    Options: TypeAlias = dict[str, str]

DEFAULT_TIMEOUT = "5m"
VERBS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ping": ("", "see whether somebody serves the socket", ()),
    "want": ("UNIT DEPENDS-ON...", "let a unit wait for others", ()),
    "start": ("UNIT [--timeout 5m]", "wait until all that a unit waits for is there, then start it", ("--timeout",)),
    "complete": ("UNIT [--status N]", "say that a unit is done; with a status other than 0, in vain", ("--status",)),
    "fail": ("UNIT [--reason TEXT]", "say that a unit has failed", ("--reason",)),
    "wait": ("UNIT... [--timeout DURATION]", "wait until units have reached their goal", ("--timeout",)),
    "status": ("UNIT [-o table|json]", "show a unit and what it waits for", ("--output",)),
    "list": ("[-o table|json]", "show all units", ("--output",)),
}
"""What follows each call, what it does in one line, and its options."""
_VALUED = {"--socket-path", *(option for _, _, options in VERBS.values() for option in options)}
_HELP = ("--help", "-h")
_LONGEST_TIMEOUT = 1_000_000.0
"""Seconds that a socket can wait (its limit is 24 days). A longer time is none."""


_SECONDS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_DURATION = 2**63 / 1e9


class SyncError(Exception):
    """A call cannot be made or was refused. Its text is what follows ``error:``."""


def run_sync(name: str, arguments: list[str]) -> int:
    """Run one call under the name by which it was called, and return its exit status."""
    verb = next((word for word in arguments if word in VERBS), "")
    try:
        options, words = _parse(arguments)
        verb = words[0] if words else ""
        if "--help" in options:
            write_out(_help(name, verb))
            return 0
        if not words:
            sys.stderr.write(_help(name, ""))
            return 1
        _check(verb, options)
        _CALLS[verb](options, words[1:])
    except SyncError as error:
        command = f"{name} {verb}" if verb in VERBS else name
        sys.stderr.write(f'Encountered an error running "{command}", see "{command} --help" for more information\n')
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _help(name: str, verb: str) -> str:
    if verb in VERBS:
        arguments, line, _ = VERBS[verb]
        return f"usage: {f'{name} {verb} {arguments}'.rstrip()}\n\n{line[0].upper()}{line[1:]}.\n"
    rows = "".join(f"  {f'{word} {arguments}':40}{line}\n" for word, (arguments, line, _) in VERBS.items())
    return (
        f"usage: {name} [--socket-path PATH] CALL\n\nCoordinate scripts: with each other, and with the units of a supervisor.\n\n"
        f"calls:\n{rows}\nThe socket is --socket-path, else $RUNNER_SOCKET, else the usual one of the user.\n"
    )


def _parse(arguments: list[str]) -> tuple[Options, list[str]]:
    """The options, and the words that are none, in order."""
    options: Options = {}
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            words += rest
        elif not word.startswith("-") or word == "-":
            words.append(word)
        elif word in _HELP:
            options["--help"] = ""
        else:
            option, has_value, value = _split(word)
            if option not in _VALUED:
                raise SyncError(f"unknown flag: {word}")
            if not has_value and (value := next(rest, "\0")) == "\0":
                raise SyncError(f"flag needs an argument: {word}")
            options[option] = value
    return options, words


def _split(word: str) -> tuple[str, bool, str]:
    """An option, whether its value is in the same word, and the value: ``--output=json``, ``-o=json``, ``-ojson``."""
    if word.startswith("-o"):
        return "--output", len(word) > 2, word[2:].removeprefix("=")
    option, equals, value = word.partition("=")
    return option, bool(equals), value


def _check(verb: str, options: Options) -> None:
    if verb not in VERBS:
        raise SyncError(f'unrecognized subcommand "{verb}"')
    for option in options:
        if option not in ("--socket-path", *VERBS[verb][2]):
            raise SyncError(f"unknown flag: {option}")


# ------------------------------------------------------------------ calls


def _ping(options: Options, _: list[str]) -> None:
    from ..rpc.methods import PING

    with _connect(options) as client:
        _call(client, PING, None, "ping failed")
    _print("Success")


def _want(options: Options, words: list[str]) -> None:
    if len(words) < 2:
        raise SyncError("at least two arguments are required: unit and one or more depends-on")
    from ..rpc.messages import SyncWantRequest
    from ..rpc.methods import SYNC_WANT

    unit, *dependencies = words
    with _connect(options) as client:
        for dependency in dependencies:
            _call(client, SYNC_WANT, SyncWantRequest(unit, dependency), "declare dependency failed")
    _print(f'Unit "{unit}" declared dependencies: [{", ".join(dependencies)}]')


def _start(options: Options, words: list[str]) -> None:
    unit = _one_unit(words)
    timeout = _time_limit(options.get("--timeout", DEFAULT_TIMEOUT))
    from ..rpc.messages import UnitRequest
    from ..rpc.methods import SYNC_START, WAIT

    with _connect(options) as client:
        state = _status_of(client, unit)
        names = ", ".join(sorted(dependency.depends_on for dependency in state.dependencies))
        if not names:
            said = "started with no dependencies"
        elif state.is_ready:
            said = f"started immediately, dependencies already satisfied: [{names}]"
        else:
            _print(f'Unit "{unit}" is waiting for dependencies to be satisfied: [{names}]')
            late = f"timeout waiting for dependencies of unit '{unit}'"
            _call(client, WAIT, UnitRequest(unit), "start unit failed", timeout, late)
            said = f"finished waiting for dependencies: [{names}]"
        _call(client, SYNC_START, UnitRequest(unit), "start unit failed")
    _print(f'Unit "{unit}" {said}')


def _complete(options: Options, words: list[str]) -> None:
    unit = _one_unit(words)
    status = options.get("--status", "0")
    if not status.isdecimal():
        raise SyncError(f'invalid argument "{status}" for "--status": it takes a whole number from 0')
    if int(status):
        _say_failed(options, unit, f"exit status {int(status)}")
        return
    from ..rpc.messages import UnitRequest
    from ..rpc.methods import SYNC_COMPLETE

    with _connect(options) as client:
        _call(client, SYNC_COMPLETE, UnitRequest(unit), "complete unit failed")
    _print("Success")


def _fail(options: Options, words: list[str]) -> None:
    _say_failed(options, _one_unit(words), options.get("--reason", ""))


def _say_failed(options: Options, unit: str, reason: str) -> None:
    from ..rpc.messages import SyncFailRequest
    from ..rpc.methods import FAIL

    with _connect(options) as client:
        _call(client, FAIL, SyncFailRequest(unit, reason), "fail unit failed")
    _print("Success")


def _wait(options: Options, words: list[str]) -> None:
    if not words:
        raise SyncError("at least one unit name is required")
    timeout = _time_limit(options["--timeout"]) if "--timeout" in options else None
    from ..rpc.messages import UnitRequest
    from ..rpc.methods import REACH

    with _connect(options) as client:
        for unit in words:
            _call(client, REACH, UnitRequest(unit), "wait failed", timeout, f"timeout waiting for unit '{unit}'")
    _print("Success")


def _status(options: Options, words: list[str]) -> None:
    unit = _one_unit(words)
    as_json = _wants_json(options)
    with _connect(options) as client:
        state = _status_of(client, unit)
    rows = [(one.depends_on, one.required_status, one.current_status, one.is_satisfied) for one in state.dependencies]
    if as_json:
        keys = ("depends_on", "required_status", "current_status", "is_satisfied")
        dependencies = [dict(zip(keys, row, strict=True)) for row in rows]
        whole = {"unit_name": unit, "status": state.status, "is_ready": state.is_ready, "dependencies": dependencies}
        _print_json(whole)
        return
    _print(f"Unit: {unit}\nStatus: {state.status or 'not registered'}\nReady: {_word(state.is_ready)}\n\nDependencies:")
    if rows:
        _print_table(("DEPENDS ON", "REQUIRED STATUS", "CURRENT STATUS", "SATISFIED"), rows)
    else:
        _print("No dependencies found")


def _list(options: Options, _: list[str]) -> None:
    as_json = _wants_json(options)
    from ..rpc.messages import SyncListResponse
    from ..rpc.methods import SYNC_LIST
    from ..rpc.proto import parse_message

    with _connect(options) as client:
        answer = parse_message(SyncListResponse, _call(client, SYNC_LIST, None, "list units failed"))
    rows = sorted((unit.unit, unit.status, unit.is_ready) for unit in answer.units)
    if as_json:
        _print_json([dict(zip(("unit_name", "status", "is_ready"), row, strict=True)) for row in rows])
    elif rows:
        _print_table(("UNIT", "STATUS", "READY"), rows)
    else:
        _print("No units registered")


_CALLS: dict[str, Callable[[Options, list[str]], None]] = {
    "ping": _ping,
    "want": _want,
    "start": _start,
    "complete": _complete,
    "fail": _fail,
    "wait": _wait,
    "status": _status,
    "list": _list,
}


# ------------------------------------------------------------------ what they share


def _one_unit(words: list[str]) -> str:
    if len(words) != 1:
        raise SyncError("exactly one unit name is required")
    return words[0]


def _wants_json(options: Options) -> bool:
    form = options.get("--output", "table")
    if form not in ("table", "json"):
        raise SyncError(f'invalid argument "{form}" for "--output": it takes table or json')
    return form == "json"


def _connect(options: Options) -> Client:
    from ..rpc.address import socket_path
    from ..rpc.client import Client

    path = options.get("--socket-path") or socket_path(os.environ)
    try:
        return Client(path)
    except Exception as error:  # noqa: BLE001 (importing the classes of errors takes longer than a call)
        raise _explain(error, "", "") from None


def _call(
    client: Client, method: Method, request: Message | None, failed: str, timeout: float | None = None, late: str = ""
) -> bytes:
    try:
        return client.call(method.path, bytes(request) if request else b"", timeout=timeout)
    except Exception as error:  # noqa: BLE001 (importing the classes of errors takes longer than a call)
        raise _explain(error, failed, late) from None


def _explain(error: Exception, failed: str, late: str) -> Exception:
    """The error of the client in the words that scripts know; one that is a bug of ours as it is."""
    from ..rpc.failure import CallError, CallTimedOut, CannotConnect
    from ..rpc.proto import ProtoError

    if not isinstance(error, CallError | ProtoError):
        return error
    if isinstance(error, CannotConnect):
        return SyncError(error.as_scripts_know_it)
    if late and isinstance(error, CallTimedOut):
        return SyncError(late)
    return SyncError(f"{failed}: {error}" if failed else str(error))


def _status_of(client: Client, unit: str) -> SyncStatusResponse:
    from ..rpc.messages import SyncStatusResponse, UnitRequest
    from ..rpc.methods import SYNC_STATUS
    from ..rpc.proto import parse_message

    return parse_message(SyncStatusResponse, _call(client, SYNC_STATUS, UnitRequest(unit), "get status failed"))


def parse_duration(text: str) -> float:
    """Seconds of a duration as Go writes it: ``300ms``, ``1h30m``, ``1.5s``, ``0``. Raises :class:`SyncError`."""
    seconds, rest = 0.0, "" if text == "0" else text
    while rest:
        after_number = rest.lstrip("0123456789.")
        number, name = rest[: len(rest) - len(after_number)], after_number
        for place, character in enumerate(after_number):
            if character in "0123456789.":
                name = after_number[:place]
                break
        if name not in _SECONDS or number.count(".") > 1 or not number.strip("."):
            break
        seconds += float(number) * _SECONDS[name]
        rest = after_number[len(name) :]
    if rest or not text or seconds > _LONGEST_DURATION:
        raise SyncError(f'invalid argument "{text}" for "--timeout": it takes a duration such as 30s, 5m or 1h30m')
    return seconds


def _time_limit(text: str) -> float | None:
    seconds = parse_duration(text)
    return seconds if seconds <= _LONGEST_TIMEOUT else None


def _print(text: str) -> None:
    """Say something, at once. Where standard output is closed nobody wants to hear it, and the call counts all the same."""
    if sys.stdout is not None:
        write_out(f"{text}\n")


def _word(is_so: bool) -> str:
    return "true" if is_so else "false"


def _print_table(head: tuple[str, ...], rows: Sequence[tuple[str | bool, ...]]) -> None:
    table = [head, *(tuple(cell if isinstance(cell, str) else _word(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    _print("\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table))


def _print_json(value: object) -> None:
    import json

    _print(json.dumps(value, indent=2, ensure_ascii=False))
