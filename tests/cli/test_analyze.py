from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import main

from .conftest import Write
from .recorded import write_runs


@pytest.fixture
def state(write: Write, tmp_path: Path) -> str:
    return write_runs(tmp_path / "state", "small", "failures", "small", "locks")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["analyze", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["analyze", *arguments]) in (1, 2)
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize("run", ["2", "20260102T090000-1000"])
@pytest.mark.parametrize("analysis", ["blame", "critical-chain"])
def test_a_run_by_number_and_by_id(analysis: str, run: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, analysis, "--state", state, "--run", run)
    assert said.startswith("run 20260102T090000-1000 of ")
    assert "net/download" in said


def test_the_last_run(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    for analysis in ("blame", "critical-chain"):
        assert told(capsys, analysis, "--state", state).startswith("run 20260104T090000-1000 of ")


def test_data(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(told(capsys, "blame", "--state", state, "--json"))["units"][0]["unit"] == "git/docs"
    assert json.loads(told(capsys, "critical-chain", "--state", state, "--json"))["links"][-1]["unit"] == "ready"
    assert json.loads(told(capsys, "compare", "--state", state, "--json", "1", "3"))["slower"] == []


@pytest.mark.parametrize(
    ("names", "before", "after"),
    [
        ((), 3, 4),
        (("2",), 2, 4),
        (("4", "1"), 4, 1),
        (("20260101T090000-1000", "2"), 1, 2),
    ],
)
def test_two_runs(names: tuple[str, ...], before: int, after: int, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = told(capsys, "compare", "--state", state, *names).splitlines()[0]
    assert line.startswith(f"run {after} of ")
    assert f" against run {before} of " in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "1", "2", "3"], 'cannot compare more than two runs: "3" is one too many'),
        (["compare", "1", "1"], "cannot compare run 1 with itself"),
        (["compare", "1", "9"], 'cannot find run "9"\nhint: see "runner history" for all runs'),
        (["blame", "--run", "9"], 'cannot find run "9"\nhint: see "runner history" for all runs'),
        (["blame", "--run", "x"], 'cannot find run "x"\nhint: the last one is "20260104T090000-1000"'),
        (["critical-chain", "1"], 'cannot understand the arguments of "runner analyze": unrecognized arguments: 1'),
        (["blame", "--run"], 'cannot understand the arguments of "runner analyze blame": argument --run: expected one argument'),
    ],
)
def test_what_cannot_be_analysed(arguments: list[str], said: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *arguments, "--state", state).startswith(f"runner: {said}")


def test_which_analysis_must_be_said(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "arguments are required: ANALYSIS" in refused(capsys)
    assert "invalid choice: 'blam'" in refused(capsys, "blam")


def test_one_run_is_not_enough(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write()
    state = write_runs(tmp_path / "state", "small")
    assert refused(capsys, "compare", "--state", state).startswith("runner: cannot compare runs: there are not two yet")
    assert refused(capsys, "compare", "--state", state, "1").startswith("runner: cannot compare run 1 with itself")


def test_a_run_whose_journal_is_gone_can_still_be_compared(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "compare", "--state", state)
    Path(state, "journal", "20260101T090000-1000.jsonl").unlink()
    assert "run 1 of" in told(capsys, "compare", "--state", state, "1", "2")
    assert refused(capsys, "blame", "--state", state, "--run", "1") == (
        "runner: cannot read run 1: its journal is gone\nhint: those of the last 20 runs are kept\n"
    )


def test_a_startup_that_was_not_finished_has_no_chain(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Path(state, "journal", "20260104T090000-1000.jsonl")
    journal.write_bytes(b"\n".join(journal.read_bytes().splitlines()[:20]) + b"\n")
    assert refused(capsys, "critical-chain", "--state", state) == (
        'runner: cannot tell the critical chain of run "20260104T090000-1000": its startup was not finished\n'
        'hint: "runner analyze blame" tells what took long until then\n'
    )
    assert "startup not finished" in told(capsys, "blame", "--state", state)


@pytest.mark.parametrize("analysis", ["blame", "critical-chain", "compare"])
def test_help(analysis: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, analysis, "--help").startswith(f"usage: runner analyze {analysis} [OPTION...]")
