"""The table of the unit files, cell by cell, as text."""

from __future__ import annotations

from typing import get_args

import pytest

from runner.core.event import Outcome
from runner.core.graph import Edge, Origin
from runner.core.release import release
from runner.core.state import STATES, State
from runner.core.unit import Kind, Requires

# succeeded, failed, timed-out, skipped, unneeded, cancelled: + met, . impossible
TABLE = """
oneshot  success     +...+.
oneshot  completion  +++++.
service  success     ....+.
service  completion  ++++++
external success     +...+.
external completion  +++++.
target   success     +...+.
target   completion  ++++++
"""
# idle, waiting, running, ready, backoff, stopping: + met, - pending
LIVING = """
oneshot  success     ---+--
oneshot  completion  ------
service  success     ---+--
service  completion  ---+--
"""
WORD = {"met": "+", "impossible": ".", "pending": "-"}


def edge(requires: Requires, *, lenient: bool = False) -> Edge:
    return Edge("dependent", "dependency", requires, Origin("dependent", "after", 0), lenient)


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


@pytest.mark.parametrize(("kind", "requires", "expected"), rows(TABLE))
def test_of_an_ended_dependency(kind: Kind, requires: Requires, expected: str) -> None:
    outcomes: tuple[Outcome, ...] = get_args(Outcome)
    assert "".join(WORD[release(edge(requires), kind, "ended", outcome)] for outcome in outcomes) == expected


@pytest.mark.parametrize(("kind", "requires", "expected"), rows(LIVING))
def test_of_a_living_dependency(kind: Kind, requires: Requires, expected: str) -> None:
    states: list[State] = [state for state in STATES if state != "ended"]
    assert "".join(WORD[release(edge(requires), kind, state, None)] for state in states) == expected


@pytest.mark.parametrize(
    ("outcome", "expected"), [("failed", "met"), ("timed-out", "met"), ("skipped", "met"), ("cancelled", "impossible")]
)
def test_optional_members_that_failed_are_put_aside(outcome: Outcome, expected: str) -> None:
    assert release(edge("success", lenient=True), "oneshot", "ended", outcome) == expected


def test_a_dependency_that_is_wanted_again_in_this_step_is_pending() -> None:
    assert release(edge("completion"), "oneshot", "ended", None) == "pending"
