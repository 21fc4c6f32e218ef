from __future__ import annotations

from runner.core.event import WaitsFor
from runner.core.snapshot import Snapshot, UnitView
from runner.show.waiting import lock_holders, obstacles_by_unit, say_obstacles, say_waits


def test_locks_are_told_by_their_holder() -> None:
    waits = [WaitsFor(lock="x", holder="a"), WaitsFor(unit="u"), WaitsFor(lock="y", holder="b"), WaitsFor(lock="z", holder="a")]
    assert say_waits(waits) == 'u, locks "x" and "z" of a, lock "y" of b'
    assert say_waits([WaitsFor(lock="x")]) == 'lock "x"'
    assert say_waits([]) == ""


def test_a_look_is_told_by_the_command_that_it_asks() -> None:
    assert say_waits([WaitsFor(check=("creates",))]) == "a look whether it need run"
    assert say_waits([WaitsFor(check=("if",), asks="sleep 4")]) == 'the answer of "sleep 4"'


def test_many_obstacles_are_told_in_few_words() -> None:
    assert say_waits([WaitsFor(unit=f"u{number}") for number in range(9)]) == "u0, u1, u2, u3 and 5 more"


def test_whoever_runs_has_its_locks() -> None:
    units = {
        "idle": UnitView(locks=("a",)),
        "runs": UnitView(locks=("b", "c"), state="running"),
        "up": UnitView(locks=("d",), state="ready"),
        "tries": UnitView(locks=("e",), state="backoff"),
        "goes": UnitView(locks=("f",), state="stopping"),
        "over": UnitView(locks=("g",), state="ended"),
    }
    assert lock_holders(units) == {"b": "runs", "c": "runs", "d": "up", "f": "goes"}


def test_who_has_a_lock_now_is_told_and_not_who_had_it() -> None:
    waiting = UnitView(state="waiting", waits_for=(WaitsFor(lock="apt", holder="a"),))
    units = {"a": UnitView(state="ended", locks=("apt",)), "b": UnitView(state="running", locks=("apt",)), "c": waiting}
    assert say_obstacles(waiting, units, lock_holders(units)) == 'lock "apt" of b'
    assert say_obstacles(waiting, {}, {}) == 'lock "apt"'


def test_a_holder_whose_locks_nobody_has_told_is_believed() -> None:
    waiting = UnitView(state="waiting", waits_for=(WaitsFor(lock="apt", holder="a"),))
    assert say_obstacles(waiting, {"a": UnitView(state="running")}, {}) == 'lock "apt" of a'


def test_a_service_that_is_ready_is_there_for_all() -> None:
    waiting = UnitView(state="waiting", waits_for=(WaitsFor(unit="a", requires="completion"), WaitsFor(unit="b")))
    units = {"a": UnitView(kind="service", state="ready"), "b": UnitView(kind="service", state="backoff")}
    assert say_obstacles(waiting, units, {}) == "b"


def test_units_that_wait_for_the_same_stand_together() -> None:
    units = {
        "a": UnitView(state="waiting", waits_for=(WaitsFor(unit="x"),)),
        "b": UnitView(state="waiting", waits_for=(WaitsFor(jobs=2),)),
        "c": UnitView(state="waiting", waits_for=(WaitsFor(unit="x"),)),
        "d": UnitView(state="running"),
    }
    assert obstacles_by_unit(Snapshot(units=units)) == {"x": ["a", "c"], "a job": ["b"]}
