from __future__ import annotations

import os
import pty
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.supervisor.outlet import LIMIT, Outlet
from runner.supervisor.poller import Poller

from .harness import deadline, no_descriptor_left

PIECE = b"0123456789abcde\n" * 4_096
"""64 KiB, which is what a pipe holds."""


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


@pytest.fixture
def poller() -> Iterator[Poller]:
    made = Poller()
    yield made
    made.close()


def say_gap(missed: int) -> bytes:
    return b"missed %d\n" % missed


@contextmanager
def outlet_to(poller: Poller, writer: int, patience: float = 0) -> Iterator[Outlet]:
    outlet = Outlet(poller, writer, say_gap)
    os.close(writer)
    try:
        yield outlet
    finally:
        outlet.close(patience)


def drain(poller: Poller, reader: int) -> bytes:
    """All that comes until nothing more does."""
    os.set_blocking(reader, False)
    data = b""
    while True:
        try:
            piece = os.read(reader, 1 << 20)
        except BlockingIOError:
            if not poller.dispatch():
                return data
        else:
            data += piece
            if not piece:
                return data


def ends(kind: str) -> tuple[int, int]:
    """A reader and a writer that blocks, as others have made it."""
    if kind == "pipe":
        return os.pipe()
    if kind == "terminal":
        return pty.openpty()
    reader, writer = socket.socketpair()
    return reader.detach(), writer.detach()


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_is_slow_gets_all_in_the_end(poller: Poller, kind: str) -> None:
    reader, writer = ends(kind)
    with outlet_to(poller, writer) as outlet:
        for _ in range(20):
            outlet.write(PIECE)
        outlet.write(b"")
        was_waiting = outlet.is_waiting
        assert drain(poller, reader) == 20 * PIECE
        assert (was_waiting, outlet.is_waiting) == (True, False)
        outlet.write(b"more\n")
        assert drain(poller, reader) == b"more\n"
    os.close(reader)


def test_a_terminal_that_nobody_reads_holds_nobody(poller: Poller) -> None:
    reader, writer = ends("terminal")
    with outlet_to(poller, writer) as outlet:
        for _ in range(20):
            outlet.write(PIECE)
        assert drain(poller, reader).replace(b"\r", b"") == 20 * PIECE
    os.close(reader)


def test_the_pipe_of_others_keeps_its_mode(poller: Poller) -> None:
    reader, writer = os.pipe()
    ours = os.dup(writer)
    with outlet_to(poller, ours) as outlet:
        outlet.write(b"x")
        assert os.get_blocking(writer)
    os.close(writer)
    os.close(reader)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_is_too_much_is_left_out_and_counted(poller: Poller, kind: str) -> None:
    reader, writer = ends(kind)
    with outlet_to(poller, writer) as outlet:
        taken = LIMIT // len(PIECE)
        for _ in range(taken + 100):
            outlet.write(PIECE)
        got = drain(poller, reader)
        whole = got.count(b"\n") // 4_096
        assert got == whole * PIECE + b"missed %d\n" % (taken + 100 - whole)
        assert whole >= taken
        outlet.write(b"again\n")
        assert drain(poller, reader) == b"again\n"
    os.close(reader)


def test_one_piece_may_be_larger_than_all_that_is_kept(poller: Poller) -> None:
    reader, writer = os.pipe()
    with outlet_to(poller, writer) as outlet:
        outlet.write(bytes(2 * LIMIT))
        outlet.write(b"not this")
        assert drain(poller, reader) == bytes(2 * LIMIT) + b"missed 1\n"
    os.close(reader)


def test_a_reader_that_went_away_is_not_missed(poller: Poller) -> None:
    reader, writer = os.pipe()
    with outlet_to(poller, writer, patience=60) as outlet:
        for _ in range(3):
            outlet.write(PIECE)
        os.close(reader)
        while poller.dispatch():
            pass
        outlet.write(PIECE)
        assert not poller.dispatch()


def test_a_reader_that_was_never_there_is_not_missed(poller: Poller) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with outlet_to(poller, writer, patience=60) as outlet:
        outlet.write(PIECE)
        assert not poller.dispatch()


def test_patience_with_the_reader_has_an_end(poller: Poller) -> None:
    reader, writer = os.pipe()
    with outlet_to(poller, writer, patience=0.01) as outlet:
        for _ in range(3):
            outlet.write(PIECE)
    assert drain(poller, reader) == PIECE
    os.close(reader)


def test_what_is_written_after_the_end_is_for_nobody(poller: Poller) -> None:
    reader, writer = os.pipe()
    with outlet_to(poller, writer) as outlet:
        outlet.write(b"one")
    outlet.write(b"two")
    assert os.read(reader, 100) == b"one"
    assert os.read(reader, 100) == b""
    os.close(reader)


def test_files_take_all_at_once(poller: Poller, tmp_path: Path) -> None:
    file = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    with outlet_to(poller, file) as outlet:
        outlet.write(PIECE)
        outlet.write(b"end")
    assert (tmp_path / "out").read_bytes() == PIECE + b"end"


def test_a_disk_that_fills_up_is_no_reason_to_stop(poller: Poller, tmp_path: Path) -> None:
    file = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with outlet_to(poller, file) as outlet:
            outlet.write(b"0123456789abcdef")
            outlet.write(b"more")
            assert not poller.dispatch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "out").read_bytes() == b"0123456789"
