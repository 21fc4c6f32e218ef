"""Asks a unit's probe, once or until the answer is yes.

Five kinds of probe are asked: http, tcp, unix, file and command. The others (log, notify, sync) speak for themselves. For
three of the five nobody tells when the answer changes, so they are asked at their interval. A file or a socket appears in a
directory, and the kernel tells of that (``inotify.py``): there the answer comes within milliseconds, and the interval is only
for where the kernel says nothing.
"""

from __future__ import annotations

import os
import signal
from typing import Final

import trio

from ..core.unit import Command, Probe
from ..core.words import say_duration, say_exit
from .child import signal_name
from .connect import connect_tcp, connect_unix, say_failure
from .spawn import Setting, SpawnError, note_reaped, spawn
from .tree import send_signal_to_group

LEAST_PATIENCE: Final = 2.0
"""Seconds that an answer may take, or the probe's interval where that is longer."""
SLOW_INTERVAL: Final = 1.0
"""Seconds, at least, between two looks at a path that the kernel watches for us."""
QUICK_INTERVAL: Final = 0.001
"""Seconds between the first two looks at a socket that is bound but not yet listened to: a moment that no event ends."""


async def ask(probe: Probe, setting: Setting, *, timeout: float) -> str:
    """Ask once. Empty means yes; otherwise why not, in words: ``connection refused``, ``HTTP status 503``.

    ``timeout`` is in seconds; paths are relative to the directory of the setting, and a command is executed with it as the unit
    is. Nothing that the world outside does raises an error. Cancelling it, or the timeout, leaves no connection and no
    process: a command is killed with its whole group.
    """
    try:
        with trio.move_on_after(timeout):
            return await _ask(probe, setting)
    except (OSError, ValueError, RuntimeError, trio.BrokenResourceError) as error:  # RuntimeError: no thread to be had
        return say_failure(error)
    return f"no answer within {say_duration(timeout)}"


async def wait_until_yes(probe: Probe, setting: Setting) -> None:
    """Return at the first yes. Asks at once, then each ``probe.interval``, measured from start to start.

    A file or a unix socket is asked for as soon as the kernel tells that it may be there.
    """
    if probe.by in ("file", "unix"):
        await _wait_for_path(probe, setting)
        return
    patience = max(probe.interval, LEAST_PATIENCE)
    while True:
        asked_at = trio.current_time()
        if not await ask(probe, setting, timeout=patience):
            return
        await trio.sleep_until(asked_at + probe.interval)


async def _ask(probe: Probe, setting: Setting) -> str:
    match probe.by:
        case "http":
            return await _ask_http(probe)
        case "tcp":
            async with connect_tcp(*_parse_address(probe.target)):
                return ""
        case "unix":
            await connect_unix(_path(probe, setting))
            return ""
        case "file":
            os.stat(_path(probe, setting))  # noqa: PTH116
            return ""
        case "command" if probe.command:
            return await _ask_command(probe.command, setting)
        case _:
            raise AssertionError(f"a probe by {probe.by} is not asked")


async def _ask_http(probe: Probe) -> str:
    from .http import get_status

    status = await get_status(probe.target)
    is_yes = status in probe.status if probe.status else 200 <= status < 400
    return "" if is_yes else f"HTTP status {status}"


async def _ask_command(command: Command, setting: Setting) -> str:
    try:
        status, killed_by = await run_command(command, setting)
    except SpawnError as error:
        return error.reason
    return say_exit(status, killed_by) if status != 0 else ""


async def run_command(command: Command, setting: Setting) -> tuple[int | None, str | None]:
    """Execute a command whose output nobody wants; returns its exit status, or the signal that killed it.

    Cancelling it kills the command with its whole group. Raises :class:`~runner.supervisor.spawn.SpawnError`.
    """
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        process = spawn(command, setting, nowhere)
    finally:
        os.close(nowhere)
    pidfd = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(pidfd)
    except trio.Cancelled:
        send_signal_to_group(process.pid, signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await trio.lowlevel.wait_readable(pidfd)
        raise
    finally:
        status = process.wait()
        note_reaped(process.pid)
        os.close(pidfd)
    return (status, None) if status >= 0 else (None, signal_name(-status))


def _parse_address(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"{target!r} is no host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _path(probe: Probe, setting: Setting) -> str:
    return os.path.join(setting.cwd or "", probe.target)  # noqa: PTH118


async def _wait_for_path(probe: Probe, setting: Setting) -> None:
    from .inotify import PathWatch

    path = _path(probe, setting)
    quick = QUICK_INTERVAL
    with PathWatch(path) as watch:
        while True:
            asked_at = trio.current_time()
            is_armed = watch.arm()
            if not await ask(probe, setting, timeout=max(probe.interval, LEAST_PATIENCE)):
                return
            if probe.by == "unix" and os.path.exists(path):  # noqa: PTH110
                pause, quick = min(quick, probe.interval), 2 * quick
            else:
                pause, quick = max(probe.interval, SLOW_INTERVAL) if is_armed else probe.interval, QUICK_INTERVAL
            with trio.move_on_at(asked_at + pause):
                await watch.wait()
