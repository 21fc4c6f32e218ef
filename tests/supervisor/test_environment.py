from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.core.effect import Cause
from runner.supervisor.environment import base_environment, tell_cause, unit_environment
from runner.supervisor.spawn import SpawnError

from .harness import NOBODY, deadline, make, needs_root


def test_the_base_is_ours_without_what_concerns_us_alone() -> None:
    ours = {"PATH": "/bin", "NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "LISTEN_FDS": "2", "ODD": "\udcff"}
    ours |= {"RUNNER_ENV": "/run/y", "RUNNER_CAUSE": "z", "RUNNER_CAUSE_LOG": "/log"}
    assert base_environment(ours) == {b"PATH": b"/bin", b"ODD": b"\xff"}


def test_a_unit_overrides_its_files_and_these_the_base(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("A=one\nB=one\nC=one\n")
    (tmp_path / "two").write_text("B=two\nC=two\n")
    unit = make("a/b", "x", env={"C": "unit", "RUNNER_UNIT": "no"}, env_file=(f"{tmp_path}/one", f"-{tmp_path}/two"))
    base = {b"A": b"base", b"D": b"base"}
    assert unit_environment(base, unit, "run.7", 2) == {
        b"A": b"one",
        b"B": b"two",
        b"C": b"unit",
        b"D": b"base",
        b"RUNNER_UNIT": b"a/b",
        b"RUNNER_ATTEMPT": b"2",
        b"RUNNER_INVOCATION": b"run.7",
    }
    assert base == {b"A": b"base", b"D": b"base"}


def read(path: str) -> dict[bytes, bytes]:
    environment = unit_environment({}, make("a", "x", env_file=(path,)), "", 1)
    return {name: value for name, value in environment.items() if not name.startswith(b"RUNNER_")}


def test_lines_of_a_file(tmp_path: Path) -> None:
    lines = [
        b"# a comment",
        b"",
        b"  PLAIN = some words # and no comment ",
        b"export SHELL_LIKE=yes",
        b"EMPTY=",
        b"EQUATION=a=b",
        b'DOUBLE="two words"',
        b"SINGLE='  kept  '",
        b'HALF="',
        b'OPEN="left',
        b"BYTES=\xff",
        b"LAST=1\r",
        b"LAST=2",
    ]
    (tmp_path / "file").write_bytes(b"\n".join(lines))
    assert read(f"{tmp_path}/file") == {
        b"PLAIN": b"some words # and no comment",
        b"SHELL_LIKE": b"yes",
        b"EMPTY": b"",
        b"EQUATION": b"a=b",
        b"DOUBLE": b"two words",
        b"SINGLE": b"  kept  ",
        b"HALF": b'"',
        b"OPEN": b'"left',
        b"BYTES": b"\xff",
        b"LAST": b"2",
    }


@pytest.mark.parametrize("line", [b"no equation", b"=value", b" = ", b"\xff"])
def test_a_line_that_makes_no_sense_is_named_and_not_quoted(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "file").write_bytes(b"A=1\n" + line)
    with pytest.raises(SpawnError) as caught:
        read(f"{tmp_path}/file")
    assert caught.value.stage == "env-file"
    assert caught.value.reason == f'cannot use line 2 of the env-file "{tmp_path}/file": it must be NAME=VALUE'


def test_a_file_may_be_missing_where_that_was_said(tmp_path: Path) -> None:
    assert read(f"-{tmp_path}/file") == {}
    with pytest.raises(SpawnError) as caught:
        read(f"{tmp_path}/file")
    assert caught.value.stage == "env-file"
    assert caught.value.reason == f'cannot read the env-file "{tmp_path}/file": no such file or directory'


@pytest.mark.parametrize("mark", ["", "-"])
def test_a_directory_is_no_file(tmp_path: Path, mark: str) -> None:
    with pytest.raises(SpawnError, match="is a directory"):
        read(f"{mark}{tmp_path}")


def test_nobody_is_waited_for(tmp_path: Path) -> None:
    """A FIFO without a writer would hold the reader for ever."""
    os.mkfifo(tmp_path / "fifo")
    with deadline(10), pytest.raises(SpawnError, match="it is no regular file"):
        read(f"{tmp_path}/fifo")


def test_what_others_give_outweighs_the_base_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("B=file\n")
    unit = make("a", "x", env={"C": "unit"}, env_file=(f"{tmp_path}/file",))
    received = {"A": "given\udcff", "B": "given", "C": "given", "RUNNER_UNIT": "given"}
    environment = unit_environment({b"A": b"base"}, unit, "run.7", 1, received)
    told = {name: environment[name] for name in (b"A", b"B", b"C", b"RUNNER_UNIT")}
    assert told == {b"A": b"given\xff", b"B": b"file", b"C": b"unit", b"RUNNER_UNIT": b"a"}


def test_a_cause_is_told_in_what_a_process_can_be_given() -> None:
    assert tell_cause(Cause("a", "timed-out", "too\0 late \ud800"), "/log/\udcff") == {
        b"RUNNER_CAUSE": b"a",
        b"RUNNER_CAUSE_OUTCOME": b"timed-out",
        b"RUNNER_CAUSE_REASON": b"too late ?",
        b"RUNNER_CAUSE_LOG": b"/log/\xff",
    }


@needs_root
def test_a_file_of_another_user_leads_nowhere_else(tmp_path: Path) -> None:
    """What root alone may read would become the environment of that user's unit."""
    (tmp_path / "secret").write_text("PASSWORD=x\n")
    (tmp_path / "env").symlink_to(tmp_path / "secret")
    unit = make("a", "x", env_file=(f"{tmp_path}/env",))
    assert unit_environment({}, unit, "run.1", 1)[b"PASSWORD"] == b"x"
    with pytest.raises(SpawnError, match="there is a link in a directory that other users can change"):
        unit_environment({}, unit, "run.1", 1, uid=NOBODY)
    (tmp_path / "plain").write_text("A=1\n")
    assert unit_environment({}, make("a", "x", env_file=(f"{tmp_path}/plain",)), "run.1", 1, uid=NOBODY)[b"A"] == b"1"
