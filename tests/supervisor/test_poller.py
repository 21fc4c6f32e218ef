from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from runner.supervisor.poller import Poller


@pytest.fixture
def poller() -> Iterator[Poller]:
    made = Poller()
    yield made
    made.close()


@pytest.fixture
def pipes() -> Iterator[list[tuple[int, int]]]:
    made = [os.pipe() for _ in range(2)]
    yield made
    for pair in made:
        for fd in pair:
            os.close(fd)


def test_whoever_is_readable_is_called_until_removed(poller: Poller, pipes: list[tuple[int, int]]) -> None:
    (reader, writer), (other, _) = pipes
    called: list[str] = []
    poller.add(reader, lambda: called.append("first"))
    poller.add(other, lambda: called.append("second"))
    assert not poller.dispatch()
    os.write(writer, b"x")
    assert poller.dispatch()
    assert poller.dispatch()
    assert called == ["first", "first"]
    poller.remove(reader)
    assert not poller.dispatch()


def test_the_end_of_a_pipe_is_something_to_read(poller: Poller) -> None:
    reader, writer = os.pipe()
    called: list[bytes] = []
    poller.add(reader, lambda: called.append(os.read(reader, 1)))
    os.close(writer)
    assert poller.dispatch()
    assert called == [b""]
    poller.remove(reader)
    os.close(reader)


def test_a_full_pipe_can_be_waited_for(poller: Poller, pipes: list[tuple[int, int]]) -> None:
    (reader, writer), _ = pipes
    os.set_blocking(writer, False)
    size = os.write(writer, bytes(1 << 20))
    called: list[int] = []
    poller.add(writer, lambda: called.append(1), to_write=True)
    assert not poller.dispatch()
    os.read(reader, size)
    assert poller.dispatch()
    assert called == [1]


def test_it_can_itself_be_waited_for(poller: Poller, pipes: list[tuple[int, int]]) -> None:
    (reader, writer), _ = pipes
    poller.add(reader, lambda: None)
    assert select.select([poller], [], [], 0)[0] == []
    os.write(writer, b"x")
    assert select.select([poller], [], [], 0)[0] == [poller]


def test_whoever_was_removed_in_the_same_moment_is_not_called(poller: Poller, pipes: list[tuple[int, int]]) -> None:
    called: list[int] = []
    readers = [reader for reader, _ in pipes]

    def first_come(fd: int) -> None:
        called.append(fd)
        for reader in readers:
            poller.remove(reader)

    for reader, writer in pipes:
        poller.add(reader, lambda fd=reader: first_come(fd))  # type: ignore[misc]
        os.write(writer, b"x")
    assert poller.dispatch()
    assert len(called) == 1


def test_a_number_that_was_given_anew_in_the_same_moment_is_not_called(poller: Poller, pipes: list[tuple[int, int]]) -> None:
    """The kernel gives the lowest number that is free: that of a descriptor whose news still stand in the batch."""
    called: list[str] = []
    readers = [reader for reader, _ in pipes]
    silent, keep = os.pipe()

    def first_come() -> None:
        called.append("first")
        for reader in readers:
            poller.remove(reader)
            os.dup2(silent, reader)
            poller.add(reader, lambda: called.append("nobody wrote to this one"))

    for reader, writer in pipes:
        poller.add(reader, first_come)
        os.write(writer, b"x")
    assert poller.dispatch()
    assert not poller.dispatch()
    assert called == ["first"]
    os.close(silent)
    os.close(keep)


def test_a_batch_has_its_limit_and_nobody_is_forgotten(poller: Poller) -> None:
    pairs = [os.pipe() for _ in range(300)]
    called: set[int] = set()
    for reader, writer in pairs:
        poller.add(reader, lambda fd=reader: called.add(os.read(fd, 1)[0] * 0 + fd))  # type: ignore[misc]
        os.write(writer, b"x")
    while poller.dispatch():
        pass
    assert called == {reader for reader, _ in pairs}
    for pair in pairs:
        for fd in pair:
            os.close(fd)
