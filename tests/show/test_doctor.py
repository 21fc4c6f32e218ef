from __future__ import annotations

import json
from pathlib import Path

from runner.show.doctor import Finding, render_json, render_text
from tests.snapshot import assert_snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots"

FINDINGS = {
    "python": Finding("ok", "CPython 3.11.2, /usr/bin/python3"),
    "state directory": Finding(
        "problem",
        "/home/you/.local/state/runner/home-you-units-c963c60e on ext4: /home/you/.local cannot be written",
        'change who owns it, or name another with "--state DIR"',
    ),
    "coder": Finding("note", "a name that moves the cursor: \x1b[2J", "do not"),
}


def test_text() -> None:
    assert_snapshot(render_text(FINDINGS), SNAPSHOTS / "doctor.txt")


def test_nothing_is_wrong() -> None:
    assert render_text({"python": FINDINGS["python"]}).endswith("\n\nno problems, no notes\n")


def test_json() -> None:
    assert json.loads(render_json(FINDINGS))[0] == {
        "check": "python",
        "verdict": "ok",
        "what": "CPython 3.11.2, /usr/bin/python3",
        "hint": "",
    }
