"""What ``runner plan --what-if`` says, held against what a real run comes to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .command import RUNNER, Workspace, parse


def plan(workspace: Workspace, *options: str) -> Any:
    command = [*RUNNER, "plan", "--units", str(workspace.root / "units"), "--state", str(workspace.state), "--json", *options]
    done = subprocess.run(command, env=workspace.environment(), cwd=workspace.root, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def startup(workspace: Workspace, *options: str) -> Any:
    """How the startup went."""
    done = workspace.run("--output", "json", *options)
    assert done.returncode == 0, done.stderr
    (finished,) = [event for event in parse(done.stdout) if event["event"] == "startup-finished"]
    return finished


@pytest.mark.parametrize(
    ("jobs", "least"), [([], (1.4, 0.8)), (["--jobs", "1"], (2.1, 1.4))], ids=["all at once", "one at a time"]
)
def test_a_question_is_answered_as_a_real_run_answers_it(jobs: list[str], least: tuple[float, float], tmp_path: Path) -> None:
    """``least`` is what the programs take alone, before and after. What else a run takes is measured elsewhere."""
    workspace = Workspace(tmp_path)
    workspace.write(
        first="command = ['sleep', '0.2']",
        slow="command = ['sleep', '1.0']\nafter = ['first']",
        other="command = ['sleep', '0.4']\nafter = ['first']\nlocks = ['apt']",
        third="command = ['sleep', '0.3']\nafter = ['first']\nlocks = ['apt']",
        last="command = ['sleep', '0.2']\nafter = ['slow', 'other']",
    )
    assert plan(workspace)["outlook"]["is_known"] is False
    before = startup(workspace, *jobs)
    asked = plan(workspace, *jobs, "--what-if", "slow=300ms")
    assert least[0] <= asked["before"]["total"] <= before["duration"]
    workspace.write(slow="command = ['sleep', '0.3']\nafter = ['first']")
    after = startup(workspace, *jobs)
    assert after["duration"] >= least[1]
    assert least[1] <= asked["after"]["total"] < asked["before"]["total"]
    if not jobs:
        assert [link["unit"] for link in asked["before"]["critical_path"]] == before["critical_path"] == ["first", "slow", "last"]
        assert [link["unit"] for link in asked["after"]["critical_path"]] == after["critical_path"]
