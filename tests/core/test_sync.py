"""What calls mean, one by one. Whole histories of scripts stand in ``scenarios/sync-*.toml``."""

from __future__ import annotations

import pytest

from runner.core.effect import Refusal, StopProbes, WatchScript
from runner.core.event import Peer, SyncCalled, UnitStarted
from runner.core.observed import ScriptEnded
from runner.core.sync_view import SyncEdge, SyncState
from runner.core.unit import Dependency, Probe, Ready, Unit

from .history import lines
from .world import Life, Look, World, make_external, make_unit

FAILS = [Life(runs=1.0, exit=1)]
FOREVER = [Life()]


def after(*names: str) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name) for name in names)


def world_of(*units: Unit, **lives: list[Life]) -> World:
    """A run that is kept, with all units started at 0."""
    world = World(units, lives, keep=True)
    world.start()
    return world


def refusal(world: World, call: int) -> Refusal | None:
    """Why a call was refused, None where it was not; a call without an answer is an error."""
    return world.answers[call].refusal


def ends(world: World, unit: str) -> str:
    return lines(world.history, unit)[-1]


# ------------------------------------------------------------------ want


def test_a_want_brings_its_unit_but_not_the_other() -> None:
    world = world_of()
    call = world.call("want", "x", "d")
    assert refusal(world.run(), call) is None
    assert world.engine.sync_states() == [SyncState("x", "pending", False, (SyncEdge("d", "", False),))]
    assert world.engine.sync_state("d") == SyncState("d", "", True)
    called = world.journal[-1]
    assert called == SyncCalled(at=0.0, unit="x", call="want", peer=Peer(pid=101, uid=1000), depends_on="d")


def test_a_want_again_is_fine_also_after_the_start() -> None:
    world = world_of()
    calls = [world.call("want", "x", "d"), world.call("want", "x", "d"), world.call("start", "d"), world.call("complete", "d")]
    calls += [world.call("start", "x"), world.call("want", "x", "d"), world.call("want", "x", "e")]
    world.run()
    assert [refusal(world, call) for call in calls] == [None] * 7
    assert [edge.depends_on for edge in world.engine.sync_state("x").dependencies] == ["d", "e"]


def test_a_want_without_a_name() -> None:
    world = world_of()
    first, second, third = world.call("want", "", "d"), world.call("want", "x", ""), world.call("want", "x", "")
    world.run()
    assert refusal(world, first) == Refusal("no name")
    assert refusal(world, second) == refusal(world, third) == Refusal("no dependency name")
    assert [state.unit for state in world.engine.sync_states()] == ["x"], "it stays registered"
    assert [event.call for event in world.journal if isinstance(event, SyncCalled)] == ["want"], "and the journal says so, once"


def test_a_want_of_a_group_is_one_of_its_members() -> None:
    units = [make_unit("g/a", optional=True), make_unit("g/b"), make_unit("g/h"), make_unit("c", on_failure=("g/h",))]
    world = world_of(*units, **{"g/a": FAILS})
    world.call("want", "x", "g")
    start = world.call("start", "x", at=2.0)
    world.run()
    assert [edge.depends_on for edge in world.engine.sync_state("x").dependencies] == ["g/a", "g/b"]
    assert refusal(world, start) is None, "the failure of an optional member is put aside"


@pytest.mark.parametrize("wants", [["x x"], ["x y", "y x"], ["x y", "y z", "z x"]])
def test_a_cycle_of_scripts(wants: list[str]) -> None:
    world = world_of()
    calls = [world.call("want", *want.split()) for want in wants]
    world.run()
    assert [refusal(world, call) for call in calls] == [None] * (len(wants) - 1) + [Refusal("cycle")]


def test_a_cycle_half_of_unit_files_names_every_edge() -> None:
    world = world_of(make_external("x"), make_unit("a", after=after("x")))
    world.call("want", "y", "a")
    call = world.call("want", "x", "y")
    assert refusal(world.run(), call) == Refusal(
        "cycle",
        'dependency cycle: x -> y -> a -> x; x -> y by this call, y -> a by a call, a -> x by "after" of a',
    )


def test_a_cycle_by_before() -> None:
    world = World([make_unit("b", before=after("x")), make_external("x")], {"b": FOREVER})
    world.start()
    call = world.call("want", "b", "x", by="b")
    world.stop(at=1.0)
    found = refusal(world.run(), call)
    assert found == Refusal("cycle", 'dependency cycle: b -> x -> b; b -> x by this call, x -> b by "before" of b')


def test_a_want_during_a_stop_keeps_the_order() -> None:
    units = [make_unit("a", kind="service"), make_unit("b", kind="service"), make_unit("c", kind="service", after=after("b"))]
    world = world_of(*units, c=[Life(obeys=3.0)], b=[Life(obeys=1.0)], a=FOREVER)
    world.stop(at=1.0)
    world.call("want", "b", "a", at=0.5, by="b")
    world.call("want", "c", "a", at=2.0, by="c")
    world.run()
    begun = [line for name in "cba" for line in lines(world.history, name) if "stopping" in line]
    assert begun == ["1 stopping: SIGTERM", "4 stopping: SIGTERM", "5 stopping: SIGTERM"]


def test_a_want_of_its_own_while_it_waits_for_a_lock_does_not_call_it_back() -> None:
    units = [make_unit("a", locks=("apt",)), make_unit("b", locks=("apt",)), make_unit("c")]
    world = world_of(*units, a=[Life(runs=2.0)], c=[Life(runs=9.0)])
    world.call("want", "b", "c", at=1.0, by="b")
    assert ends(world.run(), "b") == "3 succeeded after 1: exit status 0"


def test_a_want_of_its_own_while_it_waits() -> None:
    units = [make_unit("a"), make_unit("b", after=after("a")), make_unit("c")]
    world = world_of(*units, a=[Life(runs=2.0)], c=[Life(runs=5.0)])
    world.call("want", "b", "c", at=1.0, by="b")
    assert ends(world.run(), "b") == "6 succeeded after 1: exit status 0"


# ------------------------------------------------------------------ start


def test_a_start_brings_its_unit_and_lets_its_script_be_watched() -> None:
    world = world_of()
    call = world.call("start", "x")
    world.run()
    assert refusal(world, call) is None
    assert world.engine.sync_state("x") == SyncState("x", "started", True)
    assert world.steps[-1].effects[0] == WatchScript("x", "r.1", 101)
    started = next(event for event in world.journal if isinstance(event, UnitStarted))
    assert (started.pid, started.command, started.attempt) == (101, "", 1)


def test_a_start_that_is_refused() -> None:
    world = world_of(make_unit("slow"), slow=FOREVER)
    world.call("want", "x", "slow")
    calls = [world.call("start", ""), world.call("start", "x"), world.call("start", "y"), world.call("start", "y")]
    world.run()
    assert [refusal(world, call) for call in calls] == [
        Refusal("no name"),
        Refusal("not ready"),
        None,
        Refusal("same status"),
    ]


def test_a_start_after_a_failure_says_which_and_why() -> None:
    world = world_of(make_unit("a"), make_unit("b", after=after("a")), a=FAILS)
    world.call("want", "x", "b", at=2.0)
    world.call("want", "y", "x", at=2.0)
    calls = [world.call("start", "x", at=3.0), world.call("start", "y", at=3.0), world.call("start", "y", at=3.0)]
    world.run()
    root = 'because "a" failed: exit status 1'
    assert refusal(world, calls[0]) == Refusal("impossible", f'dependency "b" was skipped, {root}')
    assert refusal(world, calls[1]) == Refusal("impossible", f'dependency "x" was skipped, {root}')
    assert refusal(world, calls[1]) == refusal(world, calls[2])
    assert ends(world, "y") == f'3 skipped after 0: dependency "x" was skipped, {root} [a]'


def test_a_start_after_its_own_time_was_up() -> None:
    world = world_of(make_unit("a"), make_external("x", after=after("a"), wait_timeout=1.0), a=FOREVER)
    call = world.call("start", "x", at=2.0)
    assert refusal(world.run(), call) == Refusal("impossible", 'it timed out: waited 1 s for "a"')


def test_a_start_in_a_stop() -> None:
    world = world_of(make_unit("s", kind="service"), make_unit("t", kind="service", after=after("s")), t=[Life(obeys=2.0)])
    world.call("want", "x", "s")
    world.stop("s", at=1.0)
    beside = world.call("start", "x", at=2.0)
    other = world.call("start", "y", at=2.0)
    world.call("complete", "y", at=2.0)
    world.run()
    assert refusal(world, beside) == Refusal("impossible", "it, or what it waits for, is being stopped")
    assert refusal(world, other) is None


def test_nothing_starts_any_more_when_everything_stops() -> None:
    world = World([make_unit("s", kind="service")], {"s": [Life(obeys=5.0)]})
    world.start()
    world.call("want", "x", "nobody")
    world.stop(at=1.0)
    calls = [world.call("await", "x", at=2.0), world.call("start", "x", at=2.0)]
    world.run()
    assert refusal(world, calls[0]) is None
    assert refusal(world, calls[1]) == Refusal("impossible", "the run is being stopped: SIGTERM")


def test_after_completed_it_starts_again_and_dependents_are_not_ready() -> None:
    world = world_of()
    world.call("start", "d")
    world.call("complete", "d")
    world.call("want", "x", "d")
    world.call("start", "d", at=1.0)
    world.run()
    edge = SyncEdge("d", "started", False)
    assert world.engine.sync_state("x") == SyncState("x", "pending", False, (edge,))


def test_a_link_of_the_critical_path() -> None:
    world = World([make_unit("a"), make_external("x", after=after("a")), make_unit("b", after=after("x"))])
    world.start()
    world.call("start", "x", at=2.0)
    world.call("complete", "x", at=3.0)
    startup = world.run().rules.snapshot.startup
    assert startup is not None
    assert startup.critical_path == ("a", "x", "b")


def test_the_time_of_an_external_unit() -> None:
    world = world_of(make_external("x", timeout=2.0))
    world.call("start", "x", at=1.0)
    assert ends(world.run(), "x") == "3 timed-out after 2: not completed after 2 s"


# ------------------------------------------------------------------ complete and fail


@pytest.mark.parametrize("verb", ["complete", "fail"])
def test_who_is_not_registered_cannot_end(verb: str) -> None:
    world = world_of()
    world.call("want", "x", "d")
    calls = [world.call(verb, ""), world.call(verb, "nobody"), world.call(verb, "d")]
    world.run()
    assert [refusal(world, call) for call in calls] == [Refusal("no name"), Refusal("not found"), Refusal("not found")]


def test_complete_from_pending_and_from_started_but_not_twice() -> None:
    world = world_of()
    world.call("want", "m", "other")
    world.call("start", "x")
    calls = [world.call("complete", unit, at=1.0) for unit in ("m", "x", "m", "x")]
    world.run()
    assert [refusal(world, call) for call in calls] == [None, None, Refusal("same status"), Refusal("same status")]
    assert [state.state for state in world.engine.sync_states()] == ["completed", "completed"]


@pytest.mark.parametrize("attempt", ["start", "await"])
def test_complete_after_a_start_that_failed_releases_nobody(attempt: str) -> None:
    world = world_of(make_unit("slow"), slow=FOREVER)
    world.call("want", "x", "slow")
    world.call(attempt, "x")
    call = world.call("complete", "x", at=1.0)
    world.call("want", "y", "x", at=2.0)
    start = world.call("start", "y", at=2.0)
    world.run()
    assert refusal(world, call) is None
    assert ends(world, "x") == "1 failed after 0: its script completed it, but had not been able to start it"
    found = refusal(world, start)
    assert found is not None
    assert found.why == "impossible"
    assert world.engine.sync_state("x").state == "failed"


def test_complete_in_vain() -> None:
    world = world_of()
    world.call("start", "x")
    world.call("complete", "x", "3", at=1.0)
    again = world.call("complete", "x", at=2.0)
    world.run()
    assert ends(world, "x").startswith("2 script calls complete"), "which changes nothing"
    assert lines(world.history, "x")[-2] == "1 failed after 1: exit status 3"
    assert refusal(world, again) is None


def test_fail() -> None:
    world = world_of()
    world.call("start", "x")
    world.call("start", "y")
    calls = [world.call("fail", "x", "no space left", at=1.0), world.call("fail", "y", at=1.0), world.call("fail", "y", at=2.0)]
    world.run()
    assert [refusal(world, call) for call in calls] == [None] * 3
    assert ends(world, "x") == "1 failed after 1: no space left"
    assert lines(world.history, "y")[-2] == "1 failed after 1: its script said so"


@pytest.mark.parametrize("verb", ["want", "start", "complete", "fail"])
@pytest.mark.parametrize("by", ["", "b"])
def test_a_declared_unit_is_its_own(verb: str, by: str) -> None:
    world = world_of(make_unit("a"), make_unit("b"), a=FOREVER, b=FOREVER)
    call = world.call(verb, "a", "d" if verb == "want" else "", at=1.0, by=by)
    assert refusal(world.run(), call) == Refusal("declared", "a")
    assert len(lines(world.history, "a")) == 0


def test_its_own_script_makes_a_unit_ready() -> None:
    world = world_of(make_unit("a"), make_unit("b", after=after("a")), a=[Life(runs=9.0)])
    calls = [world.call(verb, "a", at=1.0, by="a") for verb in ("start", "start", "complete", "complete", "fail")]
    world.run()
    assert [refusal(world, call) for call in calls] == [
        None,
        Refusal("same status"),
        None,
        Refusal("same status"),
        Refusal("not a script"),
    ]
    assert ends(world, "b") == "2 succeeded after 1: exit status 0"
    assert ends(world, "a") == "9 succeeded after 9: exit status 0"


def test_complete_with_a_status_or_after_the_end_makes_nobody_ready() -> None:
    world = world_of(make_unit("a"), make_unit("b"), a=FOREVER, b=[Life(runs=1.0)])
    world.call("complete", "a", "1", at=2.0, by="a")
    world.call("complete", "b", at=2.0, by="b")
    world.run()
    assert world.engine.sync_state("a").state == "started"
    assert ends(world, "b") == "2 script calls complete"


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        (None, "1 ready after 1"),
        (Ready(delay=5.0), "1 ready after 1"),
        (Ready(probe=Probe(by="tcp")), "1 ready after 1"),
        (Ready(probe=Probe(by="sync")), "1 ready after 1"),
        (Ready(probe=Probe(by="sync"), delay=2.0), "3 ready after 3"),
    ],
)
def test_complete_and_other_questions(ready: Ready | None, expected: str) -> None:
    world = world_of(make_unit("a", ready=ready), a=[Life(runs=9.0, ready=4.0)])
    world.call("complete", "a", at=1.0, by="a")
    world.run()
    assert [line for line in lines(world.history, "a") if "ready" in line] == [expected]
    asks_others = ready is not None and ready.probe is not None and ready.probe.by == "tcp"
    assert ((1.0, StopProbes("a", "r.1")) in world.history) == asks_others


def test_a_unit_that_could_not_start_is_not_made_ready_by_its_trap() -> None:
    world = world_of(make_unit("a"), make_unit("bad"), a=[Life(runs=9.0)], bad=FAILS)
    world.call("want", "a", "bad", at=2.0, by="a")
    start, complete = world.call("start", "a", at=2.0, by="a"), world.call("complete", "a", at=2.0, by="a")
    world.run()
    assert refusal(world, start) == Refusal("impossible", 'dependency "bad" failed: exit status 1')
    assert refusal(world, complete) is None
    assert not any("ready" in line for line in lines(world.history, "a"))


def test_a_script_that_is_gone() -> None:
    world = world_of(make_unit("a", after=after("x")), make_external("x"), make_unit("b"), b=[Life(runs=3.0)])
    world.call("start", "x")
    world.end_script("x", at=1.0)
    world.later(2.0, lambda: world.tell(ScriptEnded(at=2.0, unit="b", invocation=world.engine.nodes["b"].invocation)))
    world.run()
    reason = "failed: abandoned: its script exited without complete"
    assert ends(world, "x") == f"1 {reason.replace(':', ' after 1:', 1)}"
    assert ends(world, "a") == f'1 skipped after 0: dependency "x" {reason} [x]'
    assert ends(world, "b") == "3 succeeded after 3: exit status 0", "it is no script's"


# ------------------------------------------------------------------ waits


def test_a_wait_is_answered_in_the_step_that_ends_it() -> None:
    world = world_of(make_unit("a"), make_unit("b"), a=[Life(runs=1.0)], b=[Life(runs=3.0)])
    world.call("want", "x", "a")
    world.call("want", "x", "b")
    calls = [world.call("await", "x"), world.call("await", "x")]
    world.run(until=2.9)
    assert world.engine.sync_state("x") == SyncState(
        "x", "pending", False, (SyncEdge("a", "completed", True), SyncEdge("b", "started", False))
    )
    assert not set(calls) & set(world.answers)
    world.run(until=3.0)
    assert [refusal(world, call) for call in calls] == [None, None]


def test_who_waits_no_more_gets_no_answer() -> None:
    world = world_of(make_unit("a"))
    world.call("want", "x", "a")
    call = world.call("await", "x")
    world.forget(call, at=0.5)
    world.forget(99, at=0.5)
    world.run()
    assert call not in world.answers


def test_a_wait_is_never_an_error_but_for_an_empty_name() -> None:
    world = world_of(make_unit("a"))
    calls = [world.call("await", ""), world.call("await", "nobody"), world.call("await", "a"), world.call("reach", "")]
    world.run()
    assert [refusal(world, call) for call in calls] == [Refusal("no name"), None, None, Refusal("no name")]
    assert "nobody" not in world.engine.nodes


def test_a_failure_ends_a_wait() -> None:
    world = world_of(make_unit("a"), a=FAILS)
    world.call("want", "x", "a")
    before, late = world.call("await", "x"), world.call("await", "x", at=2.0)
    world.run(until=1.0)
    assert refusal(world, before) is None
    assert world.engine.sync_state("x").state == "skipped"
    assert refusal(world.run(), late) is None


def test_a_stop_of_the_unit_ends_its_wait() -> None:
    world = world_of(make_unit("a"), a=FOREVER)
    world.call("want", "x", "a")
    wait = world.call("await", "x")
    world.stop("x", at=1.0, reason="by hand")
    start = world.call("start", "x", at=2.0)
    again = world.call("await", "x", at=3.0)
    world.run()
    assert refusal(world, wait) is None
    assert refusal(world, start) == Refusal("impossible", "it was cancelled: by hand")
    assert again not in world.answers, "who comes anew waits anew"


def test_a_wait_of_a_unit_that_is_done_leaves_it_so() -> None:
    world = world_of(make_unit("slow"), slow=[Life(runs=5.0)])
    world.call("start", "x")
    world.call("complete", "x")
    world.call("want", "x", "slow")
    call = world.call("await", "x", at=1.0)
    world.run(until=2.0)
    assert world.engine.sync_state("x").state == "completed"
    assert call not in world.answers
    assert refusal(world.run(), call) is None


def test_a_wait_of_its_own() -> None:
    world = world_of(make_unit("a"), make_unit("b"), make_unit("c"), a=FOREVER, b=[Life(runs=3.0)], c=[Life(runs=2.0, exit=1)])
    world.call("want", "a", "b", at=1.0, by="a")
    call = world.call("await", "a", at=1.0, by="a")
    world.run(until=1.5)
    assert call not in world.answers
    world.call("want", "a", "c", at=2.5, by="a")
    world.run(until=2.5)
    assert refusal(world, call) is None, "what it waits for beside that has failed"


def test_who_has_started_may_go_on() -> None:
    world = world_of()
    world.call("start", "x")
    call, complete = world.call("await", "x"), world.call("complete", "x")
    world.run()
    assert refusal(world, call) is refusal(world, complete) is None
    assert world.engine.sync_state("x").state == "completed"


def test_until_a_unit_is_reached() -> None:
    units = [make_unit("good"), make_unit("bad"), make_unit("s", kind="service"), make_unit("later", after=after("good"))]
    world = world_of(*units, bad=FAILS)
    calls = [world.call("reach", unit) for unit in ("good", "bad", "s", "later", "x")]
    world.call("start", "x", at=3.0)
    world.call("complete", "x", at=4.0)
    world.run(until=0.0)
    assert set(world.answers) == {3}
    world.run(until=3.5)
    assert calls[4] not in world.answers
    world.run()
    failed = Refusal("impossible", 'unit "bad" failed: exit status 1')
    assert [refusal(world, call) for call in calls] == [None, failed, None, None, None]


def test_nothing_starts_while_somebody_looks_whether_it_need() -> None:
    world = World([make_external("x", creates=("/x",))], looks={"x": [Look(takes=2.0)]}, keep=True)
    world.start()
    early, late = world.call("start", "x", at=1.0), world.call("start", "x", at=3.0)
    world.stop(at=9.0)
    world.run()
    assert refusal(world, early) == Refusal("not ready")
    assert refusal(world, late) is None
