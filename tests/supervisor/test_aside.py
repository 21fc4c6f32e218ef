from __future__ import annotations

import select
import threading
from collections.abc import Iterator

import pytest

from runner.supervisor.aside import do_aside
from runner.supervisor.poller import Poller

from .harness import open_files


@pytest.fixture
def poller() -> Iterator[Poller]:
    made = Poller()
    yield made
    made.close()


def turn(poller: Poller) -> None:
    """A turn of a loop, when there is something to do in it."""
    select.select([poller.fileno()], [], [])
    poller.dispatch()


def test_a_thread_works_and_the_loop_takes(poller: Poller) -> None:
    before = open_files()
    taken: list[tuple[threading.Thread, threading.Thread]] = []
    do_aside(poller, threading.current_thread, lambda worker: taken.append((worker, threading.current_thread())))
    turn(poller)
    [(worker, taker)] = taken
    assert (worker is taker, taker) == (False, threading.main_thread())
    assert open_files() == before
    assert not poller.dispatch()


def test_nothing_is_taken_before_it_is_done(poller: Poller) -> None:
    may_end = threading.Event()
    taken: list[bool] = []
    do_aside(poller, may_end.wait, taken.append)
    assert not poller.dispatch()
    may_end.set()
    turn(poller)
    assert taken == [True]


def test_of_work_that_breaks_nothing_is_taken(poller: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    taken: list[float] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    do_aside(poller, lambda: 1 / 0, taken.append)
    workers = [thread for thread in threading.enumerate() if thread.daemon]  # it may be done already
    turn(poller)
    for worker in workers:
        worker.join()
    assert (taken, len(told)) == ([], 1)
    assert not poller.dispatch()


def test_work_that_nobody_waits_for_any_more(poller: Poller) -> None:
    before = open_files()
    taken: list[None] = []
    aside = do_aside(poller, lambda: None, taken.append)
    assert aside
    aside.close()
    aside.close()
    assert not poller.dispatch()
    assert taken == []
    assert open_files() == before


def test_no_thread_is_to_be_had(poller: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before = open_files()
    monkeypatch.setattr(threading.Thread, "start", start)
    assert do_aside(poller, lambda: None, lambda _: None) is None
    assert open_files() == before
