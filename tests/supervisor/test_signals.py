from __future__ import annotations

import select
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from runner.supervisor.signals import STOP_SIGNALS, SignalPipe


@pytest.fixture
def pipe() -> Iterator[SignalPipe]:
    made = SignalPipe()
    yield made
    made.close()


def test_signals_are_read_in_order(pipe: SignalPipe) -> None:
    assert pipe.read() == []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.raise_signal(number)
    assert select.select([pipe], [], [], 0)[0] == [pipe]
    assert pipe.read() == [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    assert pipe.read() == []


def test_no_number_of_signals_is_too_many(pipe: SignalPipe) -> None:
    for _ in range(70_000):
        signal.raise_signal(signal.SIGTERM)
    assert set(pipe.read()) == {signal.SIGTERM}


def test_others_are_caught_where_they_are_named() -> None:
    made = SignalPipe((signal.SIGWINCH,))
    signal.raise_signal(signal.SIGWINCH)
    assert made.read() == [signal.SIGWINCH]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    made.close()


def test_handlers_are_given_back() -> None:
    def ours(_: int, __: FrameType | None) -> None:
        """Nobody calls it."""

    before = signal.signal(signal.SIGTERM, ours)
    try:
        pipe = SignalPipe()
        assert signal.getsignal(signal.SIGTERM) is not ours
        pipe.close()
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.SIGTERM in STOP_SIGNALS


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """So it is under nohup(1)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        pipe = SignalPipe()
        signal.raise_signal(signal.SIGHUP)
        assert pipe.read() == []
        pipe.close()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_children_are_waited_for_though_whoever_started_us_did_not_care() -> None:
    """Where SIGCHLD is ignored, the kernel itself reaps children, and nobody learns how they ended (wait(2))."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        pipe = SignalPipe()
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
        pipe.close()
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)
