"""The loop: waits, in one trio nursery, for whatever concerns the supervisor, and gives it its turns."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from math import inf

import trio

from .supervisor import Supervisor
from .tree import Census, TreeWatch, look_for, send_signal

_TURNS_IN_A_ROW = 8
"""After so many turns other tasks have theirs."""
_LEFTOVERS_PATIENCE = 2.0
"""Seconds that what units left behind has to end after SIGTERM."""


def run_to_end(supervisor: Supervisor, note_end: Callable[[], None] = lambda: None) -> None:
    """Supervise until the run is over; then note that, and end what its units have left behind."""
    trio.run(_run, supervisor, note_end)


async def _run(supervisor: Supervisor, note_end: Callable[[], None]) -> None:
    async with trio.open_nursery() as nursery:
        supervisor.attach(nursery)
        for seconds, call in supervisor.periodic:
            nursery.start_soon(_call_every, seconds, call)
        while not supervisor.engine.is_over:
            if all(supervisor.engine.is_over or supervisor.turn() for _ in range(_TURNS_IN_A_ROW)):
                await trio.lowlevel.checkpoint()
            else:
                await _wait(supervisor)
        nursery.cancel_scope.cancel()
    note_end()
    await _end_leftovers(supervisor)


async def _wait(supervisor: Supervisor) -> None:
    """Until a descriptor has something, a timer is due, or somebody observed a fact."""
    next_at = supervisor.timers.next_at()
    with trio.move_on_after(inf if next_at is None else max(next_at - supervisor.now(), 0)) as scope:
        supervisor.wake = scope.cancel
        await trio.lowlevel.wait_readable(supervisor.poller.fileno())
    supervisor.wake = _nobody


def _nobody() -> None:
    """Nobody waits."""


async def _call_every(seconds: float, call: Callable[[], None]) -> None:
    while True:
        await trio.sleep(seconds)
        call()


async def _end_leftovers(supervisor: Supervisor) -> None:
    """End the processes that units started and left: SIGTERM, and to those that stay SIGKILL."""
    left = _find_left(supervisor)
    if not left:
        return
    names = [*supervisor.census().members_of_run(supervisor.run), *supervisor.grouping.groups.members()]
    units = {supervisor.unit_of(name) for name in names} - {""}
    whose = ", ".join(sorted(units)) or "its units"
    supervisor.warn(f"ending {len(left)} process{'es' * (len(left) != 1)} left behind by {whose}; what should stay is a service")
    for number in (signal.SIGKILL,) if supervisor.stop_requests.is_kill else (signal.SIGTERM, signal.SIGKILL):
        for pid in _find_left(supervisor):
            send_signal(pid, number)
            send_signal(pid, signal.SIGCONT)
        with trio.move_on_after(_LEFTOVERS_PATIENCE):
            await _wait_until_gone(supervisor)
            return


def _find_left(supervisor: Supervisor) -> set[int]:
    """The processes of units; among them the orphans that nobody knows the unit of."""

    def select(census: Census) -> set[int]:
        named = set().union(*census.members_of_run(supervisor.run).values(), *supervisor.grouping.groups.members().values())
        return named | census.descendants(os.getpid()) if supervisor.orphans else named

    return look_for(supervisor.birth, select)


async def _wait_until_gone(supervisor: Supervisor) -> None:
    gone = False

    def note() -> None:
        nonlocal gone
        gone = True

    watch = TreeWatch(supervisor.poller, lambda: _find_left(supervisor), note)
    try:
        watch.look()
        while not gone:
            await trio.lowlevel.wait_readable(supervisor.poller.fileno())
            supervisor.poller.dispatch()
    finally:
        watch.close()
