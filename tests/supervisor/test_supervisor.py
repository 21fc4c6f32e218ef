from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from runner.core.event import Decided, UnitEnded, UnitReady, UnitRetrying, UnitStarted, UnitStarting, UnitStopping
from runner.core.observed import ProbeFailed
from runner.core.unit import Command, Health, Probe, Ready, Restart, Stop
from runner.supervisor.journal import read_journal
from runner.supervisor.supervisor import Supervisor

from .harness import make, on, python, service, stop, supervise

UP = Ready(probe=Probe(by="log", target="^up"))


def test_what_is_decided_is_in_the_journal_before_it_is_done(tmp_path: Path) -> None:
    """The unit itself looks into the journal, and finds that it is about to be executed."""
    look = f"cat {tmp_path}/journal/*.jsonl"
    ran = supervise(tmp_path, make("first", "true"), make("a", look, ["first"]))
    said = ran.text("a").splitlines()
    assert any('"event":"unit-starting"' in line and '"unit":"a"' in line for line in said)
    assert any('"event":"unit-ended"' in line and '"unit":"first"' in line for line in said)


def test_listeners_get_events_and_lines(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []

    def listen(events: Sequence[Decided], lines: bytes) -> None:
        heard.append((len(events), lines.count(b"\n")))

    ran = supervise(tmp_path, make("a", "true"), prepare=lambda supervisor: supervisor.listeners.append(listen))
    assert sum(count for count, _ in heard) == len(ran.events)
    assert all(count == lines for count, lines in heard)


def test_lines_of_units_are_told_where_somebody_wants_them(tmp_path: Path) -> None:
    heard: list[tuple[str, bytes]] = []

    def prepare(supervisor: Supervisor) -> None:
        supervisor.on_line = lambda unit, line: heard.append((unit, line))

    supervise(tmp_path, make("a", "echo one"), make("b", "echo two; echo three", ["a"]), prepare=prepare)
    assert heard == [("a", b"one"), ("b", b"two"), ("b", b"three")]


def test_the_clock_of_a_run_begins_with_it(tmp_path: Path) -> None:
    began: list[float] = []
    before = time.time()
    ran = supervise(tmp_path, make("a", "true"), prepare=lambda supervisor: began.append(supervisor.begun_at))
    assert before <= began[0] <= time.time()
    assert 0 <= ran.events[0].at <= ran.events[-1].at < 60


def test_a_unit_that_never_ran_has_said_nothing(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", ["/no/such"]), make("b", "true", ["a"]))
    assert ran.tails == {"a": [], "b": []}


def test_news_of_an_attempt_that_is_over_mean_nothing(tmp_path: Path) -> None:
    def react(supervisor: Supervisor, event: Decided) -> None:
        if isinstance(event, UnitReady) and event.unit == "s":
            supervisor.observe(ProbeFailed(at=supervisor.now(), unit="s", invocation="another", reason="no"))
            supervisor.observe(ProbeFailed(at=supervisor.now(), unit="nobody", invocation="x", reason="no"))
        on(UnitReady, "s")(supervisor, event)

    ran = supervise(tmp_path, service("s", "echo up; exec sleep 600", ready=UP), react=react)
    assert ran["s"].outcome == "cancelled"


def test_signals_are_answered_between_two_spawns(tmp_path: Path) -> None:
    """The first unit ends long before the last one is executed, and is heard."""
    units = [make(f"u{number}", ["/bin/true"]) for number in range(400)]
    ran = supervise(tmp_path, *units)
    assert ran.place(UnitEnded, "u0") < ran.place(UnitStarted, "u399")


def test_a_warning_to_nobody_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, _: str) -> int:
            raise OSError(errno.EPIPE, "broken pipe")

        def flush(self) -> None:
            """Nothing is there."""

    monkeypatch.setattr(sys, "stderr", Closed())
    (tmp_path / "state").touch()
    assert supervise(tmp_path / "state", make("a", "true"), has_journal=False).outcome == "succeeded"


def test_a_sick_service_is_stopped_with_all_that_it_started_since(tmp_path: Path) -> None:
    """A stop long before has looked at the processes of that moment; this one must look anew."""
    os.mkfifo(tmp_path / "gate")
    stray = "import os, signal; print('up', flush=True); signal.pause()"
    command = f'echo first; read go < {tmp_path}/gate; setsid {sys.executable} -S -E -c "{stray}" & wait; exec sleep 600'
    units = [
        make("gone", "exec sleep 600"),
        service(
            "s",
            command,
            ready=UP,
            health=Health(probe=Probe(by="command", command=Command(shell="exit 1"), interval=0.01), failures=1),
            restart=Restart(when="never"),
            stop=Stop(timeout=60),
        ),
        make("opener", f"echo > {tmp_path}/gate", ["trigger"]),
        make("trigger", "true"),
    ]

    def react(supervisor: Supervisor, event: Decided) -> None:
        on(UnitStarted, "trigger", lambda one: stop(one, "gone"))(supervisor, event)
        on(UnitRetrying, "s")(supervisor, event)

    ran = supervise(tmp_path / "state", *units, react=react)
    assert ran["gone"].outcome == "cancelled"
    assert ran.of(UnitStopping, "s")[0].reason.startswith("health check failed 1 time in a row: exit status 1")


def test_the_journal_of_a_run_can_be_read_while_it_goes_on(tmp_path: Path) -> None:
    seen: list[list[Decided]] = []

    def react(supervisor: Supervisor, event: Decided) -> None:
        if isinstance(event, UnitStarting):
            seen.append(read_journal(next((tmp_path / "journal").iterdir())))
            assert seen[-1][-1] == event

    supervise(tmp_path, make("a", "true"), make("b", "true", ["a"]), react=react)
    assert len(seen) == 2


def test_a_signal_to_the_supervisor_ends_the_run(tmp_path: Path) -> None:
    ran = supervise(
        tmp_path, service("s", "exec sleep 600"), react=on(UnitReady, "s", lambda _: signal.raise_signal(signal.SIGTERM))
    )
    assert ran.stopped_by == signal.SIGTERM
    assert ran["s"].reason == "stopped by SIGTERM"


def test_two_signals_kill(tmp_path: Path) -> None:
    def twice(_: Supervisor) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    unit = service("s", "trap '' TERM INT; echo up; while :; do sleep 600; done", ready=UP, stop=Stop(timeout=600))
    ran = supervise(tmp_path, unit, react=on(UnitReady, "s", twice))
    assert ran.stopped_by == signal.SIGINT
    assert ran["s"].signal == "SIGKILL"
    assert "killed by a second signal, SIGTERM" in ran["s"].reason


def test_something_can_be_called_over_and_over(tmp_path: Path) -> None:
    calls: list[int] = []

    def prepare(supervisor: Supervisor) -> None:
        def call() -> None:
            calls.append(1)
            if len(calls) == 3:
                stop(supervisor)

        supervisor.every(0.005, call)

    supervise(tmp_path, service("s", "exec sleep 600"), prepare=prepare)
    assert len(calls) >= 3


def test_python_units_need_no_shell(tmp_path: Path) -> None:
    assert supervise(tmp_path, make("a", python("raise SystemExit(9)")))["a"].exit_code == 9
