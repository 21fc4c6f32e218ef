"""The machine: Python and its packages, the program ``coder``, and the limits of the system."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ...core.words import say_count, say_duration
from ...show.doctor import Finding
from ...supervisor.cgroup import ControlGroups
from ...supervisor.stand_in import is_stand_in

_OLDEST = (3, 11)
_DISTRIBUTION = "unit-runner"
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\d.]+)$")
_FILES_OF_A_UNIT = 2
"""Descriptors that a running unit takes."""
_FILES_BESIDE = 64
_FEW_PROCESSES = 100
_FEW_INSTANCES = 16


def examine_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether Python is recent enough."""
    said = f"{platform.python_implementation()} {'.'.join(map(str, version))}, {sys.executable}"
    if version < _OLDEST:
        return Finding("problem", said, f"install Python {'.'.join(map(str, _OLDEST))} or later")
    return Finding("ok", said)


def examine_packages(requirements: list[str] | None = None) -> Finding:
    """Whether all packages that the runner needs are there, in versions that it can use."""
    if requirements is None:
        try:
            requirements = importlib.metadata.requires(_DISTRIBUTION) or []
        except importlib.metadata.PackageNotFoundError:
            return Finding("note", f"{_DISTRIBUTION} is not installed but run from its source, so what it needs is not known")
    needed = [match for match in map(_REQUIREMENT.match, requirements) if match]
    there = {match["name"]: _version(match["name"]) for match in needed}
    wrong = [
        f"{match['name']} {there[match['name']] or 'is missing'}"
        for match in needed
        if _numbers(there[match["name"]]) < _numbers(match["version"])
    ]
    if wrong:
        return Finding("problem", ", ".join(wrong), f'get what is needed: "{sys.executable} -m pip install {_DISTRIBUTION}"')
    return Finding("ok", ", ".join(f"{name} {version}" for name, version in there.items()))


def _version(name: str) -> str:
    """The version of a package; empty where it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def examine_coder(environment: Mapping[str, str], timeout: float) -> Finding:
    """Whether there is a ``coder``, and which."""
    program = shutil.which("coder", path=environment.get("PATH", os.defpath))
    if program is None:
        return Finding("ok", 'there is none on PATH: units get a stand-in that knows "coder exp sync" and nothing else')
    if is_stand_in(program):
        return Finding("ok", f'{program} is the stand-in for units, which knows "coder exp sync"')
    said = _ask(program, timeout)
    if said is None:
        return Finding(
            "problem",
            f"{program} does not tell its version within {say_duration(timeout)}",
            f'scripts that call it will wait too; see what "{program} version" does',
        )
    status, words = said
    if status != 0:
        return Finding("problem", f'"{program} version" ends with exit status {status}: {words}', "install it anew")
    return Finding("ok", f"{program}: {words or 'it does not tell its version'}")


def _ask(program: str, timeout: float) -> tuple[int, str] | None:
    """How ``coder version`` ends and the first line that it writes; None where it takes too long."""
    try:
        process = subprocess.Popen(
            [program, "version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return 126, error.strerror or str(error)
    with process:
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return None
    return process.returncode, (out.decode(errors="replace").splitlines() or [""])[0].strip()


def examine_files(units: int, limit: int | None = None) -> Finding:
    """Whether so many units can run at a time, as far as open files are concerned."""
    if limit is None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = _FILES_BESIDE + _FILES_OF_A_UNIT * units
    if limit == resource.RLIM_INFINITY:
        return Finding("ok", "no limit")
    if limit < needed:
        return Finding(
            "problem", f"at most {limit}; {say_count(units, 'unit')} may need {needed}", f'raise the limit: "ulimit -Hn {needed}"'
        )
    return Finding("ok", f"at most {limit}; {say_count(units, 'unit')} may need {needed}")


def examine_processes(root: Path = Path("/")) -> Finding:
    """Whether many more processes can be started in this control group."""
    group = _control_group(root)
    most = _read(group / "pids.max")
    if not most.isdecimal():
        return Finding("ok", "no limit in this control group")
    now = _read(group / "pids.current")
    left = int(most) - int(now if now.isdecimal() else 0)
    said = f"{now or 'some'} of at most {most} in this control group"
    if left < _FEW_PROCESSES:
        return Finding("problem", said, "raise the limit of the container (pids), or end what is not needed")
    return Finding("ok", said)


def examine_inotify(root: Path = Path("/")) -> Finding:
    """Whether files can be waited for without looking again and again."""
    limits = root / "proc/sys/fs/inotify"
    instances, watches = (_read(limits / f"max_user_{what}") for what in ("instances", "watches"))
    if not instances.isdecimal() or not watches.isdecimal():
        return Finding("note", "not there: readiness of files is looked for once in a while instead")
    said = f"{instances} instances and {watches} watches for each user"
    if int(instances) < _FEW_INSTANCES or int(watches) < _FEW_INSTANCES:
        return Finding("note", said, "editors and servers need more: raise fs.inotify.max_user_* with sysctl on the host")
    return Finding("ok", said)


def examine_control_groups(home: str | None = None) -> Finding:
    """Whether each unit can have a control group of its own, by which a daemon that hides is known to be the unit's.

    ``home`` is the directory of our own group, by default where it is found.
    """
    groups = ControlGroups(f"doctor-{os.getpid()}", home)
    groups.get_ready()
    groups.close()
    if groups.why_not:
        what = f"{groups.why_not}: a daemon that leaves session, environment and parent is ended with the run, not with its unit"
        return Finding("ok", what)
    return Finding("ok", "units get their own, so what they start is ended with them, however it hides")


def _control_group(root: Path) -> Path:
    """The directory of this process's control group of version 2, as far as it can be seen from here."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        if line.startswith("0::"):
            group = root / "sys/fs/cgroup" / line.removeprefix("0::").strip("/")
            if group.is_dir():
                return group
    return root / "sys/fs/cgroup"


def _read(file: Path) -> str:
    """What a file of the kernel says; empty where it is not there."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
