"""Executes a unit's command: plain synchronous code, so that the first units run before an event loop is imported.

``subprocess.Popen`` does it, because it executes by vfork(2), enters the directory and sets the umask in the child, and
tells which of these failed. Each failure has a stage, and each stage its words.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import lru_cache

from msgspec import Struct

from ..core.observed import Stage
from ..core.unit import Command, Limit
from .processes import fill_standard_streams

Environment = Mapping[bytes, bytes]

own_children: set[int] = set()
"""The processes that were spawned here and not reaped yet: whoever reaps one says so. Other children are orphans."""

reapers: list[Callable[[], None]] = []
"""To be called when one of them was reaped."""

_LONGEST_ARGUMENT = 100_000
"""Bytes. Linux takes at most 128 KiB in one argument (execve(2)); a longer script is executed as a file."""


def note_reaped(pid: int) -> None:
    """Know of a process that was spawned here that it was reaped, so that from now on its number may be another's."""
    own_children.discard(pid)
    for look in reapers:
        look()


class SpawnError(Exception):
    """A command could not be executed; says at which stage and why, in words."""

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(reason)
        self.stage: Stage = stage
        self.reason = reason


class Identity(Struct, frozen=True):
    """The ids that a process takes on."""

    uid: int
    gid: int
    groups: tuple[int, ...] | None = None
    """None: the supplementary groups of the supervisor, for a process of its own user."""

    @property
    def is_other(self) -> bool:
        """Whether it is another user than the supervisor's."""
        return self.uid != os.geteuid()


class Setting(Struct, frozen=True):
    """What a process starts with, apart from its command."""

    environment: Environment
    cwd: str | None = None
    umask: int = -1
    nice: int | None = None
    values_file: str = ""
    """Where it may write what it gives to the units after it; empty where it cannot."""
    limits: Mapping[str, Limit] = {}
    identity: Identity | None = None
    """None: that of the supervisor."""

    @property
    def uid(self) -> int:
        """The user as whom the process runs."""
        return self.identity.uid if self.identity else os.geteuid()

    @property
    def other_uid(self) -> int | None:
        """The user that the process becomes, where that is another than ours."""
        return self.identity.uid if self.identity and self.identity.is_other else None


def spawn(command: Command, setting: Setting, output: int) -> subprocess.Popen[bytes]:
    """Execute a command in a session of its own, stdin from /dev/null, stdout and stderr to a descriptor.

    Raises :class:`SpawnError`. The process is the caller's to reap.
    """
    argv = _argv(command, setting.environment)
    script: int | None = None
    try:
        if not command.argv and not command.shell and _needs_file(command.script):
            script = _write_script(command.script)
            argv = [*argv, f"/proc/self/fd/{script}"]
        process = _execute(argv, setting, output)
    except OSError as error:
        raise explain(error, argv[0], setting) from None
    except ValueError as error:  # a null byte in an argument or the environment
        program = argv[0].replace("\0", "\\0")
        raise SpawnError("spawn", f'cannot execute "{program}": {error}') from None
    finally:
        if script is not None:
            os.close(script)
    own_children.add(process.pid)
    return process


def _execute(argv: list[str], setting: Setting, output: int) -> subprocess.Popen[bytes]:
    """Execute with the limit of open files that was ours before, and so is the unit's from its first instruction.

    Python too needs descriptors to spawn. Where there are none below that limit, the child has to lower it itself, which
    takes a fork(2) and longer. So does everything else that only the child can do.
    """
    if setting.nice is not None or setting.limits or setting.identity:
        return _popen_prepared(argv, setting, output)
    if _files_before is None:
        return _popen(argv, setting, output)
    resource.setrlimit(resource.RLIMIT_NOFILE, _files_before)
    try:
        return _popen(argv, setting, output)
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_files_before[1], _files_before[1]))
    return _popen_prepared(argv, setting, output)


def _popen_prepared(argv: list[str], setting: Setting, output: int) -> subprocess.Popen[bytes]:
    """Execute where the child has something to do first. It tells by a pipe which step failed, and why."""
    from .prepare import Preparation

    with Preparation(setting, _files_before) as preparation:
        try:
            return _popen(argv, setting, output, preparation.run)
        except subprocess.SubprocessError:  # all that it says itself of a failed preexec_fn
            raise preparation.explain() from None


def _popen(argv: list[str], setting: Setting, output: int, prepare: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=_dev_null(),
        stdout=output,
        stderr=output,
        env=setting.environment,
        cwd=None if setting.identity else setting.cwd,  # whoever becomes another enters it as that
        umask=setting.umask,
        start_new_session=True,
        close_fds=False,  # ours are all close-on-exec, see mind_descriptors()
        preexec_fn=prepare,
    )


def _argv(command: Command, environment: Environment) -> list[str]:
    """What to execute; a script that needs a file is yet to be added."""
    if command.argv:
        return list(command.argv)
    if command.shell:
        return ["sh", "-c", command.shell]
    if interpreter := _interpreter(command.script):
        return interpreter
    has_bash = _which("bash", environment.get(b"PATH", os.fsencode(os.defpath)))
    argv = ["bash", "-eo", "pipefail"] if has_bash else ["sh", "-e"]
    return argv if _needs_file(command.script) else [*argv, "-c", command.script]


def _interpreter(script: str) -> list[str]:
    """The program of a ``#!`` line and the one argument that it may have (execve(2)); empty where there is none."""
    first_line = script.partition("\n")[0]
    return first_line[2:].strip().split(maxsplit=1) if first_line.startswith("#!") else []


def _needs_file(script: str) -> bool:
    return bool(_interpreter(script)) or len(script.encode()) > _LONGEST_ARGUMENT


def _write_script(script: str) -> int:
    """A file without a name that lives as long as somebody has it open."""
    file = os.memfd_create("script", 0)  # without MFD_CLOEXEC: the interpreter is to read it
    with open(file, "wb", closefd=False) as writer:
        writer.write(script.encode())
    return file


@lru_cache
def _which(program: str, path: bytes) -> bool:
    return shutil.which(program, path=os.fsdecode(path)) is not None


@lru_cache
def _dev_null() -> int:
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def explain(error: OSError, program: str, setting: Setting) -> SpawnError:
    """Say at which stage it failed. ``subprocess`` names the directory for a failed chdir and nothing for a failed set-up."""
    said = os.strerror(error.errno) if error.errno else str(error)
    said = said[:1].lower() + said[1:]
    if setting.cwd is not None and error.filename == setting.cwd and not os.path.isdir(setting.cwd):  # noqa: PTH112
        return SpawnError("cwd", f'cannot enter the directory "{setting.cwd}": {said}')
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SpawnError("program not found", f'cannot execute "{program}": {_not_found(program, setting)}')
    if error.errno in (errno.EACCES, errno.ENOEXEC):
        if setting.cwd is not None and not os.access(setting.cwd, os.X_OK):
            return SpawnError("cwd", f'cannot enter the directory "{setting.cwd}": {said}')
        return SpawnError("not executable", f'cannot execute "{program}": {said}')
    if error.errno == errno.EAGAIN:
        return SpawnError("limits", f'cannot execute "{program}": no more processes are allowed ({said})')
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return SpawnError("limits", f'cannot execute "{program}": {said}')
    return SpawnError("spawn", f'cannot execute "{program}": {said}')


def _not_found(program: str, setting: Setting) -> str:
    if "/" in program:
        is_there = os.path.exists(os.path.join(setting.cwd or "", program))  # noqa: PTH110, PTH118
    elif not (is_there := _which(program, setting.environment.get(b"PATH", os.fsencode(os.defpath)))):
        return "program not found on PATH"
    if is_there:
        return "the interpreter that its first line names was not found"
    return "program not found"


_files_before: tuple[int, int] | None = None


def mind_descriptors() -> None:
    """Prepare this process to spawn: units inherit none of its descriptors, and it may have many.

    Each running unit takes two. The limit of open files is raised as far as it goes and given back to every unit as it was:
    programs that close or poll all possible descriptors would suffer from a large one (select(2)).
    """
    global _files_before
    fill_standard_streams()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:  # the descriptor that listed the others
                continue
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        _files_before = (soft, hard)
