from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from runner.core.declare import declarations
from runner.core.event import Decided, Declaration, Need, RunStarted, UnitEnded, UnitStarting, UnitWaiting, WaitsFor
from runner.core.explain import Explanation, Link, explain, explainable
from runner.core.snapshot import Snapshot, fold

from .explained import FILES, explain_situation, read_situation, snapshot_of, tell_chain
from .strategies import worlds


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_chains(path: Path) -> None:
    situation = read_situation(path)
    assert tell_chain(explain_situation(situation)) == situation.chain


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_unit_can_be_asked_about_at_any_time(path: Path) -> None:
    situation = read_situation(path)
    snapshot = snapshot_of(situation)
    for name in explainable(snapshot):
        explanation = explain(snapshot, name, situation.at)
        units = [one.unit for one in explanation.chain]
        assert units[0] == name == explanation.unit
        assert len(set(units)) == len(units)


def test_the_names_that_can_be_asked_about() -> None:
    by_stem = {path.stem: path for path in FILES}
    assert explainable(snapshot_of(read_situation(by_stem["script-nobody-brings"]))) == ["home", "install", "dotfiles"]
    assert explainable(snapshot_of(read_situation(by_stem["script-waits-for-group"]))) == ["g/a", "g/b", "all"]


def test_an_explanation_does_not_change_with_the_run() -> None:
    snapshot = fold(run(declare("a")))
    explanation = explain(snapshot, "a", 0.0)
    snapshot.apply(UnitStarting(at=1.0, unit="a", invocation="r.1", attempt=1))
    assert explanation.chain[0].view is not None
    assert explanation.chain[0].view.state == "idle"


# ------------------------------------------------------------------ journals that no engine writes


def declare(unit: str, *after: str, **fields: Any) -> Declaration:
    return Declaration(unit=unit, after=tuple(Need(unit=name) for name in after), **fields)


def run(*declared: Declaration) -> list[Decided]:
    return [RunStarted(at=0.0, run="r", version="1", pid=1, units=tuple(one.unit for one in declared), declared=declared)]


def waiting(unit: str, *waits_for: WaitsFor, at: float = 0.0) -> UnitWaiting:
    return UnitWaiting(at=at, unit=unit, waits_for=waits_for)


def explained(events: list[Decided], unit: str) -> Explanation:
    return explain(fold(events), unit, 9.0)


def test_units_that_wait_for_each_other_are_told_once() -> None:
    events = [*run(declare("a", "b"), declare("b", "a", "c"), declare("c", "a"))]
    events += [waiting(unit, WaitsFor(unit="a")) for unit in "abc"]
    assert tell_chain(explained(events, "a")) == "a -dependency 0..-> b -dependency [a] 0..-> c -dependency 0..->"


def test_a_unit_that_waits_for_what_has_come_waits_for_its_turn() -> None:
    done = UnitEnded(at=1.0, unit="b", outcome="succeeded", reason="")
    assert tell_chain(explained([*run(declare("a", "b"), declare("b")), done, waiting("a", WaitsFor(unit="b"))], "a")) == "a"
    assert tell_chain(explained([*run(declare("a")), waiting("a")], "a")) == "a"


def test_a_lock_that_nobody_is_seen_to_have() -> None:
    events = [*run(declare("a"), declare("b", locks=("apt",))), waiting("a", WaitsFor(lock="apt", holder="b"))]
    assert tell_chain(explained(events, "a")) == "a -lock apt 0..->"
    begun = UnitStarting(at=2.0, unit="a", invocation="r.1", attempt=1)
    assert tell_chain(explained([*events, begun], "a")) == "a -lock apt 0..2-> b"


def test_a_job_that_nobody_is_seen_to_have() -> None:
    events = [*run(declare("a")), waiting("a", WaitsFor(jobs=2))]
    assert tell_chain(explained(events, "a")) == "a -job 2 0..->"
    assert tell_chain(explained([*events, UnitStarting(at=2.0, unit="a", invocation="r.1", attempt=1)], "a")) == "a -job 2 0..2->"


def test_one_that_gave_up_waiting_for_what_had_come() -> None:
    gone = UnitEnded(at=2.0, unit="a", outcome="timed-out", reason="waited 2 s")
    assert tell_chain(explained([*run(declare("a")), waiting("a"), gone], "a")) == "a -dependency 0..2->"


def test_a_handler_whose_reason_is_not_known() -> None:
    assert tell_chain(explained(run(declare("a", is_handler=True)), "a")) == "a"


# ------------------------------------------------------------------ any run at any moment


@st.composite
def moments(draw: st.DrawFn) -> Snapshot:
    """A random run after a random step."""
    world = draw(worlds())
    begun = structs.replace(world.journal[0], declared=declarations(world.engine.graph), jobs=world.options["jobs"] or UNSET)
    steps = world.run().steps
    return fold([begun, *(event for step in steps[: draw(st.integers(0, len(steps)))] for event in step.events)])


@given(moments())
def test_a_chain_leads_from_each_unit_to_the_next_and_never_back(snapshot: Snapshot) -> None:
    for name in explainable(snapshot):
        chain = explain(snapshot, name, snapshot.at).chain
        units = [one.unit for one in chain]
        assert units[0] == name
        assert len(set(units)) == len(units)
        assert all(one.hold and one.hold.unit == following.unit for one, following in pairwise(chain))
        top, last = chain[0], chain[-1]
        if top.view and top.view.state == "waiting":
            assert_waits_for_one_that_does_not(last)
            assert_is_held(top, snapshot)
        if top.view and top.view.outcome == "skipped":
            assert_leads_to_its_root(chain, top.view.cause)


def assert_waits_for_one_that_does_not(last: Link) -> None:
    is_waiting = last.view is not None and last.view.state == "waiting"
    assert not is_waiting or (last.hold and (last.hold.by == "script" or last.hold.unit == ""))


def assert_is_held(top: Link, snapshot: Snapshot) -> None:
    if top.hold and top.hold.by in ("lock", "job"):
        holder = snapshot.units[top.hold.unit]
        assert holder.state in ("waiting", "running", "ready", "stopping")
        assert top.hold.by == "job" or top.hold.lock in holder.locks


def assert_leads_to_its_root(chain: tuple[Link, ...], cause: str) -> None:
    """Or to where that has run again since."""
    root = next(one for one in chain if one.unit == cause or not (one.hold and one.hold.unit))
    assert root.unit == cause or (root.view and root.view.outcome == "skipped")


@given(moments())
def test_what_let_a_unit_go_came_after_it_was_wanted_and_before_it_began(snapshot: Snapshot) -> None:
    for name in snapshot.units:
        for one in explain(snapshot, name, snapshot.at).chain:
            if one.view and one.hold and one.hold.until is not None and one.view.outcome != "timed-out":
                began = one.view.since if one.view.first_started_at is None else one.view.first_started_at
                assert (one.hold.since or 0.0) <= one.hold.until <= began
