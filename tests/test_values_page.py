"""What the page about values shows is so: its units are sound, and they run as it says."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

from runner.core.values import Conflict
from runner.unitfile import load
from tests.end_to_end.command import Event, Workspace, read_until

PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "values.md").read_text(encoding="utf-8")
UNITS = re.findall(r"`units/([\w/-]+)\.toml`:\n\n```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_units_run_as_the_page_says(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name, text in UNITS:
        (tmp_path / "units" / name).parent.mkdir(exist_ok=True)
        workspace.write(**{name: text})
    assert load([tmp_path / "units"], {"HOME": "/home/you", "PATH": "/usr/bin:/bin"}).problems == []
    with workspace.start("--output", "json", "--socket", f"{tmp_path}/s/runner.sock") as process:
        events = read_until(process, "startup-finished")
        process.send_signal(signal.SIGTERM)
        process.wait()
    gives = {event["unit"]: event["gives"] for event in events if "gives" in event}
    assert gives == {"db/port": ["DB_PORT"], "web": ["WEB_URL"]}
    assert events[-1]["outcome"] == "succeeded", ended(events)
    assert workspace.log("app").read_text() == "connected\n"
    assert list((tmp_path / "s").iterdir()) == []


def ended(events: list[Event]) -> dict[str, Any]:
    """Why each unit ended."""
    return {event["unit"]: event["reason"] for event in events if event["event"] == "unit-ended"}


def test_the_text_of_a_conflict_is_that_of_the_page() -> None:
    assert f"```text\n{Conflict('DB_PORT', ('cache/port', 'db/port'))}\n```" in PAGE
