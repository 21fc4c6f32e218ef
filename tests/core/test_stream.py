from __future__ import annotations

from msgspec.json import decode, encode

from runner.core.event import RunStarted
from runner.core.snapshot import fold
from runner.core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote


def test_what_a_watcher_gets_can_be_written_down_and_read() -> None:
    begun = RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",))
    stream = [
        SnapshotTaken(at=1.0, begun_at=1e9, seq=1, snapshot=fold([begun])),
        begun,
        Gap(at=2.0, missed=3),
        UnitWrote(at=3.0, unit="a", lines=("x",)),
    ]
    assert [decode(encode(one), type=StreamEvent) for one in stream] == stream
    assert encode(stream[2]) == b'{"event":"gap","elapsed":2.0,"missed":3}'
