"""What is reported to whoever asks for something by hand; what it means is in the scenarios."""

from __future__ import annotations

import pytest

from runner.core.effect import Report
from runner.core.observed import RestartRequested, StartRequested, StopRequested
from runner.core.unit import Dependency, Unit

from .history import lines
from .world import Life, World, make_external, make_unit

FOREVER = [Life(runs=1000.0)]


def service(name: str, *after: str) -> Unit:
    return make_unit(name, kind="service", after=tuple(Dependency(unit=unit) for unit in after))


def test_a_start_reports_what_was_not_wanted_before_and_what_that_needs() -> None:
    world = World([make_unit("a"), make_unit("b", after=(Dependency(unit="a"),)), make_unit("c")], keep=True)
    first, again = world.start("b"), world.start("b", "c", at=0.5)
    world.run()
    assert world.reports[first].units == ("b", "a")
    assert world.reports[again].units == ("c",)


def test_a_stop_reports_all_that_has_to_go_dependents_first() -> None:
    world = World([service("a"), service("b", "a"), service("c", "b"), service("d")], dict.fromkeys("abcd", FOREVER))
    world.start()
    one, all_ = world.stop("a", at=1.0), world.stop(at=2.0)
    world.run()
    assert world.reports[one].units == ("c", "b", "a")
    assert world.reports[all_].units == ("d",)


def test_a_restart_reports_what_runs_and_what_did_not() -> None:
    world = World([service("a"), make_unit("b"), make_external("e")], {"a": FOREVER}, keep=True)
    world.start("a")
    call = world.restart("a", "b", "e", at=1.0)
    world.run()
    assert world.reports[call].units == ("a", "b", "e")


def test_a_restart_reports_the_dependents_that_come_along() -> None:
    along = make_unit("b", kind="service", after=(Dependency(unit="a", restart=True),))
    world = World([service("a"), along, service("c", "a")], dict.fromkeys("abc", FOREVER))
    world.start()
    call = world.restart("a", at=1.0)
    world.run()
    assert world.reports[call].units == ("a", "b")


def test_a_restart_brings_nobody_along_who_does_not_run() -> None:
    along = make_unit("b", kind="service", after=(Dependency(unit="a", restart=True),))
    world = World([service("a"), along], {"a": FOREVER, "b": [Life(runs=0.5)]})
    world.start()
    call = world.restart("a", at=1.0)
    world.run()
    assert world.reports[call].units == ("a",)
    assert not any("starting" in line for line in lines(world.history, "b")[-1:])


def test_a_retry_reports_what_failed_and_what_was_skipped_because_of_it() -> None:
    units = [make_unit("net"), make_unit("clone", after=(Dependency(unit="net"),)), make_unit("other")]
    world = World(units, {"net": [Life(runs=1.0, exit=1), Life(runs=1.0)]}, keep=True)
    world.start()
    nothing, all_ = world.retry(at=0.5), world.retry(at=5.0)
    world.run()
    assert world.reports[nothing].units == ()
    assert world.reports[all_].units == ("net", "clone")


def test_what_is_named_and_has_not_failed_is_not_retried() -> None:
    world = World([make_unit("a")], keep=True)
    world.start()
    call = world.retry("a", at=5.0)
    world.run()
    assert world.reports[call].units == ()


@pytest.mark.parametrize("request_", ["start", "restart", "retry", "reload"])
def test_a_run_that_is_being_stopped_takes_no_new_wishes(request_: str) -> None:
    world = World([service("a")], {"a": [Life(runs=1000.0, obeys=5.0)]})
    world.start()
    world.stop(at=1.0)
    ask = {"start": world.start, "restart": world.restart, "retry": world.retry}
    call = world.reload(world.units, at=2.0) if request_ == "reload" else ask[request_]("a", at=2.0)  # type: ignore[operator]
    world.run()
    assert world.reports[call] == Report(call, refusal="the run is being stopped: SIGTERM")


def test_nobody_hears_who_does_not_ask() -> None:
    world = World([service("a")], {"a": [Life(runs=1000.0, obeys=2.0)]})
    world.start()
    world.later(1.0, lambda: world.tell(RestartRequested(at=1.0, units=("a",), reason="by hand")))
    world.later(5.0, lambda: world.tell(StopRequested(at=5.0, reason="SIGTERM")))
    world.later(6.0, lambda: world.tell(StartRequested(at=6.0)))
    world.kill(at=6.0)
    world.run()
    assert list(world.reports) == [1]
    assert lines(world.history, "a")[-2:] == ["6 <- SIGKILL to tree", "6 cancelled after 3: SIGTERM, second SIGTERM"]
