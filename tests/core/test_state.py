from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from runner.core.event import UnitEnded, UnitEvent, UnitReady, UnitStarting
from runner.core.state import STATES, TRANSITIONS, State, next_state
from runner.errors import IllegalTransition


def test_every_event_of_a_unit_has_its_row() -> None:
    assert set(TRANSITIONS) == set(UnitEvent.__subclasses__())


def test_the_table_names_only_states_and_every_state_has_words() -> None:
    assert list(STATES) == list(get_args(State))
    for row in TRANSITIONS.values():
        assert set(row) | set(row.values()) <= set(STATES)


def test_every_state_is_reached_from_idle_and_left_again() -> None:
    moves = {(before, after) for row in TRANSITIONS.values() for before, after in row.items() if before != after}
    reached = {"idle"}
    for _ in STATES:
        reached |= {after for before, after in moves if before in reached}
    assert reached == set(STATES) == {before for before, _ in moves}


def test_a_transition() -> None:
    event = UnitStarting(at=0.0, unit="a", invocation="r.1", attempt=1)
    assert next_state("waiting", event) == "running"


def test_what_is_not_in_the_table_raises() -> None:
    ready = UnitReady(at=0.0, unit="a", after=0.0)
    for state in set(STATES) - {"running"}:
        with pytest.raises(IllegalTransition, match=f"unit 'a' is {state}: UnitReady is not possible"):
            next_state(state, ready)


def test_any_state_can_end() -> None:
    ended = UnitEnded(at=0.0, unit="a", outcome="cancelled", reason="")
    assert {next_state(state, event) for state, event in product(STATES, [ended])} == {"ended"}
