"""What differs, and what is reported; how each unit follows is in the scenarios."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from runner.core.effect import Report
from runner.core.event import UnitsChanged, UnitStarting
from runner.core.graph import link
from runner.core.observed import UnitsReloaded
from runner.core.reload import Changes, compare, reload
from runner.core.run import Run
from runner.core.unit import Dependency, Ready

from .history import tell_history
from .world import Life, World, make_external, make_unit


def test_what_is_new_what_says_something_else_and_what_is_gone() -> None:
    before = [make_unit("same"), make_unit("other"), make_unit("gone")]
    run = Run(link(before)[0], "r", jobs=None, fail_fast=False, keep=False)
    now = [make_unit("new"), make_unit("other", description="other"), make_unit("same")]
    assert compare(run, now) == Changes(added=("new",), changed=("other",), removed=("gone",))


def test_the_difference_is_reported_and_written_down_with_what_is_declared() -> None:
    units = [make_unit("a"), make_unit("b", after=(Dependency(unit="a"),)), make_unit("c")]
    world = World(units, {"a": [Life(runs=5.0)]}, keep=True)
    world.start()
    call = world.reload([units[0], replace(units[1], after=()), make_unit("d")], at=1.0)
    world.run()
    report = world.reports[call]
    assert (report.added, report.changed, report.removed, report.refusal) == (("d",), ("b",), ("c",), "")
    (changed,) = [event for event in world.journal if isinstance(event, UnitsChanged)]
    assert [one.unit for one in changed.declared] == ["b", "d"]
    views = world.rules.snapshot.units
    assert views["b"].after == {}
    assert views["c"].is_removed
    assert not views["c"].is_declared


def test_what_others_make_a_unit_wait_for_is_declared_anew() -> None:
    world = World([make_unit("a"), make_unit("b", after=(Dependency(unit="a"),))], {"a": [Life(runs=9.0)]})
    world.start()
    world.reload([*world.units, make_unit("new", before=(Dependency(unit="b"),))], at=1.0)
    world.run()
    (changed,) = [event for event in world.journal if isinstance(event, UnitsChanged)]
    assert {one.unit: [need.unit for need in one.after] for one in changed.declared} == {"b": ["a", "new"], "new": []}


def test_nothing_is_written_down_where_nothing_differs() -> None:
    world = World([make_unit("a")])
    world.start()
    call = world.reload(world.units, at=0.5)
    world.run()
    assert world.reports[call].added == world.reports[call].changed == world.reports[call].removed == ()
    assert not any(isinstance(event, UnitsChanged) for event in world.journal)


def test_a_restart_finds_also_what_changed_before_and_still_runs_as_it_was() -> None:
    old, same = make_unit("a", kind="service"), make_unit("b", kind="service")
    world = World([old, same], {"a": [Life(runs=99.0)] * 2, "b": [Life(runs=99.0)]}, keep=True)
    world.start()
    units = [replace(old, description="new"), same]
    world.reload(units, at=1.0)
    calls = [world.reload(units, at=at, restart=restart) for at, restart in ((2.0, False), (3.0, True), (4.0, True))]
    world.run(until=5.0)
    assert [world.reports[call].changed for call in calls] == [(), ("a",), ()]
    assert [event.at for event in world.journal if isinstance(event, UnitStarting)] == [0.0, 0.0, 3.0]


def test_files_with_faults_are_not_for_the_engine() -> None:
    run = Run(link([make_unit("a")])[0], "r", jobs=None, fail_fast=False, keep=False)
    with pytest.raises(ValueError, match="faults"):
        reload(run, UnitsReloaded(at=0.0, units=(make_unit("a", after=(Dependency(unit="nobody"),)),)))


def test_what_is_gone_still_needs_what_it_needed_while_it_runs() -> None:
    db = make_unit("db", kind="service")
    web = make_unit("web", kind="service", after=(Dependency(unit="db"),))
    world = World([db, web], {"db": [Life(runs=99.0)], "web": [Life(runs=99.0, obeys=2.0)]}, keep=True)
    world.start()
    world.reload([db], at=1.0)
    world.stop(at=2.0)
    told = tell_history(world.run().history).splitlines()
    assert told.index("3 web: cancelled after 3: reloaded") < told.index("3 db: stopping: SIGTERM")


def test_a_group_that_is_named_has_its_new_member_started() -> None:
    world = World([make_unit("g/a")], keep=True)
    world.start("g/a")
    world.reload([make_unit("g/a"), make_unit("g/b")], at=2.0)
    world.start("g", at=3.0)
    world.run()
    assert world.rules.snapshot.units["g/b"].outcome == "succeeded"


def test_what_waits_looks_again_also_for_a_lock() -> None:
    units = [make_unit(name, locks=("apt",)) for name in "ab"]
    world = World(units, {"a": [Life(runs=5.0)]})
    world.start()
    world.reload([units[0], replace(units[1], locks=())], at=1.0)
    world.run()
    assert "1 b: starting, attempt 1" in tell_history(world.history).splitlines()


def test_what_was_removed_comes_back_as_it_is_then() -> None:
    world = World([make_unit("a"), make_unit("b")], keep=True)
    world.start()
    world.reload(world.units[:1], at=2.0)
    world.reload([world.units[0], make_unit("b", description="new")], at=4.0)
    world.run()
    assert world.engine.nodes["b"].unit.description == "new"
    assert world.rules.snapshot.units["b"].outcome == "succeeded"


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_cycle_through_what_a_script_asked_for_is_refused(is_heard: bool) -> None:
    world = World([make_unit("a")], {"a": [Life(runs=5.0)]})
    world.start()
    world.call("want", "x", "a")
    now = (make_unit("a", after=(Dependency(unit="x"),)), make_external("x"))
    world.later(1.0, lambda: world.tell(UnitsReloaded(at=1.0, call=7 * is_heard, units=now)))
    world.run()
    why = "dependency cycle: a -> x -> a; a script asked for x -> a"
    assert world.reports.get(7) == (Report(7, refusal=why) if is_heard else None)
    assert world.engine.graph.after["a"] == {}


def test_with_restart_what_changed_begins_anew_or_runs_again_if_it_failed() -> None:
    units = [make_unit("s", kind="service"), make_unit("f"), make_unit("d"), make_unit("w", after=(Dependency(unit="s2"),))]
    units.append(make_unit("s2", kind="service", ready=Ready(delay=9.0)))
    lives = {"f": [Life(runs=1.0, exit=1), Life(runs=1.0)], "d": [Life(runs=1.0)]} | {name: [Life()] for name in ("s", "s2")}
    world = World(units, lives, keep=True)
    world.start()
    world.reload([replace(unit, description="new") for unit in units], at=2.0, restart=True)
    world.run(until=5.0)
    began = [event.unit for event in world.journal if isinstance(event, UnitStarting) and event.at == 2.0]
    assert sorted(began) == ["f", "s", "s2"]


def test_a_run_that_ends_takes_no_new_files() -> None:
    world = World([make_unit("a", kind="service")], {"a": [Life(obeys=5.0)]})
    world.start()
    world.stop(at=1.0)
    call = world.reload([], at=2.0)
    assert world.run().reports[call].refusal == "the run is being stopped: SIGTERM"


def test_what_is_stopped_in_the_same_step_does_not_look_again() -> None:
    units = [make_unit("gone"), make_external("e")]
    world = World(units, {"gone": [Life(runs=5.0)]}, keep=True)
    world.start()
    world.call("want", "e", "gone")
    world.later(1.0, lambda: world.tell(UnitsReloaded(at=1.0, units=(make_external("e", description="new"),))))
    world.run()
    assert world.rules.snapshot.units["e"].outcome == "cancelled"
