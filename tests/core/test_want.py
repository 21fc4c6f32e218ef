from __future__ import annotations

from math import inf

from runner.core.effect import CancelTimer, SetTimer
from runner.core.event import UnitWaiting, WaitsFor
from runner.core.observed import CheckEnded
from runner.core.unit import Command, Conditions, Dependency, Unit

from .history import lines, tell_history
from .world import Life, Look, World, make_external, make_unit

FOREVER = [Life()]
FAILS = [Life(runs=1.0, exit=1)]


def after(*names: str, completion: bool = False) -> tuple[Dependency, ...]:
    return tuple(Dependency(unit=name, requires="completion" if completion else "success") for name in names)


def play(*units: Unit, until: float = 100.0, jobs: int | None = None, **lives: list[Life]) -> World:
    """All units are wanted at 0 and stopped at 100."""
    world = World(units, lives, jobs=jobs, keep=True)
    world.start()
    world.stop(at=100.0)
    return world.run(until)


def outcomes(world: World) -> dict[str, str | None]:
    return {name: view.outcome for name, view in world.rules.snapshot.units.items()}


def test_who_waits_says_for_what() -> None:
    world = play(make_unit("a"), make_unit("b", after=after("a", completion=True)))
    assert world.journal[1] == UnitWaiting(at=0.0, unit="b", waits_for=(WaitsFor(unit="a", requires="completion"),))


def test_a_released_unit_goes_in_the_same_step() -> None:
    world = play(make_unit("a"), make_unit("b", after=after("a")))
    assert tell_history(world.history).splitlines()[3:5] == ["1 a: succeeded after 1: exit status 0", "1 b: starting, attempt 1"]


def test_what_is_there_already_is_not_waited_for() -> None:
    world = World([make_unit("a"), make_unit("b", after=after("a"))], keep=True)
    world.start("a")
    world.start("b", at=5.0)
    assert lines(world.run().history, "b") == ["6 succeeded after 1: exit status 0"]
    assert lines(world.history, "a") == ["1 succeeded after 1: exit status 0"]


def test_who_is_wanted_already_is_not_wanted_again() -> None:
    world = World([make_unit("a"), make_unit("b", after=after("a")), make_unit("c", after=after("a"))], keep=True)
    world.start("b", "c")
    world.start(at=0.5)
    assert lines(world.run().history, "a") == ["1 succeeded after 1: exit status 0"]


def test_a_dependency_that_ended_badly_runs_again_for_who_asks() -> None:
    units = [make_unit("a"), make_unit("b", after=after("a"))]
    world = World(units, {"a": [*FAILS, Life(runs=1.0)]}, keep=True)
    world.start()
    world.start("b", at=5.0)
    world.run()
    assert outcomes(world) == {"a": "succeeded", "b": "succeeded"}


def test_a_handler_does_not_try_again_what_failed() -> None:
    units = [make_unit("a", on_failure=("h",)), make_unit("h", after=after("x", "a")), make_unit("x")]
    world = World(units, {"a": FAILS})
    world.start("a")
    assert lines(world.run().history, "h") == ['1 skipped after 0: dependency "a" failed: exit status 1 [a]']


def test_who_still_waits_is_called_back() -> None:
    units = [make_unit("a"), make_unit("b"), make_unit("c", after=after("a", "b"))]
    world = World(units, {"a": [Life(runs=1.0), Life(runs=9.0)], "b": [Life(runs=5.0)]})
    world.start()
    world.start("a", at=2.0)
    assert lines(world.run().history, "c")[-1] == "12 succeeded after 1: exit status 0"


def test_who_was_let_go_is_not_called_back() -> None:
    units = [make_unit("a"), make_unit("c", after=after("a"), locks=("apt",)), make_unit("b", locks=("apt",))]
    world = World(units, {"a": [Life(runs=1.0), *FAILS], "b": [Life(runs=5.0)]})
    world.start()
    world.start("a", at=2.0)
    assert lines(world.run().history, "c") == ["0 waits for a", "1 waits for lock apt of b", "6 succeeded after 1: exit status 0"]


def test_a_target_is_reached_and_needs_no_job() -> None:
    world = play(make_unit("a"), make_unit("t", kind="target", after=after("a")), make_unit("b"), jobs=1)
    assert lines(world.history, "t")[-1] == "1 succeeded after 0: reached"


def test_who_is_not_admitted_says_why() -> None:
    units = [make_unit("a", locks=("apt",)), make_unit("b", locks=("apt",)), make_unit("c")]
    world = play(*units, jobs=1)
    assert lines(world.history, "b")[0] == "0 waits for lock apt of a"
    assert lines(world.history, "c")[0] == "0 waits for one of 1 jobs"


def test_a_lock_is_a_link_of_the_critical_path() -> None:
    units = [make_unit("a", locks=("apt",)), make_unit("b", locks=("apt",))]
    world = play(*units)
    assert world.rules.snapshot.startup is not None
    assert world.rules.snapshot.startup.critical_path == ("a", "b")


def test_the_wait_ends_in_time_or_not_at_all() -> None:
    units = [
        make_unit("a"),
        make_unit("b", after=after("a"), wait_timeout=1.5),
        make_unit("c", after=after("b", "a"), wait_timeout=1.5),
    ]
    world = play(*units, b=[Life(runs=4.0)])
    assert lines(world.history, "c")[-1] == '1.5 timed-out after 0: waited 1.5 s for "b"'
    assert outcomes(world)["b"] == "succeeded"
    effects = [item for _, item in world.history if isinstance(item, SetTimer | CancelTimer)]
    assert effects == [SetTimer(1, 1.5), SetTimer(2, 1.5), CancelTimer(1)]


def test_every_skip_says_what_became_of_its_dependency() -> None:
    bad = [
        make_unit("fails"),
        make_unit("slow", timeout=2.0),
        make_unit("over", kind="service"),
        make_unit("open"),
    ]
    dependents = [make_unit(f"after-{unit.name}", after=after(unit.name, "last")) for unit in bad]
    world = play(*bad, *dependents, make_unit("last", after=after("open")), fails=FAILS, slow=FOREVER, over=[Life(runs=1.0)])
    said = {unit.name: lines(world.history, f"after-{unit.name}")[-1] for unit in bad}
    assert said == {
        "fails": '1 skipped after 0: dependency "fails" failed: exit status 1 [fails]',
        "slow": '2 skipped after 0: dependency "slow" timed out: still running after 2 s [slow]',
        "over": '1 skipped after 0: dependency "over" is over: exit status 0 [over]',
        "open": "3 succeeded after 1: exit status 0",
    }


def test_a_skip_names_the_root_of_it() -> None:
    units = [make_unit("a"), make_unit("b", after=after("a")), make_unit("c", after=after("b")), make_unit("d", after=after("c"))]
    world = play(*units, a=FAILS)
    assert lines(world.history, "d")[-1] == (
        '1 skipped after 0: dependency "c" was skipped, because "a" failed: exit status 1 [a]'
    )


def test_a_start_that_falls_into_a_stop_is_heard_when_it_is_over() -> None:
    units = [make_unit("s", kind="service"), make_unit("b", after=after("s")), make_unit("c")]
    world = World(units, {"s": [Life(obeys=3.0), Life()]}, keep=True)
    world.start("s")
    world.stop("s", at=1.0)
    world.start("b", "c", at=2.0)
    world.run()
    assert lines(world.history, "c") == ["3 succeeded after 1: exit status 0"]
    assert lines(world.history, "b")[-1] == "5 succeeded after 1: exit status 0"


def test_a_handler_does_not_start_again_what_was_stopped() -> None:
    units = [make_unit("s", kind="service"), make_unit("a", on_success=("h",)), make_unit("h", after=after("s"))]
    world = World(units, {"s": [Life(obeys=3.0)], "a": [Life(runs=2.0)]}, keep=True)
    world.start()
    world.stop("s", at=1.0)
    assert lines(world.run().history, "h") == ['4 skipped after 0: dependency "s" was cancelled: SIGTERM [s]']


def test_an_external_unit_waits_for_its_script_when_all_else_is_there() -> None:
    world = play(make_unit("a"), make_external("x", after=after("a")))
    assert lines(world.history, "x")[:2] == ["0 waits for a", "1 waits for its script to call start"]


def test_an_external_unit_is_called_back_until_its_script_has_started_it() -> None:
    world = World([make_unit("a"), make_external("x", after=after("a"))], {"a": [Life(runs=1.0), *FAILS]}, keep=True)
    world.start()
    world.start("a", at=2.0)
    assert lines(world.run().history, "x")[2:] == [
        "2 waits for a",
        '3 skipped after 0: dependency "a" failed: exit status 1 [a]',
    ]


def test_calls_that_wait_are_answered_when_a_dependency_has_news() -> None:
    world = World([make_unit("a"), make_external("x", after=after("a"))])
    world.start()
    call = world.call("await", "x")
    world.run(until=0.5)
    assert call not in world.answers
    assert world.run().answers[call].refusal is None


def test_who_was_skipped_is_wanted_again_when_the_way_is_free() -> None:
    units = [make_unit("a"), make_unit("b", after=after("a")), make_unit("c", after=after("b", "d")), make_unit("d")]
    world = World(units, {"a": [*FAILS, Life(runs=1.0)], "d": FAILS}, keep=True)
    world.start()
    world.start("a", at=5.0)
    world.run()
    assert outcomes(world) == {"a": "succeeded", "b": "succeeded", "c": "skipped", "d": "failed"}


def test_a_unit_that_is_to_begin_anew_waits_for_what_begins_anew_with_it() -> None:
    web = make_unit("web", kind="service", after=(Dependency(unit="db", restart=True),))
    world = World([make_unit("db", kind="service"), web], {"db": FOREVER, "web": FOREVER}, keep=True)
    world.start()
    world.restart("db", at=2.0)
    assert lines(world.run(until=3.0).history, "web")[-2:] == ["2 waits for db", "2 ready after 0"]


# ---------------------------------------------------------------- whether it need run at all

CREATES = {"creates": ("/made",)}
UNNEEDED = Look(verdict="unneeded", reason="it is there", runs_if=("it is not there",))


def looked_at(*units: Unit, looks: dict[str, list[Look]], lives: dict[str, list[Life]] | None = None) -> World:
    """All units are wanted at 0."""
    world = World(units, lives, looks)
    world.start()
    return world.run()


def test_what_need_not_run_lets_its_dependents_go() -> None:
    world = looked_at(make_unit("a", **CREATES), make_unit("b", after=after("a")), looks={"a": [UNNEEDED]})
    assert world.journal[1] == UnitWaiting(at=0.0, unit="a", waits_for=(WaitsFor(check=("creates",)),))
    assert lines(world.history, "a")[-1] == "0 unneeded after 0: it is there; runs if it is not there"
    assert outcomes(world) == {"a": "unneeded", "b": "succeeded"}


def test_a_look_names_the_command_that_it_may_ask() -> None:
    asking = make_unit("a", conditions=Conditions(command=Command(shell="have gpu")))
    world = looked_at(asking, make_unit("b", conditions=Conditions(exists=("/x",))), looks={})
    waits = [event.waits_for for event in world.journal if isinstance(event, UnitWaiting)]
    assert waits == [(WaitsFor(check=("if",), asks="have gpu"),), (WaitsFor(check=("if",)),)]


def test_what_need_run_says_why() -> None:
    world = looked_at(make_unit("a", **CREATES), looks={"a": [Look(reason="it is new", takes=2.0)]})
    assert tell_history(world.history).splitlines()[:2] == [
        "0 a: waits for a look at creates",
        "2 a: starting, attempt 1, because it is new",
    ]


def test_who_waited_for_a_lock_is_looked_at_again() -> None:
    units = [make_unit(name, locks=("apt",), **CREATES) for name in "ab"]
    world = looked_at(*units, looks={"b": [Look(), UNNEEDED]})
    assert lines(world.history, "b") == [
        "0 waits for a look at creates",
        "0 waits for lock apt of a",
        "1 waits for a look at creates",
        "1 unneeded after 0: it is there; runs if it is not there",
    ]


def test_the_look_of_a_script_is_news_for_those_who_hold() -> None:
    world = World([make_external("x", timeout=9.0, **CREATES)], looks={"x": [Look(takes=2.0)]})
    call = world.call("await", "x", at=0.5)
    world.start()
    world.stop(at=4.0)
    world.run(1.0)
    assert call not in world.answers
    world.run()
    assert world.answers[call].refusal is None
    assert lines(world.history, "x")[:2] == ["0 waits for a look at creates", "2 waits for its script to call start"]


def test_an_answer_that_nobody_waits_for_means_nothing() -> None:
    world = World([make_unit("a", **CREATES)], looks={"a": [Look(takes=inf)]})
    world.start()
    world.later(1.0, lambda: world.tell(CheckEnded(at=1.0, unit="a", check=7, verdict="needed")))
    world.later(1.0, lambda: world.tell(CheckEnded(at=1.0, unit="nobody", check=1, verdict="needed")))
    world.stop(at=2.0)
    world.run()
    assert lines(world.history, "a") == ["0 waits for a look at creates", "2 cancelled after 0: SIGTERM"]


def test_who_is_needed_at_the_second_look_too_runs() -> None:
    units = [make_unit(name, locks=("apt",), **CREATES) for name in "ab"]
    world = looked_at(*units, looks={"b": [Look(), Look(takes=0.5)]})
    assert lines(world.history, "b")[-2:] == ["1 waits for a look at creates", "2.5 succeeded after 1: exit status 0"]


def test_who_waits_for_one_that_is_called_back_is_not_let_go_before_it() -> None:
    units = [
        make_unit("broken"),
        make_unit("first", after=after("broken")),
        make_external("login"),
        make_unit("between", after=after("first", "login")),
        make_unit("last", after=(*after("broken", "first"), *after("between", completion=True))),
        make_unit("other", after=after("first")),
    ]
    mended = [
        make_unit("first"),
        *units[2:4],
        make_unit("last", after=(*after("first"), *after("between", completion=True))),
        make_unit("other", after=after("first"), timeout=9.0),
    ]
    world = World(units, {"broken": FAILS})
    world.start()
    world.reload(mended, at=2.0, restart=True)
    world.call("start", "login", at=5.0)
    world.call("complete", "login", at=6.0)
    world.run()
    assert lines(world.history, "between")[-1] == "7 succeeded after 1: exit status 0"
    assert lines(world.history, "last")[-1] == "8 succeeded after 1: exit status 0"
    assert lines(world.history, "other")[-1] == "4 succeeded after 1: exit status 0"
