from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

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
