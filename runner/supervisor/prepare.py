"""What a child does between fork(2) and execve(2) for a unit that has ``user``, ``group``, ``nice`` or ``limits``.

The order matters. Niceness and limits come first, because raising them takes root. Then the supplementary groups, the group
and the user are given up, in this order, because each takes what the next gives away. The directory is entered last, as that
user: a unit is not to stand where its user could not go.

The steps are put together before the fork, so that the child only does them. The first that fails is told through a pipe,
by its number and an errno, and nothing is executed: no process of a unit ever runs with more than it was given.
"""

from __future__ import annotations

import errno
import os
import resource
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from ..core.observed import Stage
from ..core.unit import Limit, is_above, say_limit
from .spawn import Identity, Setting, SpawnError

_REPORT = struct.Struct("ii")


class Step(NamedTuple):
    """One thing that the child does."""

    stage: Stage
    cannot: str
    """How it is told that it failed, up to the reason."""
    do: Callable[[], object]


class Preparation:
    """The steps of one child. ``files`` is the limit of open files that units have where they say nothing of it."""

    def __init__(self, setting: Setting, files: tuple[int, int] | None) -> None:
        self._steps = list(_steps(setting, files))
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> Preparation:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reader)
        os.close(self._writer)

    def run(self) -> None:
        """Do all steps: in the child."""
        for number, step in enumerate(self._steps):
            try:
                step.do()
            except OSError as error:
                self._report(number, error.errno or errno.EIO)
                raise
            except ValueError:  # what prlimit makes of EINVAL
                self._report(number, errno.EINVAL)
                raise

    def _report(self, number: int, why: int) -> None:
        os.write(self._writer, _REPORT.pack(number, why))

    def explain(self) -> SpawnError:
        """Which step failed, and why: in the parent, after the child has ended without executing anything."""
        try:
            number, why = _REPORT.unpack(os.read(self._reader, _REPORT.size))
        except BlockingIOError:
            return SpawnError("limits", "cannot prepare the process: its limits leave no room for that")
        step, said = self._steps[number], os.strerror(why)
        return SpawnError(step.stage, f"{step.cannot}: {said[:1].lower()}{said[1:]}")


def _steps(setting: Setting, files: tuple[int, int] | None) -> Iterator[Step]:
    if setting.nice is not None:
        do = partial(os.setpriority, os.PRIO_PROCESS, 0, setting.nice)
        yield Step("limits", f"cannot set the nice value {setting.nice}", do)
    if files is not None and "nofile" not in setting.limits:
        yield _limit_step("nofile", Limit(soft=files[0], hard=files[1]), files)
    for name, limit in setting.limits.items():
        yield _limit_step(name, limit, files)
    if setting.identity:
        yield from _identity_steps(setting.identity)
        if setting.cwd is not None:
            yield Step("cwd", f'cannot enter the directory "{setting.cwd}"', partial(os.chdir, setting.cwd))


def _limit_step(name: str, limit: Limit, files: tuple[int, int] | None) -> Step:
    which = getattr(resource, f"RLIMIT_{name.upper()}")
    soft, hard = resource.getrlimit(which)
    if name == "nofile" and files is not None:
        soft, hard = files
    if limit.hard is not None:
        hard = limit.hard
        soft = hard if is_above(soft, hard) else soft
    if limit.soft is not None:
        soft = limit.soft
    said = say_limit(soft) if soft == hard else f"{say_limit(soft)} (hard: {say_limit(hard)})"
    return Step("limits", f'cannot set the limit "{name}" to {said}', partial(resource.prlimit, 0, which, (soft, hard)))


def _identity_steps(identity: Identity) -> Iterator[Step]:
    if identity.groups is not None:
        groups = " ".join(map(str, identity.groups))
        yield Step("user", f"cannot take on the groups {groups}", partial(os.setgroups, identity.groups))
    gid, uid = identity.gid, identity.uid
    yield Step("user", f"cannot take on the group {gid}", partial(os.setresgid, gid, gid, gid))
    yield Step("user", f"cannot become the user {uid}", partial(os.setresuid, uid, uid, uid))
