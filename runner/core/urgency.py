"""Who goes first where locks or jobs force a choice: the unit with the longest expected way to the end of the startup.

Its way is its own duration and the longest chain of those that depend on it, directly or not. What is before it counts no
more: it is over. Only units count that are wanted and have no outcome yet. Of one that has never been seen to reach its goal
the median of the others is expected: with nothing, every new unit would come last, although it may be the one that all else
waits for; with much, it would hold up those of which one knows better. A target takes no time.

The ways are reckoned when the durations become known and when somebody wants units, and in no other step. Units that come to
be wanted in another way (the handlers of an end, what was wanted during a stop) have no urgency until then.
"""

from __future__ import annotations

from collections.abc import Iterator

from .event import DurationsExpected
from .observed import DurationsLearned
from .run import Run


def learned(run: Run, fact: DurationsLearned) -> None:
    """Expect of units what they took before. What is known of units that are not there means nothing."""
    known = {name: seconds for name, seconds in fact.durations.items() if name in run.nodes}
    if known:
        run.emit(DurationsExpected(at=run.now, durations=known))
        run.expected = known
        reckon(run)


def reckon(run: Run) -> None:
    """Find out how far each unit is from the end of the startup, and let those who wait queue accordingly."""
    if run.expected:
        run.ways = run.graph.ways(dict(_durations(run)))
        run.admission.reorder(lambda unit: run.urgency(run.nodes[unit]))


def _durations(run: Run) -> Iterator[tuple[str, float]]:
    usual = sorted(run.expected.values())[len(run.expected) // 2]
    for name, node in run.nodes.items():
        is_to_come = node.is_active or run.admission.is_waiting(name)
        if is_to_come and node.unit.kind != "target":
            yield name, run.expected.get(name, usual)
