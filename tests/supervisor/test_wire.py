from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from runner.supervisor.poller import Poller
from runner.supervisor.wire import Wire

from .harness import deadline, no_descriptor_left

PIECE = bytes(1024 * 1024)


class End:
    """A wire, and the socket at its other end."""

    def __init__(self) -> None:
        self.poller = Poller()
        self.peer, ours = socket.socketpair()
        self.peer.setblocking(False)
        self.heard: list[bytes] = []
        self.taken = 0
        self.more: list[bytes] = []
        """What is written as soon as all before has been taken."""
        self.wire = Wire(self.poller, ours, self.heard.append, self.note)

    def note(self) -> None:
        self.taken += 1
        if self.more:
            self.wire.write(self.more.pop(0))

    def dispatch(self) -> None:
        """Let the wire have its turns until it has heard of the end."""
        while b"" not in self.heard and self.poller.dispatch():
            pass

    def read(self) -> bytes:
        """All that the wire sends, and can send."""
        data = b""
        while True:
            self.dispatch()
            try:
                piece = self.peer.recv(1 << 20)
            except BlockingIOError:
                return data
            if not piece:
                return data
            data += piece

    def close(self) -> None:
        self.wire.close()
        self.peer.close()
        self.poller.close()


@pytest.fixture
def end() -> Iterator[End]:
    with deadline(), no_descriptor_left():
        made = End()
        yield made
        made.close()


def test_what_comes_is_told(end: End) -> None:
    end.peer.send(b"one")
    end.dispatch()
    end.peer.send(b"two")
    end.dispatch()
    assert end.heard == [b"one", b"two"]
    assert end.taken == 0


def test_the_end_of_a_peer_is_told_as_nothing(end: End) -> None:
    end.peer.send(b"last")
    end.peer.shutdown(socket.SHUT_WR)
    end.dispatch()
    assert end.heard == [b"last", b""]


def test_a_peer_that_is_reset_is_gone(end: End) -> None:
    end.wire.write(b"never read")
    end.peer.close()
    end.dispatch()
    assert end.heard == [b""]


def test_what_is_written_waits_for_the_peer_and_reading_with_it(end: End) -> None:
    end.wire.write(PIECE)
    end.wire.write(b"more")
    end.wire.write(b"")
    assert end.wire.is_waiting
    end.peer.send(b"unheard")
    end.dispatch()
    assert end.heard == []
    assert end.read() == PIECE + b"more"
    assert (end.wire.is_waiting, end.taken) == (False, 1)
    end.dispatch()
    assert end.heard == [b"unheard"]


def test_what_is_taken_makes_room_for_more(end: End) -> None:
    """Whoever hears that all was taken may write at once, and waits again."""
    end.more = [b"b" * 1_000_000, b"c" * 1_000_000]
    end.wire.write(b"a" * 1_000_000)
    assert end.read() == b"a" * 1_000_000 + b"b" * 1_000_000 + b"c" * 1_000_000


def test_a_peer_that_never_takes_anything_is_hung_up_on(end: End) -> None:
    for _ in range(20):
        end.wire.write(PIECE)
    assert not end.wire.is_waiting
    end.wire.write(b"nobody hears this")
    assert end.heard == []  # whoever writes is not told in the middle of it
    end.dispatch()
    assert end.heard == [b""]


def test_a_peer_that_goes_while_something_waits_for_it_is_gone(end: End) -> None:
    end.wire.write(PIECE)
    end.peer.close()
    end.dispatch()
    assert end.heard == [b""]
    assert not end.wire.is_waiting


def test_nothing_is_written_after_the_end(end: End) -> None:
    end.wire.close()
    end.wire.close()
    end.wire.write(b"late")
    assert end.wire.is_closed
    assert end.peer.recv(10) == b""
