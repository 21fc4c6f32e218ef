"""Recorded histories: units, what their programs do, who asks for what, and all that the engine is to decide.

Each file of ``scenarios/`` is one. A bug becomes a new file before it becomes a fix.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner.core.observed import (
    CheckEnded,
    ProbeFailed,
    ProbeSucceeded,
    ProcessExited,
    ProcessSpawned,
    ScriptEnded,
    SpawnFailed,
    StatusReported,
    StopCommandEnded,
    TimeoutExtended,
    TimerFired,
    TreeEnded,
)
from runner.core.unit import Unit

from .history import tell_history
from .world import Life, Look, World

Fact = (
    CheckEnded
    | ProbeFailed
    | ProbeSucceeded
    | ProcessExited
    | ProcessSpawned
    | ScriptEnded
    | SpawnFailed
    | StatusReported
    | StopCommandEnded
    | TimeoutExtended
    | TimerFired
    | TreeEnded
)


class Reload(msgspec.Struct, forbid_unknown_fields=True):
    at: float
    units: dict[str, dict[str, Any]]
    """All of them."""
    restart: bool = False


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    units: dict[str, dict[str, Any]]
    history: str
    lives: dict[str, Life | list[Life]] = {}
    looks: dict[str, Look | list[Look]] = {}
    """What comes of it when somebody looks whether units need run, each time; by default they need."""
    learned: dict[str, float] = {}
    """Seconds that units took in earlier runs."""
    learned_at: float = 0.0
    """Before what is asked at the same time."""
    asked: tuple[str, ...] = ("0 start",)
    """``TIME start|stop|restart|retry|kill [UNIT...]``, numbered from 1 but for ``kill``"""
    reloads: tuple[Reload, ...] = ()
    """When the unit files say something else, numbered after what is asked."""
    called: tuple[str, ...] = ()
    """``TIME want|start|complete|fail|await|reach UNIT [MORE] [by UNIT]``, numbered from 1, or ``TIME gone UNIT`` where the
    script that started a unit is killed, or ``TIME forget CALL``. Written without a unit: the empty name."""
    facts: list[Fact] = []
    """What the world would not say by itself: facts that come too late, or twice."""
    jobs: int | None = None
    fail_fast: bool = False
    keep: bool = False


def read_unit(name: str, fields: dict[str, Any]) -> Unit:
    """A unit as short as it can be written: a oneshot; ``after`` holds names, with `` (completion)`` or `` (restart)`` where
    that is meant."""
    after = []
    for entry in fields.pop("after", []):
        unit, *how = entry.replace("(", " ").replace(")", " ").split()
        requires = "completion" if "completion" in how else "success"
        after.append({"unit": unit, "requires": requires, "restart": "restart" in how})
    command = None if fields.get("kind") == "external" else {"argv": [name]}
    given = {"name": name, "kind": "oneshot", "command": command, **fields, "after": after}
    return msgspec.convert(given, Unit)


def read_units(units: dict[str, dict[str, Any]]) -> list[Unit]:
    return [read_unit(name, dict(fields)) for name, fields in units.items()]


def play(scenario: Scenario) -> World:
    units = read_units(scenario.units)
    lives = {name: life if isinstance(life, list) else [life] for name, life in scenario.lives.items()}
    looks = {name: look if isinstance(look, list) else [look] for name, look in scenario.looks.items()}
    world = World(units, lives, looks, jobs=scenario.jobs, fail_fast=scenario.fail_fast, keep=scenario.keep)
    if scenario.learned:
        world.learn(scenario.learned, at=scenario.learned_at)
    for request in scenario.asked:
        at, what, *names = request.split()
        ask: dict[str, Callable[..., object]] = {
            "start": world.start,
            "stop": world.stop,
            "restart": world.restart,
            "retry": world.retry,
            "kill": world.kill,
        }
        ask[what](*names, at=float(at))
    for reload in scenario.reloads:
        world.reload(read_units(reload.units), at=reload.at, restart=reload.restart)
    for line in scenario.called:
        call(world, line)
    for fact in scenario.facts:
        world.later(fact.at, lambda fact=fact: world.tell(fact))  # type: ignore[misc]
    return world.run()


def call(world: World, line: str) -> None:
    said, _, by = line.partition(" by ")
    at, verb, unit, more = [*said.split(" ", 3), "", ""][:4]
    if verb == "gone":
        world.end_script(unit, at=float(at))
    elif verb == "forget":
        world.forget(int(unit), at=float(at))
    else:
        world.call(verb, unit, more, at=float(at), by=by)


@pytest.mark.parametrize("path", sorted(Path(__file__).with_name("scenarios").glob("*.toml")), ids=lambda path: path.stem)
def test_history(path: Path) -> None:
    scenario = msgspec.convert(tomllib.loads(path.read_text()), Scenario)
    assert tell_history(play(scenario).history).splitlines() == scenario.history.strip().splitlines()
