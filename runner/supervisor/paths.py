"""Where a supervisor keeps its files: logs and journals in the state directory, sockets in the runtime directory."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from msgspec import Struct


class StatePaths(Struct, frozen=True):
    """The state directory and what is where in it. Nothing is made here: whoever writes a file makes its directory."""

    root: str

    def log(self, unit: str) -> str:
        """The log file of a unit that names none itself."""
        return f"{self.root}/logs/{unit}.log"

    @property
    def journals(self) -> str:
        """The directory of the journals, one a run."""
        return f"{self.root}/journal"

    @property
    def memories(self) -> str:
        """The directory of what is remembered of units, by unit."""
        return f"{self.root}/memories"

    @property
    def supervisor_log(self) -> str:
        """What a supervisor that has detached itself says."""
        return f"{self.root}/supervisor.log"

    @property
    def history(self) -> str:
        """The database of past runs."""
        return f"{self.root}/history.db"


def state_paths(units_directory: Path, environment: Mapping[str, str]) -> StatePaths:
    """The state directory that belongs to a units directory, after the XDG base directory specification.

    Its name tells a person which directory it belongs to, and a digest of the whole path keeps two apart that read alike.
    """
    home = environment.get("XDG_STATE_HOME") or os.path.join(environment.get("HOME") or "/tmp", ".local", "state")  # noqa: PTH118, S108
    path = os.path.abspath(units_directory)  # noqa: PTH100
    readable = re.sub(r"[^A-Za-z0-9._]+", "-", path).strip("-")[-48:]
    return StatePaths(f"{home}/runner/{readable}-{sha256(os.fsencode(path)).hexdigest()[:8]}")


def has_runs(paths: StatePaths) -> bool:
    """Whether there may be anything to tell of. Where not, nothing has to be made in order to look."""
    for path in (paths.history, paths.journals):
        try:
            os.stat(path)  # noqa: PTH116
        except FileNotFoundError:
            continue
        except OSError:  # whoever opens the history will tell what is in the way
            pass
        return True
    return False


def runtime_directory(environment: Mapping[str, str]) -> str:
    """The directory for sockets, made where it is missing: only its owner may look into it.

    Raises ``OSError`` where it cannot be made, or somebody else was there first: in /tmp anybody may make anything.
    """
    base = environment.get("XDG_RUNTIME_DIR")
    path = f"{base}/runner" if base else f"/tmp/runner-{os.getuid()}"  # noqa: S108
    Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    there = os.lstat(path)
    if not stat.S_ISDIR(there.st_mode):
        raise PermissionError(errno.EPERM, "it is no directory", path)
    if there.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "it belongs to somebody else", path)
    if stat.S_IMODE(there.st_mode) != 0o700:
        os.chmod(path, 0o700)  # noqa: PTH101
    return path
