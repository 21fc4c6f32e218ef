from __future__ import annotations

from math import inf

from runner.core.sync_view import SyncEdge, SyncState
from runner.core.unit import Dependency

from .world import Life, World, make_unit


def after(*names: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name) for name in names)


FAILS = [Life(runs=1.0, exit=1)]
FOREVER = [Life()]


def test_dependencies_are_told_by_name() -> None:
    world = World([make_unit("b"), make_unit("a", after=after("b"))], {"a": FOREVER}, keep=True)
    world.start()
    for name in ("d", "b", "a"):
        world.call("want", "x", name)
    world.run()
    edges = (SyncEdge("a", "started", False), SyncEdge("b", "completed", True), SyncEdge("d", "", False))
    assert world.engine.sync_state("x") == SyncState("x", "pending", False, edges)
    assert world.engine.sync_state("a") == SyncState("a", "started", True, (SyncEdge("b", "completed", True),))


def test_who_is_not_known_or_only_waited_for_is_ready_and_has_no_state() -> None:
    world = World([], keep=True)
    world.call("want", "x", "d")
    world.run()
    assert world.engine.sync_state("d") == SyncState("d", "", True)
    assert world.engine.sync_state("nobody") == SyncState("nobody", "", True)
    assert [state.unit for state in world.engine.sync_states()] == ["x"]


def test_the_words_of_the_wire() -> None:
    units = [
        make_unit("bad"),
        make_unit("cancelled"),
        make_unit("idle"),
        make_unit("open"),
        make_unit("service", kind="service"),
        make_unit("skipped", after=after("bad")),
        make_unit("slow", timeout=2.0),
        make_unit("waiting", after=after("open")),
        make_unit("well"),
    ]
    lives = {"bad": FAILS, "cancelled": FOREVER, "open": [Life(runs=inf)], "slow": FOREVER}
    world = World(units, lives, keep=True)
    world.start(*[unit.name for unit in units if unit.name != "idle"])
    world.stop("cancelled", at=1.0)
    world.run()
    assert {state.unit: state.state for state in world.engine.sync_states()} == {
        "bad": "failed",
        "cancelled": "cancelled",
        "idle": "pending",
        "open": "started",
        "service": "completed",
        "skipped": "skipped",
        "slow": "timed-out",
        "waiting": "pending",
        "well": "completed",
    }
