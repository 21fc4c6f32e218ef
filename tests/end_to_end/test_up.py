"""``runner up`` as a process: its signals, its exit status, and the readers of its output, good and bad."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.supervisor.harness import deadline

from .command import RUNNER, Event, Workspace, limited, of, outcomes, parse, read_until

SERVICE = "type = 'service'\ncommand = 'exec sleep 600'\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def chain(workspace: Workspace) -> None:
    workspace.write(
        database=SERVICE,
        web=SERVICE + "after = ['database']",
        proxy=SERVICE + "after = ['web']",
        setup="command = 'true'\nafter = ['database']",
    )


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_stops_all_in_reverse_order(workspace: Workspace, number: signal.Signals, status: int) -> None:
    chain(workspace)
    with workspace.start("--output", "json") as process:
        read_until(process, "startup-finished")
        process.send_signal(number)
        out, err = process.communicate()
        assert process.returncode == status
        assert err == ""
        assert not workspace.left()
    events = parse(out)
    assert [unit for unit in of(events, "unit-ended") if unit != "setup"] == ["proxy", "web", "database"]
    assert {event["reason"] for event in events if event["event"] == "unit-stopping"} == {f"stopped by {number.name}"}
    assert events[-1]["event"] == "run-ended"


def test_a_second_signal_kills_at_once(workspace: Workspace) -> None:
    workspace.write(
        stubborn="type = 'service'\ncommand = \"trap '' TERM INT; echo up; while :; do sleep 600; done\"\n"
        "ready = { log = 'up' }\nstop = { timeout = '10m' }"
    )
    with workspace.start("--output", "json") as process:
        read_until(process, "startup-finished")
        process.send_signal(signal.SIGTERM)
        read_until(process, "unit-stopping")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
        assert process.returncode == 143
        assert not workspace.left()
    ended = next(event for event in parse(out) if event["event"] == "unit-ended")
    assert ended["signal"] == "SIGKILL"
    assert ended["outcome"] == "cancelled"
    assert "killed by a second signal, SIGTERM" in ended["reason"]


def test_sigquit_kills_units_at_once(workspace: Workspace) -> None:
    workspace.write(
        stubborn="type = 'service'\ncommand = \"trap '' TERM; while :; do sleep 600; done\"\nstop = { timeout = '10m' }"
    )
    with workspace.start("--output", "json") as process:
        read_until(process, "startup-finished")
        process.send_signal(signal.SIGQUIT)
        out, _ = process.communicate()
        assert process.returncode == 131
        assert not workspace.left()
    assert next(event["signal"] for event in parse(out) if event["event"] == "unit-ended") == "SIGKILL"


def test_a_signal_in_the_middle_of_many_spawns_is_heard(workspace: Workspace) -> None:
    workspace.write(**{f"u{number}": "command = ['sleep', '600']" for number in range(200)})
    with workspace.start("--output", "json") as process:
        read_until(process, "unit-started")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
        assert process.returncode == 143
        assert not workspace.left()
    assert set(outcomes(parse(out)).values()) == {"cancelled"}


@pytest.mark.parametrize(
    ("units", "status"),
    [
        ({"a": "command = 'true'"}, 0),
        ({"a": "command = 'false'\noptional = true"}, 0),
        ({"a": "command = 'false'", "b": "command = 'true'\nafter = ['a']"}, 1),
        ({"a": "command = 'no'\ncomand = 'x'"}, 2),
        ({"a": "command = 'exit 0'\ntype = 'service'"}, 0),
        ({"a": "command = 'exit 1'\ntype = 'service'"}, 1),
        ({"a": "command = 'sleep 600'\ntimeout = '50ms'"}, 1),
    ],
)
def test_exit_status(workspace: Workspace, units: dict[str, str], status: int) -> None:
    workspace.write(**units)
    done = workspace.run()
    assert done.returncode == status
    assert bool(workspace.journals()) == (status != 2)


def test_only_what_was_named(workspace: Workspace) -> None:
    workspace.write(a="command = 'true'", b="command = 'true'\nafter = ['a']", c="command = 'false'")
    assert workspace.run("b").returncode == 0
    assert outcomes(workspace.journal()) == {"a": "succeeded", "b": "succeeded"}


def test_the_first_failure_can_end_all(workspace: Workspace) -> None:
    workspace.write(s=SERVICE, a="command = 'exit 3'\nafter = ['s']")
    assert workspace.run("--fail-fast").returncode == 1
    assert outcomes(workspace.journal()) == {"a": "failed", "s": "cancelled"}
    assert not workspace.left()


def test_one_job_at_a_time(workspace: Workspace) -> None:
    workspace.write(**{f"u{number}": "command = 'true'" for number in range(10)})
    assert workspace.run("--jobs", "1").returncode == 0
    turns = [event["event"] for event in workspace.journal() if event["event"] in ("unit-starting", "unit-ended")]
    assert turns == ["unit-starting", "unit-ended"] * 10


def test_handlers(workspace: Workspace) -> None:
    workspace.write(
        a="command = 'exit 3'\noptional = true\non-failure = ['mend']\non-success = ['cheer']",
        mend="command = 'true'",
        cheer="command = 'true'",
    )
    assert workspace.run().returncode == 0
    assert outcomes(workspace.journal()) == {"a": "failed", "mend": "succeeded"}


# ---------------------------------------------------------------- what it writes


def assert_stream(events: list[Event]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["at"]) for event in events)
    assert all(one["at"] <= other["at"] and one["elapsed"] <= other["elapsed"] for one, other in pairwise(events))
    assert (events[0]["event"], events[-1]["event"]) == ("run-started", "run-ended")


def test_json_is_the_journal(workspace: Workspace) -> None:
    chain(workspace)
    workspace.write(bad="command = 'exit 3'\noptional = true\nafter = ['web']")
    with workspace.start("--output", "json") as process:
        events = read_until(process, "startup-finished")
        process.send_signal(signal.SIGTERM)
        events += parse(process.communicate()[0])
    assert_stream(events)
    assert events == workspace.journal()
    assert all(list(event)[:4] == ["seq", "at", "event", "elapsed"] for event in events)
    assert set(events[0]["units"]) == {"database", "web", "proxy", "setup", "bad"}


def test_every_event_comes_at_once(workspace: Workspace) -> None:
    workspace.write(a="command = 'read line < gate'", b="command = 'true'")
    os.mkfifo(workspace.root / "gate")
    with workspace.start("--output", "json") as process:
        events = read_until(process, "unit-ended", "b")
        assert "a" not in outcomes(events)
        (workspace.root / "gate").write_text("go\n")
        assert process.wait() == 0


def test_plain_output_shows_the_end_of_what_failed(workspace: Workspace) -> None:
    workspace.write(a="command = 'echo no such host; exit 7'")
    done = workspace.run("--output", "plain")
    assert done.returncode == 1
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  a  failed .*exit status 7", done.stdout, re.MULTILINE)
    assert "\n                no such host\n" in done.stdout
    assert str(workspace.log("a")) in done.stdout
    assert not set(done.stdout) & {"\r", "\x1b"}


def test_log_lines_among_the_plain(workspace: Workspace) -> None:
    workspace.write(a="command = 'echo one; echo two'")
    lines = workspace.run("--output", "plain", "--logs").stdout.splitlines()
    assert "a | one" in lines
    assert "a | two" in lines


def test_nobody_reads_a_full_pipe(workspace: Workspace) -> None:
    """A startup does not wait for whoever looks at it."""
    workspace.write(**{f"u{number}": "command = ['/bin/true']" for number in range(1_000)})
    reader, writer = os.pipe()
    with workspace.start("--output", "json", stdout=writer) as process:
        os.close(writer)
        assert process.wait() == 0
    assert set(outcomes(workspace.journal()).values()) == {"succeeded"}
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read().startswith(b'{"seq":1,')


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_slow_reader_gets_all(workspace: Workspace, kind: str) -> None:
    """It begins to read when all but one unit are done."""
    workspace.write(**{f"u{number}": "command = ['/bin/true']" for number in range(300)})
    workspace.write(last="command = 'echo > gate'\nafter = ['all']", all=f"after = {[f'u{n}' for n in range(300)]}")
    os.mkfifo(workspace.root / "gate")
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = (end.detach() for end in socket.socketpair())
    with workspace.start("--output", "json", stdout=writer) as process, os.fdopen(reader, "rb") as pipe:
        os.close(writer)
        (workspace.root / "gate").read_text()
        text = pipe.read()
        assert process.wait() == 0
    assert_stream(parse(text.decode()))


@pytest.mark.parametrize("output", ["json", "plain"])
def test_a_reader_that_goes_away_is_not_missed(workspace: Workspace, output: str) -> None:
    workspace.write(first="command = 'true'", **{f"u{number}": "command = 'true'\nafter = ['first']" for number in range(50)})
    with workspace.start("--output", output) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait() == 0
    assert set(outcomes(workspace.journal()).values()) == {"succeeded"}


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(workspace: Workspace, closing: str) -> None:
    workspace.write(a="command = 'ls -l /proc/self/fd > fds; cat; echo here'", s="command = 'exit 0'\ntype = 'service'")
    command = " ".join(f"'{word}'" for word in workspace.command("--output", "json"))
    with deadline():
        done = subprocess.run(["sh", "-c", f"{command} {closing}"], env=workspace.environment(), cwd=workspace.root, check=False)
    assert done.returncode == 0
    assert workspace.log("a").read_text() == "here\n"
    assert outcomes(workspace.journal()) == {"a": "succeeded", "s": "succeeded"}


def test_a_full_device_costs_no_unit(workspace: Workspace) -> None:
    workspace.write(a="command = 'true'")
    with Path("/dev/full").open("w") as full, workspace.start("--output", "json", stdout=full) as process:
        assert process.wait() == 0


@pytest.mark.parametrize("output", ["json", "plain"])
def test_a_disk_that_fills_up_costs_no_unit(workspace: Workspace, output: str) -> None:
    """The logs, the journal and the output reach their limit in the middle of a line."""
    workspace.write(**{f"u{number}": "command = 'seq 1000'" for number in range(20)})
    with (
        (workspace.root / "out").open("wb") as out,
        limited(resource.RLIMIT_FSIZE, 1_000),
        workspace.start("--output", output, stdout=out) as process,
    ):
        _, err = process.communicate()
        assert process.returncode == 0
    assert err.count("cannot write the ") == 1
    assert (workspace.root / "out").stat().st_size == 1_000


# ---------------------------------------------------------------- a bad place to be


def test_an_unwritable_state_directory_costs_no_unit(workspace: Workspace) -> None:
    workspace.state.touch()
    workspace.write(**{f"u{number}": "command = 'echo here'" for number in range(20)})
    done = workspace.run("--output", "json")
    assert done.returncode == 0
    assert set(outcomes(parse(done.stdout)).values()) == {"succeeded"}
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("runner: cannot write the journal ")


def test_few_files_may_be_open(workspace: Workspace) -> None:
    """More units than descriptors: those that get none fail and say why; the supervisor goes on."""
    workspace.write(**{f"u{number}": "command = 'sleep 0.2'" for number in range(60)})
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *workspace.command("--output", "json")]
    with deadline():
        done = subprocess.run(
            command, env=workspace.environment(), cwd=workspace.root, capture_output=True, text=True, check=False
        )
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    events = parse(done.stdout)
    assert_stream(events)
    assert set(outcomes(events).values()) == {"succeeded", "failed"}
    assert {event["reason"].rpartition(": ")[2] for event in events if event.get("outcome") == "failed" and "unit" in event} == {
        "too many open files"
    }


def test_units_do_not_inherit_what_the_supervisor_did(workspace: Workspace) -> None:
    workspace.write(a="command = 'ls /proc/$$/fd'")
    reader, writer = os.pipe()
    with workspace.start(pass_fds=[reader, writer]) as process:
        assert process.wait() == 0
    os.close(reader)
    os.close(writer)
    assert workspace.log("a").read_text().split() == ["0", "1", "2"]


def test_a_signal_that_nobody_waits_for_ends_children_unknown(workspace: Workspace) -> None:
    """Whoever ignores SIGCHLD hands that on to us, and with it a kernel that reaps our children itself."""
    workspace.write(a="command = 'exit 3'", b="command = 'exit 4'")
    program = (
        f"import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv({RUNNER[0]!r}, {workspace.command()!r})"
    )
    with deadline():
        done = subprocess.run(
            [sys.executable, "-S", "-c", program],
            env=workspace.environment(),
            cwd=workspace.root,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert {event["exit_code"] for event in workspace.journal() if event["event"] == "unit-ended"} == {3, 4}


def test_a_hangup_that_is_ignored_stays_ignored(workspace: Workspace) -> None:
    workspace.write(s=SERVICE)
    program = f"import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv({RUNNER[0]!r}, {{!r}})"
    command = [sys.executable, "-S", "-c", program.format(workspace.command("--output", "json"))]
    how = {"env": workspace.environment(), "cwd": workspace.root, "stdout": subprocess.PIPE, "text": True}
    with deadline(), subprocess.Popen(command, **how) as process:  # type: ignore[call-overload]
        try:
            read_until(process, "startup-finished")
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate()
            assert process.returncode == 143
            assert "stopped by SIGTERM" in json.loads(out.splitlines()[0])["reason"]
        finally:
            process.kill()
            workspace.kill_leftovers()
