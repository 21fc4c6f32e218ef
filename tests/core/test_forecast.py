from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from runner.core.event import RunStarted, StartupFinished, WaitsFor
from runner.core.forecast import LEAST, Forecast, forecast
from runner.core.snapshot import Snapshot, UnitView


def of(units: dict[str, UnitView], jobs: int | UnsetType = UNSET) -> Snapshot:
    run = RunStarted(at=0.0, run="r", version="1", pid=1, units=tuple(units), jobs=jobs)
    return Snapshot(run=run, units=units)


def snapshot(**units: UnitView) -> Snapshot:
    return of(units)


def waiting(*after: str | tuple[str, str], expected: float | None = None, **fields: Any) -> UnitView:
    """A unit that waits for others; ``("a", "completion")`` for the end of one."""
    pairs = [(one, "success") if isinstance(one, str) else one for one in after]
    waits = tuple(WaitsFor(unit=unit, requires=requires) for unit, requires in pairs)  # type: ignore[arg-type]
    return UnitView(**{"state": "waiting", "waits_for": waits, "expected": expected, **fields})


def running(expected: float | None = None, started_at: float | None = 0.0, **fields: Any) -> UnitView:
    return UnitView(**{"state": "running", "expected": expected, "started_at": started_at, **fields})


def near(left: float, *path: str, is_partial: bool = False) -> Forecast:
    return Forecast(pytest.approx(left), path, is_partial)  # type: ignore[arg-type]


# ---------------------------------------------------------------- chains


def test_the_longest_chain_of_what_is_left_counts() -> None:
    run = snapshot(
        a=running(5.0),
        b=running(3.0, started_at=1.0),
        c=waiting("b", expected=4.0),
        d=waiting("a", "c", expected=1.0),
        e=waiting("a", expected=1.5),
    )
    assert forecast(run, 2.0) == near(7.0, "b", "c", "d")


def test_a_unit_that_takes_longer_than_expected_is_not_forgotten() -> None:
    assert forecast(snapshot(a=running(1.0), b=waiting("a", expected=2.0)), 9.0) == near(2.0 + LEAST, "a", "b")


def test_a_process_that_is_being_spawned_has_all_its_time_to_come() -> None:
    assert forecast(snapshot(a=running(1.0, started_at=None)), 9.0) == near(1.0, "a")


def test_what_has_ended_or_is_ready_holds_nobody_up() -> None:
    run = snapshot(
        a=UnitView(state="ended", expected=9.0),
        b=UnitView(state="ready", kind="service", expected=9.0),
        c=UnitView(state="ready", expected=3.0, started_at=0.0),
        d=waiting("a", "b", "c", ("b", "completion"), expected=4.0),
    )
    assert forecast(run, 1.0) == near(4.0, "d")
    run.units["e"] = waiting(("c", "completion"), expected=4.0)
    assert forecast(run, 1.0) == near(6.0, "c", "e")


def test_a_target_takes_no_time() -> None:
    assert forecast(snapshot(goal=waiting("a", kind="target"), a=running(3.0)), 1.0) == near(2.0, "a", "goal")


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_of_equal_chains_the_same_is_always_told(names: str) -> None:
    assert forecast(of({name: running(3.0) for name in names}), 1.0) == near(2.0, "b")


def test_backoff_counts() -> None:
    run = snapshot(a=UnitView(state="backoff", retry_at=5.0, expected=2.0), b=waiting("a", expected=1.0))
    assert forecast(run, 3.0) == near(5.0, "a", "b")
    assert forecast(run, 6.0) == near(3.0, "a", "b")


# ---------------------------------------------------------------- locks and jobs


def test_a_lock_goes_to_who_asked_first() -> None:
    run = snapshot(
        a=waiting(expected=4.0, locks=("apt",), asked_at=0.9),
        b=waiting(expected=2.0, locks=("dpkg", "apt"), asked_at=0.5),
        c=running(3.0, locks=("apt",)),
        d=waiting("c", expected=1.0, locks=("apt",)),
    )
    assert forecast(run, 1.0) == near(9.0, "c", "b", "a", "d")


def test_a_lock_that_is_free_in_time_holds_nobody_up() -> None:
    run = snapshot(a=running(2.0, locks=("apt",)), b=running(5.0), c=waiting("b", expected=1.0, locks=("apt",)))
    assert forecast(run, 0.0) == near(6.0, "b", "c")


def test_jobs_are_given_in_turn() -> None:
    run = snapshot(
        a=running(4.0),
        b=running(3.0),
        c=waiting(expected=2.0, asked_at=0.0),
        d=waiting(expected=2.0, asked_at=0.5),
        e=waiting(expected=5.5, kind="external"),
        f=UnitView(state="ready", expected=5.0, started_at=0.0),
    )
    run = of(run.units, jobs=2)
    assert forecast(run, 1.0) == near(5.5, "e")
    del run.units["e"]
    assert forecast(run, 1.0) == near(5.0, "a", "d")


# ---------------------------------------------------------------- who counts


def test_scripts_and_handlers_count_where_somebody_wants_them() -> None:
    script = running(50.0, is_declared=False, kind="external")
    run = snapshot(a=running(1.0), x=script, on_end=UnitView(is_handler=True, expected=50.0))
    assert forecast(run, 0.0) == near(1.0, "a")
    run.units["a"] = waiting("x", expected=1.0)
    assert forecast(run, 0.0) == near(51.0, "x", "a")
    run.units["on_end"] = running(60.0, is_handler=True)
    assert forecast(run, 0.0) == near(60.0, "on_end")


def test_a_name_that_nobody_has_brought_is_waited_for() -> None:
    run = snapshot(a=waiting("x", "y", expected=1.0), y=UnitView(is_declared=False, kind="external", expected=0.5))
    assert forecast(run, 0.0) == near(1.5, "y", "a", is_partial=True)
    del run.units["y"]
    assert forecast(run, 0.0).path[1:] == ("a",)


def test_a_script_that_has_not_called_is_first() -> None:
    run = snapshot(a=UnitView(kind="external", state="waiting", waits_for=(WaitsFor(call="start"),), expected=2.0))
    assert forecast(run, 7.0) == near(2.0, "a")


# ---------------------------------------------------------------- what is not known


def test_where_nothing_is_known_the_most_units_in_a_row_count() -> None:
    run = snapshot(a=running(), b=waiting("a"), c=waiting("b"), d=waiting("a", kind="target"))
    assert forecast(run, 3.0) == Forecast(None, ("a", "b", "c"), is_partial=True)


def test_where_some_is_known_it_takes_at_least_so_long() -> None:
    run = snapshot(a=running(), b=waiting("a", expected=2.0), c=UnitView(state="stopping", expected=3.0))
    assert forecast(run, 0.0) == near(2.0 + LEAST, "a", "b", is_partial=True)


def test_of_units_that_wait_for_each_other_nothing_is_known() -> None:
    knot = {"a": waiting("b", expected=1.0), "b": waiting("a", expected=1.0), "self": waiting("self", expected=1.0)}
    assert forecast(of(knot), 0.0) == Forecast(None, ())
    assert forecast(of({**knot, "c": running(3.0), "after": waiting("a", expected=1.0)}), 1.0) == near(2.0, "c", is_partial=True)


def test_a_startup_that_is_finished_has_nothing_left_whatever_happens_after() -> None:
    run = snapshot(a=running(3.0))
    run.startup = StartupFinished(at=1.0, outcome="succeeded", duration=1.0)
    assert forecast(run, 2.0) == Forecast(0.0, ())


def test_before_anything_is_wanted_nothing_can_be_said() -> None:
    assert forecast(snapshot(a=UnitView(expected=2.0)), 0.0) == Forecast(None, ())
    assert forecast(Snapshot(), 0.0) == Forecast(None, ())


# ---------------------------------------------------------------- rules


def longest_from(name: str, units: dict[str, UnitView]) -> float:
    waits = [one.unit for one in units[name].waits_for if isinstance(one.unit, str)]
    return (units[name].expected or 0.0) + max((longest_from(other, units) for other in waits), default=0.0)


@given(st.data())
def test_without_locks_and_jobs_it_is_the_longest_of_all_paths(data: st.DataObject) -> None:
    names = [f"u{number}" for number in range(data.draw(st.integers(1, 8)))]
    units = {}
    for number, name in enumerate(names):
        after = data.draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        expected = data.draw(st.sampled_from([0.5, 1.0, 2.0, 4.0]))
        units[name] = waiting(*after, expected=expected) if after else running(expected)
    shuffled = data.draw(st.permutations(names))
    told = forecast(of({name: units[name] for name in shuffled}), 0.0)
    assert told.left == pytest.approx(max(longest_from(name, units) for name in names))
    assert sum(units[name].expected or 0.0 for name in told.path) == pytest.approx(told.left)
    assert all(first in [one.unit for one in units[second].waits_for] for first, second in pairwise(told.path))
