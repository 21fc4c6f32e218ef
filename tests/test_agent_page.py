"""What the page for authors of agents shows is so: its example runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import runner
from tests.supervisor.harness import deadline

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "agent.md"
UNITS = {"clone": 'command = "true"', "server": 'type = "service"\nafter = ["clone"]\ncommand = "exec sleep 1000"'}


@pytest.mark.parametrize("library", ["trio", "asyncio"])
def test_the_example_runs_with_either_library(library: str, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if library == "asyncio":
        example = example.replace("trio.run(main)", "asyncio.run(main())").replace("trio", "asyncio")
    (tmp_path / "units").mkdir()
    for name, text in UNITS.items():
        (tmp_path / "units" / f"{name}.toml").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parents[1])}
    with deadline():
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "clone succeeded",
        "startup succeeded",
        "running: server",
        "exit status 143",
    ]
