from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.supervisor.child import Child, Exit, signal_name
from runner.supervisor.output import LogFile, Output
from runner.supervisor.poller import Poller

from .harness import PYTHON, deadline, no_descriptor_left


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


class Watched:
    """A child, and how it ended."""

    def __init__(self, log: Path, *argv: str) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, start_new_session=True)
        os.close(writer)
        self.exits: list[Exit] = []
        self.poller = Poller()
        self.reads = 0
        self.child = Child(self.poller, process, Output(reader, LogFile(str(log), 1 << 30, 0)), self.exits.append, self.note)

    def note(self) -> None:
        self.reads += 1

    def turn(self) -> None:
        select.select([self.poller], [], [])
        self.poller.dispatch()

    def wait(self) -> Exit:
        while not self.exits:
            self.turn()
        return self.exits[0]


@contextmanager
def watched(tmp_path: Path, *argv: str) -> Iterator[Watched]:
    made = Watched(tmp_path / "log", *argv)
    try:
        yield made
    finally:
        if made.child.is_running:
            os.killpg(made.child.pid, signal.SIGKILL)
            os.waitid(os.P_PID, made.child.pid, os.WEXITED | os.WNOWAIT)
        made.child.close()
        made.poller.close()


def shell(line: str) -> tuple[str, ...]:
    return ("sh", "-c", line)


@pytest.mark.parametrize(
    ("line", "exit_code", "name"),
    [
        ("exit 0", 0, None),
        ("exit 255", 255, None),
        ("kill -KILL $$", None, "SIGKILL"),
        ("kill -40 $$", None, "signal 40"),
    ],
)
def test_how_it_ended(tmp_path: Path, line: str, exit_code: int | None, name: str | None) -> None:
    with watched(tmp_path, *shell(line)) as made:
        end = made.wait()
        assert (end.exit_code, end.signal) == (exit_code, name)
        assert not made.child.is_running


def test_what_it_and_its_children_used(tmp_path: Path) -> None:
    code = "piece = bytearray(60_000_000)\nfor _ in range(300_000): pass"
    with watched(tmp_path, *shell(f"""{" ".join(PYTHON)} '{code}'; exit 0""")) as made:
        end = made.wait()
        assert end.cpu > 0.005
        assert 60_000_000 < end.max_rss < 500_000_000


def test_its_last_words_are_there_when_it_ended(tmp_path: Path) -> None:
    with watched(tmp_path, *shell("seq 12000")) as made:  # more than half of what a pipe holds
        made.wait()
        assert made.child.output.tail(2) == ["11999", "12000"]
        assert 1 <= made.reads < 100
        assert made.child.output.fileno() == -1


def test_who_holds_its_output_is_read_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    with watched(tmp_path, *shell(f"(read line < {tmp_path}/gate; echo later) & echo first")) as made:
        made.wait()
        assert made.child.output.tail() == ["first"]
        (tmp_path / "gate").write_text("go\n")
        while made.child.output.fileno() >= 0:
            made.turn()
        assert made.child.output.tail() == ["first", "later"]


def test_who_closes_its_output_runs_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    with watched(tmp_path, *shell(f"exec >&- 2>&-; read line < {tmp_path}/gate; exit 3")) as made:
        made.turn()
        assert made.child.output.fileno() == -1
        assert made.child.is_running
        (tmp_path / "gate").write_text("go\n")
        assert made.wait().exit_code == 3


def test_who_is_let_go_is_reaped_where_it_is_gone(tmp_path: Path) -> None:
    with watched(tmp_path, *shell("echo last")) as made:
        os.waitid(os.P_PID, made.child.pid, os.WEXITED | os.WNOWAIT)
        made.child.close()
        with pytest.raises(ChildProcessError):
            os.waitpid(made.child.pid, 0)
        assert made.child.output.tail() == ["last"]
        assert made.exits == []


def test_names_of_signals() -> None:
    assert [signal_name(number) for number in (15, 9, 34, 63)] == ["SIGTERM", "SIGKILL", "SIGRTMIN", "signal 63"]
