"""What the page about values shows is so: its units are sound, and they run as it says."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from runner.core.values import Conflict
from runner.unitfile import load
from tests.end_to_end.command import Event, Workspace, read_until

PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "values.md").read_text(encoding="utf-8")
UNITS = dict(re.findall(r"`units/([\w/-]+)\.toml`:\n\n```toml\n(.*?)```", PAGE, re.DOTALL))
OF_FAILURE = {"build", "notify"}


def run(workspace: Workspace, names: set[str]) -> list[Event]:
    """The events of a run of these units up to the end of their startup."""
    for name in names:
        (workspace.root / "units" / name).parent.mkdir(exist_ok=True)
        workspace.write(**{name: UNITS[name]})
    found = load([workspace.root / "units"], {"HOME": "/home/you", "PATH": "/usr/bin:/bin"}).problems
    assert [problem for problem in found if "not on PATH" not in problem.what] == []
    with workspace.start("--output", "json", "--socket", f"{workspace.root}/s/runner.sock") as process:
        events = read_until(process, "startup-finished")
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert list((workspace.root / "s").iterdir()) == []
    return events


def test_a_value_goes_from_unit_to_unit(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    events = run(workspace, set(UNITS) - OF_FAILURE)
    assert {event["unit"]: event["gives"] for event in events if "gives" in event} == {"db/port": ["DB_PORT"], "web": ["WEB_URL"]}
    assert events[-1]["outcome"] == "succeeded", [event.get("reason") for event in events]
    assert workspace.log("app").read_text() == "connected\n"


def test_a_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat() as (address, messages):
        monkeypatch.setenv("CHAT_WEBHOOK", address)
        workspace = Workspace(tmp_path)
        events = run(workspace, OF_FAILURE)
    failed = next(event for event in events if event["event"] == "unit-ended" and event["unit"] == "build")
    (message,) = messages
    first, *lines = message["text"].splitlines()
    assert first == f"build failed: {failed['reason']}"
    assert lines == workspace.log("build").read_text().splitlines()[-10:]
    assert lines


@contextmanager
def chat() -> Iterator[tuple[str, list[Any]]]:
    """An address that takes messages, and those that it has taken."""
    messages: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", messages
        finally:
            server.shutdown()
            thread.join()


def test_the_text_of_a_conflict_is_that_of_the_page() -> None:
    assert f"```text\n{Conflict('DB_PORT', ('cache/port', 'db/port'))}\n```" in PAGE
