"""``up --detach`` and ``up --stop-with``: who started the supervisor goes, and it stays, or the other way round."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner.supervisor.processes import kin_of
from runner.supervisor.tree import send_signal
from tests.supervisor.harness import deadline

from .command import RUNNER, read_until
from .test_keeper import Place

NOTHING_STAYS = 'nothing is left to look after, so the supervisor has ended; "--keep" makes it stay\n'
STAYS = 'type = "service"\ncommand = "echo up; exec sleep 600"\n[ready]\nlog = "up"'


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with deadline():
        yield made
    for pid in made.left():
        send_signal(pid, signal.SIGKILL)


def supervisor_of(place: Place) -> int:
    """Its pid, as it has written it down."""
    return int((place.root / "r" / "s.lock").read_text().split()[0])


def end(place: Place) -> None:
    """Stop the supervisor that stayed, in order; nobody is left."""
    send_signal(supervisor_of(place), signal.SIGTERM)
    assert not place.wait_until_nobody_is_left(10)
    assert place.journal()[-1]["event"] == "run-ended"
    assert list((place.root / "r").iterdir()) == []


def test_it_returns_when_the_startup_is_finished_and_the_rest_stays(place: Place) -> None:
    place.write(a=STAYS, b='command = "true"\nafter = ["a"]')
    reader, writer = os.pipe()
    done = place.run("--detach", pass_fds=[writer])  # which reads both pipes to their end, so nobody may hold them
    os.close(writer)
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert (done.returncode, done.stderr) == (0, "")
    assert "startup succeeded after" in done.stdout
    supervisor = supervisor_of(place)
    keeper, group, session = kin_of(supervisor)
    assert (group, session) == (keeper, keeper)
    for pid in (keeper, supervisor):
        streams = [str(Path(f"/proc/{pid}/fd/{fd}").readlink()) for fd in range(3)]
        assert streams == ["/dev/null", *[str(place.state / "supervisor.log")] * 2]
    end(place)


def test_what_units_write_is_shown_until_it_is_finished(place: Place) -> None:
    """All of it, and nothing of what an earlier run wrote, also where the log is elsewhere."""
    other = place.root / "other.log"
    place.write(a=STAYS, b=f'command = "echo $RUNNER_INVOCATION one; echo two"\n[log]\nfile = "{other}"')
    place.write(c='command = "echo first; sleep 0.1; echo last"\nafter = ["a", "b"]')
    for number in range(2):
        done = place.run("--detach", "--logs")
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        said = [line.split(" | ")[1] for line in lines if " | " in line]
        run = place.journals()[-1].stem
        assert len([line for line in said if line.startswith(f"{run}.") and line.endswith(" one")]) == 1
        assert sorted(line for line in said if not line.endswith(" one")) == ["first", "last", "two", "up"]
        assert "startup succeeded after" in lines[-1]
        assert len(other.read_text().splitlines()) == 2 * (number + 1)
        end(place)


def test_what_units_wrote_in_a_run_that_is_over_at_once(place: Place) -> None:
    place.write(a=r"""command = ['printf', '\033[31msaid\033[m\n']""")
    for _ in range(2):
        done = place.run("--detach", "--logs")
        assert done.returncode == 0
        assert [line for line in done.stdout.splitlines() if " | " in line] == ["a | said"]
        assert not place.wait_until_nobody_is_left(10)


def test_its_exit_status_is_that_of_the_startup(place: Place) -> None:
    place.write(a=STAYS, b='command = "exit 4"')
    done = place.run("--detach", "--output", "json")
    assert done.returncode == 1
    events = [json.loads(line) for line in done.stdout.splitlines()]
    finished = events[0]["snapshot"].get("startup") or next(one for one in events if one["event"] == "startup-finished")
    assert finished["outcome"] == "failed"
    end(place)


def test_a_run_that_is_over_at_once_is_told_all_the_same(place: Place) -> None:
    place.write(a='command = "exit 4"')
    done = place.run("--detach")
    assert (done.returncode, done.stderr) == (1, "")
    assert "failed" in done.stdout
    assert done.stdout.endswith(NOTHING_STAYS)
    assert not place.left()


def test_that_no_supervisor_is_left_is_told(place: Place) -> None:
    place.write(a='command = "sleep 0.3"')
    done = place.run("--detach")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(NOTHING_STAYS)
    assert not place.left()
    assert list((place.root / "r").iterdir()) == []
    assert "nothing is left" not in place.run("--detach", "--output", "json").stdout
    assert "nothing is left" not in place.run("--detach", "--keep").stdout
    end(place)


def test_who_stops_the_last_service_hears_that_the_supervisor_goes_with_it(place: Place) -> None:
    place.write(a=STAYS)
    assert place.run("--detach").returncode == 0
    command = [*RUNNER, "stop", "a", "--socket", str(place.root / "r" / "s")]
    done = subprocess.run(command, env=place.environment(), capture_output=True, text=True, check=False)
    assert re.fullmatch(r"stopping a\na  stopped after [\d.]+ m?s\n", done.stdout)
    assert done.stderr == 'nothing runs any more, so the supervisor has ended; one that stays: "runner up --keep"\n'
    assert done.returncode == 0
    assert not place.wait_until_nobody_is_left(10)


def test_what_is_wrong_before_the_start_is_told(place: Place) -> None:
    place.write(a="command = 7")
    done = place.run("--detach")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a.toml" in done.stderr
    logging = place.run("--detach", "--logs")
    assert (logging.returncode, logging.stdout, logging.stderr) == (2, "", done.stderr)
    place.write(a=STAYS)
    with place.start("--output", "json") as up:
        supervisor = read_until(up, "unit-ready")[0]["pid"]
        done = place.run("--detach")
        assert (done.returncode, done.stdout) == (3, "")
        assert f'a supervisor runs already, pid {supervisor}\nhint: attach with "runner watch"' in done.stderr
        up.terminate()
        up.wait()


def test_help_is_printed(place: Place) -> None:
    done = place.run("--detach", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: runner up")
    assert place.run("--detach", "--logs", "--help").stdout == done.stdout


@pytest.mark.parametrize("victim", ["supervisor", "keeper"])
def test_detached_as_well_nobody_outlives_either(place: Place, victim: str) -> None:
    place.write(a=STAYS, b="type = 'service'\ncommand = '(env -i setsid sleep 600 &); exec sleep 600'")
    assert place.run("--detach").returncode == 0
    supervisor = supervisor_of(place)
    keeper = kin_of(supervisor)[0]
    assert keeper > 1, "a pid below that is not one but many"
    os.kill(supervisor if victim == "supervisor" else keeper, signal.SIGKILL)
    assert not place.wait_until_nobody_is_left(2)
    said = (place.state / "supervisor.log").read_text()
    assert ("was killed by SIGKILL" if victim == "supervisor" else "has died") in said


def test_ctrl_c_leaves_and_the_startup_goes_on(place: Place) -> None:
    os.mkfifo(place.root / "go")
    place.write(a=STAYS, b=f'command = "read go < {place.root}/go"')
    with place.start("--detach", "--output", "json") as up:
        assert up.stdout
        up.stdout.readline()
        up.send_signal(signal.SIGINT)
        _, said = up.communicate()
        assert (up.returncode, said) == (130, 'the startup goes on, detached; to see it: "runner watch"\n')
        (place.root / "go").write_text("\n")
        watching = [*RUNNER, "watch", "--json", "--socket", str(place.root / "r" / "s")]
        with subprocess.Popen(watching, env=place.environment(), stdout=subprocess.PIPE, text=True) as watch:
            assert watch.stdout
            while "startup-finished" not in watch.stdout.readline():
                pass
            watch.kill()
        end(place)


def test_on_a_terminal_it_is_shown_live(place: Place) -> None:
    place.write(a=STAYS)
    ours, theirs = pty.openpty()
    environment = {**place.environment(), "TERM": "xterm-256color"}
    for name in ("CI", "NO_COLOR"):
        environment.pop(name, None)
    command = place.command("--detach")
    up = subprocess.Popen(
        command, env=environment, cwd=place.root, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO: nobody has it open any more, those who stay neither
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert up.wait() == 0
    assert b"\x1b[" in shown
    end(place)


class TestStopWith:
    def test_it_goes_when_the_process_does(self, place: Place) -> None:
        place.write(a=STAYS)
        with (
            subprocess.Popen(["sleep", "600"], cwd="/") as lead,
            place.start("--output", "json", "--stop-with", str(lead.pid)) as up,
        ):
            read_until(up, "unit-ready")
            lead.kill()
            ended = read_until(up, "unit-ended")[-1]
            assert ended["reason"] == "the process that it was to stop with has ended"
            assert up.wait() == 0

    def test_nothing_is_started_where_there_is_none(self, place: Place) -> None:
        place.write(a=f'command = "touch {place.root}/started"')
        with subprocess.Popen(["true"]) as lead:
            pass
        done = place.run("--stop-with", str(lead.pid))
        said = f"runner: cannot stop with process {lead.pid}: No such process\nhint: name a process that runs\n"
        assert (done.returncode, done.stderr) == (2, said)
        assert not (place.root / "started").exists()
