"""Asked why, a supervisor and a journal give the answer that a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from .command import RUNNER, Workspace, read_until


class Asked(Workspace):
    """A workspace with a socket of its own."""

    def why(self, *arguments: str) -> str:
        command = [*RUNNER, "why", "--units", str(self.root / "units"), "--state", str(self.state), *arguments]
        done = subprocess.run(command, env=self.environment(), cwd=self.root, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "RUNNER_SOCKET": str(self.root / "s")}


@pytest.fixture
def workspace(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_while_it_runs_and_after_it(workspace: Asked) -> None:
    os.mkfifo(workspace.root / "gate")
    workspace.write(
        home='command = ["true"]',
        base='command = ["sh", "-c", "read line < gate"]\nlocks = ["apt"]',
        tools='command = ["true"]\nafter = ["home"]\nlocks = ["apt"]',
        editor='command = ["true"]\nafter = ["tools"]',
        secrets='type = "external"',
    )
    with workspace.start("--output", "json") as process:
        read_until(process, "unit-ended", "home")
        read_until(process, "unit-waiting", "tools")
        answer, chain, hint = workspace.why("editor").split("\n\n")
        assert answer.startswith('editor waits, through tools, for lock "apt", which base has; base has been\nrunning for ')
        assert [line.split()[0] for line in chain.splitlines()] == ["editor", "tools", "base"]
        assert hint == 'hint: see what base wrote: "runner logs base"\n'
        assert "waits for its script to call start" in workspace.why("secrets")
        data = json.loads(workspace.why("--json", "tools"))
        assert data["chain"][0]["hold"]["lock"] == "apt"
        (workspace.root / "gate").write_text("go\n")
        read_until(process, "unit-ended", "editor")
        process.send_signal(signal.SIGTERM)
        process.communicate()
    answer, chain, note, _ = workspace.why("editor").split("\n\n")
    assert "as soon as tools had succeeded" in answer.replace("\n", " ")
    assert 'for lock "apt", which base had' in " ".join(chain.split())
    assert note.replace("\n", " ").startswith(f"This is about run {workspace.journals()[-1].stem}, which is over: it ended at ")
    assert "secrets was cancelled before it started: stopped by SIGTERM." in workspace.why("secrets").replace("\n", " ")


def test_what_failed(workspace: Asked) -> None:
    workspace.write(
        build='command = ["sh", "-c", "echo no; exit 3"]\nretry = { attempts = 2, delay = "1ms" }',
        test='command = ["true"]\nafter = ["build"]',
        deploy='command = ["true"]\nafter = ["test"]',
    )
    assert workspace.run().returncode == 1
    answer, _, _, hint = workspace.why("deploy").split("\n\n")
    assert answer.replace("\n", " ") == (
        "deploy was skipped because build, which it needs through test, failed after 2 attempts: exit status 3."
    )
    assert hint == 'hint: see what build wrote: "runner logs build"\n'
