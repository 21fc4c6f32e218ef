from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from msgspec.json import decode

from runner.cli import output
from runner.core.observed import StatusReported
from runner.core.stream import Gap, SnapshotTaken
from runner.supervisor.outlet import LIMIT
from tests.supervisor import sync_site
from tests.supervisor.harness import make
from tests.supervisor.served import RUNNER, environment_of, served

UNITS = {"a": 'command = "echo said by a"', "b": 'command = "exit 3"\nafter = ["a"]\noptional = true'}


def test_json_is_a_line_for_every_event() -> None:
    with served(units=UNITS) as there:
        assert there.run("sync", "wait", "a").returncode == 0
        there.run("sync", "want", "u", "a")
        there.run("sync", "complete", "u")
        there.process.send_signal(signal.SIGTERM)
        there.process.wait()
        there.reader.join()
    events = [there.began, *map(json.loads, there.lines)]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("run-started", "run-ended")
    assert [event["call"] for event in events if event["event"] == "sync"] == ["want", "complete"]
    assert events[0]["socket"] == there.socket


def test_what_a_slow_reader_of_json_has_missed_is_counted_and_made_good(monkeypatch: pytest.MonkeyPatch) -> None:
    with sync_site.served(make("a", "sleep 600")) as site:
        reader, writer = os.pipe()
        monkeypatch.setattr(output, "_STDOUT", writer)
        outlet = output.show_json(site.supervisor)
        os.close(writer)
        first = site.supervisor.seq + 1
        invocation = site.supervisor.invocations["a"].name
        for _ in range(2 * LIMIT // 10_000):
            site.supervisor.observe(StatusReported(at=0, unit="a", invocation=invocation, text="x" * 10_000))
        lines: list[bytes] = []
        rest = b""
        while not any(line.startswith(b'{"event":"snapshot"') for line in lines):
            *new, rest = (rest + os.read(reader, 65_536)).split(b"\n")
            lines += new
            site.settle()
        gap, taken = (decode(line, type=Gap | SnapshotTaken) for line in lines[-2:])
        assert isinstance(gap, Gap)
        assert isinstance(taken, SnapshotTaken)
        assert first + len(lines[:-2]) + gap.missed == taken.seq + 1
        assert taken.snapshot == site.supervisor.snapshot
        outlet.close(0)
        os.close(reader)


def up(tmp_path: Path, *options: str) -> str:
    (tmp_path / "units").mkdir()
    for name, text in UNITS.items():
        (tmp_path / "units" / f"{name}.toml").write_text(text)
    command = [*RUNNER, "up", "--units", str(tmp_path / "units"), *options]
    done = subprocess.run(command, env=environment_of(tmp_path), capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "runner").iterdir()) == []
    return done.stdout


def test_plain_is_a_line_for_every_change(tmp_path: Path) -> None:
    said = up(tmp_path, "--output", "plain")
    assert "  a  succeeded" in said
    assert "  b  failed" in said
    assert "said by a" not in said


def test_with_logs_it_is_also_what_units_say(tmp_path: Path) -> None:
    assert "said by a\n" in up(tmp_path, "--logs")
