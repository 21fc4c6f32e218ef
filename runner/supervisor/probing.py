"""Which question is being asked for which invocation: carries out ``StartProbe`` and ``StopProbes``.

A line of output and a notice come by themselves and are only listened for. Everything else is asked by a task of its own,
so this module imports trio, and is itself imported only where a unit has a probe.
"""

from __future__ import annotations

import re
from collections import defaultdict

import trio

from ..core.observed import ProbeFailed, ProbeSucceeded
from ..core.unit import Health, Probe
from .invocation import Host, Invocation
from .probe import LEAST_PATIENCE, ask, wait_until_yes


class Probing:
    """All tasks that ask, by invocation. They run in the supervisor's nursery, from when there is one."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._nursery: trio.Nursery | None = None
        self._scopes: defaultdict[str, list[trio.CancelScope]] = defaultdict(list)
        self._not_yet: list[tuple[Invocation, Probe | Health, trio.CancelScope]] = []

    def attach(self, nursery: trio.Nursery) -> None:
        """Begin to ask in this nursery, also what was ordered before there was one."""
        self._nursery = nursery
        for task in self._not_yet:
            nursery.start_soon(self._run, *task)
        self._not_yet.clear()

    def start_ready(self, invocation: Invocation, probe: Probe) -> None:
        """Ask, or listen, until the unit is ready."""
        if probe.by == "log":
            invocation.wait_for_line(re.compile(probe.target))
        elif probe.by == "notify":
            invocation.wait_for_notice(True)
        else:
            self._start(invocation, probe)

    def start_health(self, invocation: Invocation, health: Health) -> None:
        """Ask over and over whether the unit is alive."""
        if health.probe.by == "log":
            invocation.look_for_line(re.compile(health.probe.target))
        self._start(invocation, health)

    def stop(self, invocation: Invocation) -> None:
        """Ask and listen no more."""
        invocation.wait_for_line(None)
        invocation.look_for_line(None)
        invocation.wait_for_notice(False)
        for scope in self._scopes.pop(invocation.name, []):
            scope.cancel()

    def _start(self, invocation: Invocation, what: Probe | Health) -> None:
        scope = trio.CancelScope()
        self._scopes[invocation.name].append(scope)
        if self._nursery:
            self._nursery.start_soon(self._run, invocation, what, scope)
        else:
            self._not_yet.append((invocation, what, scope))

    async def _run(self, invocation: Invocation, what: Probe | Health, scope: trio.CancelScope) -> None:
        with scope:
            if isinstance(what, Health):
                await self._watch_health(invocation, what)
            else:
                await wait_until_yes(what, invocation.setting)
                self._observe(invocation, "")

    async def _watch_health(self, invocation: Invocation, health: Health) -> None:
        await trio.sleep(health.grace)
        while True:
            asked_at = trio.current_time()
            if health.probe.by in ("notify", "log"):
                invocation.is_alive_signal = False
                await trio.sleep_until(asked_at + health.probe.interval)
                missed = "no WATCHDOG=1 in time" if health.probe.by == "notify" else "no line that matches in time"
                reason = "" if invocation.is_alive_signal else missed
            else:
                patience = max(health.probe.interval, LEAST_PATIENCE)
                reason = await ask(health.probe, invocation.setting, timeout=patience)
            self._observe(invocation, reason, is_health=True)
            await trio.sleep_until(asked_at + health.probe.interval)

    def _observe(self, invocation: Invocation, reason: str, *, is_health: bool = False) -> None:
        at, unit, name = self._host.now(), invocation.unit.name, invocation.name
        if reason:
            self._host.observe(ProbeFailed(at=at, unit=unit, invocation=name, reason=reason))
        else:
            self._host.observe(ProbeSucceeded(at=at, unit=unit, invocation=name, purpose="health" if is_health else "ready"))
