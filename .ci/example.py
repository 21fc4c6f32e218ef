"""Run the example workspace as its README says, from nothing and once more, and hold both runs against what they must come to.

``example.py WORKSPACE``: a directory that is not there yet. Run from the directory that holds units/. Each run is ended with
SIGTERM when its startup is finished.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MADE_ONCE = {"app/venv", "app/install"}
"""What the second run need not make again."""
SUCCEEDED = {
    *("workspace", "app/clone", "app/test", "report"),
    *("legacy/tools", "legacy/agent", "legacy/dotfiles", "install-tools", "extras/cold"),
}
BY_DESIGN = "extras/warm-cache"
ADDRESS = ("127.0.0.1", 27182)


def environment(workspace: str, state: str) -> dict[str, str]:
    """Where the example is made, and where runs of it are remembered."""
    return {**os.environ, "WORKSPACE": workspace, "XDG_STATE_HOME": state, "XDG_RUNTIME_DIR": state}


def run(env: dict[str, str], directory: str = ".") -> tuple[list[dict[str, Any]], int]:
    """All events of one run of units/ in a directory, stopped when its startup is finished, and its exit status."""
    command = [sys.executable, "-m", "runner", "up", "--units", "units", "--output", "json"]
    events = []
    with subprocess.Popen(command, env=env, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as up:
        assert up.stdout is not None
        for line in up.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "startup-finished":
                socket.create_connection(ADDRESS, timeout=5).close()
                up.send_signal(signal.SIGTERM)
    return events, up.returncode


def startup(events: list[dict[str, Any]]) -> dict[str, Any]:
    """How the startup went."""
    return next(event for event in events if event["event"] == "startup-finished")


def check(workspace: str, state: str, *, is_first: bool) -> None:
    """Run it, print its report, and fail with an AssertionError where it came to anything else than it must."""
    events, exit_status = run(environment(workspace, state))
    ended = {event["unit"]: event["outcome"] for event in events if event["event"] == "unit-ended"}
    finished = startup(events)
    print(Path(workspace, "report.txt").read_text(encoding="utf-8").rstrip())
    unneeded = sorted(unit for unit, outcome in ended.items() if outcome == "unneeded")
    print(f"startup {finished['outcome']} in {finished['duration']:.1f} s, exit status {exit_status}, unneeded: {unneeded}")
    assert {unit for unit, outcome in ended.items() if outcome == "succeeded"} >= SUCCEEDED, ended
    assert {ended[unit] for unit in MADE_ONCE} == {"succeeded" if is_first else "unneeded"}, ended
    assert ended[BY_DESIGN] == "failed", ended
    assert finished["outcome"] == "succeeded", finished
    assert exit_status == 128 + signal.SIGTERM, exit_status
    with socket.socket() as probe:
        assert probe.connect_ex(ADDRESS) != 0, f"somebody still listens on {ADDRESS}"


def main() -> int:
    """Run it twice in a workspace that is not there yet."""
    workspace = sys.argv[1]
    assert not Path(workspace).exists(), f"{workspace} is there already"
    with tempfile.TemporaryDirectory() as state:
        check(workspace, state, is_first=True)
        check(workspace, state, is_first=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
