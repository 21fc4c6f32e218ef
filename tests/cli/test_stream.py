from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.json import encode

from runner.cli.stream import read_recording
from runner.core.event import RunEnded, RunStarted, UnitEnded, UnitReady, UnitStarting
from runner.core.snapshot import fold
from runner.core.stream import Gap, SnapshotTaken, UnitWrote
from runner.errors import UsageError
from runner.supervisor.journal import Lines

BEGAN = RunStarted(at=0.5, run="r", version="0", pid=1, units=("a",))
STARTING = UnitStarting(at=1, unit="a", invocation="i", attempt=1)
ENDED = UnitEnded(at=2, unit="a", outcome="succeeded", reason="")
TAKEN = SnapshotTaken(at=1.5, begun_at=1000.0, seq=2, snapshot=fold([BEGAN, STARTING]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recorded.jsonl"


def test_a_journal_is_a_recording(file: Path) -> None:
    file.write_bytes(Lines(1000.0).encode([BEGAN, STARTING, ENDED]))
    recording = read_recording(file)
    assert recording.events == (BEGAN, STARTING, ENDED)
    assert recording.begun_at == 1000.0
    assert recording.complaints == ()


def test_a_stream_is_a_recording_whose_snapshots_are_as_they_were(file: Path) -> None:
    events = (TAKEN, UnitWrote(at=1.6, unit="a", lines=("x",)), ENDED, Gap(at=3, missed=2), TAKEN)
    file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    recording = read_recording(file)
    assert recording.events == events
    assert recording.begun_at == 1000.0


def test_a_run_without_the_wall_clock_has_its_events_all_the_same(file: Path) -> None:
    file.write_bytes(encode(BEGAN))
    assert read_recording(file).begun_at == 0


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"seq":3,"at":"2026-01-05T09:00', "line 2: Input data was truncated"),
        (
            encode(RunStarted(at=3, run="s", version="0", pid=1, units=())),
            "line 2: another run begins, and there can be only one",
        ),
    ],
)
def test_a_line_that_is_bad_is_told_with_its_number(file: Path, line: bytes, complaint: str) -> None:
    file.write_bytes(encode(BEGAN) + b"\n" + line + b"\n" + encode(RunEnded(at=9, outcome="succeeded", duration=9)))
    recording = read_recording(file)
    assert [type(event) for event in recording.events] == [RunStarted, RunEnded]
    assert recording.complaints == (complaint,)


def test_an_event_that_cannot_follow_is_told(file: Path) -> None:
    file.write_bytes(b"\n".join(map(encode, (BEGAN, ENDED, UnitReady(at=3, unit="a", after=1)))))
    recording = read_recording(file)
    assert [complaint.partition(":")[0] for complaint in recording.complaints] == ["line 3"]


def test_what_is_declared_must_be_there(file: Path) -> None:
    began = b'{"event":"run-started","elapsed":0,"run":"r","version":"0","pid":1,"units":["a"],"declared":[{"unit":"b"}]}'
    file.write_bytes(began)
    with pytest.raises(UsageError, match="line 1: there is no unit 'b'"):
        read_recording(file)


def test_what_comes_before_the_beginning_is_told(file: Path) -> None:
    file.write_bytes(encode(STARTING) + b"\n" + encode(BEGAN))
    assert read_recording(file).complaints == ("line 1: no run has begun before it",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"text\n", "line 1: "),
        (encode(STARTING), "line 1: no run has begun before it"),
    ],
)
def test_a_file_without_a_run_is_refused(file: Path, data: bytes, why: str) -> None:
    file.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_recording(file)
    assert caught.value.what.startswith(f'cannot find a run in "{file}": {why}')


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'cannot read ".*nowhere": No such file or directory'):
        read_recording(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="Is a directory"):
        read_recording(tmp_path)
