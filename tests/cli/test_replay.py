"""Recorded runs shown again: all at once where nobody looks, and at their pace on a terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.cli import main
from tests.on_terminal import OnTerminal, on_terminal

RECORDING = Path(__file__).parents[1] / "recordings" / "small.jsonl"


def replay(path: Path, *options: str, more: Mapping[str, str] = {}) -> OnTerminal:
    """Show it on a terminal to its end."""
    with on_terminal("replay", str(path), *options, environment=os.environ, cwd=path.parent, more=more) as there:
        before = there.modes()
        there.until_shown("run succeeded")
        assert there.modes() == before
        assert there.finish() == 0
    return there


def test_without_a_terminal_it_is_all_lines_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(RECORDING)]) == 0
    said, complaints = capsys.readouterr()
    lines = said.splitlines()
    assert "run 20260105T090000-1000" in lines[0]
    assert "run succeeded" in lines[-1]
    assert "\x1b" not in said
    assert complaints == ""


def test_at_speed_0_there_is_only_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(RECORDING), "--speed", "0"]) == 0
    said, _ = capsys.readouterr()
    assert "run succeeded" in said.splitlines()[0]
    assert "started" not in said
    assert "\x1b" not in said


def test_colours_can_be_insisted_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(RECORDING), "--speed", "0", "--color", "always"]) == 0
    assert "\x1b[" in capsys.readouterr().out


def test_on_a_terminal_it_moves_and_leaves_the_summary() -> None:
    there = replay(RECORDING, "--speed", "100")
    assert there.screen.frames >= 1
    assert there.screen.modes == {"25", "7"}
    assert there.screen.text().splitlines()[0].startswith("✓ startup succeeded")


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_where_no_live_view_suits_a_terminal_gets_no_escape_codes(more: dict[str, str]) -> None:
    there = replay(RECORDING, more=more)
    assert b"\x1b" not in there.said


def test_without_colours_it_can_still_move() -> None:
    there = replay(RECORDING, "--speed", "100", "--color", "never", more={"NO_COLOR": "1"})
    assert there.screen.frames >= 1
    assert there.screen.colors <= {"0"}


@pytest.mark.parametrize("keys", ["q", "Q", "\x03"])
def test_somebody_who_has_seen_enough_ends_it(keys: str) -> None:
    with on_terminal("replay", str(RECORDING), environment=os.environ, cwd=RECORDING.parent) as there:
        there.until_shown("app")
        there.type("x")
        there.type(keys)
        assert there.finish() == 0
        assert there.screen.text() == ""


def test_a_terminal_that_takes_nothing_holds_nobody() -> None:
    with on_terminal("replay", str(RECORDING), "--speed", "5", environment=os.environ, cwd=RECORDING.parent) as there:
        there.until_shown("app")
        assert there.process.wait() == 0


def test_lines_that_cannot_be_used_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = RECORDING.read_text().splitlines()
    torn = tmp_path / "torn.jsonl"
    torn.write_text("\n".join([lines[0], *["no JSON"] * 8, *lines[1:]]))
    assert main(["replay", str(torn)]) == 0
    said, complaints = capsys.readouterr()
    assert "run succeeded" in said
    assert complaints.count("\n") == 6
    assert complaints.startswith(f'runner: cannot use a line of "{torn}": line 2: ')
    assert complaints.endswith("runner: cannot use 3 further lines of it\n")


@pytest.mark.parametrize("speed", ["fast", "-1", "nan", "inf", ""])
def test_a_speed_is_a_number_from_0(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(RECORDING), "--speed", speed]) == 2
    assert f'cannot use "{speed}": it takes a number from 0' in capsys.readouterr().err


def test_what_is_no_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").touch()
    assert main(["replay", str(tmp_path / "empty")]) == 2
    assert "it is empty" in capsys.readouterr().err


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_that_no_calendar_can_tell_is_shown_all_the_same(
    year: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "r.jsonl"
    recording.write_text(RECORDING.read_text().replace('"at":"2026-', f'"at":"{year}-'))
    assert main(["replay", str(recording)]) == 0
    assert "run succeeded" in capsys.readouterr().out
