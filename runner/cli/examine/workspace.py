"""The workspace: its unit files, and the directory in which its runs are remembered."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...core.words import say_count, say_size
from ...show.doctor import Finding
from ...unitfile import Loaded

_LITTLE_SPACE = 100_000_000
"""Bytes, of which logs can make use in an hour."""
_VOLATILE = {"tmpfs", "ramfs"}
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.s3fs", "virtiofs"}


def examine_units(loaded: Loaded, directories: Sequence[Path]) -> Finding:
    """Whether the unit files can be used."""
    where = ", ".join(map(str, directories))
    count = say_count(len(loaded.files), "unit")
    hint = f'see them: "runner check {" ".join(f"--units {directory}" for directory in directories)}"'
    if loaded.errors:
        return Finding("problem", f"{say_count(len(loaded.errors), 'error')} in {where}", hint)
    if loaded.warnings:
        return Finding("note", f"{count} in {where}, {say_count(len(loaded.warnings), 'warning')}", hint)
    return Finding("ok", f"{count} in {where}")


def examine_state(root: str, mounts: str | None = None) -> Finding:
    """Whether the state directory can be written, now or when it is made, and whether it will last."""
    if mounts is None:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    place = _nearest(Path(root))
    kind = _kind_of(place, mounts)
    said = f"{root} on {kind}" if kind else root
    elsewhere = 'name another with "--state DIR"'
    if not place.is_dir():
        return Finding("problem", f"{said}: {place} is no directory", elsewhere)
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding("problem", f"{said}: {place} cannot be written", f"change who owns it, or {elsewhere}")
    return _judge_space(said, kind, os.statvfs(place), elsewhere)


def _judge_space(said: str, kind: str, space: os.statvfs_result, elsewhere: str) -> Finding:
    free = space.f_bavail * space.f_frsize
    said += f", {say_size(free)} free"
    if not free or (space.f_files and not space.f_favail):
        return Finding("problem", f"{said}: it is full, so logs and history are lost", "make room")
    if free < _LITTLE_SPACE:
        return Finding("note", said, "make room, or logs and history will be lost")
    if kind in _VOLATILE:
        return Finding("note", said, f"history does not outlast the machine's next start there; {elsewhere}")
    if kind in _REMOTE:
        return Finding("note", said, f"a file system over the network is slow and may stall; {elsewhere}")
    return Finding("ok", said)


def _nearest(path: Path) -> Path:
    """The path itself or the nearest above it that exists."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def _kind_of(place: Path, mounts: str) -> str:
    """What kind of file system a place is on; of the mounts above it, the nearest, and of those on one point the last."""
    target = os.path.realpath(place)
    points = _mount_points(mounts)
    above = [point for point in points if target == point or target.startswith(f"{point.rstrip('/')}/")]
    return points[max(above, key=len)] if above else ""


def _mount_points(mounts: str) -> Mapping[str, str]:
    """Where file systems of which kind are, after proc_pid_mountinfo(5)."""
    found = {}
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        if separator:
            point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split()[4])
            found[point] = after.split()[0]
    return found
