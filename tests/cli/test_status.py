"""Looking at a run and asking for something, where a supervisor runs and where none does. The rest is tried end to end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from socket import AF_UNIX, socket

import pytest

from runner.cli import main
from tests.cli.recorded import write_runs
from tests.supervisor.served import Served, served

WRITES = "echo one; echo two; printf '\\\\033[1mthree'; exec sleep 600"
UNITS = {"a": f'type = "service"\ncommand = "{WRITES}"', "b": 'command = "exit 3"'}


@pytest.fixture(scope="module")
def there() -> Iterator[Served]:
    with served(units=UNITS) as made:
        made.run("wait")
        yield made


def test_a_unit_that_nobody_has(there: Served) -> None:
    for command in ("status", "logs", "wait", "start", "stop", "restart", "reload"):
        done = there.run(command, "aa")
        assert (done.returncode, done.stdout) == (2, "")
        assert 'cannot find unit or group "aa" in this run' in done.stderr


def test_the_status_of_one_shows_its_last_lines(there: Served) -> None:
    done = there.run("status", "a")
    assert done.returncode == 0
    assert done.stdout.endswith("  | one\n  | two\n  | three\n")


def test_logs_are_bytes_where_nobody_looks(there: Served) -> None:
    assert there.run("logs", "a", text=False).stdout == b"one\ntwo\n\x1b[1mthree\n"
    assert there.run("logs", "-n", "2").stdout == "a | two\na | \x1b[1mthree\n"
    assert there.run("logs", "--since", "2000-01-01").stdout.count("\n") == 3
    assert there.run("logs", "--since", "23:59:59", "-n", "all").returncode == 0
    assert json.loads(there.run("logs", "a", "-n1", "--json").stdout) == {"unit": "a", "line": "\x1b[1mthree"}


@pytest.mark.parametrize("arguments", [("-n", "x"), ("--since", "soon")])
def test_what_logs_does_not_understand(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", *arguments]) == 2
    assert f'cannot use "{arguments[1]}"' in capsys.readouterr().err


def test_waiting_ends_in_time(there: Served) -> None:
    done = there.run("wait")
    assert (done.returncode, done.stdout.partition(" after")[0]) == (1, "startup failed")
    assert there.run("wait", "a").returncode == 0
    done = there.run("wait", "b", "--json")
    assert (done.returncode, json.loads(done.stdout)["done"][0]["outcome"]) == (1, "failed")


def test_what_is_so_already_is_no_error(there: Served) -> None:
    done = there.run("start", "a")
    assert (done.returncode, done.stdout) == (0, "nothing is to be done: a is there or on the way\na  ready\n")
    done = there.run("stop", "b")
    assert (done.returncode, done.stdout) == (0, "nothing is left to stop: b does not run\n")


def test_a_supervisor_whose_socket_somebody_has_removed() -> None:
    with served(units=UNITS) as there:
        Path(there.socket).unlink()
        said = f'hint: supervisor {there.began["pid"]} runs, but its socket is gone: if somebody has removed it, "kill '
        for command in (["down"], ["up"], ["up", "a"]):
            done = there.run(*command, "--units", "units") if "up" in command else there.run(*command)
            assert done.returncode == 3
            assert said in done.stderr
        assert "runs, but its socket is gone" in " ".join(there.run("doctor", "--units", "units").stdout.split())


def test_a_log_that_keeps_nothing_is_told() -> None:
    with served(units={"a": UNITS["a"] + '\nlog = { file = "/dev/null" }'}) as there:
        there.run("wait")
        done = there.run("logs", "a")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == 'cannot show what a writes: it is no ordinary file: "/dev/null"\n'
        assert there.run("status", "a").returncode == 0


def test_a_reload_tells_what_has_changed() -> None:
    with served(units=UNITS) as there:
        there.run("wait")
        (there.root / "units" / "c.toml").write_text('command = "true"')
        (there.root / "units" / "b.toml").write_text('command = "exit 4"')
        done = there.run("reload", "--json")
        told = json.loads(done.stdout)
        assert (done.returncode, told["units"], told["added"], told["changed"], told["removed"]) == (0, ["c"], ["c"], ["b"], [])
        assert [one["outcome"] for one in told["done"]] == ["succeeded"]


def test_a_reload_of_its_own_that_takes_too_long() -> None:
    units = {"a": UNITS["a"] + '\nreload = { command = "exec sleep 600" }'}
    with served(units=units) as there:
        there.run("wait")
        done = there.run("reload", "a", "--timeout", "50ms")
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith("runner: cannot wait any longer: a is not done\nhint: ")


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The path of a socket that takes connections, and behind which nobody says anything."""
    for name in ("runs", "events"):
        monkeypatch.setattr(f"runner.cli.{name}.PATIENCE", 0.02)
    with socket(AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        yield str(tmp_path / "s")


@pytest.mark.parametrize("command", ["status", "wait --timeout 10ms", "start a --timeout 10ms", "down --timeout 10ms"])
def test_a_supervisor_that_does_not_answer(command: str, silent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--socket", silent]) == 4
    said = f'runner: cannot get an answer from the supervisor at "{silent}": it says nothing\n'
    assert capsys.readouterr() == ("", said + 'hint: it may be very busy: see "runner doctor"\n')


def test_a_supervisor_that_is_stopped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("runs.PATIENCE", "doctor._PATIENCE"):
        monkeypatch.setattr(f"runner.cli.{name}", 0.05)
    with served(units=UNITS) as there:
        pid = there.began["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            assert main(["status", "--socket", there.socket]) == 4
            assert f"hint: process {pid} is stopped, as by ctrl-z: " in capsys.readouterr().err
            assert main(["doctor", "--socket", there.socket, "--units", str(there.root / "units")]) == 1
            assert f"process {pid} is stopped, as by ctrl-z: " in " ".join(capsys.readouterr().out.split())
        finally:
            os.kill(pid, signal.SIGCONT)


def test_who_waits_without_end_hears_that_there_is_no_answer(silent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wait", "--timeout", "50ms", "--socket", silent]) == 4
    assert capsys.readouterr().err.startswith("the supervisor has not answered for 0.02 s; still waiting, ")


def test_a_stop_that_takes_too_long_goes_on() -> None:
    program = "trap : TERM; echo up; while :; do sleep 0.05; done"
    slow = f'type = "service"\ncommand = "{program}"\nready = {{ log = "up" }}\nstop.timeout = "1s"'
    with served(units={"slow": slow}) as there:
        there.run("wait")
        done = there.run("stop", "slow", "--timeout", "50ms")
        assert done.returncode == 4
        assert "cannot wait any longer: slow is not done" in done.stderr
        assert there.run("down", "--no-wait").returncode == 0
        there.process.wait()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No supervisor anywhere, and the journal of a run."""
    for name in ("RUNNER_SOCKET", "RUNNER_UNITS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "runtime").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    return tmp_path


@pytest.mark.parametrize("command", [["start", "a"], ["stop", "a"], ["restart", "a"], ["retry"], ["reload"], ["down"]])
def test_without_a_supervisor_nothing_can_be_asked_for(
    command: list[str], alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 3
    assert "cannot reach a supervisor at" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "list", "logs", "wait"])
def test_without_any_run_there_is_nothing_to_see(command: str, alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--state", str(alone / "none")]) == 3
    assert "there is no journal of an earlier run" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "list", "logs", "wait"])
def test_the_last_run_is_told_where_none_goes_on(command: str, alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = next((Path(__file__).parents[1] / "recordings").glob("*.jsonl")).stem
    assert main([command, "--state", write_runs(alone / "state", recorded)]) in (0, 1)
    said = capsys.readouterr()
    assert "no supervisor runs now; the last run" in said.out + said.err


@pytest.mark.parametrize("command", ["status", "list", "logs", "wait", "why x", "watch", "start x", "down", "reload"])
def test_a_socket_that_is_named_and_that_nobody_serves(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "no.sock"
    assert main([*command.split(), "--socket", str(path)]) == 3
    said = f'runner: cannot reach a supervisor at "{path}": no such file or directory\nhint: start one: "runner up"\n'
    assert capsys.readouterr() == ("", said)
