"""What units of other users must reach, in a directory apart: sockets and files of their own, a ``coder`` to execute.

The supervisor's own directory is open to its user alone, and stays so. Units of another user get another sync socket, which
belongs to that user, and each a notify socket that does; through their directory everybody may pass, but nobody may look into
it. What may be called over such a socket is decided by who the kernel says that the caller is (``sync_socket.py``).

The directory is named after the supervisor's socket, whose lock keeps others away, so the next supervisor clears up after one
that was killed. It is made when the first unit needs it. Most runs have none.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress

from .endpoint import listen
from .stand_in import make_stand_in, remove_stand_in

_BASE = "/run"
"""Where root alone may make something. Where it may not either, it is /tmp."""
_MODE = 0o711
"""Everybody may pass through, and only the owner look into it."""

Take = Callable[[int, socket.socket], None]
"""Gets a listening socket and the user whom it is for."""


class Annex:
    """The directory, once there is one. All that makes something raises ``OSError``."""

    def __init__(self) -> None:
        self.key = f"{os.getpid()}"
        """What tells it from those of other supervisors: the path of the sync socket, where there is one."""
        self.path = ""
        """Empty: there is none yet."""
        self._listeners: dict[int, socket.socket] = {}
        self._take: Take | None = None

    def notify_path(self, invocation: str) -> str:
        """Where the notify socket of an invocation is to be."""
        return f"{self._directory()}/notify-{invocation}.sock"

    def socket_for(self, uid: int) -> str:
        """The sync socket of a user."""
        path = f"{self._directory()}/{uid}.sock"
        if uid not in self._listeners:
            listener = listen(path)
            try:
                os.chown(path, uid, -1, follow_symlinks=False)
            except BaseException:
                listener.close()
                raise
            self._listeners[uid] = listener
            if self._take:
                self._take(uid, listener)
        return path

    def stand_in(self) -> str:
        """The directory of a ``coder``, for the PATH of units that have none."""
        place = f"{self._directory()}/bin"
        if not os.path.exists(place):  # noqa: PTH110
            make_stand_in(place, is_shared=True)
        return place

    def values_file(self, invocation: str, uid: int) -> str:
        """An empty file for the values that an invocation gives, which this user may write to; nobody else can make it."""
        path = f"{self._directory()}/values-{invocation}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchown(file, uid, -1)
        finally:
            os.close(file)
        return path

    def serve(self, take: Take) -> None:
        """Hand over all sockets that there are, and from now on each that is made."""
        self._take = take
        for uid, listener in self._listeners.items():
            take(uid, listener)

    def close(self) -> None:
        """Leave nothing behind."""
        self._take = None
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()
        if self.path:
            with suppress(OSError):
                _clear(self.path)
                os.rmdir(self.path)  # noqa: PTH106
            self.path = ""

    def _directory(self) -> str:
        if not self.path:
            path = f"{_find_base()}/runner-{_digest(self.key)}"
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)  # noqa: PTH102
            there = os.lstat(path)
            if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "somebody else was there first", path)
            _clear(path)
            os.chmod(path, _MODE)  # noqa: PTH101
            self.path = path
        return self.path


def _find_base() -> str:
    return _BASE if os.access(_BASE, os.W_OK | os.X_OK) else "/tmp"  # noqa: S108


def _digest(key: str) -> str:
    from hashlib import sha256

    return sha256(os.fsencode(key)).hexdigest()[:16]


def _clear(path: str) -> None:
    """Remove what a supervisor leaves in there."""
    remove_stand_in(f"{path}/bin")
    for name in os.listdir(path):  # noqa: PTH208
        if name.endswith(".sock") or name.startswith("values-"):
            os.unlink(f"{path}/{name}")  # noqa: PTH108
