from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from runner.cli.examine.machine import (
    examine_coder,
    examine_control_groups,
    examine_files,
    examine_inotify,
    examine_packages,
    examine_processes,
    examine_python,
)
from runner.supervisor.cgroup import find_home
from runner.supervisor.stand_in import make_stand_in
from tests.supervisor.harness import needs_groups


def test_python_has_to_be_recent() -> None:
    assert examine_python().verdict == "ok"
    old = examine_python((3, 10, 4))
    assert old.verdict == "problem"
    assert "3.10.4" in old.what
    assert old.hint == "install Python 3.11 or later"


def test_the_packages_are_there() -> None:
    found = examine_packages()
    assert found.verdict == "ok"
    assert "trio " in found.what


def test_packages_that_are_missing_or_old() -> None:
    found = examine_packages(["trio>=999.1", "no-such-package>=1", 'mypy>=1.0; extra == "test"'])
    assert found.verdict == "problem"
    assert found.what.endswith(", no-such-package is missing")
    assert sys.executable in found.hint


def program(directory: Path, text: str) -> dict[str, str]:
    file = directory / "coder"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return {"PATH": f"{directory}:/usr/bin:/bin"}


def test_no_coder(tmp_path: Path) -> None:
    found = examine_coder({"PATH": str(tmp_path)}, 10)
    assert found.verdict == "ok"
    assert found.what.startswith("there is none on PATH")


def test_a_coder_tells_its_version(tmp_path: Path) -> None:
    found = examine_coder(program(tmp_path, 'echo "Coder v2.30.1 $1"; echo more'), 10)
    assert (found.verdict, found.what) == ("ok", f"{tmp_path}/coder: Coder v2.30.1 version")


def test_a_coder_that_fails(tmp_path: Path) -> None:
    found = examine_coder(program(tmp_path, "echo broken >&2; exit 3"), 10)
    assert (found.verdict, found.what) == ("problem", f'"{tmp_path}/coder version" ends with exit status 3: broken')


def test_a_coder_that_cannot_be_executed(tmp_path: Path) -> None:
    environment = program(tmp_path, "")
    (tmp_path / "coder").write_bytes(b"\x7fELF nonsense")
    assert examine_coder(environment, 10).verdict == "problem"


def test_a_coder_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    found = examine_coder(program(tmp_path, "sleep 1000 & wait"), 0.05)
    assert found.verdict == "problem"
    assert found.what == f"{tmp_path}/coder does not tell its version within 50 ms"


def test_our_own_stand_in_is_known(tmp_path: Path) -> None:
    make_stand_in(str(tmp_path / "bin"))
    found = examine_coder({"PATH": str(tmp_path / "bin")}, 10)
    assert found.verdict == "ok"
    assert "is the stand-in" in found.what


def test_files_have_to_suffice() -> None:
    assert examine_files(3, 100).verdict == "ok"
    assert examine_files(3, resource.RLIM_INFINITY).what == "no limit"
    assert examine_files(100, 100).hint == 'raise the limit: "ulimit -Hn 264"'
    assert examine_files(1).verdict == "ok"


def system(root: Path, **files: str) -> Path:
    for name, text in {"proc/self/cgroup": "0::/a/b\n", **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.mark.parametrize(("most", "verdict"), [("max", "ok"), ("1000", "ok"), ("150", "problem")])
def test_processes_have_to_be_allowed(most: str, verdict: str, tmp_path: Path) -> None:
    group = "sys/fs/cgroup/a/b"
    system(tmp_path, **{f"{group}/pids.max": f"{most}\n", f"{group}/pids.current": "60\n"})
    assert examine_processes(tmp_path).verdict == verdict


def test_a_control_group_that_cannot_be_seen(tmp_path: Path) -> None:
    system(tmp_path, **{"sys/fs/cgroup/pids.max": "20", "sys/fs/cgroup/pids.current": "3"})
    assert examine_processes(tmp_path).what == "3 of at most 20 in this control group"


@pytest.mark.parametrize(("instances", "verdict"), [("128", "ok"), ("2", "note")])
def test_inotify_has_limits(instances: str, verdict: str, tmp_path: Path) -> None:
    limits = "proc/sys/fs/inotify"
    system(tmp_path, **{f"{limits}/max_user_instances": instances, f"{limits}/max_user_watches": "8192"})
    assert examine_inotify(tmp_path).verdict == verdict


def test_inotify_may_be_missing(tmp_path: Path) -> None:
    assert examine_inotify(tmp_path).verdict == "note"


def test_there_may_be_no_control_groups() -> None:
    found = examine_control_groups("")
    assert found.verdict == "ok"
    assert found.what.startswith("no control groups of version 2 can be seen: a daemon that leaves")


def test_control_groups_may_not_be_writable(tmp_path: Path) -> None:
    assert examine_control_groups(str(tmp_path)).what.startswith(f"cannot make any below {tmp_path}: No such file")


@needs_groups
def test_control_groups_are_made_and_removed() -> None:
    assert examine_control_groups().what.startswith("units get their own")
    assert not list(Path(find_home()).glob("runner-doctor*"))
