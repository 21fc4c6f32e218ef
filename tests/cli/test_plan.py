from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.core.event import Decided, RunStarted, UnitEnded, UnitStarted, UnitStarting
from runner.supervisor.journal import Lines

from .conftest import Write

UNITS = {
    "a.toml": 'command = ["true"]',
    "g/b.toml": 'command = ["true"]\nafter = ["a"]',
    "c.toml": 'command = ["true"]',
    "goal.toml": 'type = "target"\nafter = ["g/b"]',
    "s.toml": 'type = "service"\ncommand = ["true"]',
}
Plan = Callable[..., str]


@pytest.fixture
def plan(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Plan:
    """What ``runner plan`` prints, on the units above."""
    write(**UNITS)

    def plan(*arguments: str) -> str:
        assert main(["plan", "--state", str(tmp_path / "state"), *arguments]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    return plan


def record(state: Path, **durations: float) -> None:
    """A run in which units took so long, one after the other."""
    at, events = 0.0, list[Decided]()
    for name, seconds in durations.items():
        about: Any = {"unit": name, "invocation": f"r.{name}", "attempt": 1}
        events += [UnitStarting(at=at, **about), UnitStarted(at=at, **about, pid=1, command="true")]
        at += seconds
        events.append(UnitEnded(at=at, unit=name, outcome="succeeded", reason="exit status 0", duration=seconds))
    (state / "journal").mkdir(parents=True)
    begun = RunStarted(at=0.0, run="20260101T000000-1", version="1", pid=1, units=tuple(durations))
    (state / "journal" / f"{begun.run}.jsonl").write_bytes(Lines(1e9).encode([begun, *events]))


def test_a_plan_of_everything_and_of_a_group(plan: Plan) -> None:
    assert plan().startswith("5 units in 3 steps")
    assert plan("g") == (
        "2 units in 2 steps; each starts as soon as what it waits for is done\n\n"
        "step 1\n  a    oneshot\n\nstep 2\n  g/b  oneshot   after a\n\n"
        "longest chain: 2 units one after the other (durations are not known yet)\n  a -> g/b\n"
    )


def test_a_plan_as_json(plan: Plan) -> None:
    assert [[one["name"] for one in step] for step in json.loads(plan("--json", "c"))["steps"]] == [["c"]]


def test_a_plan_with_what_earlier_runs_took(plan: Plan, tmp_path: Path) -> None:
    record(tmp_path / "state", **{"a": 2.0, "g/b": 3.0})
    text = plan()
    assert "* g/b         2 s        3 s   after a" in text.splitlines()
    assert "startup: at least 5 s; of 1 unit it is not known yet (?)" in text
    assert json.loads(plan("--json", "--jobs", "1", "g"))["outlook"]["total"] == 5.0


def test_what_if_compares(plan: Plan, tmp_path: Path) -> None:
    record(tmp_path / "state", **{"a": 2.0, "g/b": 3.0, "c": 4.0})
    lines = plan("--what-if", "g/b=500ms", "--what-if", "g/b=1s").splitlines()
    assert lines[0] == "what if g/b took 1 s instead of 3 s?"
    assert lines[2:4] == ["startup before: succeeds after 5 s", "startup after:  succeeds after 4 s, 1 s sooner (20 %)"]
    assert json.loads(plan("--json", "--jobs", "1", "--what-if", "a=1m"))["change"] == 58.0


def test_fail_tells_what_would_be_skipped_though_no_duration_is_known(plan: Plan) -> None:
    assert plan("--fail", "a") == (
        "what if a failed?\n\nfails: a\nskipped because of a: g/b, goal\nruns: c, s\n\n"
        "startup before: succeeds\nstartup after:  fails, exit status 1\n"
    )
    assert json.loads(plan("--json", "--fail", "a", "--fail", "a"))["fail"] == ["a"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["x"], 'cannot find unit or group "x"'),
        (["--what-if", "a"], 'cannot use "--what-if a"'),
        (["--what-if", "=5s"], 'cannot use "--what-if =5s"'),
        (["--what-if", "x=5s"], 'cannot find unit or group "x"'),
        (["--what-if", "g=5s"], 'cannot use group "g" here'),
        (["--what-if", "goal=5s"], 'cannot use "goal" with --what-if: a target takes no time'),
        (["--what-if", "s=5s"], 'cannot use "s" with --what-if: nobody asks whether it is ready'),
        (["--what-if", "a=5"], 'cannot use "5": it must be a duration such as "250ms", "10s", "1h30m" or a number of seconds'),
        (["c", "--what-if", "a=5s"], 'cannot ask about "a": it would not run'),
        (["c", "--fail", "a"], 'cannot ask about "a": it would not run'),
        (["--fail", "x"], 'cannot find unit or group "x"'),
        (["--fail", "goal"], 'cannot use "goal" with --fail: a target does nothing that could fail'),
    ],
)
def test_what_cannot_be_asked_is_told(arguments: list[str], what: str, plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"runner: {what}"


def test_invalid_units_are_told(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(**{"a.toml": 'after = ["b"]\ncommand = ["true"]'})
    assert main(["plan"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert '"b"' in captured.err


def test_a_history_that_cannot_be_used_is_told_and_done_without(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("no directory")
    assert main(["plan", "--state", str(tmp_path / "state"), "c"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("1 unit in 1 step\n")
    assert captured.err.startswith("runner: cannot ")
