from __future__ import annotations

from math import inf
from typing import Any

import pytest

from runner.core.effect import StartProbe, StopProbes
from runner.core.event import UnitEvent, UnitStarted
from runner.core.observed import ProbeFailed, ProbeSucceeded, ProcessExited, StopCommandEnded, TreeEnded, ValuesRead
from runner.core.run import Step
from runner.core.unit import Health, Probe, Ready, Restart, Retry, Stop

from .history import lines
from .world import Life, Look, World, make_external, make_unit

PROBE = Probe(by="tcp")


def play(life: Life | list[Life], until: float = 100.0, **fields: Any) -> World:
    world = World([make_unit("a", **fields)], {"a": life if isinstance(life, list) else [life]})
    world.start()
    world.stop(at=until)
    return world


def told(life: Life | list[Life], until: float = 100.0, **fields: Any) -> list[str]:
    return lines(play(life, until, **fields).run().history, "a")


def test_spawned() -> None:
    world = play(Life(runs=1.0)).run()
    started = next(event for event in world.journal if isinstance(event, UnitStarted))
    assert (started.command, started.invocation, started.attempt) == ("a", "r.1", 1)
    assert world.engine.nodes["a"].pid is None


def test_a_unit_without_a_command_has_no_words_for_it() -> None:
    world = play(Life(runs=1.0), command=None).run()
    assert next(event.command for event in world.journal if isinstance(event, UnitStarted)) == ""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "5 succeeded after 5: exit status 0"),
        ({"kind": "service"}, "0 ready after 0"),
        ({"kind": "service", "ready": Ready(probe=PROBE)}, "1 ready after 1"),
        ({"kind": "service", "ready": Ready(probe=PROBE, delay=2.0)}, "3 ready after 3"),
        ({"kind": "service", "ready": Ready(delay=2.0)}, "2 ready after 2"),
        ({"ready": Ready(probe=PROBE)}, "1 ready after 1"),
    ],
)
def test_when_a_unit_is_ready(fields: dict[str, Any], expected: str) -> None:
    assert told(Life(runs=5.0, ready=1.0), **fields)[0] == expected


@pytest.mark.parametrize(
    ("kind", "exit_code", "expected"),
    [
        ("oneshot", 0, "3 succeeded after 3: exit status 0"),
        ("oneshot", 1, "3 failed after 3: exit status 1"),
        ("oneshot", "SIGSEGV", "3 failed after 3: killed by SIGSEGV"),
        ("service", 0, "3 succeeded after 3: exit status 0"),
        ("service", 1, "3 failed after 3: exit status 1"),
    ],
)
def test_what_an_exit_means(kind: str, exit_code: int | str, expected: str) -> None:
    assert told(Life(runs=3.0, exit=exit_code), kind=kind)[-1] == expected


def test_a_service_that_ends_before_it_is_ready_has_failed() -> None:
    ready = Ready(probe=PROBE)
    assert told(Life(runs=3.0), kind="service", ready=ready) == ["3 failed after 3: ended before it was ready: exit status 0"]


@pytest.mark.parametrize("fields", [{"ready": Ready(probe=PROBE)}, {"kind": "service", "health": Health(probe=PROBE)}])
def test_nobody_asks_a_unit_that_is_gone(fields: dict[str, Any]) -> None:
    world = play(Life(runs=3.0), **fields).run()
    assert (3.0, StopProbes("a", "r.1")) in world.history


def test_a_spawn_that_fails_is_for_retry() -> None:
    lives = [Life(fails_at="cwd"), Life(runs=1.0)]
    assert told(lives, retry=Retry(attempts=2))[0] == "0 attempt 2 follows in 1: cannot run: cwd"


def test_a_service_that_was_ready_is_for_restart() -> None:
    lives = [Life(runs=1.0, ready=0.5), Life(fails_at="cwd"), Life(runs=1.0), Life()]
    policy = Restart(when="always", delay=1.0, backoff=1.0)
    assert told(lives, 9.0, kind="service", ready=Ready(probe=PROBE), restart=policy, retry=Retry(attempts=1))[:4] == [
        "0.5 ready after 0.5",
        "1 attempt 2 follows in 1: exit status 0",
        "2 attempt 3 follows in 1: cannot run: cwd",
        "4 attempt 4 follows in 1: ended before it was ready: exit status 0",
    ]


@pytest.mark.parametrize(
    ("kind", "exit_code", "is_stopped"), [("oneshot", 0, False), ("oneshot", 1, True), ("service", 0, True), ("service", 1, True)]
)
def test_whose_leftovers_are_ended(kind: str, exit_code: int, is_stopped: bool) -> None:
    found = told(Life(runs=1.0, exit=exit_code, leaves=inf), kind=kind)
    stopping = f"1 stopping: exit status {exit_code}, but processes that it started are still there"
    assert (stopping in found) == is_stopped


def test_leftovers_that_go_end_the_attempt() -> None:
    assert told(Life(runs=1.0, exit=1, leaves=2.0, left_obey=False))[-1] == "3 failed after 1: exit status 1"


def test_a_timeout() -> None:
    assert told(Life(), timeout=2.0)[0] == "2 stopping: still running after 2 s"
    assert told(Life(), timeout=2.0, kind="service", ready=Ready(probe=PROBE))[0] == "2 stopping: not ready after 2 s"


def test_more_time() -> None:
    assert told(Life(extends=((1.0, 3.0),)), timeout=2.0)[0] == "4 stopping: still running after 4 s"
    assert told(Life(extends=((1.0, 0.5),)), timeout=2.0)[0] == "2 stopping: still running after 2 s"


def test_more_time_for_the_stop_but_not_after_sigkill() -> None:
    life = Life(obeys=inf, immortal=True, extends=((1.5, 3.0), (5.0, 50.0)))
    assert told(life, until=1.0, stop=Stop(timeout=2.0))[-2:] == [
        "4.5 <- SIGKILL to tree",
        "9.5 cancelled after 9.5: SIGTERM, killed after 3.5 s, but its processes did not go",
    ]


def test_health() -> None:
    life = Life(health=(False, True, False, False))
    found = told([life, Life()], kind="service", health=Health(probe=PROBE, failures=2))
    assert found[1] == "4 stopping: health check failed 2 times in a row: no answer"


def test_what_a_unit_says() -> None:
    assert told(Life(runs=2.0, says=((1.0, "busy"),)))[0] == "1 says busy"


def test_facts_out_of_their_time_mean_nothing() -> None:
    world = play(Life(runs=5.0, exit=1, leaves=inf, left_obey=False, ready=1.0), ready=Ready(probe=PROBE))
    world.run(until=3.0)
    about: dict[str, Any] = {"unit": "a", "invocation": "r.1"}
    world.tell(TreeEnded(at=3.0, **about))
    world.tell(StopCommandEnded(at=3.0, **about))
    world.tell(ProbeSucceeded(at=3.0, **about, purpose="ready"))
    world.tell(ProbeFailed(at=3.0, **about, reason="no answer"))
    world.run(until=5.0)
    world.tell(ProcessExited(at=5.0, **about, exit_code=0))
    assert [item for at, item in world.history if at == 3.0] == []
    assert lines([pair for pair in world.history if isinstance(pair[1], UnitEvent)], "a")[-1].startswith("5 stopping")


def test_a_probe_is_started_once_for_each_purpose() -> None:
    world = play(Life(ready=1.0), 9.0, kind="service", ready=Ready(probe=PROBE), health=Health(probe=PROBE)).run()
    probes = [item for _, item in world.history if isinstance(item, StartProbe)]
    assert probes == [StartProbe("a", "r.1", "ready"), StartProbe("a", "r.1", "health")]


def test_the_stop_command_has_had_its_turn() -> None:
    world = play(Life(obeys=3.0), 1.0)
    world.run(until=2.0)
    world.tell(StopCommandEnded(at=2.0, unit="a", invocation="r.1"))
    world.run()
    assert lines(world.history, "a")[-3:] == ["1 <- SIGTERM to tree", "2 <- SIGTERM to tree", "4 cancelled after 4: SIGTERM"]


def test_nobody_asks_a_unit_whose_script_tells_it() -> None:
    world = play(Life(runs=5.0), ready=Ready(probe=Probe(by="sync"), delay=1.0)).run()
    assert not [item for _, item in world.history if isinstance(item, StartProbe)]
    assert lines(world.history, "a") == ["5 succeeded after 5: exit status 0"]


def test_the_timeout_of_a_unit_without_a_process() -> None:
    world = World([make_external("x", timeout=2.0)])
    world.start()
    world.call("start", "x", at=1.0)
    assert lines(world.run().history, "x")[-1] == "3 timed-out after 2: not completed after 2 s"


def test_a_look_takes_no_longer_than_an_attempt_may() -> None:
    world = World([make_unit("a", creates=("/a",), timeout=2.0)], looks={"a": [Look(takes=9.0)]})
    world.start()
    assert lines(world.run().history, "a")[-1] == "2 timed-out after 0: nobody could tell within 2 s whether it need run"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["5 failed after 5: cannot use line 1"]),
        (
            {"retry": Retry(attempts=2, delay=1.0)},
            ["5 attempt 2 follows in 1: cannot use line 1", "11 failed after 5: cannot use line 1"],
        ),
        (
            {"kind": "service", "ready": Ready(probe=PROBE)},
            ["1 stopping: cannot use line 1", "1 <- SIGTERM to tree", "1 failed after 1: cannot use line 1"],
        ),
    ],
)
def test_who_gives_what_cannot_be_used_has_failed(fields: dict[str, Any], expected: list[str]) -> None:
    assert told(Life(runs=5.0, ready=1.0, fault="cannot use line 1"), **fields) == expected


def test_who_fails_has_not_given_what_cannot_be_used() -> None:
    assert told(Life(runs=5.0, exit=1, fault="cannot use line 1")) == ["5 failed after 5: exit status 1"]


def test_what_a_unit_gives_is_asked_before_it_is_ready() -> None:
    world = play(Life(ready=1.0, gives={"X": "1"}), kind="service", ready=Ready(probe=PROBE)).run(until=1.0)
    assert told(Life(ready=1.0, gives={"X": "1"}), kind="service", ready=Ready(probe=PROBE))[0] == "1 ready after 1; gives X"
    about: dict[str, Any] = {"unit": "a", "invocation": "r.1"}
    assert world.engine.apply(ValuesRead(at=2.0, **about, gives={"X": "2"})) == Step(), "nobody asked"
    assert world.engine.values.given("a") == {"X": "1"}
