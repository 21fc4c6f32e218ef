"""When durations are learned: before the first unit where they decide who goes first, else while the first ones run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.core.event import Decided, DurationsExpected, UnitStarted
from runner.core.observed import UnitsReloaded
from runner.core.unit import Unit
from runner.supervisor.learning import expect
from runner.supervisor.supervisor import Supervisor

from .harness import Ran, make, service, stop, supervise

ALONE = (make("a", "true"), service("s", "exec sleep 600", ["a"]))
LOCKED = (make("a", "true", locks=("l",)), make("b", "true", locks=("l",)))


def stop_when_learned(supervisor: Supervisor, event: Decided) -> None:
    if isinstance(event, DurationsExpected):
        stop(supervisor)


def run(state: Path, *units: Unit, jobs: int | None = None) -> tuple[Ran, dict[str, float]]:
    """A run that ends when it knows more than at its start; and what it was to know at its start."""
    known: dict[str, float] = {}
    ran = supervise(state, *units, jobs=jobs, prepare=lambda one: known.update(expect(one)), react=stop_when_learned)
    return ran, known


def test_where_nobody_has_to_go_first_it_is_learned_while_units_run(tmp_path: Path) -> None:
    supervise(tmp_path, make("a", "true"))
    ran, known = run(tmp_path, *ALONE)
    assert known == {}
    [learned] = [event for event in ran.events if isinstance(event, DurationsExpected)]
    assert set(learned.durations) == {"a"}
    assert ran.place(UnitStarted, "a") < ran.events.index(learned)
    assert ran["a"].expected == learned.durations["a"]


@pytest.mark.parametrize(("units", "jobs"), [(LOCKED, None), ((make("a", "true"), make("b", "true")), 1)])
def test_where_somebody_has_it_is_learned_before(tmp_path: Path, units: tuple[Unit, ...], jobs: int | None) -> None:
    supervise(tmp_path, *units)
    ran, known = run(tmp_path, *units, jobs=jobs)
    assert set(known) == {"a", "b"}
    assert not [event for event in ran.events if isinstance(event, DurationsExpected)]


def test_a_command_with_a_secret_is_known_again(tmp_path: Path) -> None:
    secret = make("a", "true hunter22", env={"A_TOKEN": "hunter22"})
    supervise(tmp_path, secret)
    assert set(run(tmp_path, secret, make("b", "true"), jobs=1)[1]) == {"a"}
    ran, _ = run(tmp_path, secret, ALONE[1])
    assert ran["a"].expected is not None


def test_a_first_run_learns_nothing(tmp_path: Path) -> None:
    ran, known = run(tmp_path, make("a", "true"))
    assert known == {}
    assert not [event for event in ran.events if isinstance(event, DurationsExpected)]


@pytest.mark.parametrize("before", [(make("a", "true"), make("new", "true")), (make("a", "true"),)])
def test_what_a_reload_brings_is_learned_of(tmp_path: Path, before: tuple[Unit, ...]) -> None:
    """Where earlier runs had it. Where they did not, there is nothing to expect."""
    supervise(tmp_path, *before)
    told: list[bool] = []

    def react(supervisor: Supervisor, event: Decided) -> None:
        if isinstance(event, DurationsExpected) and not told:
            told.append(True)
            units = (*ALONE, make("new", "true"))
            supervisor.observe(UnitsReloaded(at=supervisor.now(), units=units, reason="by hand"))
        elif isinstance(event, DurationsExpected):
            stop(supervisor)

    ran = supervise(tmp_path, *ALONE, prepare=lambda one: nothing_known(expect(one)), react=react)
    learned = [set(event.durations) for event in ran.events if isinstance(event, DurationsExpected)]
    assert learned == [{"a"}, {"a", "new"} if len(before) == 2 else {"a"}]
    assert (ran["new"].expected is not None) == (len(before) == 2)


def nothing_known(durations: dict[str, float]) -> None:
    """See that nothing had to be known at the start."""
    assert durations == {}


def test_what_is_wrong_with_the_history_is_told_in_the_loop(tmp_path: Path) -> None:
    (tmp_path / "history.db").mkdir()
    told: list[str] = []

    def prepare(supervisor: Supervisor) -> None:
        def take(text: str) -> None:
            told.append(text)
            stop(supervisor)

        supervisor.on_warning = take
        assert expect(supervisor) == {}

    supervise(tmp_path, *ALONE, prepare=prepare)
    assert len(told) == 1
    assert told[0].startswith(f'cannot use the history "{tmp_path}/history.db"')
