"""When a supervisor learns from earlier runs how long its units are expected to take.

Where a limit of jobs or a lock makes it matter who goes first, that is before the first unit is started. Else nobody waits
for it: it is for those who look on, so a thread reads it while units run, and only where they run longer than a moment.

Units that a reload brings or changes are learned of in a thread too, as soon as they are there. Where one of them has to wait
for its turn, it is put in its place when that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.event import Decided, UnitsChanged
from ..core.observed import DurationsLearned
from .paths import has_runs

if TYPE_CHECKING:
    from .supervisor import Supervisor

_MOMENT = 0.1
"""Seconds. What is over by then is over before anybody could ask how long it takes, and should not pay for the answer."""


def expect(supervisor: Supervisor) -> dict[str, float]:
    """The durations that must be known at the start; what comes later comes by itself."""

    def mind_reloads(events: Sequence[Decided], _: bytes) -> None:
        if any(isinstance(event, UnitsChanged) and (event.added or event.changed) for event in events):
            _learn_meanwhile(supervisor)

    supervisor.listeners.append(mind_reloads)
    if not has_runs(supervisor.paths):
        return {}
    graph = supervisor.engine.graph
    locks = [lock for unit in graph.units.values() for lock in set(unit.locks)]
    if supervisor.engine.jobs is None and len(locks) == len(set(locks)):
        supervisor.call_at(supervisor.now() + _MOMENT, lambda: _learn_meanwhile(supervisor))
        return {}
    from .history import learn

    return learn(supervisor.paths, graph, supervisor.warn_of_state, mask=supervisor.secrets.mask_text)


def _learn_meanwhile(supervisor: Supervisor) -> None:
    from .aside import do_aside
    from .history import learn

    warnings: list[str] = []  # of the thread; they are told in the loop

    def take(durations: dict[str, float]) -> None:
        for warning in warnings:
            supervisor.warn_of_state(warning)
        if durations:
            supervisor.observe(DurationsLearned(at=supervisor.now(), durations=durations))

    paths, graph, run = supervisor.paths, supervisor.engine.graph, supervisor.run
    mask = supervisor.secrets.mask_text
    do_aside(supervisor.poller, lambda: learn(paths, graph, warnings.append, but=run, mask=mask), take)
