"""The life of a prebuilt workspace, in containers of mount and process namespaces, as the how-to page tells it.

The page's own unit files are run. Each container has a root of its own, an overlay over that of this machine, and the same
home volume; its first process is what tells one start of it from another.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import runner
from tests.snapshot import assert_snapshot
from tests.supervisor.harness import deadline

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "prebuild.md"
_UNIT = re.compile(r"```toml\n# (units/\S+)\n(.*?)```", re.DOTALL)
_STORY = re.compile(r"(?<=<!-- story -->\n).*(?=<!-- /story -->)", re.DOTALL)

PHASES = {"prebuild": "prebuilds", "claim": "ann", "restart": "ann", "image": "ann"}
"""Each `up`, and the owner of the workspace then."""
TITLES = ("unit", "prebuilt", "claimed", "restarted", "another image")
MAKE_ROOT = """
set -eu
mkdir -p "$1/upper" "$1/work" "$1/top"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/top"
mkdir -p "$1/top/home/ann"
mount --bind "$2" "$1/top/home/ann"
mount -t proc proc "$1/top/proc"
mount --rbind /dev "$1/top/dev"
rm -f "$1/top/etc/machine-id"
"""
"""Makes the root of the container $1, with the home volume $2."""


def run_container(image: Path, home: Path, *phases: str) -> None:
    """One start of a container, in which the startup is run once for each phase. Its first process is a shell, as often."""
    ups = "".join(
        f'chroot "$1/top" /usr/bin/env HOME=/home/ann CODER_WORKSPACE_OWNER_NAME={PHASES[phase]} XDG_RUNTIME_DIR=/home/ann/run '
        f'"$3" -m runner up --units /home/ann/units --output json > "$2/{phase}.jsonl"\n'
        for phase in phases
    )
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", MAKE_ROOT + ups, "sh"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNNER_", "XDG_"))}
    environment = {**kept, "PYTHONPATH": str(Path(runner.__file__).parents[1])}
    with deadline():
        done = subprocess.run(
            [*unshare, str(image), str(home), sys.executable], env=environment, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")


def can_make_containers(directory: Path) -> bool:
    """Whether this user may mount an overlay over the root directory."""
    probe = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", MAKE_ROOT, "sh"]
    (directory / "home").mkdir()
    done = subprocess.run([*probe, str(directory / "probe"), str(directory / "home")], capture_output=True, check=False)
    return done.returncode == 0


def outcomes(home: Path, phase: str) -> dict[str, str]:
    """What became of each unit in a phase."""
    events = [json.loads(line) for line in (home / f"{phase}.jsonl").read_text().splitlines()]
    return {event["unit"]: event["outcome"] for event in events if event["event"] == "unit-ended"}


def tell_story(home: Path, units: list[str]) -> str:
    """The table of the page."""
    columns = [outcomes(home, phase) for phase in PHASES]
    words = {"succeeded": "**ran**", "unneeded": "unneeded"}
    rows = [TITLES, tuple("---" for _ in TITLES)]
    rows += [(f"`{unit}`", *(words[column[unit]] for column in columns)) for unit in units]
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"


def test_the_story_of_a_prebuilt_workspace(tmp_path: Path) -> None:
    if not can_make_containers(tmp_path):
        pytest.skip("no overlay can be mounted here")
    home = tmp_path / "volume"
    (home / "units").mkdir(parents=True)
    page = PAGE.read_text(encoding="utf-8")
    files = dict(_UNIT.findall(page))
    for name, text in files.items():
        (home / name).write_text(text)
    run_container(tmp_path / "first", home, "prebuild", "claim")
    run_container(tmp_path / "first", home, "restart")
    run_container(tmp_path / "second", home, "image")
    told = _STORY.sub(lambda _: tell_story(home, [Path(name).stem for name in files]), page)
    assert_snapshot(told, PAGE)
