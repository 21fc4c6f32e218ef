from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from runner.cli import main
from tests.show.timeline.drawn import RECORDINGS

from .conftest import Write

RUN = "20260105T090000-1000"


@pytest.fixture
def state(write: Write, tmp_path: Path) -> str:
    """The state directory of two recorded runs, the last of which failed."""
    journals = tmp_path / "state" / "journal"
    journals.mkdir(parents=True)
    for number, name in enumerate(("locks", "failures"), start=1):
        (journals / f"2026010{number}T090000-1000.jsonl").write_bytes((RECORDINGS / f"{name}.jsonl").read_bytes())
    return str(tmp_path / "state")


def drawn(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["timeline", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize(
    ("form", "begin"),
    [("text", f"run {RUN} of "), ("svg", "<svg "), ("html", "<!DOCTYPE html>"), ("chrome", '{"traceEvents":['), ("json", "{\n")],
)
def test_formats(form: str, begin: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert drawn(capsys, "--state", state, "--format", form).startswith(begin)


def test_the_last_run_or_the_one_that_is_named(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    last = json.loads(drawn(capsys, "--state", state, "--json"))
    named = json.loads(drawn(capsys, "--state", state, "--json", "--run", "20260101T090000-1000"))
    assert (last["outcome"], named["outcome"]) == ("failed", "succeeded")


def test_a_run_that_is_not_there(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", "--state", state, "--run", "x"]) == 2
    assert capsys.readouterr().err.startswith('runner: cannot find run "x"')


def test_a_journal_without_its_beginning(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(state) / "journal" / "20260103T090000-1000.jsonl").write_text("")
    assert main(["timeline", "--state", state]) == 1
    assert capsys.readouterr().err == "runner: cannot draw this run: its journal does not tell how it began\n"


def test_it_is_as_wide_as_the_terminal_and_plain_where_that_is_none(
    state: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (60, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = drawn(capsys, "--state", state).splitlines()
        assert columns - 12 < max(map(len, lines)) <= columns
        assert "\x1b" not in "".join(lines)


def test_colours_may_be_asked_for(state: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[34m" in drawn(capsys, "--state", state, "--color", "always")


def test_ascii_where_it_is_asked_for_or_nothing_else_can_be_said(
    state: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = drawn(capsys, "--state", state, "--ascii")
    assert asked.isascii()
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["timeline", "--state", state]) == 0
    assert raw.getvalue().decode() == asked


def test_all_units_of_a_large_run(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(state) / "journal" / "20260109T090000-1000.jsonl").write_bytes((RECORDINGS / "wide.jsonl").read_bytes())
    assert "--all draws them" in drawn(capsys, "--state", state)
    assert len(drawn(capsys, "--state", state, "--all").splitlines()) > 200


def test_the_whole_run(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Path(state) / "journal" / "20260102T090000-1000.jsonl"
    *events, end = journal.read_text().splitlines()
    late = json.loads(end) | {"elapsed": 900.0}
    journal.write_text("\n".join([*events, json.dumps(late)]))
    assert "--whole draws the whole run" in drawn(capsys, "--state", state)
    assert "--whole" not in drawn(capsys, "--state", state, "--whole")


def test_a_file_for_the_output(state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.html"
    assert drawn(capsys, "--state", state, "--format", "html", "--output", str(file)) == ""
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_text_in_a_file_has_neither_colours_nor_ascii_for_the_terminals_sake(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    file = tmp_path / "text"
    assert main(["timeline", "--state", state, "--output", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    assert "█" in text
    assert "\x1b" not in text


def test_an_output_that_cannot_be_written(state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", "--state", state, "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f'runner: cannot write "{tmp_path}": {os.strerror(21)}\n'
