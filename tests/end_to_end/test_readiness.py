"""A service of each sort of readiness holds its dependents until it is ready, and no longer."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest

from runner.core.event import UnitEnded, UnitReady, UnitStarted, UnitStarting
from runner.core.unit import Command, Probe, Ready, Unit
from tests.supervisor.harness import Ran, make, on, python, service, supervise

_ports = count(20_000 + os.getpid() % 10_000)

WAIT = "import os, signal, socket\nopen('gate').read()\n"
STAY = "\nsignal.pause()"
SERVE = "\nserver.listen()\nwhile True:\n    peer, _ = server.accept()\n    {}\n    peer.close()"
NOTIFY = "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto({}, os.environ['NOTIFY_SOCKET'])"


def address() -> tuple[str, int]:
    """An address of this process alone: the whole of 127.0.0.0/8 is this machine."""
    pid = os.getpid()
    return f"127.{1 + pid // 250 % 250}.{pid % 250}.1", next(_ports)


def tcp(reply: str) -> tuple[str, str]:
    host, port = address()
    code = f"server = socket.socket(); server.setsockopt(1, 2, 1); server.bind(({host!r}, {port}))"
    return f"{host}:{port}", code + SERVE.format(reply)


def kinds(kind: str) -> tuple[Probe, str]:
    """A probe, and what a service does to make its answer yes."""
    match kind:
        case "http":
            target, code = tcp("peer.recv(4096); peer.sendall(b'HTTP/1.0 204 No Content\\r\\n\\r\\n')")
            return Probe(by="http", target=f"http://{target}/health", interval=0.01), code
        case "tcp":
            target, code = tcp("pass")
            return Probe(by="tcp", target=target, interval=0.01), code
        case "unix":
            code = "server = socket.socket(socket.AF_UNIX); server.bind('sock')" + SERVE.format("pass")
            return Probe(by="unix", target="sock", interval=0.01), code
        case "file":
            return Probe(by="file", target="flag"), "open('flag', 'w').close()" + STAY
        case "command":
            return Probe(by="command", command=Command(shell="test -e flag"), interval=0.01), "open('flag', 'w').close()" + STAY
        case "log":
            return Probe(by="log", target="^it is (up|there)$"), "print('soon it is up\\nit is there', flush=True)" + STAY
        case _:
            return Probe(by="notify"), NOTIFY.format("b'STATUS=almost\\nREADY=1'") + STAY


def gated(tmp_path: Path, ready: Ready, code: str) -> list[Unit]:
    """A service that begins to become ready when a later unit opens the gate, and a dependent."""
    os.mkfifo(tmp_path / "gate")
    return [
        service("s", python(WAIT + code), ready=ready, cwd=str(tmp_path)),
        make("before", "true"),
        make("opener", "echo > gate", ["before"], cwd=str(tmp_path)),
        make("dependent", "true", ["s"]),
    ]


def assert_held(ran: Ran) -> None:
    """Until it was ready, and not until it ended."""
    ready = ran.place(UnitReady, "s")
    assert ran.place(UnitStarting, "opener") < ready < ran.place(UnitStarting, "dependent")
    assert ran.place(UnitEnded, "dependent") < ran.place(UnitEnded, "s")
    assert ran["dependent"].outcome == "succeeded"
    assert ran["s"].outcome == "cancelled"


@pytest.mark.parametrize("kind", ["http", "tcp", "unix", "file", "command", "log", "notify"])
def test_dependents_wait_until_it_is_ready(tmp_path: Path, kind: str) -> None:
    probe, code = kinds(kind)
    ran = supervise(tmp_path / "state", *gated(tmp_path, Ready(probe=probe), code), react=on(UnitEnded, "dependent"))
    assert_held(ran)
    if kind == "notify":
        assert ran["s"].text == "almost"


def test_the_delay_comes_after_the_answer(tmp_path: Path) -> None:
    probe, code = kinds("log")
    ready = Ready(probe=probe, delay=0.05)
    ran = supervise(tmp_path / "state", *gated(tmp_path, ready, code), react=on(UnitEnded, "dependent"))
    assert_held(ran)
    opened = ran.of(UnitStarting, "opener")[0].at
    assert ran.of(UnitReady, "s")[0].at - opened >= 0.05


def test_a_delay_alone(tmp_path: Path) -> None:
    units = [service("s", "exec sleep 600", ready=Ready(delay=0.05)), make("dependent", "true", ["s"])]
    ran = supervise(tmp_path, *units, react=on(UnitEnded, "dependent"))
    assert ran.of(UnitReady, "s")[0].after >= 0.05
    assert ran.place(UnitReady, "s") < ran.place(UnitStarting, "dependent")


def test_without_readiness_it_is_ready_when_executed(tmp_path: Path) -> None:
    units = [service("s", "exec sleep 600"), make("dependent", "true", ["s"])]
    ran = supervise(tmp_path, *units, react=on(UnitEnded, "dependent"))
    assert ran.place(UnitStarted, "s") < ran.place(UnitReady, "s") < ran.place(UnitStarting, "dependent")


@pytest.mark.parametrize("kind", ["log", "notify"])
def test_news_that_come_while_many_others_are_to_be_spawned_are_not_lost(tmp_path: Path, kind: str) -> None:
    """It is ready long before the last of them is executed."""
    probe, code = kinds(kind)
    others = [make(f"u{number}", ["/bin/true"]) for number in range(400)]
    first = service("s", python("import os, signal, socket\n" + code), ready=Ready(probe=probe), cwd=str(tmp_path), timeout=20)
    ran = supervise(tmp_path / "state", first, *others, make("dependent", "true", ["s"]), react=on(UnitEnded, "dependent"))
    assert ran["s"].ready_at is not None
    assert ran["dependent"].outcome == "succeeded"


def test_what_it_says_last_makes_it_ready(tmp_path: Path) -> None:
    """A oneshot may be ready before its end; one that says so in its last breath was ready all the same."""
    unit = make("s", "echo up", ready=Ready(probe=Probe(by="log", target="up")))
    ran = supervise(tmp_path, unit, make("dependent", "true", ["s"]))
    assert [type(event) for event in ran.events if getattr(event, "unit", "") == "s"] == [
        UnitStarting,
        UnitStarted,
        UnitReady,
        UnitEnded,
    ]
    assert ran.outcomes() == {"s": "succeeded", "dependent": "succeeded"}


def test_a_service_that_dies_before_it_is_ready_has_failed(tmp_path: Path) -> None:
    lines = "for i in $(seq 30); do echo line $i; done; printf 'cannot bind'; exit 7"
    units = [service("s", lines, ready=Ready(probe=Probe(by="file", target="never"))), make("dependent", "true", ["s"])]
    ran = supervise(tmp_path, *units)
    assert ran.outcomes() == {"s": "failed", "dependent": "skipped"}
    assert ran["s"].exit_code == 7
    assert ran["s"].reason == "ended before it was ready: exit status 7"
    assert ran.tails["s"] == [*(f"line {number}" for number in range(12, 31)), "cannot bind"]


def test_another_process_may_be_the_main_one(tmp_path: Path) -> None:
    """As daemons do that fork: they name the process to look at, and the first one ends (sd_notify(3), MAINPID)."""
    main_pid, ready = NOTIFY.format("b'MAINPID=%d' % os.getpid()"), NOTIFY.format("b'READY=1'")
    code = (
        "import os, signal, socket\nos.mkfifo('hold')\nif os.fork():\n    open('hold').read(); os._exit(0)\n"
        f"os.setsid()\n{main_pid}\n{ready}\nopen('hold', 'w').close(){STAY}"
    )
    unit = service("s", python(code), ready=Ready(probe=Probe(by="notify")), cwd=str(tmp_path))
    ran = supervise(tmp_path / "state", unit, make("dependent", "true", ["s"]), react=on(UnitEnded, "dependent"))
    assert ran.outcomes() == {"s": "cancelled", "dependent": "succeeded"}
