"""Connections, whoever makes them: the others are answered all the while."""

from __future__ import annotations

import os
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.rpc.client import Client
from runner.rpc.frame import Frame, append_frame
from runner.rpc.messages import SyncWantRequest, UnitRequest
from runner.rpc.methods import METHODS, PING, SYNC_LIST, SYNC_READY, SYNC_START, SYNC_STATUS, SYNC_WANT
from runner.rpc.packet import LARGEST_PACKET
from runner.supervisor.callers import MOST_CONNECTIONS

from .harness import no_descriptor_left, open_files
from .served import served
from .sync_host import Host, Peer, hosted, peers

PINGED = "050101000d010200"


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    """One server for all that is thrown at it."""
    with hosted() as host:
        yield host


def say_call(stream: int, rpc: str, request: bytes = b"") -> bytes:
    """A whole call on a stream of one's choice."""
    data = bytearray()
    for message, (kind, content) in enumerate(((1, rpc.encode()), (2, request), (6, b"")), 1):
        append_frame(data, Frame(kind, stream, message, len(content)), content)
    return bytes(data)


# ---------------------------------------------------------------- good peers


def test_calls_follow_one_another_on_a_connection(shared: Host) -> None:
    with shared.connect() as peer:
        for _ in range(5):
            assert peer.call(PING.path) == b""


def test_all_calls_of_one_write_are_answered(shared: Host) -> None:
    with shared.connect() as peer:
        peer.say(b"".join(say_call(stream, PING.path) for stream in range(1, 4)))
        assert peer.hear().hex() == "".join(f"050{stream}01000d0{stream}0200" for stream in range(1, 4))


def test_a_call_without_a_request_is_told_so(shared: Host) -> None:
    with shared.connect() as peer:
        data = bytearray()
        append_frame(data, Frame(1, 1, 1, len(PING.path)), PING.path.encode())
        append_frame(data, Frame(6, 1, 2))
        peer.say(bytes(data))
        assert peer.hear().endswith(b"EOF")
        assert not peer.is_over


def test_a_call_is_cancelled_and_the_connection_goes_on(shared: Host) -> None:
    with shared.connect() as peer:
        shared.call(SYNC_WANT, SyncWantRequest("held", "never"))
        peer.begin(SYNC_READY.path, bytes(UnitRequest("held")))
        peer.say(peer.rpc.cancel(1))
        assert peer.call(PING.path) == b""


# ---------------------------------------------------------------- hostile peers


@settings(max_examples=60)
@given(data=st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_do_no_harm(shared: Host, data: list[bytes]) -> None:
    with shared.connect() as peer:
        for piece in data:
            peer.say(piece)
        peer.hear()
        assert shared.pings()


FRAMES = st.builds(
    lambda kind, stream, message, content, flags: (Frame(kind, stream, message, len(content), *flags), content),
    st.integers(0, 9),
    st.integers(0, 4),
    st.integers(0, 5),
    st.sampled_from([b"", b"\x0a\x01u", b"\x0a\x00", *(path.encode() for path in METHODS)]),
    st.tuples(st.booleans() | st.just(True), st.booleans()),
)


@settings(max_examples=150)
@given(frames=st.lists(FRAMES, max_size=12), cut=st.integers(1, 200))
def test_any_frames_do_no_harm(shared: Host, frames: list[tuple[Frame, bytes]], cut: int) -> None:
    data = bytearray()
    for frame, content in frames:
        append_frame(data, frame, content)
    with shared.connect() as peer:
        for at in range(0, len(data), cut):
            peer.say(bytes(data[at : at + cut]))
        peer.hear()
        assert shared.pings()


def test_a_slow_writer_holds_up_nobody(shared: Host) -> None:
    with shared.connect() as slow:
        data = say_call(1, PING.path)
        for byte in data[:-5]:  # the answer comes with the last byte of the request, before that of the call
            slow.say(bytes([byte]))
            assert slow.hear() == b""
            assert shared.pings()
        slow.say(data[-5:])
        assert slow.hear().hex() == PINGED


@pytest.mark.parametrize("sent", [0, 1, 2, 20, len(say_call(1, PING.path)) - 3])
def test_a_half_closed_peer_is_hung_up_on(shared: Host, sent: int) -> None:
    with shared.connect() as peer:
        peer.say(say_call(1, PING.path)[:sent])
        peer.sock.shutdown(socket.SHUT_WR)
        peer.hear()
        assert peer.is_over


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_peer_goes_without_its_answer(shared: Host, how: str) -> None:
    before = open_files()
    for _ in range(20):
        with shared.connect() as peer:
            if how == "reset":
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.sock.send(say_call(1, SYNC_LIST.path) + say_call(2, SYNC_LIST.path))
    assert open_files() == before
    assert shared.pings()


def test_the_largest_packet_is_taken_and_a_larger_one_is_not(shared: Host) -> None:
    content = b"\x52" + b"\xfb\xff\xff\x01" + bytes(LARGEST_PACKET - 5)
    assert len(content) == LARGEST_PACKET
    with shared.connect() as peer:
        assert peer.call(PING.path, content) == b""
    with shared.connect() as peer:
        data = bytearray()
        append_frame(data, Frame(1, 1, 1, len(PING.path)), PING.path.encode())
        append_frame(data, Frame(2, 1, 2, LARGEST_PACKET + 1))
        peer.say(bytes(data))
        assert peer.hear() == b""
        assert peer.is_over
    assert shared.pings()


def test_a_peer_that_does_not_read_its_answers_gets_no_more_of_them() -> None:
    """And costs little: what it asks meanwhile stays in its own buffers."""
    with hosted() as host, host.connect() as peer:
        for number in range(200):
            host.call(SYNC_START, UnitRequest(f"{number:03}{'x' * 1_000}"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        asked = 0
        try:
            while True:
                asked += 1
                peer.sock.send(say_call(asked, SYNC_LIST.path))
                host.turn()
        except BlockingIOError:
            assert asked > 100
        assert host.pings()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
        read = 0
        while read < 2_000_000:
            host.turn()
            read += len(peer.sock.recv(65_536))


def test_a_thousand_questions_in_one_write_are_answered_as_they_are_read() -> None:
    """More answers than a peer is waited for come to it all the same, one after the other."""
    with hosted() as host, host.connect() as peer:
        for number in range(100):
            host.call(SYNC_START, UnitRequest(f"{number:03}{'x' * 1_000}"))
        data = b"".join(say_call(stream, SYNC_LIST.path) for stream in range(1, 201))
        peer.say(data)
        heard = peer.hear()
        assert len(heard) > 20_000_000
        assert not peer.is_over


# ---------------------------------------------------------------- many peers


@contextmanager
def soft_limit(number: int) -> Iterator[None]:
    """So many descriptors at most."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_whoever_is_too_many_waits_for_his_turn() -> None:
    with soft_limit(4_096), no_descriptor_left(), hosted() as host, peers(host, MOST_CONNECTIONS + 76) as made:
        for peer in made:
            peer.sock.send(say_call(1, PING.path))
        host.turn()
        answered = [peer for peer in made if heard(peer)]
        assert answered == made[:MOST_CONNECTIONS]
        for peer in made[:100]:
            peer.sock.close()
        host.turn()
        assert all(heard(peer) for peer in made[MOST_CONNECTIONS:])
        assert host.pings()


def heard(peer: Peer) -> bool:
    try:
        return peer.sock.recv(100).hex() == PINGED
    except BlockingIOError:
        return False


def test_where_no_descriptor_is_left_callers_wait() -> None:
    with hosted() as host, host.connect() as early, peers(host, 12) as made:
        assert early.call(PING.path) == b""
        for peer in made:
            peer.sock.send(say_call(1, PING.path))
        with host.connect() as late:
            free = os.dup(0)
            os.close(free)
            with soft_limit(free):
                late.sock.send(say_call(1, PING.path))
                for _ in range(3):
                    host.turn()
                assert not host.supervisor.poller.dispatch()  # nobody asks the listener over and over
                assert not heard(late)
                assert early.call(PING.path) == b""
            while not heard(late):
                host.supervisor.turn()
            assert host.pings()


def test_a_supervisor_without_descriptors_serves_on_and_does_not_spin() -> None:
    with served() as there, ExitStack() as stack:
        early = stack.enter_context(Client(there.socket))
        assert early.call(PING.path) == b""
        limits = resource.prlimit(there.began["pid"], resource.RLIMIT_NOFILE)
        resource.prlimit(there.began["pid"], resource.RLIMIT_NOFILE, (8, limits[1]))
        late = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(20)]
        for sock in late:
            sock.connect(there.socket)
            sock.send(say_call(1, PING.path))
        used = cpu_seconds(there.began["pid"])
        late[0].settimeout(0.3)
        with pytest.raises(TimeoutError):
            late[0].recv(100)
        assert cpu_seconds(there.began["pid"]) - used < 0.1
        assert early.call(PING.path) == b""
        resource.prlimit(there.began["pid"], resource.RLIMIT_NOFILE, limits)
        for sock in late:
            sock.settimeout(30)
            assert sock.recv(100).hex() == PINGED


def cpu_seconds(pid: int) -> float:
    """What a process has used (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_connections_one_after_the_other_leave_nothing_behind(shared: Host) -> None:
    def call() -> None:
        with shared.connect() as peer:
            peer.say(say_call(1, SYNC_STATUS.path, b"\x0a\x01u"))
            assert peer.hear()

    for _ in range(300):
        call()
    files, pages = len(open_files()), resident_pages()
    for _ in range(2_000):
        call()
    assert len(open_files()) == files
    assert resident_pages() - pages < 512  # 2 MiB


def resident_pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])
