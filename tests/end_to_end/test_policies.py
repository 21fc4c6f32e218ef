"""Time limits, further attempts, restarts and health checks, once each with real processes and short times."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.core.event import UnitEnded, UnitReady, UnitRetrying, UnitStarted, UnitStarting, UnitStopping
from runner.core.unit import Command, Health, Probe, Ready, Restart, Retry
from tests.supervisor.harness import make, on, python, service, supervise

QUICK = 0.01


def test_a_timeout(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", "sleep 600; echo never", timeout=0.2), make("b", "true", ["a"]))
    assert ran.outcomes() == {"a": "timed-out", "b": "skipped"}
    assert re.fullmatch(r"still running after 2\d\d ms", ran["a"].reason)
    assert ran["a"].signal == "SIGTERM"
    assert ran.of(UnitStopping, "a")[0].at - ran.of(UnitStarted, "a")[0].at >= 0.2


def test_waiting_does_not_count(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", "sleep 0.1"), make("b", "true", ["a"], timeout=60, wait_timeout=60))
    assert ran.outcomes() == {"a": "succeeded", "b": "succeeded"}


def test_a_service_must_be_ready_in_time(tmp_path: Path) -> None:
    ready = Ready(probe=Probe(by="file", target="/no/such/file"))
    ran = supervise(tmp_path, service("s", "exec sleep 600", ready=ready, timeout=0.05))
    assert ran["s"].outcome == "timed-out"
    assert ran["s"].reason.startswith("not ready after ")


def test_a_service_that_is_ready_has_all_the_time(tmp_path: Path) -> None:
    units = [service("s", "exec sleep 600", timeout=0.05), make("b", "sleep 0.1", ["s"])]
    ran = supervise(tmp_path, *units, react=on(UnitEnded, "b"))
    assert ran["s"].outcome == "cancelled"


def test_more_time_is_given_to_who_asks(tmp_path: Path) -> None:
    """It is as good as late when it asks, and takes longer than it was given at first."""
    code = (
        "import os, select, socket\n"
        "speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "say = lambda text: speaker.sendto(text, os.environ['NOTIFY_SOCKET'])\n"
        "say(b'EXTEND_TIMEOUT_USEC=60000000')\nselect.select([], [], [], 1.1)\nsay(b'READY=1')\nselect.select([], [], [])"
    )
    ready = Ready(probe=Probe(by="notify"))
    ran = supervise(tmp_path, service("s", python(code), ready=ready, timeout=1.0), react=on(UnitReady, "s"))
    assert ran["s"].outcome == "cancelled"


def test_a_wait_timeout(tmp_path: Path) -> None:
    units = [make("a", "exec sleep 600"), make("b", "true", ["a"], wait_timeout=0.05), make("c", "true", ["b"])]
    ran = supervise(tmp_path, *units, react=on(UnitEnded, "c"))
    assert ran.outcomes() == {"a": "cancelled", "b": "timed-out", "c": "skipped"}
    assert re.fullmatch(r'waited \d+ ms for "a"', ran["b"].reason)


def test_attempts_until_one_succeeds(tmp_path: Path) -> None:
    command = 'echo "$RUNNER_ATTEMPT $RUNNER_INVOCATION"; test "$RUNNER_ATTEMPT" = 3'
    ran = supervise(tmp_path, make("a", command, retry=Retry(attempts=5, delay=QUICK)), make("b", "true", ["a"]))
    assert ran.outcomes() == {"a": "succeeded", "b": "succeeded"}
    assert [(event.attempt, event.delay) for event in ran.of(UnitRetrying)] == [(2, QUICK), (3, 2 * QUICK)]
    assert ran.text("a").splitlines() == [f"{event.attempt} {event.invocation}" for event in ran.of(UnitStarting, "a")]
    assert len({event.pid for event in ran.of(UnitStarted, "a")}) == 3


def test_attempts_have_an_end(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", "echo try; exit 4", retry=Retry(attempts=3, delay=QUICK)))
    assert (ran["a"].outcome, ran["a"].attempt, ran["a"].exit_code) == ("failed", 3, 4)
    assert ran.text("a").split() == ["try"] * 3


def test_an_attempt_that_took_too_long_is_over_before_the_next(tmp_path: Path) -> None:
    """Each fails where it finds a process of the one before."""
    command = f"trap 'rm {tmp_path}/alive; exit' TERM; mkfifo {tmp_path}/alive || exit 9; sleep 600 & wait; wait"
    ran = supervise(tmp_path / "state", make("a", command, timeout=0.1, retry=Retry(attempts=3, delay=QUICK)))
    assert (ran["a"].outcome, ran["a"].attempt) == ("timed-out", 3)


def test_a_command_that_cannot_be_executed_is_tried_again(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", ["/no/such"], retry=Retry(attempts=2, delay=QUICK)))
    assert (ran["a"].outcome, ran["a"].attempt) == ("failed", 2)


@pytest.mark.parametrize(
    ("when", "end", "times"), [("on-failure", "exit 3", 3), ("always", "exit 0", 3), ("on-failure", "exit 0", 1)]
)
def test_restarts(tmp_path: Path, when: str, end: str, times: int) -> None:
    unit = service("s", f"echo up; {end}", ready=Ready(probe=Probe(by="log", target="up")))
    unit = service("s", unit.command or "", ready=unit.ready, restart=Restart(when=when, delay=QUICK, limit=2))  # type: ignore[arg-type]
    ran = supervise(tmp_path, unit)
    assert len(ran.of(UnitReady, "s")) == times
    assert ran["s"].outcome == ("succeeded" if times == 1 else "failed")
    if times > 1:
        assert ran["s"].reason.endswith("restarted 2 times within 1 min, which is its limit")


def test_a_sick_service_is_restarted(tmp_path: Path) -> None:
    """It is well as long as a file is there, which each life makes and the first one loses."""
    command = f"touch {tmp_path}/well; test $RUNNER_ATTEMPT != 1 || rm {tmp_path}/well; exec sleep 600"
    health = Health(probe=Probe(by="file", target=f"{tmp_path}/well", interval=QUICK), failures=2)
    ready = Ready(probe=Probe(by="command", command=Command(shell=f"test $RUNNER_ATTEMPT = 1 || test -e {tmp_path}/well")))
    unit = service("s", command, ready=ready, health=health, restart=Restart(when="on-failure", delay=QUICK))
    second = make("after", "true", ["s"])

    lives: list[int] = []

    def note(supervisor: object) -> None:
        lives.append(1)

    def react(supervisor, event):  # type: ignore[no-untyped-def]
        on(UnitReady, "s", note)(supervisor, event)
        if len(lives) == 2:
            on(UnitReady, "s")(supervisor, event)

    ran = supervise(tmp_path / "state", unit, second, react=react)
    assert ran.of(UnitRetrying, "s")[0].reason == "health check failed 2 times in a row: no such file"
    assert len(ran.of(UnitReady, "s")) == 2
    assert ran["s"].outcome == "cancelled"


def test_a_service_that_stops_to_ping_is_restarted(tmp_path: Path) -> None:
    """One life says READY=1 and no more; the limit is used up at once."""
    code = (
        "import os, signal, socket\n"
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
        "print(os.environ['WATCHDOG_USEC'], flush=True)\nsignal.pause()"
    )
    probe = Probe(by="notify", interval=0.02)
    restart = Restart(when="always", delay=QUICK, limit=1)
    unit = service("s", python(code), ready=Ready(probe=probe), health=Health(probe=probe, failures=1), restart=restart)
    ran = supervise(tmp_path, unit)
    assert ran["s"].outcome == "failed"
    assert "no WATCHDOG=1 in time" in ran["s"].reason
    assert ran.text("s").split() == ["20000"] * 2


def test_a_service_that_pings_lives_on(tmp_path: Path) -> None:
    """Its pings end the run when there were enough of them; a missed one would have ended it as a failure."""
    code = (
        "import os, select, socket\n"
        "speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "speaker.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
        "for turn in range(30):\n"
        "    speaker.sendto(b'WATCHDOG=1', os.environ['NOTIFY_SOCKET'])\n"
        "    select.select([], [], [], 0.02)\n"
    )
    health = Health(probe=Probe(by="notify", interval=0.05), failures=8)
    unit = service("s", python(code), ready=Ready(probe=Probe(by="notify")), health=health)
    ran = supervise(tmp_path, unit)
    assert (ran["s"].outcome, ran["s"].reason) == ("succeeded", "exit status 0")


def test_a_service_that_falls_silent_is_restarted(tmp_path: Path) -> None:
    health = Health(probe=Probe(by="log", target=r"^beat \d+$", interval=0.02), failures=1)
    unit = service("s", "echo noise; exec sleep 600", health=health, restart=Restart(when="always", delay=QUICK, limit=1))
    ran = supervise(tmp_path, unit)
    assert ran["s"].outcome == "failed"
    assert "no line that matches in time" in ran["s"].reason


def test_a_service_that_writes_lives_on(tmp_path: Path) -> None:
    """Of its lines some are signs of life; too long without one would have ended it as a failure."""
    code = (
        "import select\nfor turn in range(30):\n"
        "    print('noise\\nbeat', turn, flush=True)\n    select.select([], [], [], 0.02)\n"
    )
    health = Health(probe=Probe(by="log", target=r"^beat \d+$", interval=0.05), failures=8)
    ran = supervise(tmp_path, service("s", python(code), health=health))
    assert (ran["s"].outcome, ran["s"].reason) == ("succeeded", "exit status 0")
