"""Hold what ``plan --what-if`` says of the example workspace against what a run of it comes to.

``what_if.py WORKSPACE``: one that ``example.py`` has made. Run from the directory that holds units/.

Each round runs the example, asks what it would come to if the tests took longer, makes them take so long, and runs it again.
A machine that is busy for a moment spoils a round, so the median of them is what counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from example import environment, run, startup

ROUNDS = 3
UNIT = "app/test"
SECONDS = 4
"""Longer than all that goes on beside it, so that the startup has to wait for it."""
TOLERANCE = 0.1


def measure(workspace: str) -> float:
    """What was measured by what was predicted, in a copy of the units and with nothing remembered."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree("units", Path(directory, "units"))
        env = environment(workspace, directory)
        before = startup(run(env, directory)[0])["duration"]
        command = [sys.executable, "-m", "runner", "plan", "--units", "units", "--json", "--what-if", f"{UNIT}={SECONDS}s"]
        asked = json.loads(subprocess.run(command, env=env, cwd=directory, stdout=subprocess.PIPE, check=True).stdout)
        Path(directory, f"units/{UNIT}.toml").write_text(
            f'after = ["app/install"]\ncommand = ["sleep", "{SECONDS}"]\n', encoding="utf-8"
        )
        finished = startup(run(env, directory)[0])
    predicted, after = asked["after"]["total"], finished["duration"]
    print(f"{before:.2f} s; if {UNIT} took {SECONDS} s {predicted:.2f} s, measured {after:.2f} s: {after / predicted:.3f}")
    assert UNIT in finished["critical_path"], finished
    return float(after / predicted)


def main() -> int:
    """Measure, and fail with an AssertionError where what was said was further off than it may be."""
    workspace = os.path.abspath(sys.argv[1])  # noqa: PTH100
    ratio = median(measure(workspace) for _ in range(ROUNDS))
    print(f"measured / predicted: {ratio:.3f}")
    assert abs(ratio - 1) <= TOLERANCE, ratio
    return 0


if __name__ == "__main__":
    sys.exit(main())
