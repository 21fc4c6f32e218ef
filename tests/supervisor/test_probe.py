from __future__ import annotations

import os
import resource
import socket
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from runner.core.unit import Command, Probe, ProbeKind
from runner.supervisor import inotify
from runner.supervisor.probe import LEAST_PATIENCE, SLOW_INTERVAL, ask, wait_until_yes
from runner.supervisor.spawn import Setting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PATIENCE = 5.0
"""Seconds after which a test has failed; nothing here takes a tenth of it."""
NEVER = 3_600.0
"""An interval so long that only an event can have brought the answer."""
ENV = {b"PATH": os.environb[b"PATH"], b"ANSWER": b"yes"}


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """Time that jumps when nothing happens, and leaves the loopback interface a moment to deliver."""
    return trio.testing.MockClock(autojump_threshold=0.01)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


async def answer(probe: Probe, cwd: str | None = None, timeout: float = PATIENCE) -> str:
    return await ask(probe, Setting(ENV, cwd), timeout=timeout)


def shell(line: str, interval: float = 0.01) -> Probe:
    return Probe(by="command", command=Command(shell=line), interval=interval)


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[int]:
    """A server that takes connections and never answers."""
    with socket.create_server((host, 0)) as server:
        yield server.getsockname()[1]


def unused_port() -> int:
    with listening() as port:
        return port


class WebServer:
    """Answers with each status in turn, then with the last; keeps the times at which it was asked."""

    def __init__(self, *statuses: int, delay: float = 0) -> None:
        self.statuses = statuses
        self.delay = delay
        self.asked: list[float] = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/health"
        self._listener = trio.SocketListener(trio.socket.from_stdlib_socket(listener))

    async def serve(self) -> None:
        await trio.serve_listeners(self._reply, [self._listener])

    async def _reply(self, stream: trio.SocketStream) -> None:
        status = self.statuses[min(len(self.asked), len(self.statuses) - 1)]
        self.asked.append(trio.current_time())
        await stream.receive_some(4_096)
        await trio.sleep(self.delay)
        with suppress(trio.BrokenResourceError):
            await stream.send_all(f"HTTP/1.1 {status} Words\r\n\r\n".encode())


async def wait(probe: Probe, cwd: str | None = None) -> None:
    await wait_until_yes(probe, Setting(ENV, cwd))


@asynccontextmanager
async def waiting(probe: Probe, cwd: str | None = None) -> AsyncIterator[None]:
    """Somebody waits meanwhile, in vain so far, and must have the answer after it."""
    is_over = False

    async def wait_for_it() -> None:
        nonlocal is_over
        await wait(probe, cwd)
        is_over = True

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_for_it)
            await trio.testing.wait_all_tasks_blocked()
            assert not is_over
            yield


class TestAsk:
    @pytest.mark.parametrize(
        ("status", "accepted", "no"),
        [
            (200, (), ""),
            (302, (), ""),
            (199, (), "HTTP status 199"),
            (400, (), "HTTP status 400"),
            (503, (), "HTTP status 503"),
            (401, (401, 403), ""),
            (200, (401, 403), "HTTP status 200"),
        ],
    )
    async def test_http(self, status: int, accepted: tuple[int, ...], no: str, nursery: trio.Nursery) -> None:
        server = WebServer(status)
        nursery.start_soon(server.serve)
        assert await answer(Probe(by="http", target=server.url, status=accepted)) == no

    async def test_http_without_an_answer(self) -> None:
        assert await answer(Probe(by="http", target=f"http://127.0.0.1:{unused_port()}/")) == "connection refused"
        assert await answer(Probe(by="http", target="localhost:80")) == "'localhost:80' is no http or https URL"
        with listening() as port:
            assert await answer(Probe(by="http", target=f"http://127.0.0.1:{port}/"), timeout=0.02) == "no answer within 20 ms"

    async def test_tcp(self) -> None:
        with listening() as port:
            assert await answer(Probe(by="tcp", target=f"127.0.0.1:{port}")) == ""
            assert await answer(Probe(by="tcp", target=f"localhost:{port}")) == ""
        assert await answer(Probe(by="tcp", target=f"127.0.0.1:{port}")) == "connection refused"
        assert await answer(Probe(by="tcp", target=f"localhost:{port}")) == "connection refused"

    async def test_tcp_over_ipv6(self) -> None:
        try:
            server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            pytest.skip("needs IPv6")
        with server:
            assert await answer(Probe(by="tcp", target=f"[::1]:{server.getsockname()[1]}")) == ""

    @pytest.mark.parametrize(
        "target", ["localhost", "8080", ":8080", "localhost:", "localhost:0", "localhost:65536", "a:-1", "a:²"]
    )
    async def test_what_is_no_address(self, target: str) -> None:
        assert await answer(Probe(by="tcp", target=target)) == f"{target!r} is no host:port"

    async def test_unix(self, tmp_path: Path) -> None:
        probe = Probe(by="unix", target="socket")
        assert await answer(probe, str(tmp_path)) == "no such file"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
            assert await answer(probe, str(tmp_path)) == "connection refused"
            server.listen()
            assert await answer(probe, str(tmp_path)) == ""
        assert await answer(Probe(by="unix", target="/" + "x" * 200)) == "AF_UNIX path too long"

    async def test_file(self, tmp_path: Path) -> None:
        probe = Probe(by="file", target="file")
        assert await answer(probe, str(tmp_path)) == "no such file"
        (tmp_path / "file").touch()
        assert await answer(probe, str(tmp_path)) == ""
        assert await answer(Probe(by="file", target=str(tmp_path))) == ""
        assert await answer(Probe(by="file", target="file/below"), str(tmp_path)) == "not a directory"
        assert await answer(Probe(by="file", target="\0")) == "embedded null byte"

    @pytest.mark.parametrize(
        ("line", "no"),
        [
            ("true", ""),
            ('test "$ANSWER" = yes', ""),
            ("exit 3", "exit status 3"),
            ("missing-program", "exit status 127"),
            ("kill -KILL $$", "killed by SIGKILL"),
            ("kill -36 $$", "killed by signal 36"),
            ("test -t 0 || test -t 1 || test -t 2", "exit status 1"),
            ("read line", "exit status 1"),
        ],
    )
    async def test_command(self, line: str, no: str) -> None:
        assert await answer(shell(line)) == no

    async def test_command_without_a_shell(self, tmp_path: Path) -> None:
        (tmp_path / "$ANSWER").touch()
        assert await answer(Probe(by="command", command=Command(argv=("test", "-e", "$ANSWER"))), str(tmp_path)) == ""

    async def test_command_is_the_first_of_its_own_session(self) -> None:
        code = "import os, sys; sys.exit(os.getsid(0) != os.getpid())"
        assert await answer(Probe(by="command", command=Command(argv=(sys.executable, "-S", "-c", code)))) == ""

    async def test_command_that_cannot_be_executed(self, tmp_path: Path) -> None:
        (tmp_path / "text").touch()
        missing, text, no_directory = "/missing/program", str(tmp_path / "text"), str(tmp_path / "missing")
        probe = Probe(by="command", command=Command(argv=(missing,)))
        assert await answer(probe) == 'cannot execute "/missing/program": program not found'
        probe = Probe(by="command", command=Command(argv=(text,)))
        assert await answer(probe) == f'cannot execute "{text}": permission denied'
        assert (
            await answer(shell("true"), no_directory) == f'cannot enter the directory "{no_directory}": no such file or directory'
        )
        assert await answer(shell("true\0")) == 'cannot execute "sh": embedded null byte'

    async def test_command_that_takes_too_long_is_killed_with_all_that_it_started(self, tmp_path: Path) -> None:
        probe = shell('sleep 600 & echo $! > new; mv new child; trap "" TERM; wait')
        child = Probe(by="file", target=str(tmp_path / "child"))
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def ask_in_time() -> None:
                with trio.fail_after(PATIENCE):
                    await wait(child)
                    pidfd = os.pidfd_open(int((tmp_path / "child").read_text()))
                    nursery.cancel_scope.cancel()
                    with trio.CancelScope(shield=True):
                        await trio.lowlevel.wait_readable(pidfd)
                    os.close(pidfd)

            await answer(probe, str(tmp_path), timeout=NEVER)
        assert await answer(shell("exec sleep 600"), timeout=0.02) == "no answer within 20 ms"

    @pytest.mark.parametrize("by", ["log", "notify", "sync"])
    async def test_what_speaks_for_itself_is_not_asked(self, by: ProbeKind) -> None:
        with pytest.raises(AssertionError, match=f"a probe by {by} is not asked"):
            await answer(Probe(by=by, target="x"))


class TestWaitUntilYes:
    async def test_asks_at_once(self, autojump_clock: trio.testing.MockClock, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with listening() as port:
            await wait(Probe(by="tcp", target=f"127.0.0.1:{port}", interval=NEVER))
        await wait(Probe(by="file", target=str(tmp_path / "file"), interval=NEVER))
        assert trio.current_time() == 0

    @pytest.mark.parametrize(
        ("delay", "interval", "asked"),
        [
            (0.0, 0.25, [0, 0.25, 0.5]),
            (0.5, 1.0, [0, 1, 2]),
            (1.5, 1.0, [0, 1.5, 3]),
            (3.5, 3.0, [0, 3, 6]),
            (10.0, 0.1, [0, LEAST_PATIENCE, 2 * LEAST_PATIENCE]),
        ],
        ids=["at once", "in time", "later than the interval", "too late", "never"],
    )
    async def test_asks_each_interval_from_start_to_start(
        self, patient_clock: trio.testing.MockClock, nursery: trio.Nursery, delay: float, interval: float, asked: list[float]
    ) -> None:
        server = WebServer(503, 503, 200, delay=delay)
        nursery.start_soon(server.serve)
        with trio.move_on_at(asked[-1] + delay + interval / 2):
            await wait(Probe(by="http", target=server.url, interval=interval))
        assert server.asked[:3] == pytest.approx(asked, abs=1e-6)

    async def test_command(self, tmp_path: Path) -> None:
        with trio.fail_after(PATIENCE):
            await wait(shell("echo >> asked; test $(wc -l < asked) = 3"), str(tmp_path))
        assert (tmp_path / "asked").read_text() == "\n\n\n"

    async def test_a_file_is_seen_when_it_appears(self, tmp_path: Path) -> None:
        path = tmp_path / "one" / "two" / "file"
        async with waiting(Probe(by="file", target=str(path), interval=NEVER)):
            path.parent.mkdir(parents=True)
            path.touch()

    async def test_a_socket_is_seen_when_it_is_listened_to(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            async with waiting(Probe(by="unix", target="run/socket", interval=NEVER), str(tmp_path)):
                (tmp_path / "run").mkdir()
                server.bind(str(tmp_path / "run" / "socket"))
                await trio.testing.wait_all_tasks_blocked()
                server.listen()

    async def test_a_socket_that_refuses_is_asked_ever_more_slowly_up_to_the_interval(
        self, tmp_path: Path, autojump_clock: trio.testing.MockClock
    ) -> None:
        class Moments(trio.abc.Instrument):
            seen: set[float] = set()

            def before_io_wait(self, timeout: float) -> None:
                self.seen.add(trio.current_time())

        moments = Moments()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
            trio.lowlevel.add_instrument(moments)
            with trio.move_on_after(10) as scope:
                await wait(Probe(by="unix", target=str(tmp_path / "socket"), interval=0.1))
            trio.lowlevel.remove_instrument(moments)
            assert scope.cancelled_caught
        assert [moment for moment in sorted(moments.seen) if moment < 0.1] == pytest.approx(
            [0, 0.001, 0.003, 0.007, 0.015, 0.031, 0.063]
        )
        assert 100 < len(moments.seen) < 112

    async def test_where_the_kernel_tells_nothing_a_path_is_looked_for(self, autojump_clock: trio.testing.MockClock) -> None:
        """The file system of processes sends no events."""
        reader, writer = os.pipe()
        appearing = writer + 50
        async with waiting(Probe(by="file", target=f"/proc/self/fd/{appearing}", interval=0.01)):
            os.dup2(writer, appearing)
        assert trio.current_time() == SLOW_INTERVAL
        for descriptor in (reader, writer, appearing):
            os.close(descriptor)

    async def test_where_no_watch_can_be_had_the_interval_counts(
        self, tmp_path: Path, autojump_clock: trio.testing.MockClock
    ) -> None:
        (tmp_path / "temporary").touch()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            async with waiting(Probe(by="file", target=str(tmp_path / "file"), interval=0.01)):
                (tmp_path / "temporary").rename(tmp_path / "file")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert trio.current_time() == pytest.approx(0.01)

    @pytest.mark.parametrize("by", ["http", "tcp", "unix", "file", "command"])
    async def test_cancelling_leaves_nothing(self, by: ProbeKind, tmp_path: Path) -> None:
        with listening() as port, socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(tmp_path / "socket"))
            targets = {
                "http": f"http://127.0.0.1:{port}/",
                "tcp": f"127.0.0.1:{unused_port()}",
                "unix": str(tmp_path / "socket"),
                "file": str(tmp_path / "missing"),
                "command": "",
            }
            before = open_descriptors()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait, Probe(by=by, target=targets[by], command=Command(argv=("sleep", "600"))))
                await trio.testing.wait_all_tasks_blocked(0.01)
                nursery.cancel_scope.cancel()
            assert open_descriptors() == before
            if by in ("unix", "file"):
                assert inotify._instance.get().watchers == {}


def open_descriptors() -> list[str]:
    """What is open, but for the one that all watches of a loop share."""
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sorted(link for link in links if link != "anon_inode:inotify")
