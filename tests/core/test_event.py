"""The vocabulary on paper: names, fields, and that what was written is read back as it was."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec import to_builtins
from msgspec.json import decode, encode

from runner.core import event
from runner.core.event import Decided, JournalEvent, RunStarted, UnitEnded, UnitReady, UnitWaiting, WaitsFor
from runner.core.observed import Observed

ENDED = UnitEnded(at=1.5, unit="a", outcome="failed", reason="exit status 1", exit_code=1, duration=1.25, cpu=0.5, max_rss=4096)


def test_the_clock_of_the_engine_is_called_elapsed_on_paper() -> None:
    assert to_builtins(UnitReady(at=2.5, unit="web", after=1.0)) == {
        "event": "unit-ready",
        "elapsed": 2.5,
        "unit": "web",
        "after": 1.0,
    }


def test_what_a_unit_waits_for_is_called_for() -> None:
    waiting = UnitWaiting(at=0, unit="b", waits_for=(WaitsFor(unit="a", requires="success"), WaitsFor(lock="apt", holder="c")))
    assert decode(encode(waiting))["for"] == [{"unit": "a", "requires": "success"}, {"lock": "apt", "holder": "c"}]


def test_what_is_not_known_is_left_out() -> None:
    assert "signal" not in to_builtins(ENDED)
    assert "cause" not in to_builtins(ENDED)


@pytest.mark.parametrize(
    "written", [ENDED, RunStarted(at=0, run="r", version="1", pid=7, units=("a",)), UnitReady(at=1, unit="a", after=1)]
)
def test_a_line_is_read_back_as_it_was_whatever_else_stands_in_it(written: Decided) -> None:
    line = b'{"seq":3,"at":"2026-01-31T07:45:02.000000Z","more":[1],' + encode(written)[1:]
    assert decode(line, type=JournalEvent) == written


def test_a_journal_takes_all_that_is_decided_and_nothing_that_is_observed() -> None:
    kinds = {kind for kind in vars(event).values() if isinstance(kind, type)}
    written = set(get_args(JournalEvent))
    assert written == {kind for kind in kinds if issubclass(kind, Decided) and not kind.__subclasses__()}
    assert not any(issubclass(kind, Observed) for kind in written)
