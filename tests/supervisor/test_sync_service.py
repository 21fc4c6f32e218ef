"""Every call by the wire, and what is answered to it, to the letter."""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest

from runner.core.unit import Unit
from runner.rpc.messages import (
    DependencyInfo,
    SyncFailRequest,
    SyncListResponse,
    SyncReadyResponse,
    SyncStatusResponse,
    SyncWantRequest,
    UnitRequest,
)
from runner.rpc.methods import (
    AGENT_SOCKET,
    FAIL,
    PING,
    REACH,
    SYNC_COMPLETE,
    SYNC_LIST,
    SYNC_READY,
    SYNC_START,
    SYNC_STATUS,
    SYNC_WANT,
    UPDATE_APP_STATUS,
    WAIT,
)
from runner.rpc.packet import LARGEST_PACKET
from runner.rpc.proto import parse_message
from tests.rpc.vectors import VECTORS, Vector

from .harness import make, service
from .sync_host import Host, hosted

Answer = bytes | str | None
TRUE, FALSE = bytes(SyncReadyResponse(ready=True)), bytes(SyncReadyResponse(ready=False))
NO_NAME = "cannot check readiness: unit ID cannot be empty: unit name is required"


def run(host: Host, line: str) -> Answer:
    """A call as the command line has it: ``want a b``. ``''`` is the empty name."""
    verb, *names = (word.replace("''", "") for word in line.split())
    if verb == "want":
        return host.call(SYNC_WANT, SyncWantRequest(*names))
    methods = {"start": SYNC_START, "complete": SYNC_COMPLETE, "ready": SYNC_READY, "wait": WAIT, "reach": REACH}
    if verb == "fail":
        return host.call(FAIL, SyncFailRequest(names[0], " ".join(names[1:])))
    return host.call(methods[verb], UnitRequest(names[0]))


def status(host: Host, unit: str) -> SyncStatusResponse:
    answer = host.call(SYNC_STATUS, UnitRequest(unit))
    assert isinstance(answer, bytes)
    return parse_message(SyncStatusResponse, answer)


def listed(host: Host) -> list[tuple[str, str, bool]]:
    answer = host.call(SYNC_LIST)
    assert isinstance(answer, bytes)
    return [(unit.unit, unit.status, unit.is_ready) for unit in parse_message(SyncListResponse, answer).units]


def cycle(unit: str, dependency: str) -> str:
    return (
        f'cannot add dependency: adding edge for unit "{unit}": failed to add dependency\n'
        f"adding edge ({unit} -> {dependency}): cycle detected"
    )


def again(verb: str, unit: str) -> str:
    return f'cannot {verb} unit "{unit}": checking status for unit "{unit}": same status already set'


TABLE: list[tuple[str, list[tuple[str, Answer]]]] = [
    ("want is repeated", [("want u d", b""), ("want u d", b""), ("start u", 'cannot start unit "u": unit not ready')]),
    ("want after start", [("start u", b""), ("want u d", b""), ("complete u", b"")]),
    ("want oneself", [("want u u", cycle("u", "u"))]),
    ("want in a circle", [("want u d", b""), ("want d e", b""), ("want e u", cycle("e", "u")), ("want d u", cycle("d", "u"))]),
    ("want without a unit", [("want '' d", 'cannot add dependency: registering unit "": unit name is required')]),
    (
        "want nothing",
        [
            ("want u ''", "cannot add dependency: dependency name cannot be empty: unit name is required"),
            ("complete u", b""),  # it has been registered
        ],
    ),
    ("start twice", [("start u", b""), ("start u", again("start", "u"))]),
    ("start after complete", [("start u", b""), ("complete u", b""), ("start u", b""), ("complete u", b"")]),
    ("start without a unit", [("start ''", 'SyncStart: registering unit "": unit name is required')]),
    ("complete what is pending", [("want u d", b""), ("complete u", b"")]),
    ("complete what is unknown", [("complete u", 'cannot complete unit "u": unit "u" must be registered first: unit not found')]),
    (
        "complete what is only waited for",
        [("want u d", b""), ("complete d", 'cannot complete unit "d": unit "d" must be registered first: unit not found')],
    ),
    ("complete twice", [("start u", b""), ("complete u", b""), ("complete u", again("complete", "u"))]),
    ("complete without a unit", [("complete ''", 'cannot complete unit "": updating status for unit "": unit name is required')]),
    ("ready", [("want u d", b""), ("start d", b""), ("complete d", b""), ("ready u", TRUE), ("start u", b"")]),
    ("ready of what is unknown", [("ready u", TRUE), ("ready d/e\u2028\\", TRUE), ("wait u", TRUE)]),
    ("ready without a unit", [("ready ''", NO_NAME), ("wait ''", NO_NAME), ("reach ''", NO_NAME)]),
    ("ready is held", [("want u d", b""), ("ready u", None), ("wait u", None), ("reach d", None)]),
    (
        "names are quoted as Go does it",
        [
            (
                'complete a"b\\c\x01',
                r'cannot complete unit "a\"b\\c\x01": unit "a\"b\\c\x01" must be registered first: unit not found',
            )
        ],
    ),
    (
        "a dependency failed",
        [
            ("want u d", b""),
            ("start d", b""),
            ("fail d exit status 1", b""),
            ("ready u", TRUE),
            ("start u", 'cannot start unit "u": dependency "d" failed: exit status 1'),
            ("complete u", b""),
            ("reach d", 'unit "d" failed: exit status 1'),
        ],
    ),
    (
        "failing",
        [
            ("fail ''", 'cannot fail unit "": updating status for unit "": unit name is required'),
            ("fail u", 'cannot fail unit "u": unit "u" must be registered first: unit not found'),
            ("want u d", b""),
            ("fail u", b""),
        ],
    ),
]


@pytest.mark.parametrize(("name", "calls"), TABLE, ids=[name for name, _ in TABLE])
def test_what_a_call_means(name: str, calls: list[tuple[str, Answer]]) -> None:
    with hosted() as host:
        for line, answer in calls:
            assert run(host, line) == answer, line


def test_a_ping_is_answered_with_nothing() -> None:
    with hosted() as host:
        assert host.call(PING) == b""


def test_status_tells_of_a_unit_and_what_it_waits_for() -> None:
    with hosted() as host:
        assert status(host, "u") == SyncStatusResponse("", is_ready=True)
        assert host.call(SYNC_STATUS, UnitRequest("")) == NO_NAME
        for line in ("want u d", "want u a", "start a"):
            assert run(host, line) == b""
        a, d = DependencyInfo("u", "a", "completed", "started"), DependencyInfo("u", "d", "completed", "")
        assert status(host, "u") == SyncStatusResponse("pending", is_ready=False, dependencies=(a, d))
        for line in ("complete a", "start d", "complete d"):
            assert run(host, line) == b""
        a = DependencyInfo("u", "a", "completed", "completed", is_satisfied=True)
        d = DependencyInfo("u", "d", "completed", "completed", is_satisfied=True)
        assert status(host, "u") == SyncStatusResponse("pending", is_ready=True, dependencies=(a, d))
        assert run(host, "start u") == b""
        assert status(host, "u").status == "started"


def test_list_has_who_was_brought_and_nobody_else() -> None:
    with hosted() as host:
        assert listed(host) == []
        for line in ("want u d", "start v", "start w", "complete w"):
            run(host, line)
        assert sorted(listed(host)) == [("u", "pending", False), ("v", "started", True), ("w", "completed", True)]


def test_a_dependency_that_starts_again_is_not_there() -> None:
    with hosted() as host:
        for line in ("want u d", "start d", "complete d", "start d"):
            run(host, line)
        assert run(host, "start u") == 'cannot start unit "u": unit not ready'


# ---------------------------------------------------------------- declared units


def declared() -> tuple[Unit, ...]:
    return (
        make("done", "true"),
        make("broken", "exit 3"),
        service("server", "exec sleep 600", ["done"]),
        make("script", kind="external"),
        make("waits", "true", ["script"]),
    )


@pytest.fixture
def host() -> Iterator[Host]:
    with hosted(*declared()) as host:
        until_ended(host, "done", "broken")
        yield host


def until_ended(host: Host, *units: str) -> None:
    """Let processes come to their end."""
    poller = select.poll()
    poller.register(host.supervisor.poller.fileno(), select.POLLIN)
    while any(host.supervisor.snapshot.units[unit].state != "ended" for unit in units):
        poller.poll(1_000)
        host.turn()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("complete done", 'cannot complete unit "done": it is declared in units/done.toml'),
        ("start server", 'cannot start unit "server": it is declared in units/server.toml'),
        ("fail server", 'cannot fail unit "server": it is declared in units/server.toml'),
        ("want server other", 'cannot add dependency to unit "server": it is declared in units/server.toml'),
        ("reach broken", 'unit "broken" failed: exit status 3'),
        ("reach done", TRUE),
        ("want waits script", 'cannot add dependency to unit "waits": it is declared in units/waits.toml'),
    ],
)
def test_declared_units_are_in_the_graph_and_their_own(host: Host, line: str, said: Answer) -> None:
    assert run(host, line) == said


def test_a_cycle_that_unit_files_are_part_of_is_told_whole(host: Host) -> None:
    said = run(host, "want script waits")
    assert isinstance(said, str)
    assert said.startswith(cycle("script", "waits") + "\ndependency cycle: script -> waits -> script; ")
    assert "script -> waits by this call" in said
    assert "waits -> script by " in said


def test_a_script_waits_for_declared_units(host: Host) -> None:
    for line in ("want u done", "want u server", "start u"):
        assert run(host, line) == b"", line
    run(host, "want v broken")
    assert run(host, "ready v") == TRUE
    assert run(host, "start v") == 'cannot start unit "v": dependency "broken" failed: exit status 3'
    assert status(host, "broken").status == "failed"
    assert status(host, "v").status == "skipped"


def test_an_external_unit_is_everybodys(host: Host) -> None:
    assert status(host, "script").status == "pending"
    assert run(host, "start script") == b""
    assert run(host, "complete script") == b""
    until_ended(host, "waits")
    assert ("waits", "completed", True) in listed(host)


# ---------------------------------------------------------------- held answers


def test_an_answer_is_held_until_it_is_yes() -> None:
    with hosted() as host, host.connect() as old, host.connect() as new, host.connect() as reach:
        run(host, "want u d")
        old.begin(SYNC_READY.path, bytes(UnitRequest("u")))
        new.begin(WAIT.path, bytes(UnitRequest("u")))
        reach.begin(REACH.path, bytes(UnitRequest("d")))
        assert (old.answer(), new.answer(), reach.answer()) == (None, None, None)
        run(host, "start d")
        assert (old.answer(), new.answer(), reach.answer()) == (None, None, None)
        run(host, "complete d")
        assert (old.answer(), new.answer(), reach.answer()) == (TRUE, TRUE, TRUE)


def test_an_answer_is_held_no_longer_than_a_client_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.supervisor.sync_service.HOLD", 0.0)
    with hosted() as host, host.connect() as peer:
        run(host, "want u d")
        assert peer.call(SYNC_READY.path, bytes(UnitRequest("u"))) == FALSE
        run(host, "start d")
        run(host, "complete d")
        assert peer.call(SYNC_READY.path, bytes(UnitRequest("u"))) == TRUE


def test_what_is_held_was_answered_or_given_up_before_its_time_came(monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted() as host:
        run(host, "want u d")
        with host.connect() as gone, host.connect() as cancels, host.connect() as waits:
            with monkeypatch.context() as patched:
                patched.setattr("runner.supervisor.sync_service.HOLD", 0.05)
                for peer in (gone, cancels, waits):
                    peer.begin(SYNC_READY.path, bytes(UnitRequest("u")))
            gone.sock.close()
            cancels.say(cancels.rpc.cancel(1))
            run(host, "start d")
            run(host, "complete d")
            assert waits.answer() == TRUE
            while host.supervisor.timers.next_at() is not None:
                host.turn()
            assert cancels.hear() == waits.hear() == b""
            assert cancels.call(PING.path) == b""


def test_a_call_that_was_given_up_is_forgotten_by_the_engine() -> None:
    with hosted() as host:
        run(host, "want u d")
        for _ in range(3):
            assert run(host, "wait u") is None
        run(host, "start d")
        run(host, "complete d")
        assert host.pings()


# ---------------------------------------------------------------- what nobody serves


@pytest.mark.parametrize(
    ("rpc", "said"),
    [
        (UPDATE_APP_STATUS.path, "agent not connected to coderd"),
        (f"{AGENT_SOCKET}/Nope", f'protocol error: unknown rpc: "{AGENT_SOCKET}/Nope"'),
        ("", 'protocol error: unknown rpc: ""'),
        ('/a"\n\udcff', r'protocol error: unknown rpc: "/a\"\n\xff"'),
        ("/" + "x" * 100_000, f'protocol error: unknown rpc: "/{"x" * 4_095}"'),
    ],
    ids=["UpdateAppStatus", "method", "empty", "quoted", "long"],
)
def test_what_is_not_ours_is_unknown_where_there_is_no_agent(rpc: str, said: str) -> None:
    with hosted() as host, host.connect() as peer:
        assert peer.call(rpc) == said
        assert peer.call(PING.path) == b""


# ---------------------------------------------------------------- too much


def test_a_request_of_millions_of_fields_is_refused_at_once() -> None:
    with hosted() as host, host.connect() as peer:
        assert peer.call(SYNC_READY.path, b"\x50\x00" * (LARGEST_PACKET // 2)) == ("proto: cannot parse invalid wire-format data")
        assert peer.call(SYNC_READY.path, b"\x50\x00" * 9_999 + b"\x0a\x01u") == TRUE
        assert peer.call(PING.path) == b""


@pytest.mark.parametrize("verb", ["want u", "want", "start", "complete", "fail", "reach"])
def test_a_name_that_would_fill_journals_is_refused(verb: str) -> None:
    with hosted() as host:
        line = f"{verb} {'x' * 4_097}" + (" d" if verb == "want" else "")
        assert run(host, line) == "cannot use a unit name of 4097 characters: it has at most 4096"


def test_a_name_that_is_only_asked_about_may_be_of_any_length() -> None:
    with hosted() as host:
        name = "\N{GREEK SMALL LETTER MU}" * 1_000_000
        assert run(host, f"ready {name}") == run(host, f"wait {name}") == TRUE
        assert status(host, name) == SyncStatusResponse("", is_ready=True)


def test_of_a_long_reason_the_beginning_is_kept() -> None:
    with hosted() as host:
        run(host, "start d")
        run(host, f"fail d {'x' * 1_000_000}")
        assert run(host, "reach d") == f'unit "d" failed: {"x" * 4_096}'


def test_an_answer_that_no_peer_would_take_is_an_error_instead() -> None:
    with hosted() as host, host.connect() as peer:
        for number in range(1_050):
            request = bytes(UnitRequest(f"{number:04}{'x' * 4_092}"))
            assert peer.call(SYNC_START.path, request) == b""
        said = peer.call(SYNC_LIST.path)
        assert isinstance(said, str)
        assert said.startswith("cannot send a message of 43")
        assert said.endswith("a packet has at most 4194304")
        assert peer.call(PING.path) == b""


# ---------------------------------------------------------------- the byte streams of the reference

OF_THE_SERVICE = [
    vector
    for vector in VECTORS
    if "reference server" in vector.by
    and not any(b"/ref.Test" in frame.content for frame in vector.frames)
    and not vector.name.startswith(("server_stop", "raw_inactivity", "raw_max", "cancel_soft_ping_delayed"))  # how it was started
]
"""The conversations with the service; those about the reference's own test service are tried in ``tests/rpc``."""

PASSED_OVER = {
    "raw_unknown_kind_first_control": "050101000d010200",
    "raw_cancel_first": "050101000d010200",
    "raw_unknown_kind_next_stream": "050201000d020200",
}
"""Where the reference reads nothing more on a frame that may be passed over, the ping that follows is answered."""
REFUSED = {"raw_unknown_kind_first", "raw_message_first", "raw_close_next_stream", "raw_two_messages"}
"""Where it does so on one that may not, the connection is closed."""
MORE = {"bigname_small_split": "0d010200"}
"""The capture ends before the CloseSend."""
HELD = {"ready_false"}
"""Where the reference says no, our answer is held."""


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "single bytes"])
@pytest.mark.parametrize("vector", OF_THE_SERVICE, ids=[vector.name for vector in OF_THE_SERVICE])
def test_the_answers_are_those_of_the_reference(vector: Vector, is_whole: bool) -> None:
    with hosted() as host, host.connect() as peer:
        for verb, unit, *others in vector.setup:
            for other in others or [""]:
                assert run(host, f"{verb} {unit} {other}") == b""
        heard = b""
        for by_client, turn in vector.turns:
            if by_client:
                data = b"".join(frame.data for frame in turn)
                for piece in [data] if is_whole else [data[at : at + 1] for at in range(len(data))]:
                    peer.say(piece)
                heard += peer.hear()
        if vector.unparsed:
            peer.say(vector.unparsed)
            heard += peer.hear()
        expected = vector.said_by(client=False).hex() + PASSED_OVER.get(vector.name, "") + MORE.get(vector.name, "")
        is_refused = vector.name in REFUSED or (vector.ends == [("server", "eof")] and vector.name not in MORE)
        assert heard.hex() == ("" if vector.name in HELD else expected)
        assert peer.is_over == is_refused
        assert host.pings()


def test_nearly_all_byte_streams_are_of_the_service() -> None:
    assert len(OF_THE_SERVICE) > 45
