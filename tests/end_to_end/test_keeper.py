"""Nothing runs unsupervised: whoever of the two processes of ``runner up`` is killed, nobody of the run outlives it.

``RUNNER_TEST_ROUNDS=100`` kills each of them a hundred times instead of a few.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from runner.supervisor.cgroup import find_home
from runner.supervisor.processes import GONE, ZOMBIE, kin_of, list_processes
from runner.supervisor.tree import send_signal
from tests.supervisor.harness import deadline, is_there, needs_groups

from .command import RUNNER, Workspace, read_until

ROUNDS = int(os.environ.get("RUNNER_TEST_ROUNDS", "3"))
IN_TIME = 2.0
"""Seconds after which nobody may be left."""

SERVICES = (
    "exec sleep 600",
    "(sleep 600 &); exec sleep 600",
    "(setsid sleep 600 &); exec sleep 600",
    "(env -i setsid sleep 600 &); exec sleep 600",
    "(env -i setsid sh -c 'kill -STOP $$; sleep 600' &); exec sleep 600",
    "trap '' TERM; setsid sh -c 'while :; do sleep 0.01; done' & while :; do sleep 600; done",
)


class Place(Workspace):
    """A workspace whose processes are known by their directory, which no daemon of these leaves."""

    def command(self, *options: str) -> list[str]:
        return super().command("--socket", str(self.root / "r" / "s"), *options)

    def left(self) -> set[int]:
        return {pid for pid in list_processes() if self._is_here(pid)}

    def _is_here(self, pid: int) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{pid}/cwd").readlink() == self.root and is_there(pid)
        return False

    @contextmanager
    def inside(self, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
        """A run as the first process of a namespace; with its pid out here."""
        command = [*NAMESPACE, *self.command(*options)]
        pipe = subprocess.PIPE
        with (
            deadline(),
            subprocess.Popen(command, cwd=self.root, env=self.environment(), stdout=pipe, stderr=pipe, text=True) as up,
        ):
            first = child_of(up.pid)
            try:
                yield up, first
            finally:
                send_signal(first, signal.SIGKILL)

    def wait_until_nobody_is_left(self, seconds: float) -> set[int]:
        """Who is there after so many seconds, or as soon as nobody is."""
        deadline = time.monotonic() + seconds
        while (left := self.left()) and (patience := deadline - time.monotonic()) > 0:
            waiter = select.poll()
            pidfds = []
            for pid in left:
                with suppress(ProcessLookupError):
                    pidfds.append(os.pidfd_open(pid))
                    waiter.register(pidfds[-1], select.POLLIN)
            if len(pidfds) == len(left):
                waiter.poll(patience * 1000)
            for pidfd in pidfds:
                os.close(pidfd)
        return left


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.kill_leftovers()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody who is none of ours, though our sibling."""
    with subprocess.Popen(["sleep", "600"], cwd="/") as process:
        yield process
        assert process.poll() is None
        process.kill()


def child_of(parent: int) -> int:
    """The child of a process, as soon as there is one."""
    while True:
        for pid in list_processes():
            if kin_of(pid)[0] == parent:
                return pid


def write_forty(place: Place, chance: random.Random) -> None:
    """Forty units, most with daemons of many sorts, that start one after the other or at once."""
    for number in range(40):
        after = sorted({f"u{chance.randrange(number)}" for _ in range(2)}) if number else []
        kind, line = ("service", chance.choice(SERVICES)) if chance.random() < 0.7 else ("oneshot", "(env -i setsid sleep 600 &)")
        place.write(**{f"u{number}": f'type = "{kind}"\ncommand = "{line}"\nafter = {after}'})


@pytest.mark.parametrize("victim", ["supervisor", "keeper"])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nobody_outlives_either(place: Place, bystander: subprocess.Popen[bytes], victim: str, seed: int) -> None:
    chance = random.Random(f"{victim} {seed}")
    write_forty(place, chance)
    moment = chance.randrange(150) if seed else 0
    with place.start("--output", "json") as up:
        supervisor = child_of(up.pid)
        assert up.stdout
        for _ in range(moment):
            up.stdout.readline()
        os.kill(supervisor if victim == "supervisor" else up.pid, signal.SIGKILL)
        left = place.wait_until_nobody_is_left(IN_TIME)
        assert not left, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left if is_there(pid)]
        _, said = up.communicate()
        if victim == "supervisor":
            assert (up.returncode, said) == (1, "runner: the supervisor was killed by SIGKILL; all that it ran was ended\n")
    for file in (place.root / "units").iterdir():
        file.unlink()
    place.write(done='command = "true"')
    assert place.run("--output", "json").returncode == 0


def test_the_next_run_waits_for_a_supervisor_whose_keeper_died(place: Place) -> None:
    line = "trap '' TERM; echo up; while :; do sleep 600; done"
    place.write(a=f'type = "service"\ncommand = "{line}"\n[ready]\nlog = "up"')
    with place.start("--output", "json") as up:
        read_until(up, "unit-ready")
        up.kill()
        with place.start("--output", "json") as again:
            begun = read_until(again, "unit-ready")
            again.send_signal(signal.SIGQUIT)
            assert again.wait() == 131
    assert begun[0]["event"] == "run-started"


def test_the_keeper_died_while_the_supervisor_was_only_beginning(place: Place) -> None:
    place.write(a='type = "service"\ncommand = "exec sleep 600"')
    with place.start("--output", "json") as up:
        os.kill(child_of(up.pid), signal.SIGSTOP)
        supervisor = child_of(up.pid)
        up.kill()
        up.wait()
        os.kill(supervisor, signal.SIGCONT)
        assert up.stdout
        events = up.stdout.read()
    assert '"event":"run-ended"' in events
    assert "the process that was to look after the supervisor has died" in events


def test_its_exit_status_is_that_of_the_supervisor(place: Place) -> None:
    place.write(a='command = "exit 7"')
    assert place.run().returncode == 1
    assert place.run("nothing").returncode == 2
    assert place.run("--help").returncode == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
@pytest.mark.parametrize("to", ["keeper", "supervisor", "group"])
def test_a_signal_is_one_request_whoever_gets_it(place: Place, name: str, to: str) -> None:
    place.write(a="""type = "service"\ncommand = "trap 'exit 0' TERM; echo up; sleep 600 & wait"\n[ready]\nlog = "up" """)
    number = signal.Signals[name]
    with place.start("--output", "json", start_new_session=True) as up:
        begun = read_until(up, "unit-ready")
        if to == "group":
            os.killpg(up.pid, number)
        else:
            os.kill(up.pid if to == "keeper" else begun[0]["pid"], number)
        ended = read_until(up, "unit-ended")[-1]
        assert ended["reason"] == f"stopped by {name}"
        assert up.wait() == 128 + number


@pytest.mark.parametrize("to", ["keeper", "group"])
def test_a_second_signal_kills(place: Place, to: str) -> None:
    place.write(a="""type = "service"\ncommand = "trap '' TERM; echo up; while :; do sleep 600; done"\n[ready]\nlog = "up" """)
    with place.start("--output", "json", start_new_session=True) as up:
        read_until(up, "unit-ready")
        send = os.killpg if to == "group" else os.kill
        send(up.pid, signal.SIGINT)
        read_until(up, "unit-stopping")
        send(up.pid, signal.SIGINT)
        assert read_until(up, "unit-ended")[-1]["signal"] == "SIGKILL"
        assert up.wait() == 130
    assert not place.left()


def test_orphans_are_reaped(place: Place) -> None:
    """A daemon that lost its parent and ends, while the supervisor has nothing else to do."""
    os.mkfifo(place.root / "go")
    line = "(setsid sh -c 'echo $$ > pid; read go < go' &); echo up; exec sleep 600"
    place.write(a=f'type = "service"\ncommand = "{line}"\ncwd = "{place.root}"\n[ready]\nlog = "up"')
    with place.start("--output", "json") as up:
        supervisor = read_until(up, "unit-ready")[0]["pid"]
        (place.root / "go").write_text("\n")
        daemon = int((place.root / "pid").read_text())
        while (kin := kin_of(daemon)) != GONE:
            assert kin in (ZOMBIE, (supervisor, daemon, daemon))
        up.send_signal(signal.SIGTERM)
        assert up.wait() == 143


@needs_groups
@pytest.mark.parametrize("victims", ["supervisor", "both"])
def test_the_control_groups_go_with_a_supervisor_that_is_killed(place: Place, victims: str) -> None:
    """The keeper removes them; where it was killed too, the next run does."""
    place.write(a='type = "service"\ncommand = "exec sleep 600"')
    with place.start("--output", "json") as up:
        begun = read_until(up, "unit-ready")
        group = Path(find_home(), f"runner-{begun[0]['run']}")
        assert group.is_dir()
        if victims == "both":
            up.send_signal(signal.SIGSTOP)
        os.kill(begun[0]["pid"], signal.SIGKILL)
        up.send_signal(signal.SIGKILL if victims == "both" else signal.SIGCONT)
        up.wait()
    place.wait_until_nobody_is_left(IN_TIME)
    if victims == "both":
        assert group.is_dir()
        with place.start("--output", "json") as up:
            read_until(up, "unit-ready")
            up.send_signal(signal.SIGTERM)
            up.wait()
    assert not group.exists()


@needs_groups
def test_a_daemon_that_hides_is_ended_with_its_unit(place: Place) -> None:
    """Its parent has ended, and it has neither the session nor the environment of its unit any more."""
    script = """#!/bin/sh\n(env -i setsid sh -c 'echo $$; exec sleep 600' &)\nexec sleep 600"""
    place.write(**dict.fromkeys("ab", f'type = "service"\nscript = """{script}"""\n[ready]\nlog = "."'))
    with place.start("--output", "json") as up:
        read_until(up, "startup-finished")
        hidden, bystander = (int(place.log(name).read_text()) for name in "ab")
        stop = [*RUNNER, "stop", "a", "--socket", str(place.root / "r" / "s")]
        subprocess.run(stop, env=place.environment(), check=True, capture_output=True)
        assert not is_there(hidden)
        assert is_there(bystander)


def test_what_it_inherited_is_none_of_its_own(place: Place) -> None:
    """A shell starts something and becomes the keeper, which so has children that it did not start."""
    place.write(a='type = "service"\ncommand = "exec sleep 600"')
    line = 'sleep 601 & setsid sleep 602 & echo $!; exec "$@"'
    command = ["sh", "-c", line, "sh", *place.command("--output", "json")]
    with subprocess.Popen(
        command, cwd=place.root, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as up:
        assert up.stdout
        other = int(up.stdout.readline())
        supervisor = read_until(up, "unit-ready")[0]["pid"]
        os.kill(supervisor, signal.SIGKILL)
        assert up.wait() == 1
        assert is_there(other)
        left = place.left()
        assert len(left) == 2
        for pid in left:
            send_signal(pid, signal.SIGKILL)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_is_for_the_process_group_and_one_request(place: Place, times: int) -> None:
    """As a terminal sends it: to keeper and supervisor at once."""
    line = f"trap 'test {times} = 1 && exit 0' TERM; echo up; while :; do sleep 600 & wait; done"
    place.write(a=f'type = "service"\ncommand = "{line}"\n[ready]\nlog = "up"')
    ours, theirs = pty.openpty()
    with place.start("--output", "json", stdin=theirs, start_new_session=True, preexec_fn=make_controlling) as up:
        os.close(theirs)
        read_until(up, "unit-ready")
        for _ in range(times):
            os.write(ours, b"\x03")
            stopping = read_until(up, "unit-stopping" if _ == 0 else "unit-ended")[-1]
        assert stopping["reason"].startswith("stopped by SIGINT")
        assert up.wait() == 130
        os.close(ours)


def make_controlling() -> None:
    """Have standard input as the terminal that sends signals."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")
can_unshare = pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode != 0,
    reason="no process may be the first of its own here",
)


@can_unshare
class TestFirstProcess:
    """``runner up`` is process 1 of a container, to which all orphans come, and to which the container's manager speaks."""

    REAPED = "until test -s pid && ! test -e /proc/$(cat pid); do sleep 0.01; done"

    def test_it_reaps_orphans_and_stops_in_order(self, place: Place) -> None:
        os.mkfifo(place.root / "go")
        daemon = "(env -i setsid sh -c 'echo $$ > pid; read go < go' &)"
        for name, line in {"a": f"{daemon}; exec sleep 600", "b": self.REAPED}.items():
            place.write(**{name: f'type = "service"\ncommand = "{line}"\ncwd = "{place.root}"'})
        with place.inside("--output", "json") as (up, first):
            read_until(up, "startup-finished")
            (place.root / "go").write_text("\n")
            assert read_until(up, "unit-ended", "b")[-1]["outcome"] == "succeeded"
            os.kill(first, signal.SIGTERM)
            assert read_until(up, "unit-ended", "a")[-1]["reason"] == "stopped by SIGTERM"
            assert up.wait() == 143

    def test_what_enters_the_container_is_reaped_by_the_keeper(self, place: Place) -> None:
        """It is none of the supervisor's, and comes to the first process alone."""
        place.write(a='type = "service"\ncommand = "exec sleep 600"')
        with place.inside("--output", "json") as (up, first):
            read_until(up, "unit-ready")
            enter = [
                "nsenter",
                "--target",
                str(first),
                "--pid",
                "--mount",
                "sh",
                "-c",
                f"cd {place.root}; (sh -c 'echo $$ > pid' &); {self.REAPED}",
            ]
            subprocess.run(enter, check=True)
            os.kill(first, signal.SIGTERM)
            assert up.wait() == 143

    def test_its_exit_status(self, place: Place) -> None:
        place.write(a='command = "exit 3"')
        done = subprocess.run(
            [*NAMESPACE, *place.command()], cwd=place.root, env=place.environment(), capture_output=True, check=False
        )
        assert done.returncode == 1
