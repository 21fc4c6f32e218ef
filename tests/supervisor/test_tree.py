from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from runner.supervisor.poller import Poller
from runner.supervisor.tree import Birth, Census, TreeWatch, kill_run, send_signal

from .harness import PYTHON, deadline, is_there, no_descriptor_left

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


@pytest.fixture
def start(_everything_is_closed: None) -> Iterator[Start]:
    """Starts a program in a session of its own and returns when it has said something."""
    started: list[tuple[subprocess.Popen[str], str]] = []

    def start(line: str, invocation: str = "tree.0") -> subprocess.Popen[str]:
        environment = {**os.environ, "RUNNER_INVOCATION": invocation}
        process = subprocess.Popen(
            ["sh", "-c", line], env=environment, start_new_session=True, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        )
        started.append((process, invocation))
        return process

    yield start
    for process, invocation in started:
        for pid in Census().members(process.pid, invocation):
            send_signal(pid, signal.SIGKILL)
        process.kill()
        process.communicate()


def numbers(process: subprocess.Popen[str]) -> list[int]:
    """A line of pids that a program said."""
    assert process.stdout
    return [int(word) for word in process.stdout.readline().split()]


FORK = "sleep 600 & echo $$ $!; wait"
STRAY = f"""setsid env {{}} {" ".join(PYTHON)} 'import os, signal; print(os.getpid(), flush=True); signal.pause()' & wait"""


class TestCensus:
    def test_a_session_is_counted(self, start: Start) -> None:
        pids = set(numbers(start(FORK)))
        assert Census().members(min(pids), "nobody") == pids

    def test_a_name_is_found_in_another_session(self, start: Start) -> None:
        process = start(STRAY.format(""), "tree.7")
        stray = numbers(process)[0]
        assert stray in Census().members(process.pid, "tree.7")
        assert Census().members(-1, "tree.77") == set()
        assert stray in Census().members_of_run("tree")["tree.7"]
        assert Census().members_of_run("tre") == {}

    def test_who_gave_up_its_name_is_found_by_its_session(self, start: Start) -> None:
        process = start("env -i sleep 600 & echo $$ $!; wait", "tree.8")
        pids = set(numbers(process))
        assert Census().members(process.pid, "tree.8") == pids

    def test_who_gave_up_both_is_found_by_its_parent(self, start: Start) -> None:
        process = start("env -i setsid sh -c 'setsid sleep 600 & echo $$ $!; wait' & wait", "tree.9")
        leader, child = numbers(process)
        assert {leader, child} <= Census().members(process.pid, "nobody")
        assert Census().descendants(process.pid) == {leader, child}
        assert Census().members(-1, "nobody") == set()

    def test_the_session_of_somebody_else_is_not_ours_though_one_of_us_is_in_it(self, start: Start) -> None:
        """Somebody gives a program at their terminal the name of an invocation, as to find out what is wrong with it."""
        process = start("echo $$; RUNNER_INVOCATION=tree.11 sh -c 'echo $$; exec sleep 600' & wait", "tree.10")
        numbers(process)
        mistaken = set(numbers(process))
        assert Census().members(-1, "tree.11") == mistaken

    def test_who_has_no_name_is_nobodys(self, start: Start) -> None:
        process = start("exec env -i sh -c 'echo $$; read go'", "tree.12")
        numbers(process)
        assert Census().members(-1, "") == set()

    def test_the_dead_are_not_counted(self, start: Start) -> None:
        process = start("exit 0", "tree.9")
        fd = os.pidfd_open(process.pid)
        select.select([fd], [], [])
        os.close(fd)
        assert Census().members(process.pid, "tree.9") == set()

    def test_we_ourselves_are_not_counted(self) -> None:
        assert os.getpid() not in Census().members(os.getsid(0), "")

    def test_a_name_with_parentheses(self, start: Start) -> None:
        code = 'import signal; open("/proc/self/comm", "w").write(") Z 1 (2"); print(1, flush=True); signal.pause()'
        process = start(f"exec {' '.join(PYTHON)} '{code}'")
        numbers(process)
        assert Census().members(process.pid, "nobody") == {process.pid}


def test_signals_to_who_is_gone_are_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    send_signal(process.pid, signal.SIGTERM)


class TestBirth:
    def test_what_is_spawned_later_is_younger(self) -> None:
        birth = Birth.now()
        process = subprocess.Popen(["true"])
        is_younger = birth.younger()
        assert is_younger(process.pid)
        assert not is_younger(os.getpid())
        process.wait()

    def test_numbers_that_begin_anew(self) -> None:
        now = Birth.now()
        is_younger = Birth(now.pid + 1000, now.forks).younger()
        assert is_younger(now.pid + 1001)
        assert is_younger(1)
        assert not is_younger(now.pid + 999)

    def test_too_many_births_to_tell(self) -> None:
        now = Birth.now()
        assert Birth(now.pid, now.forks - 2**32).younger()(1)

    def test_a_census_since_then_has_the_younger_alone(self) -> None:
        old = subprocess.Popen(["sleep", "600"], start_new_session=True)
        birth = Birth.now()
        young = subprocess.Popen(["sleep", "600"], start_new_session=True)
        try:
            census = Census(birth)
            assert census.members(young.pid, "nobody") == {young.pid}
            assert census.members(old.pid, "nobody") == set()
        finally:
            for process in (old, young):
                process.kill()
                process.wait()


class TestTreeWatch:
    def test_nobody_there_is_the_end(self) -> None:
        poller, calls = Poller(), list[str]()
        TreeWatch(poller, set, lambda: calls.append("empty")).look()
        assert calls == ["empty"]
        poller.close()

    def test_it_waits_for_the_last(self, start: Start) -> None:
        poller, calls = Poller(), list[str]()
        process = start(FORK)
        first, second = numbers(process)
        watch = TreeWatch(poller, lambda: Census().members(first, "nobody"), lambda: calls.append("empty"))
        watch.look()
        for pid in (first, second):
            assert calls == []
            os.kill(pid, signal.SIGKILL)
            while is_there(pid) or (pid == second and not calls):
                select.select([poller], [], [], 0.1)
                poller.dispatch()
        assert calls == ["empty"]
        poller.close()

    def test_those_born_meanwhile_count_too(self) -> None:
        poller, calls = Poller(), list[str]()
        first, second = (subprocess.Popen(["sleep", "600"]) for _ in range(2))
        looks = iter([{first.pid}, {second.pid}, set[int]()])
        watch = TreeWatch(poller, lambda: next(looks), lambda: calls.append("empty"))
        watch.look()
        for process in (first, second):
            assert calls == []
            process.kill()
            process.wait()
            select.select([poller], [], [])
            poller.dispatch()
        assert calls == ["empty"]
        poller.close()

    def test_who_goes_between_two_looks_is_not_waited_for(self) -> None:
        poller, calls = Poller(), list[str]()
        process = subprocess.Popen(["true"])
        process.wait()
        looks = iter([{process.pid}, set[int]()])
        TreeWatch(poller, lambda: next(looks), lambda: calls.append("empty")).look()
        assert calls == ["empty"]
        poller.close()

    def test_a_watch_can_be_given_up(self) -> None:
        poller, calls = Poller(), list[str]()
        process = subprocess.Popen(["sleep", "600"])
        watch = TreeWatch(poller, lambda: {process.pid}, lambda: calls.append("empty"))
        watch.look()
        watch.close()
        process.kill()
        process.wait()
        assert not poller.dispatch()
        assert calls == []
        poller.close()


def test_all_of_a_run_is_killed_and_nobody_else(start: Start) -> None:
    process = start(STRAY.format(""), "killed.7")
    other = start(STRAY.format(""), "kille.7")
    stray, spared = numbers(process)[0], numbers(other)[0]
    assert stray in Census().members_of_run("killed")["killed.7"]
    kill_run("killed")
    assert process.wait() == -signal.SIGKILL
    assert spared in Census().members_of_run("kille")["kille.7"]
    kill_run("nobody")
