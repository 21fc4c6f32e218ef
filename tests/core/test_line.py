from __future__ import annotations

import pytest
from msgspec import DecodeError
from msgspec.json import encode

from runner.core.event import RunStarted, UnitStarting
from runner.core.line import parse_event, sensible_beginning
from runner.core.snapshot import fold
from runner.core.stream import SnapshotTaken

BEGAN = RunStarted(at=0.5, run="r", version="0", pid=1, units=("a",))
STARTING = UnitStarting(at=1, unit="a", invocation="i", attempt=1)
TAKEN = SnapshotTaken(at=1.5, begun_at=1000.0, seq=2, snapshot=fold([BEGAN, STARTING]))


def test_a_line_is_its_event_with_or_without_its_number() -> None:
    line = b'{"seq":2,"at":"2026-01-01T00:00:00.000000Z",' + encode(STARTING)[1:]
    assert parse_event(line) == parse_event(encode(STARTING)) == STARTING
    assert parse_event(encode(TAKEN)) == TAKEN


def test_what_a_later_version_says_is_passed_over() -> None:
    assert parse_event(b'{"event":"unit-sang","elapsed":1,"unit":"a"}') is None


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"elapsed":1}', b'{"event":"gap","elapsed":1}', b"\xff"])
def test_what_is_no_event_is_an_error(line: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_event(line)


def test_a_beginning_that_no_calendar_can_tell_becomes_one_that_it_can() -> None:
    assert [sensible_beginning(at) for at in (-6e10, 1.7e9, 2.6e11)] == [0.0, 1.7e9, 32_503_680_000.0]
