"""The secrets of a run, in whatever it writes and tells. That they are nowhere on disk or on a screen is tried end to end."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import json

from runner.core.event import UnitEnded, UnitReported, UnitStarted
from runner.core.unit import Command, Conditions, Log, Probe, Ready, Reload, Stop, Unit
from runner.rpc.messages import (
    DependencyInfo,
    SyncFailRequest,
    SyncListResponse,
    SyncStatusResponse,
    SyncWantRequest,
    UnitInfo,
    UnitRequest,
)
from runner.rpc.methods import FAIL, REACH, RELOAD, START, SYNC_COMPLETE, SYNC_LIST, SYNC_START, SYNC_STATUS, SYNC_WANT
from runner.rpc.proto import parse_message
from runner.supervisor.commands import Answer
from runner.supervisor.secrets import RunSecrets
from runner.supervisor.supervisor import Supervisor

from .harness import make, on, python, service, stop, supervise
from .sync_host import hosted
from .sync_site import Caller, served

TOKEN = {"A_TOKEN": "hunter22"}


def test_they_are_known_from_units_and_from_the_environment() -> None:
    unit = Unit(name="a", kind="oneshot", mask=("KEY",), env={"B_SECRET": "hunter23"})
    secrets = RunSecrets([unit, Unit(name="hunter25", kind="target")], {**TOKEN, "KEY": "hunter24", "PASSWORD": "hunter25"})
    assert secrets.mask_text("hunter22 hunter23 hunter24 hunter25 hunter26") == "*** *** *** hunter25 hunter26"
    secrets.declare([Unit(name="b", kind="oneshot", env={"C_TOKEN": "hunter26"}), Unit(name="hunter24", kind="target")])
    assert secrets.mask_text("hunter23 hunter24 hunter26") == "*** hunter24 ***"


def test_events_without_secrets_stay_themselves() -> None:
    events = [UnitReported(at=0.0, unit="a", text="hunter22")]
    assert RunSecrets([], {}).hide(events) is events
    assert RunSecrets([], {"A_TOKEN": "hunter23"}).hide(events) is events
    assert RunSecrets([], TOKEN).hide(events) == [UnitReported(at=0.0, unit="a", text="***")]


def test_output_is_masked_wherever_it_goes(tmp_path: Path) -> None:
    told: list[bytes] = []

    def prepare(supervisor: Supervisor) -> None:
        supervisor.on_line = lambda _, line: told.append(line)

    ran = supervise(tmp_path, make("a", "echo my $A_TOKEN; exit 1", env=TOKEN), make("b", "echo hunter22"), prepare=prepare)
    assert ran.log("a") == b"my ***\n"
    assert ran.log("b") == b"***\n"
    assert ran.tails == {"a": ["my ***"], "b": ["***"]}
    assert sorted(told) == [b"***", b"my ***"]


def test_a_secret_in_two_writes_is_masked(tmp_path: Path) -> None:
    """The unit goes on when the first part of it was read, and ends with the beginning of another."""
    code = "import os; os.write(1, b'now hunt'); open('gate').readline(); os.write(1, b'er22.\\nhunter2')"
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    was_read: list[str] = []

    def go_on(unit: str) -> None:
        if not was_read:
            os.write(gate, b"go on\n")
        was_read.append(unit)

    unit = make("a", python(code), env=TOKEN, cwd=str(tmp_path))
    ran = supervise(tmp_path, unit, prepare=lambda supervisor: supervisor.on_output.append(go_on))
    os.close(gate)
    assert len(was_read) > 1
    assert ran.text("a") == "now ***.\nhunter2"
    assert ran.tails == {"a": ["now ***.", "hunter2"]}


def test_a_line_that_makes_ready_is_a_masked_one(tmp_path: Path) -> None:
    ready = Ready(probe=Probe(by="log", target=r"^token is \*\*\*$"))
    ran = supervise(tmp_path, service("a", "echo token is hunter22; exec sleep 600", ready=ready, env=TOKEN), react=on_ready)
    assert ran["a"].reached_at is not None


def on_ready(supervisor: Supervisor, event: object) -> None:
    if getattr(event, "after", None) is not None:
        stop(supervisor)


def test_events_and_snapshot_are_masked_alike(tmp_path: Path) -> None:
    """The harness holds the snapshot against the journal."""
    say = "import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(%r, os.environ['NOTIFY_SOCKET'])"
    ran = supervise(
        tmp_path,
        make("a", python(say % b"STATUS=hunter22 up\nREADY=1"), ready=Ready(probe=Probe(by="notify")), description="hunter22"),
        make("b", ["/nowhere/hunter22"], env=TOKEN),
        make("c", "true", cwd="/nowhere/hunter22"),
    )
    assert [event.text for event in ran.of(UnitReported)] == ["*** up"]
    assert "hunter22" not in ran.of(UnitStarted, "a")[0].command
    assert ran["a"].description == "***"
    assert [event.reason for event in ran.of(UnitEnded, "b")] == ['cannot execute "/nowhere/***": program not found']
    assert [event.reason for event in ran.of(UnitEnded, "c")] == [
        'cannot enter the directory "/nowhere/***": no such file or directory'
    ]


def test_a_secret_in_the_path_of_a_log_is_masked_where_it_is_told(tmp_path: Path) -> None:
    path = f"{tmp_path}/hunter22.log"
    ran = supervise(tmp_path, make("a", "echo hello", log=Log(file=path), env=TOKEN))
    assert ran["a"].log == f"{tmp_path}/***.log"
    assert Path(path).read_text() == "hello\n"


def test_a_file_of_variables_is_known_from_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("A_TOKEN=hunter22\nKEY='hunter23'\nOTHER=hunter24\n")
    first = make("a", "echo $A_TOKEN $KEY $OTHER", env_file=(f"{tmp_path}/file",), mask=("KEY",))
    ran = supervise(tmp_path, first, make("b", "echo hunter22 hunter23", ["a"]))
    assert ran.text("a") == "*** *** hunter24"
    assert ran.text("b") == "*** ***"


def test_a_file_of_variables_is_known_from_when_a_condition_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("A_TOKEN=hunter22\n")
    conditions = Conditions(env={"A_TOKEN": "another"})
    ran = supervise(tmp_path, make("a", "true", env_file=(f"{tmp_path}/file",), conditions=conditions))
    assert ran["a"].reason == 'A_TOKEN is "***", not "***"'
    assert ran["a"].runs_if == ('A_TOKEN is "***"',)


def test_a_unit_may_say_that_it_has_none(tmp_path: Path) -> None:
    ran = supervise(tmp_path, make("a", "echo $TOKEN_COUNT", env={"TOKEN_COUNT": "1000000"}, mask=()))
    assert ran.text("a") == "1000000"


def test_warnings_are_masked(tmp_path: Path) -> None:
    told: list[str] = []

    def prepare(supervisor: Supervisor) -> None:
        supervisor.on_warning = told.append
        supervisor.warn("cannot hunter22")

    supervise(tmp_path, make("a", "true", env=TOKEN), prepare=prepare)
    assert told == ["cannot ***"]


def test_a_stop_command_that_cannot_be_executed_is_told_without_secrets(tmp_path: Path) -> None:
    ended = Stop(command=Command(argv=("/nowhere/hunter22\udcff",)))
    ran = supervise(tmp_path, service("a", "exec sleep 600", stop=ended, env=TOKEN), react=on(UnitStarted, "a"))
    assert ran.log("a") == b'stop command: cannot execute "/nowhere/***\xff": program not found\n'


# ---------------------------------------------------------------- what callers are told


def test_reasons_are_masked_before_they_are_cut() -> None:
    with hosted(Unit(name="e", kind="external", env=TOKEN)) as host:
        assert host.call(SYNC_START, UnitRequest("e")) == b""
        assert host.call(FAIL, SyncFailRequest("e", "x" * 4_090 + "hunter22")) == b""
        assert host.call(REACH, UnitRequest("e")) == f'unit "e" failed: {"x" * 4_090}***'


def test_names_that_scripts_bring_are_masked_too() -> None:
    with hosted(make("a", "true", env=TOKEN)) as host:
        assert host.call(SYNC_WANT, SyncWantRequest("u-hunter22", "hunter22")) == b""
        status = host.call(SYNC_STATUS, UnitRequest("u-hunter22"))
        assert isinstance(status, bytes)
        (dependency,) = parse_message(SyncStatusResponse, status).dependencies
        assert dependency == DependencyInfo("u-***", "***", "completed", "", False)
        listed = host.call(SYNC_LIST)
        assert isinstance(listed, bytes)
        assert parse_message(SyncListResponse, listed).units[1:] == (UnitInfo("u-***", "pending", False),)
        said = 'cannot complete unit "***": unit "***" must be registered first: unit not found'
        assert host.call(SYNC_COMPLETE, UnitRequest("hunter22")) == said
        assert "u-***" in host.supervisor.snapshot.units


def test_answers_to_requests_by_hand_are_masked() -> None:
    badly = Reload(command=Command(argv=("/nowhere/hunter22",)))
    with served(service("a", "exec sleep 600", reload=badly, env=TOKEN)) as site, Caller(site) as caller:

        def ask(method: object, *units: str) -> Answer:
            answer = caller.ask(method, json.encode({"units": units}))  # type: ignore[arg-type]
            assert isinstance(answer, bytes), answer
            return json.decode(answer, type=Answer)

        site.until_decided(UnitStarted, "a")
        refused = ask(START, "hunter22").refused
        assert refused
        assert refused.what == 'cannot find unit or group "***" in this run'
        assert ask(RELOAD, "a").failed == {"a": 'the reload command: cannot execute "/nowhere/***": program not found'}
