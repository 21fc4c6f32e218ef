from __future__ import annotations

import os
import threading
from math import inf
from pathlib import Path

import pytest

from runner.core.event import Decided, UnitEnded, UnitReady, UnitStarted
from runner.core.unit import Probe, Ready
from runner.supervisor.cgroup import ControlGroups, find_home
from runner.supervisor.supervisor import Supervisor

from .harness import Ran, React, is_there, make, needs_groups, nothing, on, python, service, stop, supervise

DAEMON = """import os, signal
if os.fork():
    signal.pause()
os.setsid()
if os.fork():
    os._exit(0)
os.execve('/bin/sh', ['sh', '-c', 'echo up $$; while :; do sleep 600; done'], {'PATH': os.environ['PATH']})
"""
"""Its grandchild has left its session, has emptied its environment, and has lost its parent."""
UP = Ready(probe=Probe(by="log", target="up"))
IN_GROUP = 'until grep -q "/runner-test.*$RUNNER_INVOCATION" /proc/self/cgroup; do sleep 0.01; done; '


def daemon(ran: Ran, unit: str) -> int:
    """The process that said so in a unit's log."""
    return int(ran.text(unit).split()[1])


def no_group_left() -> bool:
    """Whether all of our runs have removed what they made."""
    return not list(Path(find_home()).glob(f"runner-test{os.getpid()}-*"))


@needs_groups
class TestAService:
    def test_whoever_left_all_marks_behind_is_ended_with_it_and_no_other(self, tmp_path: Path) -> None:
        alive: list[bool] = []
        ready: set[str] = set()

        def react(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitReady):
                ready.add(event.unit)
                if ready == {"a", "b"}:
                    stop(supervisor, "a")
            elif isinstance(event, UnitEnded) and event.unit == "a":
                both = [int(supervisor.tail(unit)[0].split()[1]) for unit in ("a", "b")]
                alive.extend(map(is_there, both))
                stop(supervisor)

        units = [service("a", python(DAEMON), ready=UP), service("b", python(DAEMON), ready=UP)]
        ran = supervise(tmp_path, *units, react=react)
        assert ran.outcomes() == {"a": "cancelled", "b": "cancelled"}
        assert alive == [False, True]
        assert not is_there(daemon(ran, "b"))
        assert no_group_left()

    def test_it_waits_until_it_can_be_born_in_its_group(self, tmp_path: Path) -> None:
        def react(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitReady) and event.unit == "a":
                supervisor.grouping.groups._moved_at = -inf

        units = [
            service("a", "echo up; exec sleep 600", ready=UP),
            *(service(name, f"{IN_GROUP}echo up; exec sleep 600", ["a"], ready=UP) for name in "bc"),
        ]
        ran = supervise(tmp_path, *units, make("d", "exit", ["b", "c"]), react=all_of(react, on(UnitEnded, "d")))
        assert ran["d"].outcome == "succeeded"
        assert no_group_left()

    def test_one_without_a_thread_to_wait_for_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        def react(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitReady) and event.unit == "a":
                monkeypatch.setattr(threading.Thread, "start", start)
                supervisor.grouping.groups._moved_at = -inf

        units = [service("a", "echo up; exec sleep 600", ready=UP), service("b", f"{IN_GROUP}exec sleep 600", ["a"])]
        ran = supervise(tmp_path, *units, react=all_of(react, on(UnitReady, "b")))
        assert ran["b"].outcome == "cancelled"

    def test_where_there_are_no_groups_it_is_spawned_at_once(self, tmp_path: Path) -> None:
        ran = supervise(tmp_path, service("a", "echo up; exec sleep 600", ready=UP), react=on(UnitReady, "a"), prepare=ungrouped)
        assert ran["a"].outcome == "cancelled"

    def test_its_group_goes_with_it(self, tmp_path: Path) -> None:
        left: list[bool] = []

        def react(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitEnded) and event.unit == "a":
                left.append(Path(find_home(), f"runner-{supervisor.run}", supervisor.invocations["a"].name).exists())
                stop(supervisor)

        ran = supervise(tmp_path, service("a", "exit 0"), service("b", "exec sleep 600"), react=react)
        assert ran.outcomes() == {"a": "succeeded", "b": "cancelled"}
        assert left == [False]


@needs_groups
class TestAOneshot:
    def test_it_gets_a_group_when_it_has_been_there_for_a_moment(self, tmp_path: Path) -> None:
        def react(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitReady):
                stop(supervisor, "a")

        code = f"import subprocess\nsubprocess.run(['sh', '-c', {IN_GROUP!r}], check=True)\n{DAEMON}"
        alive: list[bool] = []

        def look(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitEnded):
                alive.append(is_there(int(supervisor.tail("a")[0].split()[1])))

        ran = supervise(tmp_path, make("a", python(code), ready=UP), react=all_of(react, look))
        assert ran["a"].outcome == "cancelled"
        assert alive == [False]
        assert no_group_left()

    def test_many_of_them(self, tmp_path: Path) -> None:
        names = [f"u{number}" for number in range(20)]
        ran = supervise(tmp_path, *(make(name, IN_GROUP) for name in names))
        assert set(ran.outcomes().values()) == {"succeeded"}
        assert no_group_left()

    def test_one_that_is_over_before_has_none(self, tmp_path: Path) -> None:
        made: list[bool] = []

        def react(supervisor: Supervisor, event: Decided) -> None:
            if isinstance(event, UnitEnded):
                made.append(Path(find_home(), f"runner-{supervisor.run}").exists())

        supervise(tmp_path, make("a", "exit 0"), make("b", "exit 0", ["a"]), react=react)
        assert made == [False, False]

    def test_where_there_are_no_groups_it_gets_none(self, tmp_path: Path) -> None:
        ran = supervise(tmp_path, make("a", "sleep 0.15"), prepare=ungrouped)
        assert ran["a"].outcome == "succeeded"


def ungrouped(supervisor: Supervisor) -> None:
    """A supervisor as where there are no control groups."""
    supervisor.grouping.groups.close()
    supervisor.grouping.groups = ControlGroups(supervisor.run, "")


def all_of(*reactions: React) -> React:
    """One reaction after the other."""

    def react(supervisor: Supervisor, event: Decided) -> None:
        for one in reactions:
            one(supervisor, event)

    return react


def test_no_group_is_asked_for_where_nobody_needs_one(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a"), react=nothing)
    assert ran.of(UnitStarted) == []
