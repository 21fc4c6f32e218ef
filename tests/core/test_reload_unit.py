from __future__ import annotations

from runner.core.effect import Effect, ReloadUnit, Report
from runner.core.engine import Engine
from runner.core.graph import link
from runner.core.observed import ProcessSpawned, ReloadRequested, StartRequested
from runner.core.unit import Reload

from .world import make_unit

HUP = Reload(signal="SIGHUP")


def ask(*units: str, running: tuple[str, ...] = ("a", "b", "c")) -> tuple[Effect, ...]:
    """What the engine orders where ``a`` and ``b`` can reload and ``c`` cannot."""
    graph, _ = link(
        [make_unit("a", kind="service", reload=HUP), make_unit("b", kind="service", reload=HUP), make_unit("c", kind="service")]
    )
    engine = Engine(graph, run="r", keep=True)
    engine.apply(StartRequested(at=0.0, units=running))
    for number, unit in enumerate(running, 1):
        engine.apply(ProcessSpawned(at=0.0, unit=unit, invocation=f"r.{number}", pid=number))
    step = engine.apply(ReloadRequested(at=1.0, call=7, units=units))
    assert step.events == ()
    return step.effects


def test_all_that_are_meant_are_told() -> None:
    assert ask("a", "b") == (ReloadUnit("a", "r.1", 7), ReloadUnit("b", "r.2", 7))


def test_where_one_cannot_none_is() -> None:
    assert ask("a", "c") == (Report(7, refusal='cannot reload c: its unit file does not say how, with "reload"'),)


def test_what_does_not_run_cannot_be_told() -> None:
    assert ask("a", "b", running=("a",)) == (Report(7, refusal="cannot reload b: it does not run"),)
