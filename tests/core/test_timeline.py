from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from runner.core.event import (
    Declaration,
    Peer,
    RunStarted,
    SyncCalled,
    UnitEnded,
    UnitEvent,
    UnitRetrying,
    UnitStarting,
    UnitWaiting,
)
from runner.core.timeline import WORK, Phase, Row, Stretch, Timeline, timeline
from runner.core.unit import Dependency, Probe, Ready, Restart, Retry

from .strategies import worlds
from .world import Life, World, make_external, make_unit

READY = Ready(probe=Probe(by="tcp"))
PEER = Peer(pid=7, uid=0)


def played(world: World) -> Timeline:
    world.start()
    return timeline(world.run().journal)


def row(drawn: Timeline, name: str) -> Row:
    return next(row for row in drawn.rows if row.unit == name)


def told(drawn: Timeline, name: str) -> list[tuple[str, float, float]]:
    return [(phase.kind, phase.begin, phase.end) for phase in row(drawn, name).phases]


def test_a_unit_waits_for_what_it_depends_on_then_runs() -> None:
    drawn = played(World([make_unit("a"), make_unit("b", after=(Dependency(unit="a"),))]))
    assert told(drawn, "a") == [("running", 0.0, 1.0)]
    assert told(drawn, "b") == [("waiting", 0.0, 1.0), ("running", 1.0, 2.0)]
    assert (drawn.run, drawn.end) == ("r", 2.0)
    assert drawn.startup
    assert drawn.over
    assert row(drawn, "b").view.outcome == "succeeded"
    assert row(drawn, "b").work == 1.0


def test_a_wait_for_a_lock_names_its_holder() -> None:
    drawn = played(World([make_unit("a", locks=("apt",)), make_unit("b", locks=("apt",))]))
    assert told(drawn, "b") == [("lock-wait", 0.0, 1.0), ("running", 1.0, 2.0)]
    (lock,) = row(drawn, "b").phases[0].waits_for
    assert (lock.lock, lock.holder) == ("apt", "a")


def test_a_wait_for_a_job() -> None:
    drawn = played(World([make_unit("a"), make_unit("b")], jobs=1))
    assert told(drawn, "b") == [("job-wait", 0.0, 1.0), ("running", 1.0, 2.0)]


def test_a_service_is_not_ready_before_it_is() -> None:
    world = World([make_unit("a", kind="service", ready=READY)], {"a": [Life(ready=2.0, obeys=0.5)]})
    world.stop(at=5.0, reason="enough")
    drawn = played(world)
    assert told(drawn, "a") == [("not-ready", 0.0, 2.0), ("ready", 2.0, 5.0), ("stopping", 5.0, 5.5)]
    assert row(drawn, "a").phases[-1].reason == "enough"


def test_a_oneshot_with_a_readiness_of_its_own_too() -> None:
    drawn = played(World([make_unit("a", ready=READY)], {"a": [Life(runs=3.0, ready=2.0)]}))
    assert told(drawn, "a") == [("not-ready", 0.0, 2.0), ("ready", 2.0, 3.0)]


def test_a_service_that_fails_before_it_is_ready_never_was() -> None:
    drawn = timeline(
        [
            RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",), declared=(Declaration(unit="a", kind="service"),)),
            UnitStarting(at=0.0, unit="a", invocation="r.1", attempt=1),
            UnitEnded(at=1.0, unit="a", outcome="failed", reason="exit status 1", exit_code=1),
        ]
    )
    assert told(drawn, "a") == [("not-ready", 0.0, 1.0)]


def test_attempts_are_numbered_and_a_backoff_says_why() -> None:
    unit = make_unit("a", locks=("apt",), retry=Retry(attempts=2, delay=2.0, jitter=0.0))
    drawn = played(World([unit, make_unit("b", locks=("apt",))], {"a": [Life(runs=1.0, exit=1), Life(runs=1.0)]}))
    assert row(drawn, "a").phases == (
        Phase(kind="running", begin=0.0, end=1.0, attempt=1),
        Phase(kind="backoff", begin=1.0, end=3.0, attempt=1, reason="exit status 1"),
        Phase(kind="running", begin=3.0, end=4.0, attempt=2),
    )


def test_between_two_lives_there_is_nothing() -> None:
    world = World([make_unit("a"), make_unit("b", after=(Dependency(unit="a"),))], keep=True)
    world.start("b", at=5.0)
    world.stop(at=9.0)
    assert told(played(world), "b") == [("waiting", 0.0, 1.0), ("running", 1.0, 2.0), ("running", 5.0, 6.0)]


def test_an_external_unit_waits_for_its_script_and_calls_change_no_phase() -> None:
    world = World([make_unit("a"), make_external("x", after=(Dependency(unit="a"),))])
    world.call("start", "x", at=3.0)
    world.call("complete", "x", at=4.0)
    drawn = played(world)
    assert told(drawn, "x") == [("waiting", 0.0, 1.0), ("waiting", 1.0, 3.0), ("running", 3.0, 4.0)]
    assert drawn.critical_path == (Stretch("a", 0.0, 1.0), Stretch("x", 1.0, 4.0))


def test_a_unit_that_only_ended_or_that_nobody_wanted_has_no_phase() -> None:
    drawn = timeline(
        [
            RunStarted(at=0.0, run="r", version="1", pid=1, units=("a", "b")),
            UnitEnded(at=1.0, unit="a", outcome="skipped", reason="no"),
            SyncCalled(at=2.0, unit="x", call="want", peer=PEER),
        ]
    )
    assert [(row.unit, row.phases, row.view.state) for row in drawn.rows] == [
        ("a", (), "ended"),
        ("b", (), "idle"),
        ("x", (), "idle"),
    ]


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_journal_without_an_end_ends_with_its_last_event(cut: int) -> None:
    world = World([make_unit("a"), make_unit("b", after=(Dependency(unit="a"),))])
    world.start()
    part = world.run().journal[:cut]
    drawn = timeline(part)
    assert drawn.over is None
    assert drawn.startup is None
    assert drawn.critical_path == ()
    assert drawn.end == part[-1].at
    assert all(phase.end <= drawn.end for row in drawn.rows for phase in row.phases)


def test_no_journal_at_all() -> None:
    assert timeline([]) == Timeline(run="", end=0.0, rows=(), startup=None, over=None, critical_path=())


def test_the_critical_path_goes_through_locks_and_skips_what_a_unit_did_afterwards() -> None:
    service = make_unit("s", kind="service", ready=READY, locks=("l",), restart=Restart(when="never"))
    last = make_unit("t", kind="target", after=(Dependency(unit="s"),))
    drawn = played(World([make_unit("a", locks=("l",)), service, last], {"s": [Life(runs=9.0, ready=2.0)]}))
    assert drawn.critical_path == (Stretch("a", 0.0, 1.0), Stretch("s", 1.0, 3.0), Stretch("t", 3.0, 3.0))


def test_after_a_wait_for_a_job_a_stretch_begins_later() -> None:
    units = [make_unit("a"), make_unit("b"), make_unit("c", after=(Dependency(unit="a"),))]
    drawn = played(World(units, {"b": [Life(runs=3.0)]}, jobs=1))
    assert drawn.critical_path == (Stretch("a", 0.0, 1.0), Stretch("c", 4.0, 5.0))


def test_a_unit_that_failed_ends_its_stretch_when_it_ends() -> None:
    drawn = played(World([make_unit("a")], {"a": [Life(runs=2.0, exit=1)]}))
    assert drawn.critical_path == (Stretch("a", 0.0, 2.0),)


def test_a_unit_of_which_a_torn_journal_says_nothing_is_passed_over() -> None:
    world = World([make_unit("a"), make_unit("b", after=(Dependency(unit="a"),))])
    world.start()
    torn = [event for event in world.run().journal if not (isinstance(event, UnitEvent) and event.unit == "a")]
    assert timeline(torn).critical_path == (Stretch("b", 1.0, 2.0),)


def lives_of(events: list[UnitEvent], end: float) -> list[tuple[float, float]]:
    """From wanted to ended, each time, as the events of a unit say; two of which one begins as the other ends are one."""
    lives: list[tuple[float, float]] = []
    begun: float | None = None
    for event in events:
        if isinstance(event, UnitWaiting | UnitStarting) and begun is None:
            begun = event.at
            if lives and lives[-1][1] == begun:
                begun = lives.pop()[0]
        if isinstance(event, UnitEnded) and begun is not None:
            lives.append((begun, event.at))
            begun = None
    return lives if begun is None else [*lives, (begun, end)]


def joined(phases: tuple[Phase, ...]) -> list[tuple[float, float]]:
    """The time that phases fill."""
    filled: list[tuple[float, float]] = []
    for phase in phases:
        begin = filled.pop()[0] if filled and filled[-1][1] == phase.begin else phase.begin
        filled.append((begin, phase.end))
    return filled


@given(worlds())
def test_phases_tell_every_life_without_gap_or_overlap_and_every_attempt(world: World) -> None:
    drawn = timeline(world.run().journal)
    assert [line.unit for line in drawn.rows] == [*world.rules.snapshot.units]
    for line in drawn.rows:
        events = [event for event in world.journal if isinstance(event, UnitEvent) and event.unit == line.unit]
        assert all(phase.begin <= phase.end for phase in line.phases)
        assert all(one.end <= after.begin for one, after in pairwise(line.phases))
        assert joined(line.phases) == lives_of(events, drawn.end)
        attempts = [event.attempt for event in events if isinstance(event, UnitStarting)]
        assert [phase.attempt for phase in line.phases if phase.kind in WORK] == attempts
        backoffs = [event.reason for event in events if isinstance(event, UnitRetrying)]
        assert [phase.reason for phase in line.phases if phase.kind == "backoff"] == backoffs
    assert tuple(stretch.unit for stretch in drawn.critical_path) == (drawn.startup.critical_path if drawn.startup else ())
    assert all(stretch.begin <= stretch.end for stretch in drawn.critical_path)
    assert all(one.end <= after.begin for one, after in pairwise(drawn.critical_path))
