from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from runner.core.observed import KillRequested, Observed, StopRequested
from runner.supervisor.poller import Poller
from runner.supervisor.stop_requests import StopRequests

from .harness import deadline, no_descriptor_left


class Asked:
    """What asks, and the facts that come of it."""

    def __init__(self) -> None:
        self.facts: list[Observed] = []
        self.poller = Poller()
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK)
        self.requests = StopRequests(self.poller, self.facts.append, lambda: 7.0, self.reader)

    def pass_on(self, *numbers: signal.Signals) -> None:
        os.write(self.writer, bytes(numbers))

    def hear(self) -> list[str]:
        """What came of all that was there to hear."""
        while self.poller.dispatch():
            pass
        new, self.facts[:] = [*self.facts], []
        assert all(isinstance(fact, StopRequested | KillRequested) for fact in new)
        return [f"{type(fact).__name__}: {getattr(fact, 'reason', '')}" for fact in new]


@pytest.fixture
def asked() -> Iterator[Asked]:
    with deadline(), no_descriptor_left():
        made = Asked()
        yield made
        made.requests.close()
        made.poller.close()
        for fd in {made.reader, made.writer} - {-1}:
            os.close(fd)


STOP, KILL = "StopRequested: stopped by SIGINT", "KillRequested: killed by a second signal, SIGINT"


def test_the_first_stops_and_the_second_kills(asked: Asked) -> None:
    signal.raise_signal(signal.SIGINT)
    assert asked.hear() == [STOP]
    signal.raise_signal(signal.SIGINT)
    assert asked.hear() == [KILL]
    assert asked.requests.is_kill
    assert asked.requests.stopped_by == signal.SIGINT


def test_what_reaches_both_processes_is_one_request(asked: Asked) -> None:
    for said in ([STOP], [KILL]):
        signal.raise_signal(signal.SIGINT)
        asked.pass_on(signal.SIGINT)
        assert asked.hear() == said


def test_the_later_of_two_that_are_one_says_nothing_new(asked: Asked) -> None:
    asked.pass_on(signal.SIGINT)
    assert asked.hear() == [STOP]
    signal.raise_signal(signal.SIGINT)
    assert asked.hear() == []


def test_the_keeper_alone_is_heard(asked: Asked) -> None:
    asked.pass_on(signal.SIGTERM, signal.SIGTERM)
    assert asked.hear() == ["StopRequested: stopped by SIGTERM", "KillRequested: killed by a second signal, SIGTERM"]


def test_sigquit_kills_at_once(asked: Asked) -> None:
    asked.pass_on(signal.SIGQUIT)
    assert asked.hear() == ["KillRequested: killed by SIGQUIT"]
    assert asked.requests.stopped_by == signal.SIGQUIT


def test_the_death_of_the_keeper_kills(asked: Asked) -> None:
    os.close(asked.writer)
    asked.writer = -1
    assert asked.hear() == ["KillRequested: the process that was to look after the supervisor has died"]
    assert (asked.requests.is_kill, asked.requests.stopped_by) == (True, None)


def test_the_end_of_a_process_stops(asked: Asked) -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        asked.requests.follow(os.pidfd_open(process.pid))
        assert asked.hear() == []
        process.kill()
    assert asked.hear() == ["StopRequested: the process that it was to stop with has ended"]


def test_a_process_that_goes_on_is_let_go(asked: Asked) -> None:
    asked.requests.follow(os.pidfd_open(os.getpid()))
    assert asked.hear() == []
