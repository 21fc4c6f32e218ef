from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runner.cli import COMMANDS
from runner.core.event import Declaration, Need, RunStarted, UnitEnded, UnitWaiting, WaitsFor
from runner.core.explain import explain
from runner.core.snapshot import fold
from runner.show.why import render_json, render_text
from tests.core.explained import FILES, explain_situation, read_situation


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_answer_is_what_one_would_say(path: Path) -> None:
    situation = read_situation(path)
    assert render_text(explain_situation(situation)) == situation.says


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_lines_fit_a_terminal_and_name_commands_that_exist(path: Path) -> None:
    says = read_situation(path).says
    assert max(map(len, says.splitlines())) <= 80
    assert set(re.findall(r'"runner (\w+)', says)) <= COMMANDS.keys()


def test_a_note_comes_before_the_hint() -> None:
    text = render_text(explain_situation(read_situation(FILES[0])), "This is about a run that is over.")
    assert text.split("\n\n")[-2:] == ["This is about a run that is over.", read_situation(FILES[0]).says.split("\n\n")[-1]]


def test_as_data() -> None:
    (path,) = (path for path in FILES if path.stem == "lock-through-another")
    data = json.loads(render_json(explain_situation(read_situation(path))))
    assert (data["unit"], data["at"]) == ("editor", 2.0)
    assert [(one["unit"], one["view"]["state"]) for one in data["chain"]] == [
        ("editor", "waiting"),
        ("tools", "waiting"),
        ("base", "running"),
    ]
    assert data["chain"][1]["hold"] == {"by": "lock", "unit": "base", "lock": "apt", "since": 0.0}


def test_what_comes_from_outside_is_made_safe() -> None:
    begun = RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",))
    ended = UnitEnded(at=1.0, unit="a", outcome="failed", reason="\x1b[31mred\x07")
    assert render_text(explain(fold([begun, ended]), "a", 1.0)) == "a failed: \\x1b[31mred\\x07.\n"


def test_a_name_wider_than_the_column_moves_only_its_own_line() -> None:
    long = "n" * 90
    declared = (Declaration(unit="a", after=(Need(unit=long),)), Declaration(unit=long))
    begun = RunStarted(at=0.0, run="r", version="1", pid=1, units=("a", long), declared=declared)
    text = render_text(explain(fold([begun, UnitWaiting(at=0.0, unit="a", waits_for=(WaitsFor(unit=long),))]), "a", 1.0))
    assert f"  {long}\n" in text
    assert f"\n  {'a':24}  waits for\n" in text
