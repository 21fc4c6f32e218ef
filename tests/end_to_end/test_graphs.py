"""Graphs of real processes run to their end, each unit after all that it waits for."""

from __future__ import annotations

from pathlib import Path

from runner.core.event import UnitEnded, UnitStarted, UnitStarting
from runner.core.unit import Dependency, Unit
from tests.supervisor.harness import assert_order, make, on, service, supervise

TRUE = ["/bin/true"]
LAYERS, WIDTH = 10, 100


def layered(**commands: list[str]) -> list[Unit]:
    """Ten layers of a hundred units, each of which waits for three of the layer before."""
    units = []
    for layer in range(LAYERS):
        for place in range(WIDTH):
            name = f"u{layer}-{place}"
            after = [f"u{layer - 1}-{(place + step) % WIDTH}" for step in (0, 7, 31)] if layer else []
            units.append(make(name, commands.get(name, TRUE), after))
    return units


def success_closure(units: list[Unit], root: str) -> set[str]:
    """All that wait for the success of a unit, directly or not."""
    found = {root}
    for unit in units:  # dependencies come first
        if any(dependency.unit in found and dependency.requires == "success" for dependency in unit.after):
            found.add(unit.name)
    return found


def test_a_diamond(tmp_path: Path) -> None:
    units = [make("d", TRUE, ["b", "c"]), make("b", TRUE, ["a"]), make("c", TRUE, ["a"]), make("a", TRUE)]
    ran = supervise(tmp_path, *units)
    assert ran.outcome == "succeeded"
    assert_order(ran, units)
    assert [event.unit for event in ran.of(UnitEnded)][0::3] == ["a", "d"]


def test_a_target_is_reached_when_all_is_there(tmp_path: Path) -> None:
    units = [make("goal", after=["a", "s"]), make("a", TRUE), service("s", "exec sleep 600"), make("z", TRUE, ["goal"])]
    ran = supervise(tmp_path, *units, react=on(UnitEnded, "z"))
    assert ran.outcomes() == {"goal": "succeeded", "a": "succeeded", "s": "cancelled", "z": "succeeded"}
    assert_order(ran, units)


def test_nothing_to_do(tmp_path: Path) -> None:
    assert supervise(tmp_path).outcome == "succeeded"
    assert supervise(tmp_path, make("only")).outcome == "succeeded"


def test_units_that_are_named_bring_what_they_need(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", TRUE), make("b", TRUE, ["a"]), make("c", TRUE), names=["b"])
    assert ran.outcomes() == {"a": "succeeded", "b": "succeeded", "c": None}


def test_a_chain_of_500(tmp_path: Path) -> None:
    units = [make(f"u{number}", TRUE, [f"u{number - 1}"] if number else []) for number in range(500)]
    ran = supervise(tmp_path, *units)
    assert set(ran.outcomes().values()) == {"succeeded"}
    assert [event.unit for event in ran.of(UnitStarted)] == [unit.name for unit in units]
    assert_order(ran, units)
    assert ran.snapshot.startup
    assert len(ran.snapshot.startup.critical_path) == 500


def test_1000_at_once(tmp_path: Path) -> None:
    ran = supervise(tmp_path, *(make(f"u{number}", TRUE) for number in range(1_000)))
    assert set(ran.outcomes().values()) == {"succeeded"}


def test_1000_in_layers(tmp_path: Path) -> None:
    units = layered()
    ran = supervise(tmp_path, *units, jobs=4)
    assert set(ran.outcomes().values()) == {"succeeded"}
    assert_order(ran, units)
    working = 0
    for event in ran.events:
        working += isinstance(event, UnitStarting) - isinstance(event, UnitEnded)
        assert working <= 4


def test_a_failure_in_the_middle_skips_all_that_need_its_success(tmp_path: Path) -> None:
    units = layered(**{"u5-50": ["/bin/false"]})
    units += [
        make("report", TRUE, [Dependency(unit="u5-50", requires="completion")]),
        make("of-skipped", TRUE, [Dependency(unit="u9-50", requires="completion")]),
        make("of-report", TRUE, ["report"]),
    ]
    closure = success_closure(units, "u5-50")
    assert 20 < len(closure) < 200
    ran = supervise(tmp_path, *units)
    assert {name for name, outcome in ran.outcomes().items() if outcome != "succeeded"} == closure
    assert ran["u5-50"].outcome == "failed"
    for name in closure - {"u5-50"}:
        assert (ran[name].outcome, ran[name].cause, ran[name].pid) == ("skipped", "u5-50", None)
    assert not {event.unit for event in ran.of(UnitStarting)} & (closure - {"u5-50"})
    assert ran.outcome == "failed"
    assert_order(ran, units)


def test_what_is_optional_may_fail(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", "exit 3", optional=True), make("b", TRUE, ["a"], optional=True), make("c", TRUE))
    assert ran.outcomes() == {"a": "failed", "b": "skipped", "c": "succeeded"}
    assert ran.outcome == "succeeded"


def test_the_first_failure_can_end_all(tmp_path: Path) -> None:
    units = [
        service("s", "exec sleep 600"),
        make("a", "exit 3", ["s"]),
        make("never", "exec sleep 600", ["s"]),
        make("b", TRUE, ["never"]),
    ]
    ran = supervise(tmp_path, *units, fail_fast=True)
    assert ran.outcomes() == {"s": "cancelled", "a": "failed", "b": "cancelled", "never": "cancelled"}
    assert ran.outcome == "failed"


def test_handlers_start_when_a_unit_ended_so(tmp_path: Path) -> None:
    units = [
        make("good", TRUE, on_success=("cheer",), on_failure=("mourn",)),
        make("bad", "exit 1", optional=True, on_success=("no",), on_failure=("mend",)),
        *(make(name, "echo here") for name in ("cheer", "mourn", "no", "mend")),
    ]
    ran = supervise(tmp_path, *units)
    succeeded = {name for name, outcome in ran.outcomes().items() if outcome == "succeeded"}
    assert succeeded == {"good", "cheer", "mend"}
    assert ran["mourn"].state == ran["no"].state == "idle"
    assert ran.place(UnitEnded, "bad") < ran.place(UnitStarting, "mend")


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    """Each unit fails where it finds another at work."""
    at_work = f"mkdir {tmp_path}/apt && rmdir {tmp_path}/apt"
    both = f"mkdir {tmp_path}/apt {tmp_path}/dpkg && rmdir {tmp_path}/apt {tmp_path}/dpkg"
    units = [make(f"u{number}", at_work, locks=("apt",)) for number in range(10)]
    units += [make(f"v{number}", both, locks=("apt", "dpkg")) for number in range(10)]
    units += [make(f"w{number}", both, locks=("dpkg", "apt")) for number in range(10)]
    ran = supervise(tmp_path / "state", *units)
    assert set(ran.outcomes().values()) == {"succeeded"}
    assert {lock.lock for unit in units for lock in ran[unit.name].waits_for} <= {"apt", "dpkg"}


def test_one_job_at_a_time(tmp_path: Path) -> None:
    ran = supervise(tmp_path, *(make(f"u{number}", TRUE) for number in range(20)), jobs=1)
    turns = [type(event) for event in ran.events if isinstance(event, UnitStarting | UnitEnded)]
    assert turns == [UnitStarting, UnitEnded] * 20
