from __future__ import annotations

import resource
from pathlib import Path

import pytest

from runner.core.event import UnitEnded
from runner.core.unit import Retry

from .harness import make, on, service, stop, supervise


def test_it_sleeps_while_nothing_happens(tmp_path: Path) -> None:
    """A run that waits takes no processor time."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    ran = supervise(tmp_path, make("a", "exec sleep 0.5"))
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert ran["a"].duration > 0.4
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


def test_a_run_may_end_with_a_timer(tmp_path: Path) -> None:
    """No descriptor has news when the second attempt has its time, and fails before it has a process."""
    ran = supervise(tmp_path, make("a", ["/no/such"], retry=Retry(attempts=2, delay=0.01)))
    assert (ran["a"].outcome, ran["a"].attempt) == ("failed", 2)


def test_a_run_may_end_before_the_loop_begins(tmp_path: Path) -> None:
    assert supervise(tmp_path, make("a", ["/no/such"])).outcome == "failed"


def test_somebody_may_come_with_a_fact_while_it_sleeps(tmp_path: Path) -> None:
    ran = supervise(
        tmp_path, service("s", "exec sleep 600"), prepare=lambda supervisor: supervisor.every(0.05, lambda: stop(supervisor))
    )
    assert ran["s"].outcome == "cancelled"


def test_what_is_left_is_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = f"mkfifo {tmp_path}/there; (echo > {tmp_path}/there; exec sleep 600) & (exec sleep 600) & cat {tmp_path}/there"
    ran = supervise(tmp_path / "state", make("a", line))
    assert ran.outcome == "succeeded"
    assert capfd.readouterr().err == "runner: ending 2 processes left behind by a; what should stay is a service\n"


def test_nothing_is_said_where_nothing_is_left(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ran = supervise(tmp_path, make("a", "true"), service("s", "exec sleep 600"), react=on(UnitEnded, "a"))
    assert ran["a"].outcome == "succeeded"
    assert capfd.readouterr().err == ""
