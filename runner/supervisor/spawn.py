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
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..core.event import Stage
from ..core.unit import Command

Environment = Mapping[bytes, bytes]

_LONGEST_ARGUMENT = 100_000
"""Bytes. Linux takes at most 128 KiB in one argument (execve(2)); a longer script is executed as a file."""


class SpawnError(Exception):
    """A command could not be executed; says at which stage and why, in words."""

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(reason)
        self.stage: Stage = stage
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Setting:
    """What a process starts with, apart from its command."""

    environment: Environment
    cwd: str | None = None
    umask: int = -1
    nice: int | None = None


def spawn(command: Command, setting: Setting, output: int) -> subprocess.Popen[bytes]:
    """Execute a command in a session of its own, stdin from /dev/null, stdout and stderr to a descriptor.

    Raises :class:`SpawnError`. The process is the caller's to reap.
    """
    argv, script = _argv(command, setting.environment)
    try:
        return _execute(argv, setting, output)
    except OSError as error:
        raise _explain(error, argv, setting) from None
    except ValueError as error:  # a null byte in an argument or the environment
        raise SpawnError("spawn", f"cannot execute {argv[0]!r}: {error}") from None
    finally:
        if script is not None:
            os.close(script)


def _execute(argv: list[str], setting: Setting, output: int) -> subprocess.Popen[bytes]:
    nice = setting.nice
    process = subprocess.Popen(
        argv,
        stdin=_dev_null(),
        stdout=output,
        stderr=output,
        env=setting.environment,
        cwd=setting.cwd,
        umask=setting.umask,
        start_new_session=True,
        close_fds=False,  # ours are all close-on-exec, see mind_descriptors()
        preexec_fn=None if nice is None else lambda: os.setpriority(os.PRIO_PROCESS, 0, nice),  # noqa: PLW1509
    )
    if _files_before is not None:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, _files_before)
    return process


def _argv(command: Command, environment: Environment) -> tuple[list[str], int | None]:
    """What to execute, and the descriptor of the script where it is a file that lives as long as the spawn."""
    if command.argv:
        return list(command.argv), None
    if command.shell:
        return ["sh", "-c", command.shell], None
    first_line, _, _ = command.script.partition("\n")
    if first_line.startswith("#!"):
        interpreter = first_line[2:].strip().split(maxsplit=1)
    else:
        has_bash = _which("bash", environment.get(b"PATH", os.fsencode(os.defpath)))
        interpreter = ["bash", "-eo", "pipefail"] if has_bash else ["sh", "-e"]
        if len(command.script) <= _LONGEST_ARGUMENT:
            return [*interpreter, "-c", command.script], None
    file = os.memfd_create("script", 0)  # without MFD_CLOEXEC: the interpreter is to read it
    os.truncate(file, 0)
    with open(file, "wb", closefd=False) as writer:  # noqa: PTH123
        writer.write(command.script.encode())
    return [*interpreter, f"/proc/self/fd/{file}"], file


@lru_cache
def _which(program: str, path: bytes) -> bool:
    return shutil.which(program, path=os.fsdecode(path)) is not None


@lru_cache
def _dev_null() -> int:
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def _explain(error: OSError, argv: list[str], setting: Setting) -> SpawnError:
    """Say at which stage it failed. ``subprocess`` names the directory for a failed chdir and nothing for a failed set-up."""
    said = os.strerror(error.errno) if error.errno else str(error)
    said = said[:1].lower() + said[1:]
    program = argv[0]
    if setting.cwd is not None and error.filename == setting.cwd and not os.path.isdir(setting.cwd):  # noqa: PTH112
        return SpawnError("cwd", f'cannot enter the directory "{setting.cwd}": {said}')
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SpawnError("program not found", f'cannot execute "{program}": {_not_found(program)}')
    if error.errno in (errno.EACCES, errno.ENOEXEC):
        if setting.cwd is not None and not os.access(setting.cwd, os.X_OK):
            return SpawnError("cwd", f'cannot enter the directory "{setting.cwd}": {said}')
        return SpawnError("not executable", f'cannot execute "{program}": {said}')
    if error.errno == errno.EAGAIN:
        return SpawnError("limits", f'cannot execute "{program}": no more processes are allowed ({said})')
    return SpawnError("spawn", f'cannot execute "{program}": {said}')


def _not_found(program: str) -> str:
    if "/" not in program:
        return "program not found on PATH"
    if os.path.exists(program):  # noqa: PTH110
        return "the interpreter that its first line names was not found"
    return "program not found"


_files_before: tuple[int, int] | None = None


def mind_descriptors() -> None:
    """Prepare this process to spawn: units inherit none of its descriptors, and it may have many.

    Each running unit takes two. The limit of open files is raised as far as it goes and given back to every unit as it was:
    programs that close or poll all possible descriptors would suffer from a large one (select(2)).
    """
    global _files_before
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
