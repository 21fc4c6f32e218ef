from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from runner.cli import main
from runner.supervisor.journal import Journal

from .conftest import Write
from .recorded import write_runs


@pytest.fixture
def state(write: Write, tmp_path: Path) -> str:
    return write_runs(tmp_path / "state", "small", "failures")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["history", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_list_and_a_part_of_it(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "--state", state).splitlines()
    assert lines[0] == "2 runs, the last one at the end"
    assert [line.split()[0] for line in lines[3:]] == ["1", "2"]
    assert told(capsys, "--state", state, "-n", "1").startswith("1 run, the last one at the end\n")


def test_a_list_as_json(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    runs = json.loads(told(capsys, "--state", state, "--json"))
    assert [(run["number"], run["run"], run["outcome"]) for run in runs] == [
        (1, "20260101T090000-1000", "succeeded"),
        (2, "20260102T090000-1000", "failed"),
    ]


def test_a_run_that_goes_on(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    journals = Path(state, "journal")
    torn = b"".join(sorted(journals.iterdir())[0].read_bytes().splitlines(keepends=True)[:-1])
    (journals / "20260103T090000-1000.jsonl").write_bytes(torn)
    with closing(Journal(str(journals), "20260104T090000-1000", print)) as journal:
        journal.write(torn)
        assert [line.split()[3:5] for line in told(capsys, "--state", state).splitlines()[5:]] == [["cut", "off"], ["goes", "on"]]
        assert [run["goes_on"] for run in json.loads(told(capsys, "--state", state, "--json"))] == [False, False, False, True]


def test_without_a_past_nothing_is_made(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write()
    assert main(["history", "--units", "units"]) == 2
    assert capsys.readouterr().err == (
        'runner: cannot find a run of these units: there is no history\nhint: start one: "runner up"\n'
    )
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("number", ["0", "-1", "x", "1" * 12])
def test_a_limit_that_is_none(number: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--state", state, f"--limit={number}"]) == 2
    assert f'cannot use "{number}": it takes a whole number from 1' in capsys.readouterr().err


def test_a_damaged_history_is_told_and_made_anew(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(state, "history.db").write_bytes(b"damaged" * 1000)
    assert main(["history", "--state", state]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("2 runs")
    assert err.startswith(f'runner: cannot read the history "{state}/history.db": it is damaged')


def test_a_history_that_cannot_be_used(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(state, "history.db").mkdir()
    assert main(["history", "--state", state]) == 1
    assert capsys.readouterr().err == f'runner: cannot use the history "{state}/history.db": unable to open database file\n'
