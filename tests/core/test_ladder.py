from __future__ import annotations

from math import inf
from typing import Any

import pytest

from runner.core.effect import CancelTimer, Effect, Report, RunStopCommand, SetTimer, Signal, StopProbes
from runner.core.ladder import KILL_PATIENCE
from runner.core.unit import Command, Health, Probe, Ready, Stop

from .history import lines
from .world import Life, World, make_unit

PROBE = Probe(by="tcp")
QUIT = Command(argv=("quit",))


def stop(life: Life, **fields: Any) -> World:
    """A service that somebody stops at 1."""
    world = World([make_unit("s", kind="service", **fields)], {"s": [life]})
    world.start()
    world.stop(at=1.0)
    return world


def effects_at(world: World, at: float) -> list[Effect]:
    """The orders of a moment, the report to whoever asked aside."""
    orders = [item for when, item in world.history if when == at and isinstance(item, Effect)]
    return [order for order in orders if not isinstance(order, Report)]


def test_the_signal_first() -> None:
    world = stop(Life()).run()
    assert effects_at(world, 1.0) == [SetTimer(1, 11.0), Signal("s", "r.1", "SIGTERM", "tree"), CancelTimer(1)]
    assert lines(world.history, "s")[-1] == "1 cancelled after 1: SIGTERM"


@pytest.mark.parametrize("fields", [{"ready": Ready(probe=PROBE)}, {"health": Health(probe=PROBE)}])
def test_nobody_asks_a_unit_that_is_being_stopped(fields: dict[str, Any]) -> None:
    assert effects_at(stop(Life(), **fields).run(), 1.0)[0] == StopProbes("s", "r.1")


def test_the_stop_command_comes_before_the_signal() -> None:
    world = stop(Life(stop_command=2.0), stop=Stop(command=QUIT)).run()
    assert RunStopCommand("s", "r.1") in effects_at(world, 1.0)
    assert effects_at(world, 3.0)[0] == Signal("s", "r.1", "SIGTERM", "tree")


def test_the_ladder_has_one_timeout() -> None:
    world = stop(Life(stop_command=2.0, obeys=inf), stop=Stop(command=QUIT, timeout=5.0)).run()
    assert lines(world.history, "s")[1:] == [
        "1 stopping: SIGTERM",
        "1 <- stop command",
        "3 <- SIGTERM to tree",
        "6 <- SIGKILL to tree",
        "6 cancelled after 6: SIGTERM, killed after 5 s",
    ]


def test_mode_main_signals_the_main_process_and_then_what_is_left() -> None:
    world = stop(Life(obeys=1.0, leaves=60.0), stop=Stop(mode="main")).run()
    assert lines(world.history, "s")[1:] == [
        "1 stopping: SIGTERM",
        "1 <- SIGTERM to main",
        "2 <- SIGTERM to tree",
        "3 cancelled after 2: SIGTERM",
    ]


@pytest.mark.parametrize("mode", ["group", "main"])
def test_what_is_left_is_killed_when_its_time_is_over(mode: str) -> None:
    world = stop(Life(leaves=60.0, left_obey=False), stop=Stop(mode=mode, timeout=2.0)).run()  # type: ignore[arg-type]
    assert lines(world.history, "s")[-2:] == ["3 <- SIGKILL to tree", "3 cancelled after 1: SIGTERM"]


def test_what_cannot_be_killed_is_given_up() -> None:
    world = stop(Life(immortal=True, obeys=inf), stop=Stop(timeout=2.0)).run()
    given_up = 3 + KILL_PATIENCE
    assert lines(world.history, "s")[-1] == (
        f"{given_up:g} cancelled after {given_up:g}: SIGTERM, killed after 2 s, but its processes did not go"
    )


def test_what_is_left_by_a_killed_process_gets_no_further_signal() -> None:
    world = stop(Life(obeys=3.5, leaves=60.0, immortal=True, left_obey=False), stop=Stop(mode="main", timeout=2.0)).run()
    assert lines(world.history, "s")[-3:] == [
        "1 <- SIGTERM to main",
        "3 <- SIGKILL to tree",
        "8 cancelled after 4.5: SIGTERM, killed after 2 s, but its processes did not go",
    ]


def test_without_patience_the_last_step_is_the_first() -> None:
    world = stop(Life(), stop=Stop(command=QUIT))
    world.kill(at=0.5)
    world.run()
    assert lines(world.history, "s")[1:] == [
        "0.5 stopping: second SIGTERM",
        "0.5 <- SIGKILL to tree",
        "0.5 cancelled after 0.5: second SIGTERM",
    ]
