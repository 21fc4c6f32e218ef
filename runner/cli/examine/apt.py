"""The locks of apt: who holds one now, so that whatever installs packages would fail or wait.

They are record locks (fcntl(2)). Who may open the file asks the kernel about it; who may not finds the file in the list of
all locks, by its inode alone: the device that stat(2) tells of a file is another one on overlays and in subvolumes.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from ...show.doctor import Finding

LOCKS = (
    Path("/var/lib/dpkg/lock-frontend"),
    Path("/var/lib/dpkg/lock"),
    Path("/var/lib/apt/lists/lock"),
)
_FLOCK = struct.Struct("hhqqi0q")
"""``struct flock``: type, whence, start, length, pid."""
_UNSEEN = 0
"""The pid of whoever cannot be seen from here."""


def examine_locks(locks: Sequence[Path] = LOCKS) -> Finding:
    """Who holds which lock."""
    there = [lock for lock in locks if lock.exists()]
    if not there:
        return Finding("ok", "there is no apt")
    held = {lock: pid for lock in there if (pid := find_holder(lock)) is not None}
    if not held:
        return Finding("ok", "nobody holds one")
    return Finding(
        "note",
        "; ".join(f"{_say_process(pid)} holds {lock}" for lock, pid in held.items()),
        'wait until it is done; units that install packages share a lock: locks = ["apt"]',
    )


def find_holder(lock: Path) -> int | None:
    """The pid of whoever holds a lock on a file; 0 where that cannot be seen from here, None where nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        return find_in_list(lock.stat().st_ino, Path("/proc/locks").read_text(encoding="ascii"))
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else max(pid, _UNSEEN)


def find_in_list(inode: int, locks: str) -> int | None:
    """The pid of whoever holds a record lock on the file with this inode, after proc_locks(5)."""
    for line in locks.splitlines():
        words = line.split()
        if "->" not in words and len(words) > 5 and words[1] == "POSIX" and words[5].rpartition(":")[2] == str(inode):
            return max(int(words[4]), _UNSEEN)
    return None


def _say_process(pid: int) -> str:
    if pid == _UNSEEN:
        return "a process outside of this container"
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f"process {pid}"
    return f'process {pid} ("{" ".join(words).strip()}")'
