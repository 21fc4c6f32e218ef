"""Carries out the orders to ask: probes of what runs, and looks whether something need run.

Both need trio and most runs need neither of them at first, so each is imported when it is first ordered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..core.effect import Effect, StartCheck, StartProbe, StopCheck, StopProbes
from .settings import Settings

if TYPE_CHECKING:
    import trio

    from .checks import Checks
    from .invocation import Invocation
    from .probing import Probing
    from .supervisor import Supervisor


class Asking:
    """Who asks on behalf of a supervisor."""

    def __init__(self, supervisor: Supervisor, settings: Settings) -> None:
        self._supervisor = supervisor
        self._settings = settings
        self._nursery: trio.Nursery | None = None
        self.deeds: dict[type[Effect], Callable[[Any], None]] = {
            StartProbe: self._start_probe,
            StopProbes: self._stop_probes,
            StartCheck: lambda order: self.checks.start(order),
            StopCheck: lambda order: self.checks.stop(order),
        }

    def attach(self, nursery: trio.Nursery) -> None:
        """Have a nursery for tasks from now on."""
        self._nursery = nursery
        for asker in ("probing", "checks"):
            if asker in self.__dict__:
                getattr(self, asker).attach(nursery)

    @cached_property
    def probing(self) -> Probing:
        """The tasks that ask what runs."""
        from .probing import Probing

        probing = Probing(self._supervisor)
        if self._nursery:
            probing.attach(self._nursery)
        return probing

    @cached_property
    def checks(self) -> Checks:
        """The looks whether something need run."""
        from .checks import Checks
        from .memories import Memories

        supervisor = self._supervisor
        memories = Memories(supervisor.paths.memories, supervisor.warn_of_state)
        checks = Checks(supervisor, self._settings, memories)
        supervisor.listeners.append(checks.heed)
        if self._nursery:
            checks.attach(self._nursery)
        return checks

    def _start_probe(self, order: StartProbe) -> None:
        invocation = self._current(order)
        if invocation is None:
            return
        unit = invocation.unit
        if order.purpose == "health" and unit.health:
            self.probing.start_health(invocation, unit.health)
        elif order.purpose == "ready" and unit.ready and unit.ready.probe:
            self.probing.start_ready(invocation, unit.ready.probe)

    def _stop_probes(self, order: StopProbes) -> None:
        invocation = self._current(order)
        if invocation:
            self.probing.stop(invocation)

    def _current(self, order: StartProbe | StopProbes) -> Invocation | None:
        return self._supervisor.current(order.unit, order.invocation)
