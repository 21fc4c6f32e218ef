"""The place of the sync socket: a directory that is only ours, a lock that tells a live supervisor from a stale socket.

The lock is held for as long as the supervisor lives and goes with it however it dies (flock(2)), so whoever gets it may
replace whatever socket lies there.

In the file is the supervisor's pid, and that of its keeper or, once its run is over, a 0. A supervisor whose keeper is gone,
or whose run is over, is about to be gone too: whoever wants its place waits for that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import socket
import stat
import struct
from collections.abc import Mapping
from contextlib import suppress

from ..errors import RunnerError
from .paths import runtime_directory
from .processes import GONE, ZOMBIE, kin_of

PEER = struct.Struct("iII")
"""``struct ucred`` of unix(7): pid, uid, gid."""
_NAME = "runner.sock"
_PATIENCE = 5.0
"""Seconds that a supervisor has to go whose keeper is gone, or whose run is over. It takes most of them less than one."""
_ATTACH = 'attach with "runner watch", end it with "runner down", or serve another socket with "--socket PATH"'
_ANOTHER = 'stop it, or serve another socket with "--socket PATH"'


class SocketError(RunnerError):
    """The socket cannot be served at this place. Nothing was started."""

    exit_status = 3


class SupervisorRuns(SocketError):
    """The socket is served by a supervisor that runs already."""


def socket_path(given: str | None, environment: Mapping[str, str]) -> str:
    """Where the socket is: as given, else ``RUNNER_SOCKET``, else in the runtime directory, which is made."""
    if path := given or environment.get("RUNNER_SOCKET"):
        return os.path.abspath(path)  # noqa: PTH100
    try:
        return f"{runtime_directory(environment)}/{_NAME}"
    except OSError as error:
        raise SocketError(
            f'cannot use the directory "{error.filename}" for the socket: {error.strerror}',
            hint='name a place with "--socket PATH"',
        ) from None


class Endpoint:
    """A listening socket that is ours alone. Raises :class:`SocketError` where the place is not, or somebody serves there."""

    def __init__(self, path: str, keeper: int | None = None) -> None:
        """``keeper`` is the process that looks after us, where there is one."""
        self.path = path
        _mind_directory(os.path.dirname(path))  # noqa: PTH120
        self._lock, last_owner = _take_lock(path)
        self._sign(keeper)
        try:
            _mind_socket(path, last_owner)
            self.listener = listen(path)
        except OSError as error:
            self._leave_lock()
            raise SocketError(f'cannot serve the socket "{path}": {error.strerror or error}') from None
        except SocketError:
            self._leave_lock()
            raise

    def note_end(self) -> None:
        """Let whoever wants the place know that it is free in a moment."""
        self._sign(0)

    def _sign(self, keeper: int | None) -> None:
        with suppress(OSError):  # on a full disk nobody gets to know our pid
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}{'' if keeper is None else f' {keeper}'}\n".encode(), 0)

    def close(self) -> None:
        """Serve no more, and leave nothing behind. Who waits in the queue is told by the end of its connection."""
        with suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108
        self.listener.close()
        self._leave_lock()

    def _leave_lock(self) -> None:
        """Whoever has opened the file already finds, when it gets the lock, that it is not there any more."""
        with suppress(OSError):
            os.unlink(f"{self.path}.lock")  # noqa: PTH108
        os.close(self._lock)


def _mind_directory(directory: str) -> None:
    """Make the directory, or make sure that nobody else can put anything in it."""
    try:
        with suppress(FileExistsError):
            os.makedirs(directory, mode=0o700)  # noqa: PTH103
    except OSError as error:
        raise SocketError(f'cannot use the directory "{directory}" for the socket: {error.strerror}') from None
    check_directory(directory)


def check_directory(directory: str) -> None:
    """Raise :class:`SocketError` where somebody else could put anything in the directory."""
    try:
        there = os.lstat(directory)
    except OSError as error:
        raise SocketError(f'cannot use the directory "{directory}" for the socket: {error.strerror}') from None
    hint = 'name a place in a directory of your own with "--socket PATH"'
    if not stat.S_ISDIR(there.st_mode):
        raise SocketError(f'cannot use "{directory}" for the socket: it is no directory, or a link to one', hint=hint)
    if there.st_uid != os.getuid():
        raise SocketError(f'cannot use the directory "{directory}" for the socket: it belongs to user {there.st_uid}', hint=hint)
    if (mode := stat.S_IMODE(there.st_mode)) & 0o077:
        raise SocketError(
            f'cannot use the directory "{directory}" for the socket: it is open to others (mode {mode | 0o700:04o})', hint=hint
        )


def find_owner(path: str) -> str:
    """The pid of the supervisor that holds the lock of a socket, as it has written it down; nothing where none does.

    That is read from the list of all locks (proc_locks(5)): whoever tried the lock would have it for a moment, and a supervisor
    that starts just then would take that for another supervisor.
    """
    try:
        with open(f"{path}.lock", encoding="ascii") as lock, open("/proc/locks", encoding="ascii") as locks:  # noqa: PTH123
            inode = str(os.fstat(lock.fileno()).st_ino)
            held = [line.split() for line in locks if " FLOCK " in line and "->" not in line]
            return lock.read(64).strip().partition(" ")[0] if any(words[5].rpartition(":")[2] == inode for words in held) else ""
    except (OSError, ValueError):
        return ""


def say_unreachable(pid: str) -> str:
    """What to do about a supervisor that holds the lock of a socket that is not there."""
    return f'supervisor {pid} runs, but its socket is gone: if somebody has removed it, "kill {pid}" stops all in order'


def explain_silence(path: str) -> str:
    """What to do about a supervisor that does not answer because its process is stopped; nothing where it is not."""
    pid = find_owner(path)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            state = file.read().rpartition(b")")[2].split()[0]
        group = os.getpgid(int(pid))
    except (OSError, ValueError):
        return ""
    if state not in (b"T", b"t"):
        return ""
    return (
        f'process {pid} is stopped, as by ctrl-z: "fg" in its terminal lets it go on, or from elsewhere "kill -CONT -- -{group}"'
    )


def _take_lock(path: str) -> tuple[int, str]:
    """The lock, and the pid of whoever had it last and did not take it away."""
    has_waited = False
    while True:
        try:
            lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise SocketError(f'cannot open the lock "{path}.lock": {error.strerror}') from None
        pid, _, keeper = os.read(lock, 64).decode(errors="replace").strip().partition(" ")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            if not has_waited and _is_going(keeper):
                has_waited = True
                _wait_for_end(pid)
                continue
            raise SupervisorRuns(
                f'cannot serve the socket "{path}": a supervisor runs already, pid {pid or "unknown"}',
                hint=_ATTACH if os.path.lexists(path) or not pid else say_unreachable(pid),
            ) from None
        except OSError as error:
            os.close(lock)
            raise SocketError(f'cannot lock "{path}.lock": {error.strerror}') from None
        if _is_still(f"{path}.lock", lock):
            return lock, pid
        os.close(lock)  # its owner removed it between our open and our lock


def _is_going(keeper: str) -> bool:
    """Whether a supervisor is on its way out, as far as its lock tells."""
    return keeper.isdecimal() and (int(keeper) == 0 or kin_of(int(keeper)) in (ZOMBIE, GONE))


def _wait_for_end(pid: str) -> None:
    """Wait until a process is gone, or patience is."""
    try:
        fd = os.pidfd_open(int(pid))
    except (OSError, ValueError, OverflowError):  # it is gone, or cannot be seen from here
        return
    try:
        waiter = select.poll()
        waiter.register(fd, select.POLLIN)
        waiter.poll(_PATIENCE * 1000)
    finally:
        os.close(fd)


def _is_still(path: str, fd: int) -> bool:
    try:
        there, ours = os.lstat(path), os.fstat(fd)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _mind_socket(path: str, last_owner: str) -> None:
    """Make sure that what lies at the path is nothing, or a socket that nobody serves.

    Who has no lock is no supervisor, but may serve all the same: the agent, where somebody gave its path. A supervisor that is
    just being killed loses its lock a moment before its socket.
    """
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "something that is no socket is there, or a link")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as caller:
        try:
            caller.connect(path)
        except ConnectionRefusedError:
            return
        except OSError:  # one of another type, or one whose queue is full: it is served
            pid = 0
        else:
            pid, *_ = PEER.unpack(caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    if str(pid) != last_owner:
        who = f", pid {pid}" if pid else ""
        raise SocketError(f'cannot serve the socket "{path}": another program does{who}', hint=_ANOTHER)


def listen(path: str) -> socket.socket:
    """A socket that listens at a path, in the place of whatever is there, which only our own user may connect to."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before bind, which gives the file this mode: no moment is left for others
        listener.bind(path)
        listener.listen(socket.SOMAXCONN)
    except BaseException:
        listener.close()
        raise
    return listener
