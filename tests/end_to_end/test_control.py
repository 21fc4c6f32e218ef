"""Control of a real supervisor from other processes: one day of a workspace, and many people at once."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import pytest
from msgspec import json

from runner.core.snapshot import fold
from runner.core.stream import SnapshotTaken
from runner.errors import RunnerError
from runner.rpc.client import Client
from runner.rpc.methods import RELOAD, RESTART, RETRY, SNAPSHOT, START, STOP
from runner.supervisor.commands import Answer, Request
from runner.supervisor.journal import read_run
from tests.snapshot import assert_snapshot
from tests.supervisor.served import RUNNER, Served, served

SNAPSHOTS = Path(__file__).parent / "snapshots" / "control"
PATIENCE = 30.0
"""Seconds after which what does not come will never come."""


def tell(there: Served, said: str) -> str:
    """What a command printed, without what differs from one time to the next."""
    said = said.replace(str(there.root), "ROOT").replace(there.began["run"], "RUN")
    said = re.sub(r"logs/[^ /]*$|runner/[^/ ]+/logs", "runner/STATE/logs", said)
    said = re.sub(r" *\b\d+(\.\d+)? (ms|s|B|kB|MB)\b", " #", said)
    said = re.sub(r"\bstate +for +pid +memory +cpu\b", "state for pid memory cpu", said)  # as wide as what is below
    return re.sub(r" *\b(pid +)?\d{2,}\b", r" \1#", said)


class Day:
    """The commands of one day, with what each printed."""

    def __init__(self, there: Served) -> None:
        self.there = there
        self.text = ""

    def run(self, *arguments: str) -> int:
        """Run a command to its end."""
        done = self.there.run(*arguments)
        said = tell(self.there, done.stdout + done.stderr)
        self.text += f"$ runner {' '.join(arguments)}\n{said}[{done.returncode}]\n\n"
        return int(done.returncode)

    def write(self, name: str, text: str) -> None:
        """Write a unit file."""
        (self.there.root / "units" / f"{name}.toml").write_text(text)

    def until(self, condition: Callable[[str], bool]) -> None:
        """Wait for a line of JSON of the supervisor."""
        while not any(map(condition, self.there.lines)):
            self.there.reader.join(0.01)


UNITS = {
    "db": """
        type = "service"
        description = "the database"
        command = "touch healthy; echo serving; seq -s, 99; exec sleep 600"
        health = { file = "healthy", interval = "20ms", failures = 1 }
        restart = { when = "on-failure", delay = "10ms" }
        log.max-size = "1kB"
    """,
    "web": 'type = "service"\ncommand = "exec sleep 600"\nafter = ["db"]',
    "lint": 'command = "echo linting; test -e mended"',
    "report": 'command = "true"\nafter = ["lint"]',
}


def test_a_day() -> None:
    with served(units=UNITS) as there:
        day = Day(there)
        assert day.run("wait") == 1
        assert day.run("status") == 0
        day.write("cache", 'type = "service"\ndescription = "what is asked often"\ncommand = "exec sleep 600"\nafter = ["web"]')
        assert day.run("reload") == 0
        day.write("web", "comand = 1")
        assert day.run("reload") == 2
        day.write("web", UNITS["web"].replace("600", "601"))
        assert day.run("reload", "--restart") == 0
        (there.root / "healthy").unlink()
        day.until(lambda line: '"unit-retrying"' in line)
        assert day.run("wait", "db") == 0
        with following(there, "db", "-n", "1") as lines:
            lines.get(timeout=PATIENCE)
            for _ in range(8):  # its log is rotated meanwhile, again and again
                assert there.run("restart", "db").returncode == 0
            told = [lines.get(timeout=PATIENCE) for _ in range(16)]
        assert told == ["serving\n", f"{','.join(map(str, range(1, 100)))}\n"] * 8
        assert lines.empty()
        assert day.run("retry") == 1
        (there.root / "mended").touch()
        assert day.run("retry") == 0
        assert day.run("stop", "db") == 0
        assert day.run("start", "cache") == 0
        assert day.run("list") == 0
        assert day.run("up", "web") == 0
        assert day.run("up") == 3
        assert day.run("down") == 0
        assert there.process.wait() == 0
        assert there.left() == set()
        assert day.run("down") == 3
    assert_snapshot(day.text, SNAPSHOTS / "day.txt")


@contextmanager
def following(there: Served, *arguments: str) -> Iterator[SimpleQueue[str]]:
    """The lines of ``runner logs -f`` as they come, read by a thread."""
    command = [*RUNNER, "logs", "-f", *arguments]
    with subprocess.Popen(command, env=there.environment, cwd=there.root, stdout=subprocess.PIPE, text=True) as process:
        lines: SimpleQueue[str] = SimpleQueue()

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                lines.put(line)

        reader = Thread(target=read)
        reader.start()
        yield lines
        process.send_signal(signal.SIGINT)
        reader.join()


# ---------------------------------------------------------------- what comes while a unit is being stopped

SLOW = {
    "slow": """
        type = "service"
        command = "trap 'read line <gate; exit 0' TERM; touch up; sleep 600 & wait"
        ready = { file = "up" }
    """
}
"""A service that ends when somebody writes to the gate."""


@contextmanager
def asking(there: Served, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that has said what it sets in motion."""
    command = [*RUNNER, *arguments]
    with subprocess.Popen(command, env=there.environment, cwd=there.root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().endswith("ing slow\n")
        yield process


def test_a_start_during_a_stop_waits_until_the_unit_is_there_again() -> None:
    with served(units=SLOW) as there:
        os.mkfifo(there.root / "gate")
        assert there.run("wait").returncode == 0
        assert there.run("stop", "slow", "--no-wait").returncode == 0
        with asking(there, "start", "slow") as start:
            (there.root / "gate").write_text("\n")
            said, _ = start.communicate()
        assert re.fullmatch(r"slow  ready after [\d.]+ m?s\n", said)
        assert start.returncode == 0
        there.run("down", "--no-wait")
        (there.root / "gate").write_text("\n")
        assert there.process.wait() == 0


def test_a_restart_that_somebody_stops_has_not_reached_its_goal() -> None:
    with served(units=SLOW) as there:
        os.mkfifo(there.root / "gate")
        assert there.run("wait").returncode == 0
        with asking(there, "restart", "slow") as restart:
            assert there.run("stop", "slow", "--no-wait").returncode == 0
            (there.root / "gate").write_text("\n")
            said, _ = restart.communicate()
        assert said.startswith("slow  cancelled after ")
        assert restart.returncode == 1


# ---------------------------------------------------------------- many at once

CLIENTS = 20
SECONDS = float(os.environ.get("RUNNER_TEST_SECONDS", "1.5"))


def many_units() -> dict[str, str]:
    """Fifty units: services and jobs, a few of which fail, with dependencies, locks and restarts."""
    units = {}
    for number in range(50):
        after = f'after = ["u{number - 7}"]\n' if number > 6 and number % 3 else ""
        lock = 'locks = ["one"]\n' if number % 11 == 0 else ""
        work = 'type = "service"\ncommand = "exec sleep 600"\n' if number % 2 else f'command = "exit {number % 10 == 4:d}"\n'
        units[f"u{number}"] = work + after + lock
    return units


class Somebody:
    """One of many who ask for whatever comes to their mind, and count the answers."""

    def __init__(self, there: Served, seed: int, until: float) -> None:
        self.asked: list[str] = []
        self.answered = 0
        self.errors: list[object] = []
        self._there = there
        self._luck = random.Random(seed)
        self._until = until
        self.thread = Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            with Client(self._there.socket, timeout=20) as client:
                while time.monotonic() < self._until:
                    self._ask(client)
        except RunnerError as error:  # it is told in the main thread
            self.errors.append(error)

    def _ask(self, client: Client) -> None:
        units = tuple(self._luck.sample([f"u{number}" for number in range(50)], self._luck.randint(1, 4)))
        method, request = self._luck.choice(
            [
                (START, Request(units=units)),
                (STOP, Request(units=units)),
                (RESTART, Request(units=units)),
                (RETRY, Request()),
                (RELOAD, Request(restart=self._luck.random() < 0.5)),
            ]
        )
        if method is RELOAD:
            self._change()
        self.asked.append(method.path)
        answer = json.decode(client.call(method.path, json.encode(request), timeout=20), type=Answer)
        self.answered += 1
        if answer.refused or answer.problems:
            self.errors.append((method.path, answer))

    def _change(self) -> None:
        """Let a unit file say something else; in one stroke, as an editor does."""
        number = self._luck.randrange(1, 50, 2)
        file = self._there.root / "units" / f"u{number}.toml"
        new = file.with_suffix(f".{id(self)}")
        new.write_text(f'description = "{self._luck.random()}"\n{many_units()[f"u{number}"]}')
        new.rename(file)


@pytest.mark.parametrize("seed", [1])
def test_many_at_once_and_nobody_is_refused_or_forgotten(seed: int) -> None:
    with served(units=many_units()) as there:
        signal.alarm(int(SECONDS) + 60)
        until = time.monotonic() + SECONDS
        people = [Somebody(there, seed * 1_000 + number, until) for number in range(CLIENTS)]
        for one in people:
            one.thread.join()
        assert [error for one in people for error in one.errors] == []
        assert all(one.answered == len(one.asked) > 0 for one in people)
        with Client(there.socket, timeout=20) as client:
            taken = json.decode(client.call(SNAPSHOT.path, b"{}", timeout=20), type=SnapshotTaken)
        assert there.run("down").returncode == 0
        assert there.process.wait() in (0, 1)
        assert there.left() == set()
        recorded = read_run(next(there.root.glob("state/**/journal/*.jsonl")))
    assert fold(recorded.events[: taken.seq]) == taken.snapshot
    assert all(view.state in ("idle", "ended") for view in fold(recorded.events).units.values())
