from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runner.core.observed import ProbeSucceeded, ProcessExited, StatusReported, StopCommandEnded, TimeoutExtended, TreeEnded
from runner.core.unit import Command
from runner.supervisor.spawn import SpawnError
from runner.supervisor.tree import Census, look_for

from .harness import PYTHON, deadline, is_there, make, no_descriptor_left, python, service
from .host import FakeHost, invoked


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def notify() -> Iterator[str]:
    with TemporaryDirectory(prefix="r", dir="/tmp") as directory:
        yield f"{directory}/notify"


SPEAK = """import os, signal, socket
speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
speaker.connect(os.environ['NOTIFY_SOCKET'])
"""


class TestEnds:
    def test_an_exit_is_told_with_all_that_is_known(self, host: FakeHost, tmp_path: Path) -> None:
        with invoked(host, make("a", "echo here; exit 3"), tmp_path) as invocation:
            fact = host.run_until(ProcessExited)
            assert (fact.at, fact.unit, fact.invocation, fact.luck) == (7.0, "a", invocation.name, 0.5)
            assert (fact.exit_code, fact.signal, fact.left) == (3, None, False)
            assert fact.max_rss > 0
            assert invocation.tail() == ["here"]
        assert (tmp_path / "log").read_text() == "here\n"

    def test_who_is_left_in_the_group_is_told_of_and_waited_for(self, host: FakeHost, tmp_path: Path) -> None:
        with invoked(host, make("a", "sleep 600 & exit 0"), tmp_path) as invocation:
            assert host.run_until(ProcessExited).left
            invocation.send(signal.SIGTERM, to_tree=True)
            assert host.run_until(TreeEnded).invocation == invocation.name

    def test_who_left_the_group_is_not_looked_for_where_all_is_well(self, host: FakeHost, tmp_path: Path) -> None:
        line = f"mkfifo {tmp_path}/there; setsid sh -c 'echo > {tmp_path}/there; exec sleep 600' & cat {tmp_path}/there"
        with invoked(host, make("a", line), tmp_path) as invocation:
            assert not host.run_until(ProcessExited).left
            assert look_for(host.birth, lambda census: census.members(invocation.pid, invocation.name))

    def test_who_is_left_says_its_last_words_before_the_end(self, host: FakeHost, tmp_path: Path) -> None:
        code = "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'bye\\n'), os._exit(0)))\n"
        code += "os.write(1, b'up\\n')\nsignal.pause()"
        line = f"{shlex.join([*PYTHON, code])} & wait; exit 0"
        host.on_line = lambda _, line: host.observe(StatusReported(at=0, unit="a", invocation="", text=line.decode()))
        with invoked(host, make("a", line), tmp_path) as invocation:
            host.run_until(StatusReported)
            invocation.send(signal.SIGTERM, to_tree=True)
            if host.run_until(ProcessExited).left:
                host.run_until(TreeEnded)
            assert invocation.tail()[-1] == "bye"

    def test_nothing_is_left_of_what_cannot_be_executed(self, host: FakeHost, tmp_path: Path) -> None:
        with pytest.raises(SpawnError, match="program not found"), invoked(host, make("a", ["/no/such"]), tmp_path):
            pass
        host.poller.close()
        assert host.facts == []

    def test_a_target_has_nothing_to_execute(self, host: FakeHost, tmp_path: Path) -> None:
        with pytest.raises(SpawnError, match="without a command"), invoked(host, make("a"), tmp_path):
            pass
        host.poller.close()


class TestSignals:
    def test_the_main_process_alone(self, host: FakeHost, tmp_path: Path) -> None:
        host.on_line = lambda _, line: host.observe(StatusReported(at=0, unit="a", invocation="", text=line.decode()))
        with invoked(host, make("a", "sh -c 'echo up; exec sleep 600' & wait"), tmp_path) as invocation:
            host.run_until(StatusReported)
            invocation.send(signal.SIGTERM, to_tree=False)
            fact = host.run_until(ProcessExited)
            assert (fact.signal, fact.left) == ("SIGTERM", True)
            assert len(Census().members(invocation.pid, invocation.name)) == 1

    def test_who_is_born_while_all_are_killed_is_killed_too(self, host: FakeHost, tmp_path: Path) -> None:
        code = "import os\nprint('up', flush=True)\nfor _ in range(20000):\n if os.fork(): os._exit(0)"
        with invoked(host, make("a", python(code)), tmp_path) as invocation:
            assert host.run_until(ProcessExited).left
            invocation.send(signal.SIGKILL, to_tree=True)
            host.run_until(TreeEnded)
            assert not Census().members(invocation.pid, invocation.name)

    def test_to_nobody(self, host: FakeHost, tmp_path: Path) -> None:
        with invoked(host, make("a", "exit 0"), tmp_path) as invocation:
            host.run_until(ProcessExited)
            invocation.send(signal.SIGTERM, to_tree=False)
            invocation.send(signal.SIGTERM, to_tree=True)


class TestNotices:
    def test_a_line_makes_it_ready_once(self, host: FakeHost, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "gate")
        with invoked(host, make("a", "read go < gate; echo soon; echo up; echo up", cwd=str(tmp_path)), tmp_path) as invocation:
            invocation.wait_for_line(re.compile("u."))
            (tmp_path / "gate").write_text("go\n")
            host.run_until(ProcessExited)
        assert [type(fact) for fact in host.facts] == [ProbeSucceeded, ProcessExited]

    def test_nobody_listens_any_more(self, host: FakeHost, tmp_path: Path) -> None:
        with invoked(host, make("a", "echo up"), tmp_path) as invocation:
            invocation.wait_for_line(re.compile("u."))
            invocation.wait_for_line(None)
            host.run_until(ProcessExited)
        assert [type(fact) for fact in host.facts] == [ProcessExited]

    def test_lines_are_told_to_who_listens(self, host: FakeHost, tmp_path: Path) -> None:
        heard: list[tuple[str, bytes]] = []
        host.on_line = lambda unit, line: heard.append((unit, line))
        with invoked(host, make("a", "echo one; printf two"), tmp_path):
            host.run_until(ProcessExited)
        assert heard == [("a", b"one"), ("a", b"two")]

    def test_what_it_says_is_told(self, host: FakeHost, tmp_path: Path, notify: str) -> None:
        code = (
            SPEAK + "for text in (b'STATUS=half', b'EXTEND_TIMEOUT_USEC=1500000', b'WATCHDOG=1', b'READY=1'): speaker.send(text)"
        )
        with invoked(host, service("a", python(code)), tmp_path, notify=notify) as invocation:
            invocation.wait_for_notice(True)
            host.run_until(ProcessExited)
            assert [type(fact) for fact in host.facts] == [StatusReported, TimeoutExtended, ProbeSucceeded, ProcessExited]
            assert host.run_until(TimeoutExtended).seconds == 1.5
            assert host.run_until(StatusReported).text == "half"
            assert invocation.is_alive_signal
        assert not Path(notify).exists()

    def test_ready_is_nothing_to_who_does_not_wait_for_it(self, host: FakeHost, tmp_path: Path, notify: str) -> None:
        with invoked(host, service("a", python(SPEAK + "speaker.send(b'READY=1')")), tmp_path, notify=notify):
            host.run_until(ProcessExited)
        assert [type(fact) for fact in host.facts] == [ProcessExited]

    def test_another_main_process_is_followed(self, host: FakeHost, tmp_path: Path, notify: str) -> None:
        os.mkfifo(tmp_path / "hold")
        code = SPEAK + (
            f"if os.fork():\n open('{tmp_path}/hold').read()\n os._exit(0)\n"
            "speaker.send(b'MAINPID=%d\\nSTATUS=%d' % (os.getpid(), os.getpid()))\n"
            f"open('{tmp_path}/hold', 'w').close()\nsignal.pause()"
        )
        with invoked(host, service("a", python(code)), tmp_path, notify=notify) as invocation:
            pid = int(host.run_until(StatusReported).text)
            while invocation._main.is_running:
                host.poller.dispatch()
            assert is_there(pid)
            assert not any(isinstance(fact, ProcessExited) for fact in host.facts)
            invocation.send(signal.SIGTERM, to_tree=False)
            fact = host.run_until(ProcessExited)
            assert (fact.exit_code, fact.signal) == (None, None)

    def test_a_main_process_that_has_gone_is_not_signalled(self, host: FakeHost, tmp_path: Path, notify: str) -> None:
        """Its number may be a stranger's by now, whom a supervisor that runs as root could end."""
        os.mkfifo(tmp_path / "hold")
        code = SPEAK + (
            "child = os.fork()\nif not child: signal.pause()\n"
            f"speaker.send(b'MAINPID=%d\\nSTATUS=named' % child)\nopen('{tmp_path}/hold').read()\n"
            "os.kill(child, 9); os.wait()\nspeaker.send(b'STATUS=gone')\nsignal.pause()"
        )
        with invoked(host, service("a", python(code)), tmp_path, notify=notify) as invocation:
            host.run_until(StatusReported)
            assert invocation._main_pid() not in (0, invocation.pid)
            (tmp_path / "hold").open("w").close()
            host.run_until(StatusReported, 2)
            invocation.send(signal.SIGTERM, to_tree=False)
            assert host.run_until(ProcessExited).signal == "SIGTERM"

    def test_a_main_process_that_is_not_there_is_not_followed(self, host: FakeHost, tmp_path: Path, notify: str) -> None:
        with invoked(host, service("a", python(SPEAK + "speaker.send(b'MAINPID=2147483647')")), tmp_path, notify=notify):
            assert host.run_until(ProcessExited).exit_code == 0


class TestStopCommand:
    def test_it_finds_the_same_setting(self, host: FakeHost, tmp_path: Path) -> None:
        unit = make("a", "exec sleep 600", env={"NAME": "value"}, cwd=str(tmp_path))
        with invoked(host, unit, tmp_path) as invocation:
            invocation.run_stop_command(Command(shell='echo "$NAME $RUNNER_UNIT"; pwd'))
            host.run_until(StopCommandEnded)
        assert (tmp_path / "log").read_text() == f"value a\n{tmp_path}\n"

    def test_one_that_cannot_be_executed_has_ended(self, host: FakeHost, tmp_path: Path) -> None:
        with invoked(host, make("a", "exec sleep 600"), tmp_path) as invocation:
            invocation.run_stop_command(Command(argv=("/no/such",)))
            assert isinstance(host.facts[0], StopCommandEnded)
        assert (tmp_path / "log").read_text() == 'stop command: cannot execute "/no/such": program not found\n'
