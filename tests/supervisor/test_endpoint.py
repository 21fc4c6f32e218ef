from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

import runner
from runner.errors import RunnerError
from runner.rpc.address import socket_path as client_path
from runner.supervisor.endpoint import Endpoint, SocketError, find_owner, socket_path

from .harness import deadline, needs_root, no_descriptor_left
from .sync_host import hosted

HINT = 'name a place in a directory of your own with "--socket PATH"'
ATTACH = 'attach with "runner watch", end it with "runner down", or serve another socket with "--socket PATH"'
ANOTHER = 'stop it, or serve another socket with "--socket PATH"'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A path for a socket, of which a relative one has at most 107 bytes."""
    monkeypatch.chdir(tmp_path)
    with no_descriptor_left():
        yield Path("r/s")


def names(directory: Path | str) -> list[str]:
    return sorted(entry.name for entry in Path(directory).iterdir())


def refusal(path: Path | str) -> tuple[str, str]:
    with pytest.raises(SocketError) as error:
        Endpoint(str(path))
    assert error.value.exit_status == 3
    return error.value.what, error.value.hint


# ---------------------------------------------------------------- where


@pytest.mark.parametrize(
    ("given", "environment", "path"),
    [
        ("/given", {"RUNNER_SOCKET": "/other"}, "/given"),
        (None, {"RUNNER_SOCKET": "/other"}, "/other"),
        (None, {"CODER_AGENT_SOCKET_PATH": "/agent"}, "RUN/runner/runner.sock"),
        ("", {"RUNNER_SOCKET": ""}, "RUN/runner/runner.sock"),
        ("x/../s", {}, "HERE/s"),
    ],
)
def test_where_the_socket_is(
    given: str | None, environment: dict[str, str], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"XDG_RUNTIME_DIR": f"{tmp_path}/run", **environment}
    expected = path.replace("RUN", f"{tmp_path}/run").replace("HERE", str(tmp_path))
    assert socket_path(given, environment) == expected
    if given is None:
        assert client_path(environment) == expected


def test_both_ends_agree_on_a_place_in_tmp() -> None:
    assert client_path({}) == f"/tmp/runner-{os.getuid()}/runner.sock"


def test_a_runtime_directory_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runner").touch()
    with pytest.raises(SocketError) as error:
        socket_path(None, {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert error.value.what == f'cannot use the directory "{tmp_path}/runner" for the socket: File exists'
    assert error.value.hint == 'name a place with "--socket PATH"'


# ---------------------------------------------------------------- what is made and left


def test_all_is_for_its_owner_alone_and_gone_at_the_end(place: Path) -> None:
    endpoint = Endpoint(str(place))
    assert [stat.S_IMODE(os.lstat(path).st_mode) for path in ("r", "r/s", "r/s.lock")] == [0o700, 0o600, 0o600]
    assert Path("r/s.lock").read_text() == f"{os.getpid()}\n"
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(place))
    endpoint.close()
    assert names("r") == []


def test_what_somebody_took_away_is_not_missed(place: Path) -> None:
    endpoint = Endpoint(str(place))
    for name in names("r"):
        Path("r", name).unlink()
    endpoint.close()


# ---------------------------------------------------------------- the directory


def test_a_directory_that_others_may_enter_is_refused(place: Path) -> None:
    Path("r").mkdir()
    for mode, said in ((0o755, "0755"), (0o710, "0710"), (0o1777, "1777")):
        Path("r").chmod(mode)
        assert refusal(place) == (f'cannot use the directory "r" for the socket: it is open to others (mode {said})', HINT)
    assert names("r") == []


def test_a_link_to_a_directory_is_refused(place: Path) -> None:
    Path("there").mkdir(0o700)
    Path("r").symlink_to("there")
    assert refusal(place) == ('cannot use "r" for the socket: it is no directory, or a link to one', HINT)
    assert names("there") == []


def test_what_is_no_directory_is_refused(place: Path) -> None:
    Path("r").touch()
    assert refusal(place) == ('cannot use "r" for the socket: it is no directory, or a link to one', HINT)
    assert refusal("r/q/s") == ('cannot use the directory "r/q" for the socket: Not a directory', "")


@needs_root
def test_a_directory_of_another_is_refused(place: Path) -> None:
    Path("r").mkdir(0o700)
    os.chown("r", 65_534, 65_534)
    assert refusal(place) == ('cannot use the directory "r" for the socket: it belongs to user 65534', HINT)


# ---------------------------------------------------------------- what lies there


@pytest.mark.parametrize("what", ["file", "link", "dangling link", "directory", "fifo"])
def test_what_is_no_socket_is_left_alone(place: Path, what: str) -> None:
    Path("r").mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as elsewhere:
        elsewhere.bind("elsewhere")
    make: dict[str, Callable[[], object]] = {
        "file": place.touch,
        "link": lambda: place.symlink_to("../elsewhere"),
        "dangling link": lambda: place.symlink_to("nowhere"),
        "directory": place.mkdir,
        "fifo": lambda: os.mkfifo(place),
    }
    make[what]()
    before = os.lstat(place)
    assert refusal(place) == ('cannot serve the socket "r/s": something that is no socket is there, or a link', "")
    assert os.lstat(place).st_ino == before.st_ino
    assert names("r") == ["s"]


def test_a_stale_socket_is_replaced(place: Path) -> None:
    Path("r").mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(place))
        stale.listen()
    Path("r/s.lock").write_text("1\n")
    endpoint = Endpoint(str(place))
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(place))
    endpoint.close()


def test_a_live_one_is_refused_and_named(place: Path) -> None:
    endpoint = Endpoint(str(place))
    assert refusal(place) == (f'cannot serve the socket "r/s": a supervisor runs already, pid {os.getpid()}', ATTACH)
    Path("r/s.lock").write_text("")
    assert refusal(place) == ('cannot serve the socket "r/s": a supervisor runs already, pid unknown', ATTACH)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(place))  # it is served all the while
    endpoint.close()


def test_a_lock_is_looked_at_and_not_taken(place: Path) -> None:
    assert find_owner(str(place)) == ""
    endpoint = Endpoint(str(place), 1)
    assert find_owner(str(place)) == str(os.getpid())
    place.unlink()
    assert refusal(place) == (
        f'cannot serve the socket "r/s": a supervisor runs already, pid {os.getpid()}',
        f"supervisor {os.getpid()} runs, but its socket is gone: if somebody has removed it, "
        f'"kill {os.getpid()}" stops all in order',
    )
    endpoint.close()
    Path("r/s.lock").write_text("1\n")
    assert find_owner(str(place)) == ""


HOLDER = """import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(f"{__import__('os').getpid()} {sys.argv[2]}\\n")
lock.flush()
print(flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("keeper", ["0", "4194305"])
def test_a_supervisor_that_is_about_to_be_gone_is_waited_for(place: Path, keeper: str) -> None:
    """Its run is over, or its keeper is gone: no process has such a number (PID_MAX_LIMIT)."""
    Path("r").mkdir(0o700)
    command = [sys.executable, "-S", "-c", HOLDER, "r/s.lock", keeper]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin
        assert other.stdout
        other.stdout.readline()
        thread = Thread(target=other.stdin.close)
        thread.start()
        endpoint = Endpoint(str(place))
        thread.join()
    endpoint.close()
    assert names("r") == []


@pytest.mark.parametrize("keeper", ["1", "-1", "x"])
def test_one_that_has_a_keeper_is_not_waited_for(place: Path, keeper: str) -> None:
    endpoint = Endpoint(str(place), 1)
    assert Path("r/s.lock").read_text() == f"{os.getpid()} 1\n"
    Path("r/s.lock").write_text(f"{os.getpid()} {keeper}\n")
    assert "a supervisor runs already" in refusal(place)[0]
    endpoint.close()


def test_one_that_does_not_go_is_refused_in_the_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.supervisor.endpoint._PATIENCE", 0.0)
    endpoint = Endpoint(str(place), 1)
    endpoint.note_end()
    assert refusal(place) == (f'cannot serve the socket "r/s": a supervisor runs already, pid {os.getpid()}', ATTACH)
    Path("r/s.lock").write_text("nobody 0\n")
    assert refusal(place) == ('cannot serve the socket "r/s": a supervisor runs already, pid nobody', ATTACH)
    endpoint.close()


def test_a_socket_that_another_program_serves_is_refused(place: Path) -> None:
    """The agent's, where somebody gave its path: it has no lock, but it is there."""
    Path("r").mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(place))
        agent.listen()
        assert refusal(place) == (f'cannot serve the socket "r/s": another program does, pid {os.getpid()}', ANOTHER)
        assert names("r") == ["s"]
        Path("r/s.lock").write_text(f"{os.getpid()}\n")  # a supervisor that is just being killed, and has lost its lock
        Endpoint(str(place)).close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
        agent.bind(str(place))
        assert refusal(place) == ('cannot serve the socket "r/s": another program does', ANOTHER)


def test_a_path_that_is_too_long_leaves_nothing_behind(place: Path) -> None:
    assert refusal("r/" + "x" * 110)[0].endswith("AF_UNIX path too long")
    assert names("r") == []


def test_a_lock_that_is_a_link_or_a_directory_is_refused(place: Path) -> None:
    Path("r").mkdir(0o700)
    Path("r/s.lock").symlink_to("../elsewhere")
    assert refusal(place)[0] == 'cannot open the lock "r/s.lock": Too many levels of symbolic links'
    assert not Path("elsewhere").exists()
    Path("r/s.lock").unlink()
    Path("r/s.lock").mkdir()
    assert refusal(place)[0] == 'cannot open the lock "r/s.lock": Is a directory'


def test_a_lock_whose_owner_has_just_gone_is_not_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened while its owner holds it, and got when the owner has taken it away: another may have made a new one."""
    before = Endpoint(str(place))
    flock, calls = fcntl.flock, list[int]()

    def close_first(lock: int, how: int) -> None:
        calls.append(lock)
        if len(calls) == 1:
            before.close()
        flock(lock, how)

    monkeypatch.setattr(fcntl, "flock", close_first)
    after = Endpoint(str(place))
    assert len(calls) == 2
    assert (names("r")) == ["s", "s.lock"]
    after.close()


def test_two_at_once_are_one(place: Path) -> None:
    """Of many that start while one closes, exactly one serves at any time, and nobody finds another's lock his."""
    program = (
        "import os; from runner.supervisor.endpoint import Endpoint, SocketError\n"
        "served = 0\n"
        "while served < 50:\n"
        "    try: endpoint = Endpoint('r/s')\n"
        "    except SocketError: continue\n"
        "    served += 1\n"
        "    os.close(os.open('alone', os.O_CREAT | os.O_EXCL)); os.unlink('alone')\n"
        "    endpoint.close()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parents[1])}
    with deadline():
        racers = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]
        assert [racer.wait() for racer in racers] == [0, 0, 0]
    assert names("r") == []


def test_errors_are_those_of_a_user() -> None:
    assert issubclass(SocketError, RunnerError)


# ---------------------------------------------------------------- who may call


@needs_root
def test_the_process_of_another_user_is_hung_up_on() -> None:
    """Who connects is known by what the process was at that moment, whatever the modes on the way say."""
    with hosted() as host:
        path = Path(host.path)
        for directory in path.parents[:2]:
            directory.chmod(0o711)
        path.chmod(0o666)
        os.seteuid(65_534)
        try:
            other = host.connect()
        finally:
            os.seteuid(0)
        with other:
            assert other.hear() == b""
            assert other.is_over
        assert host.pings()
        path.parents[1].chmod(0o700)


def test_only_its_owner_may_call_and_root(monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getuid()
    with hosted() as host:
        for owner, is_welcome in ((own + 1, own == 0), (own, True)):
            monkeypatch.setattr(os, "getuid", lambda owner=owner: owner)
            with host.connect() as peer:
                peer.hear()
                assert peer.is_over != is_welcome


# ---------------------------------------------------------------- real supervisors


def test_a_second_supervisor_is_refused_and_the_first_one_goes_in_order(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "done.toml").write_text('command = "true"')
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RUNNER_", "CODER_"))},
        "XDG_RUNTIME_DIR": str(tmp_path),
        "XDG_STATE_HOME": f"{tmp_path}/state",
        "PYTHONPATH": str(Path(runner.__file__).parents[1]),
    }
    command = [sys.executable, "-m", "runner", "up", "--keep", "--output", "json", "--units", str(tmp_path / "units")]
    path = f"{tmp_path}/runner/runner.sock"
    with deadline(), subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as first:
        assert first.stdout
        supervisor = json.loads(first.stdout.readline())["pid"]
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (second.returncode, second.stdout) == (3, "")
        assert second.stderr == (
            f'runner: cannot serve the socket "{path}": a supervisor runs already, pid {supervisor}\nhint: {ATTACH}\n'
        )
        os.kill(supervisor, signal.SIGKILL)
        assert first.wait() == 1
        assert Path(path).exists()
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as third:
            assert third.stdout
            assert f'"socket":"{path}"'.encode() in third.stdout.readline()
            third.send_signal(signal.SIGTERM)
            assert third.wait() == 143
    assert names(tmp_path / "runner") == []
