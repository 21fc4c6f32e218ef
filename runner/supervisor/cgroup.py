"""Control groups of version 2 (cgroups(7)): the one mark that a process cannot take off by itself.

A process can leave its session, empty its environment and lose its parent, all three at once. It stays in the control group
that it was born in, and what it starts is born there too, unless somebody who may write to both moves it to another. So a
group for each invocation tells whose a daemon is. The groups are for telling alone: no controller is enabled in them, so
they limit and count nothing, and whatever counts for the group that we are in counts on.

A run's groups are below our own group: ``runner-RUN`` and in it one for each invocation. Its supervisor holds a lock of that
directory (flock(2)), which ends with it however it ends. So whoever finds a directory without one knows that the run is over,
and may remove it; one with processes in it cannot be removed.

To move a process, the kernel must keep all others from being forked. It is ready for that only some 10 ms after it was asked,
and stays so for about as long. So somebody who may wait asks first, by moving us to where we are
(:meth:`ControlGroups.get_ready`); then a move takes as long as any other system call. Where nobody may write below our group,
there are no groups.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EAGAIN, ENOENT
from math import inf
from threading import Lock

_READY = 0.005
"""Seconds after a move in which another one takes no longer than it must."""
_TRIES = 3
"""To make the directory of a run, which another run may have removed before it was locked."""
_PREFIX = "runner-"


def find_home() -> str:
    """The directory of the control group that this process is in; empty where none of version 2 can be seen."""
    try:
        return locate(_read("/proc/self/mountinfo"), _read("/proc/self/cgroup"))
    except OSError:
        return ""


def locate(mounts: str, membership: str) -> str:
    """The directory of a group, by what /proc says of mounts (proc_pid_mountinfo(5)) and of a process (cgroups(7))."""
    group = next((line[3:] for line in membership.splitlines() if line.startswith("0::")), "")
    for line in mounts.splitlines():
        where, _, what = line.partition(" - ")
        if what.split(" ", 1)[0] == "cgroup2":
            top, point = (_unescape(field) for field in where.split(" ")[3:5])
            below = f"{group}/".removeprefix(f"{top.rstrip('/')}/")
            if group and below != f"{group}/" and not below.startswith("../"):  # or it is outside of what we can see
                return f"{point}/{below}".rstrip("/")
    return ""


def _unescape(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


class ControlGroup:
    """The control group of one invocation. Where something cannot be done with it, nothing is done, and nobody is in it."""

    def __init__(self, groups: ControlGroups, path: str) -> None:
        self._groups = groups
        self._path = path

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in the group meanwhile: who is spawned is born in it, so there is no moment in which it is not.

        Where what is done meanwhile raises something, nobody needs the group.
        """
        with suppress(OSError):
            self._groups.move("0", self._path)
        try:
            yield
        except BaseException:
            self._groups.come_home()
            self.remove()
            raise
        self._groups.come_home()

    def take(self, pid: int) -> None:
        """Have a process in the group that was born elsewhere, and all below it. Each comes before its children are asked for."""
        found = [pid]
        while found:
            pid = found.pop()
            with suppress(OSError):  # it is gone
                self._groups.move(str(pid), self._path)
                found += _children(pid)

    def pids(self) -> set[int]:
        """The processes that are in it, or in a group that one of them has made below it."""
        return pids_in(self._path) - {os.getpid()}

    def kill(self) -> None:
        """Kill all of them at one moment, where the kernel can do so (since Linux 5.14)."""
        kill_group(self._path)

    def remove(self) -> None:
        """Remove it, unless somebody is in it."""
        remove_group(self._path)


class ControlGroups:
    """The control groups of a run: made when they are first needed, and removed when it is over."""

    def __init__(self, run: str, home: str | None = None) -> None:
        """``home`` is the directory of our own group, by default where it is found."""
        self._run = run
        self._home = find_home() if home is None else home
        self._path = ""
        """The directory of the run; empty as long as there is none."""
        self._fd = -1
        self._moved_at = -inf
        self._is_closed = False
        self._lock = Lock()  # a thread may get ready while the run ends
        self.why_not = "" if self._home else "no control groups of version 2 can be seen"
        """Why there are none; empty where there are, or may yet be."""

    @property
    def is_ready(self) -> bool:
        """A process can be moved without a wait, or there is nothing to wait for."""
        return bool(self.why_not) or time.monotonic() - self._moved_at < _READY

    def get_ready(self) -> None:
        """Have the kernel ready to move processes for a moment. It takes up to some 10 ms, and may be called in a thread."""
        with self._lock:
            if self._is_closed or self.is_ready:
                return
            try:
                if not self._path:
                    self._begin()
                self.move("0", self._home)
            except OSError as error:
                self.why_not = f"cannot make any below {self._home}: {error.strerror or error}"

    def _begin(self) -> None:
        """Make the directory of the run, and remove those of runs that are over."""
        os.stat(f"{self._home}/cgroup.procs")  # noqa: PTH116 - or it is an ordinary directory, where a new one would be as ordinary
        path = f"{self._home}/{_PREFIX}{self._run}"
        for _ in range(_TRIES):
            with suppress(FileExistsError):
                os.mkdir(path)  # noqa: PTH102
            with suppress(FileNotFoundError, BlockingIOError):
                self._fd = _lock(path)
                break
        if self._fd < 0:
            raise BlockingIOError(EAGAIN, "another run removes it")
        self._path = path
        clear_home(self._home)

    def make(self, name: str) -> ControlGroup | None:
        """A group for an invocation; None where there are none."""
        if self.why_not or not self._path:
            return None
        try:
            os.mkdir(f"{self._path}/{name}")  # noqa: PTH102
        except OSError:  # there are too many (cgroups(7), cgroup.max.descendants)
            return None
        return ControlGroup(self, f"{self._path}/{name}")

    def move(self, pid: str, path: str) -> None:
        """Move a process to a group; ``0`` is this one. Raises ``OSError``."""
        _write(f"{path}/cgroup.procs", pid)
        self._moved_at = time.monotonic()

    def come_home(self) -> None:
        """Be in the group again in which we were."""
        try:
            self.move("0", self._home)
        except OSError as error:  # somebody has forbidden it meanwhile
            self.why_not = f"cannot return to {self._home}: {error.strerror}"

    def members(self) -> dict[str, set[int]]:
        """The processes of each invocation that has any, by its name."""
        if not self._path:
            return {}
        found = {name: pids_in(f"{self._path}/{name}") - {os.getpid()} for name in _below(self._path)}
        return {name: pids for name, pids in found.items() if pids}

    def kill(self) -> None:
        """Kill all processes of all invocations at one moment, where the kernel can do so."""
        if self._path:
            kill_group(self._path)

    def close(self) -> None:
        """Remove all in which nobody is."""
        with self._lock:
            self._is_closed = True
            if self._path:
                remove_group(self._path)
                os.close(self._fd)
                self._path = ""


def clear_home(home: str) -> None:
    """Remove the groups of runs that are over, which a supervisor that was killed has left behind."""
    for name in _below(home):
        if name.startswith(_PREFIX):
            with suppress(OSError):
                fd = _lock(f"{home}/{name}")
                remove_group(f"{home}/{name}")
                os.close(fd)


def _lock(path: str) -> int:
    """Lock a directory for as long as what is returned is open. Raises ``OSError`` where another process has it locked.

    It may be removed before it is locked; then that is told as if it had not been there.
    """
    from fcntl import LOCK_EX, LOCK_NB, flock

    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flock(fd, LOCK_EX | LOCK_NB)
        if not os.path.samestat(os.fstat(fd), os.stat(path)):  # noqa: PTH116
            raise FileNotFoundError(ENOENT, "another has its name", path)
    except OSError:
        os.close(fd)
        raise
    return fd


def pids_in(path: str) -> set[int]:
    """The processes in a group and in the groups below it, except those that cannot be seen from here (pid_namespaces(7))."""
    found: set[int] = set()
    for group in _tree(path):
        with suppress(OSError):  # it is gone, or of a sort that has only threads
            found.update(map(int, _read(f"{group}/cgroup.procs").split()))
    return found - {0}


def kill_group(path: str) -> None:
    """Kill all processes in a group and in those below it, where this one is not among them and the kernel can do so."""
    if os.getpid() not in pids_in(path):
        with suppress(OSError):
            _write(f"{path}/cgroup.kill", "1")


def remove_group(path: str) -> None:
    """Remove a group and those below it, as far as nobody is in them."""
    for group in reversed(_tree(path)):
        with suppress(OSError):
            os.rmdir(group)  # noqa: PTH106


def _tree(path: str) -> list[str]:
    """A group and all that are below it, each before those below it."""
    found = [path]
    for group in found:
        found += [f"{group}/{name}" for name in _below(group)]
    return found


def _below(path: str) -> list[str]:
    """The names of the groups right below one."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _children(pid: int) -> list[int]:
    """The children of a process; none where the kernel does not tell (CONFIG_PROC_CHILDREN). Raises ``OSError``."""
    threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
    return [int(child) for thread in threads for child in _read(f"/proc/{pid}/task/{thread}/children").split()]


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
        return file.read()


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
