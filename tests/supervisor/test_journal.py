from __future__ import annotations

import json
import os
import re
import resource
import stat
from pathlib import Path

from runner.core.event import RunEnded, RunStarted, StartupFinished, UnitEnded, UnitWaiting, WaitsFor
from runner.core.snapshot import fold
from runner.supervisor.journal import (
    KEPT_RUNS,
    Journal,
    Lines,
    Recorded,
    forget_old_runs,
    goes_on,
    new_run_id,
    read_journal,
    read_run,
)

EVENTS = [
    RunStarted(at=0.0, run="r", version="1", pid=1, units=("a", "b")),
    UnitWaiting(at=0.1, unit="b", waits_for=(WaitsFor(unit="a", requires="success"),)),
    UnitEnded(at=0.1 + 0.2, unit="a", outcome="unneeded", reason='"quoted", é'),
    UnitEnded(at=1 / 3, unit="b", outcome="skipped", reason="", cause="a"),
    StartupFinished(at=2.5, outcome="failed", duration=2.5, failed=("a",)),
    RunEnded(at=1e6 + 1e-6, outcome="failed", duration=1.0),
]


class TestLines:
    def test_each_line_is_numbered_dated_and_whole(self) -> None:
        lines = Lines(1_000_000_000.25).encode(EVENTS)
        assert lines.endswith(b"\n")
        read = [json.loads(line) for line in lines.splitlines()]
        assert [list(one)[:4] for one in read] == [["seq", "at", "event", "elapsed"]] * len(EVENTS)
        assert [one["seq"] for one in read] == [1, 2, 3, 4, 5, 6]
        assert read[0]["at"] == "2001-09-09T01:46:40.250000Z"
        assert read[4]["at"] == "2001-09-09T01:46:42.750000Z"
        assert read[1]["for"] == [{"unit": "a", "requires": "success"}]
        assert [one["event"] for one in read][3:] == ["unit-ended", "startup-finished", "run-ended"]

    def test_numbers_go_on(self) -> None:
        lines = Lines(0.0)
        lines.encode(EVENTS[:2])
        assert lines.encode([]) == b""
        assert json.loads(lines.encode(EVENTS[2:3]))["seq"] == 3

    def test_what_is_absent_is_not_written(self) -> None:
        assert b"exit_code" not in Lines(0.0).encode(EVENTS[2:3])


class TestJournal:
    def write(self, directory: Path, *pieces: bytes, run: str = "run") -> tuple[Journal, list[str]]:
        said: list[str] = []
        journal = Journal(str(directory), run, said.append)
        for piece in pieces:
            journal.write(piece)
        journal.close()
        journal.close()
        return journal, said

    def test_a_run_goes_on_as_long_as_its_journal_is_written(self, tmp_path: Path) -> None:
        journal = Journal(str(tmp_path), "run", print)
        journal.write(Lines(1e9).encode(EVENTS[:3]))
        assert goes_on(str(tmp_path), "run")
        journal.close()
        assert not goes_on(str(tmp_path), "run")
        assert not goes_on(str(tmp_path), "other")

    def test_what_was_written_is_read_back(self, tmp_path: Path) -> None:
        lines = Lines(1e9)
        journal, said = self.write(tmp_path / "x" / "y", lines.encode(EVENTS[:3]), lines.encode(EVENTS[3:]))
        assert read_journal(Path(journal.path)) == EVENTS
        assert fold(read_journal(Path(journal.path))) == fold(EVENTS)
        assert said == []
        assert stat.S_IMODE(Path(journal.path).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "x" / "y").stat().st_mode) == 0o700

    def test_nothing_is_made_before_the_first_line(self, tmp_path: Path) -> None:
        self.write(tmp_path / "journal")
        assert not (tmp_path / "journal").exists()

    def test_a_file_in_the_place_of_the_directory_is_told_once(self, tmp_path: Path) -> None:
        (tmp_path / "journal").touch()
        journal, said = self.write(tmp_path / "journal", b"123\n", b"45\n")
        assert journal.lost == 7
        assert len(said) == 1
        assert said[0].startswith(f"cannot write the journal '{tmp_path}/journal/run.jsonl': ")

    def test_a_full_disk_is_told_once(self, tmp_path: Path) -> None:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5, limits[1]))
        try:
            journal, said = self.write(tmp_path, b"123\n", b"456\n", b"789\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert journal.lost == 8
        assert len(said) == 1

    def test_a_torn_line_costs_no_other(self, tmp_path: Path) -> None:
        first, second, third = (Lines(0.0).encode([event]) for event in EVENTS[:3])
        file = tmp_path / "run.jsonl"
        file.write_bytes(first + b'{"seq":2,"at":"","event":"from-the-future","elapsed":1}\n' + second + third[:20])
        assert read_journal(file) == EVENTS[:2]

    def test_a_run_is_read_with_its_wall_clock(self, tmp_path: Path) -> None:
        file = tmp_path / "run.jsonl"
        file.write_bytes(Lines(1_000_000_000.25).encode(EVENTS))
        assert read_run(file) == Recorded(1_000_000_000.25, tuple(EVENTS))
        file.write_bytes(b"{}\n" + Lines(0.0).encode(EVENTS))
        os.utime(file, (7.0, 8.0))
        assert read_run(file) == Recorded(8.0, tuple(EVENTS))

    def test_the_last_runs_are_kept(self, tmp_path: Path) -> None:
        for number in range(KEPT_RUNS + 5):
            (tmp_path / f"{number:03}.jsonl").touch()
        (tmp_path / "notes.txt").touch()
        self.write(tmp_path, b"x\n", run="999")
        names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
        assert len(names) == KEPT_RUNS
        assert names[0] == "006.jsonl"
        assert names[-1] == "999.jsonl"
        assert (tmp_path / "notes.txt").exists()

    def test_what_cannot_be_removed_stays(self, tmp_path: Path) -> None:
        for number in range(KEPT_RUNS + 1):
            (tmp_path / f"{number:03}.jsonl").mkdir()
        forget_old_runs(str(tmp_path))
        assert (tmp_path / "000.jsonl").exists()


def test_run_ids_sort_by_time() -> None:
    assert re.fullmatch(r"\d{8}T\d{6}-\d+", new_run_id())
