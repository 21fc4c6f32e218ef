from __future__ import annotations

from math import inf
from typing import Any

import pytest
from msgspec import UNSET

from runner.core.effect import Answer, CancelTimer, Effect, ReadValues, Report, SetTimer, Spawn, StartProbe, StopCheck
from runner.core.engine import Engine
from runner.core.event import Peer, UnitEnded, UnitReady, UnitRetrying, UnitStarting
from runner.core.graph import link
from runner.core.observed import ProcessSpawned, StartRequested, SyncCompleted, SyncStarted, ValuesRead
from runner.core.unit import Dependency, Health, Probe, Ready, Restart, Retry

from .history import lines
from .world import Life, Look, World, make_unit


def play(life: Life | list[Life], until: float = 100.0, **fields: Any) -> World:
    world = World([make_unit("a", **fields)], {"a": life if isinstance(life, list) else [life]})
    world.start()
    world.stop(at=until)
    return world.run()


def test_an_attempt_is_written_down_before_it_is_ordered() -> None:
    world = play(Life(runs=1.0))
    assert world.steps[0].events == (UnitStarting(at=0.0, unit="a", invocation="r.1", attempt=1),)
    assert world.steps[0].effects == (Report(1, ("a",)), Spawn("a", "r.1", 1))


def test_a_service_that_becomes_ready_has_no_timeout_any_more_and_is_looked_after() -> None:
    probe = Probe(by="tcp")
    world = play(Life(ready=2.0), kind="service", ready=Ready(probe=probe), health=Health(probe=probe), timeout=5.0)
    assert lines(world.history, "a")[0] == "2 ready after 2"
    effects = [item for at, item in world.history if at == 2.0 and isinstance(item, Effect)]
    assert effects == [ReadValues("a", "r.1"), CancelTimer(1), StartProbe("a", "r.1", "health")]


def test_a_oneshot_that_becomes_ready_keeps_its_timeout() -> None:
    world = play(Life(ready=1.0), ready=Ready(probe=Probe(by="file")), timeout=5.0)
    assert lines(world.history, "a")[:2] == ["1 ready after 1", "5 stopping: still running after 5 s"]


def test_retry_until_the_last_attempt() -> None:
    world = play(Life(runs=1.0, exit=1), retry=Retry(attempts=2, delay=3.0))
    assert lines(world.history, "a") == ["1 attempt 2 follows in 3: exit status 1", "5 failed after 1: exit status 1"]


def test_backoff_says_how_the_attempt_ended_and_sets_its_timer() -> None:
    world = play([Life(runs=1.0, exit="SIGSEGV"), Life(runs=1.0)], retry=Retry(attempts=2, delay=3.0))
    retrying = next(event for event in world.journal if isinstance(event, UnitRetrying))
    assert retrying == UnitRetrying(at=1.0, unit="a", attempt=2, delay=3.0, reason="killed by SIGSEGV", signal="SIGSEGV")
    assert SetTimer(1, 4.0) in world.steps[2].effects


@pytest.mark.parametrize(
    ("when", "exit_code", "restarts"),
    [("never", 0, 0), ("never", 1, 0), ("on-failure", 0, 0), ("on-failure", 1, 1), ("always", 0, 1), ("always", 1, 1)],
)
def test_when_a_service_is_restarted(when: str, exit_code: int, restarts: int) -> None:
    policy = Restart(when=when)  # type: ignore[arg-type]
    world = play([Life(runs=1.0, exit=exit_code), Life()], kind="service", restart=policy)
    assert sum(isinstance(event, UnitRetrying) for event in world.journal) == restarts


def test_a_health_check_restarts_whatever_the_policy_says() -> None:
    world = play([Life(health=(False,)), Life()], kind="service", health=Health(probe=Probe(by="tcp"), failures=1))
    assert lines(world.history, "a")[3] == "1 attempt 2 follows in 1: health check failed 1 time in a row: no answer"


def test_the_limit_of_restarts_is_a_failure() -> None:
    world = play(Life(runs=1.0), kind="service", restart=Restart(when="always", limit=1))
    assert lines(world.history, "a")[-1] == ("3 failed after 1: exit status 0; restarted 1 time within 1 min, which is its limit")


@pytest.mark.parametrize("fields", [{"retry": Retry(attempts=2)}, {"kind": "service", "restart": Restart(when="always")}])
def test_nobody_who_is_stopped_makes_another_attempt(fields: dict[str, Any]) -> None:
    world = play(Life(obeys=2.0), until=1.0, **fields)
    assert lines(world.history, "a")[-1] == "3 cancelled after 3: SIGTERM"


def test_an_end_says_what_the_attempt_cost() -> None:
    world = play(Life(runs=2.0, exit=3))
    ended = next(event for event in world.journal if isinstance(event, UnitEnded))
    about = {"outcome": "failed", "reason": "exit status 3", "exit_code": 3, "duration": 2.0, "cpu": 0.1, "max_rss": 1}
    assert ended == UnitEnded(at=2.0, unit="a", **about)  # type: ignore[arg-type]


def test_an_end_without_an_attempt_cost_nothing() -> None:
    world = play(Life(fails_at="cwd"))
    ended = next(event for event in world.journal if isinstance(event, UnitEnded))
    assert ended == UnitEnded(at=0.0, unit="a", outcome="failed", reason="cannot run: cwd")


@pytest.mark.parametrize(("optional", "failed"), [(False, ["a"]), (True, [])])
def test_only_what_is_not_optional_makes_the_startup_fail(optional: bool, failed: list[str]) -> None:
    world = play(Life(runs=1.0, exit=1), optional=optional)
    assert world.rules.snapshot.startup is not None
    assert list(world.rules.snapshot.startup.failed) == failed


def test_what_somebody_restarts_has_all_of_its_attempts_again() -> None:
    world = World([make_unit("a")], {"a": [Life(runs=9.0), Life(runs=1.0)]})
    world.start()
    world.restart("a", at=2.0)
    (retrying,) = [event for event in world.run().journal if isinstance(event, UnitRetrying)]
    assert retrying == UnitRetrying(at=2.0, unit="a", attempt=1, delay=0.0, reason="restarted", signal="SIGTERM")


def test_an_end_gives_up_the_look_whether_it_need_run() -> None:
    world = World([make_unit("a", creates=("/a",), timeout=9.0)], looks={"a": [Look(takes=inf)]})
    world.start()
    world.stop(at=1.0)
    world.run()
    assert [effect for _, effect in world.history if isinstance(effect, StopCheck | CancelTimer)] == [
        StopCheck("a", 1),
        CancelTimer(1),
    ]


def test_why_it_is_not_up_to_date_is_said_once() -> None:
    world = World(
        [make_unit("a", creates=("/a",), retry=Retry(attempts=2))], {"a": [Life(runs=1.0, exit=1)]}, {"a": [Look(reason="new")]}
    )
    world.start()
    begun = [event for event in world.run().journal if isinstance(event, UnitStarting)]
    assert [event.because for event in begun] == ["new", UNSET]


def test_an_attempt_begins_with_what_is_given_then_or_not_at_all_where_that_cannot_be_told() -> None:
    units = [make_unit("a"), make_unit("b"), make_unit("c", after=(Dependency(unit="a"), Dependency(unit="b")))]
    gives = {"a": [Life(runs=1.0, gives={"X": "1"})], "b": [Life(runs=1.0, gives={"Y": "2"})]}
    for given, said in (({}, "2 succeeded after 1: exit status 0"), ({"b": [Life(runs=1.0, gives={"X": "2"})]}, "1 failed")):
        world = World(units, {**gives, **given})
        world.start()
        world.run()
        assert lines(world.history, "c")[-1].startswith(said)
        orders = [order for step in world.steps for order in step.effects if isinstance(order, Spawn) and order.unit == "c"]
        assert orders == ([] if given else [Spawn("c", "r.3", 1, {"X": "1", "Y": "2"})])


def test_what_is_getting_ready_is_not_asked_again_what_it_gives() -> None:
    engine = Engine(link([make_unit("a", kind="service", ready=Ready(probe=Probe(by="sync")))])[0], run="r")
    engine.apply(StartRequested(at=0.0))
    engine.apply(ProcessSpawned(at=0.0, unit="a", invocation="r.1", pid=7))
    own = Peer(pid=8, uid=1000, unit="a")
    assert engine.apply(SyncCompleted(at=1.0, call=1, unit="a", peer=own)).effects == (Answer(1), ReadValues("a", "r.1"))
    engine.apply(SyncStarted(at=1.0, call=2, unit="a", peer=own))
    assert engine.apply(SyncCompleted(at=1.0, call=3, unit="a", peer=own)).effects == (Answer(3),)
    step = engine.apply(ValuesRead(at=1.0, unit="a", invocation="r.1", gives={"X": "1"}))
    assert step.events[0] == UnitReady(at=1.0, unit="a", after=1.0, gives=("X",))
