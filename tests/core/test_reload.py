"""What differs, and what is reported; how each unit follows is in the scenarios."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from runner.core.event import UnitsChanged, UnitsReloaded
from runner.core.graph import link
from runner.core.reload import Changes, compare, reload
from runner.core.run import Run
from runner.core.unit import Dependency

from .history import tell_history
from .world import Life, World, make_unit


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
