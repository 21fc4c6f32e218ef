from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.supervisor.log_reader import LogReader, explain_unreadable, last_lines, written_at
from runner.supervisor.output import LogFile


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(str(tmp_path / "x.log"), max_size=20, keep=2)


def number(log: LogFile, *numbers: int) -> None:
    """Write lines of eight bytes, so that the third begins a new file."""
    for one in numbers:
        log.write(b"line %02d\n" % one)


def test_the_last_lines_come_from_rotated_files_too(log: LogFile) -> None:
    number(log, *range(5))
    assert last_lines(log.path, 3) == [b"line 02", b"line 03", b"line 04"]
    assert last_lines(log.path, 99) == [b"line %02d" % one for one in range(5)]


def test_an_unfinished_line_counts(log: LogFile) -> None:
    log.write(b"one\ntwo\nthr")
    assert last_lines(log.path, 2) == [b"two", b"thr"]


def test_where_there_is_no_log_there_are_no_lines(tmp_path: Path) -> None:
    assert last_lines(str(tmp_path / "none.log"), 3) == []
    assert written_at(str(tmp_path / "none.log")) == 0


def test_a_reader_goes_on_through_several_rotations(log: LogFile) -> None:
    number(log, 0)
    reader = LogReader(log.path)
    assert reader.begin(0) == []
    number(log, 1, 2, 3, 4)
    assert list(reader.read()) == [b"line %02d" % one for one in range(1, 5)]
    assert list(reader.read()) == []
    number(log, 5)
    assert list(reader.read()) == [b"line 05"]
    reader.close()


def test_a_line_over_two_files_is_one(log: LogFile) -> None:
    reader = LogReader(log.path)
    log.write(b"0123456789012345")
    assert list(reader.read()) == []
    log.write(b"67890\n")
    assert list(reader.read()) == [b"012345678901234567890"]
    reader.close()


def test_one_that_was_emptied_is_read_from_its_beginning(log: LogFile) -> None:
    number(log, 0)
    reader = LogReader(log.path)
    reader.begin(0)
    Path(log.path).write_bytes(b"new\n")
    assert list(reader.read()) == [b"new"]
    reader.close()


def test_one_that_was_deleted_is_followed_by_what_comes_in_its_place(log: LogFile, tmp_path: Path) -> None:
    number(log, 0, 1, 2)
    reader = LogReader(log.path)
    reader.begin(0)
    Path(log.path).unlink()
    assert list(reader.read()) == []
    number(log, 3)
    assert list(reader.read()) == [b"line 03"]
    reader.close()


def test_in_the_middle_of_a_rotation_a_reader_waits(log: LogFile) -> None:
    number(log, 0, 1, 2)
    reader = LogReader(log.path)
    reader.begin(0)
    aside = Path(f"{log.path}.aside")
    Path(log.path).rename(aside)
    assert list(reader.read()) == []
    aside.rename(log.path)
    number(log, 3)
    assert list(reader.read()) == [b"line 03"]
    reader.close()


def test_only_files_that_were_written_to_since_then(log: LogFile) -> None:
    number(log, 0)
    reader = LogReader(log.path)
    assert reader.begin(None, written_at(log.path) + 1) == []
    assert reader.begin(None, written_at(log.path)) == [b"line 00"]
    reader.close()


def test_only_ordinary_files_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "x.log"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, b"for somebody else\n")
    for path in (str(pipe), "/dev/null", str(tmp_path)):
        assert last_lines(path, 3) == []
        assert explain_unreadable(path) == "it is no ordinary file"
    assert os.read(writer, 99) == b"for somebody else\n"
    os.close(writer)


def test_why_a_log_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.log").touch()
    assert explain_unreadable(str(tmp_path / "x.log")) == ""
    assert explain_unreadable(str(tmp_path / "none.log")) == ""
    assert explain_unreadable(str(tmp_path / "x.log" / "y.log")) == "not a directory"
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever tests may be root
    assert explain_unreadable(str(tmp_path / "x.log")) == "permission denied"
