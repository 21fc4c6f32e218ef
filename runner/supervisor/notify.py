"""What services say of themselves: the receiving side of sd_notify(3).

A service sends datagrams to the socket that ``$NOTIFY_SOCKET`` names; each is a list of ``NAME=VALUE`` lines. Source of
facts: sd_notify(3), and where that is silent the receiver in systemd: of a repeated name the first counts, a message longer
than 4,096 bytes is dropped whole, an errno is at most 4095.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import struct
from contextlib import suppress
from typing import Final

from msgspec import Struct

from .output import printable

MESSAGE_SIZE: Final = 4_096
"""Bytes of the longest message, as in systemd."""
MESSAGES_A_CALL: Final = 64
"""After so many messages other units have their turn."""
_CREDENTIALS: Final = struct.Struct("iII")
"""``struct ucred`` of unix(7): pid, uid, gid."""
_MOST_DESCRIPTORS: Final = 253
"""SCM_MAX_FD of unix(7)."""
_ANCILLARY_SIZE: Final = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(4 * _MOST_DESCRIPTORS)


class Notification(Struct, frozen=True, kw_only=True):
    """One message. A field that keeps its default was not mentioned, or not in a form that means something."""

    ready: bool = False
    """``READY=1``: the start, or a reload, is complete."""
    status: str | None = None
    """``STATUS=``: what it is doing, in one printable line; empty where it takes that back."""
    main_pid: int | None = None
    """``MAINPID=``: the process that is the service."""
    extend_timeout: float | None = None
    """``EXTEND_TIMEOUT_USEC=``: seconds from now that it wants at least."""
    watchdog: bool = False
    """``WATCHDOG=1``: it is alive."""
    stopping: bool = False
    """``STOPPING=1``: it has begun to end."""
    reloading: bool = False
    """``RELOADING=1``: it reads its configuration again, and says ``READY=1`` when it has."""
    errno: int | None = None
    """``ERRNO=``: why it fails, as in errno(3)."""


def parse_notification(data: bytes) -> Notification:
    """Read one message. Never raises: names that we do not know and values without a meaning are passed over."""
    values: dict[bytes, bytes] = {}
    for line in data.split(b"\n"):
        name, separator, value = line.partition(b"=")
        if separator:
            values.setdefault(name, value)
    status = values.get(b"STATUS")
    microseconds = _parse_number(values.get(b"EXTEND_TIMEOUT_USEC"), 0, 2**64 - 1)
    return Notification(
        ready=values.get(b"READY") == b"1",
        status=None if status is None else printable(status),
        main_pid=_parse_number(values.get(b"MAINPID"), 1, 2**31 - 1),
        extend_timeout=None if microseconds is None else microseconds / 1_000_000,
        watchdog=values.get(b"WATCHDOG") == b"1",
        stopping=values.get(b"STOPPING") == b"1",
        reloading=values.get(b"RELOADING") == b"1",
        errno=_parse_number(values.get(b"ERRNO"), 0, 4095),
    )


def _parse_number(value: bytes | None, least: int, most: int) -> int | None:
    if value is None or not re.fullmatch(rb"[0-9]{1,20}", value):
        return None
    return number if least <= (number := int(value)) <= most else None


_NOTHING: Final = Notification()


class NotifySocket:
    """The datagram socket of one invocation, bound at ``path``, which only our user and root can write to.

    With ``uid`` it belongs to that user, for a unit whose processes do; then only that user, ours and root can.

    A socket that an earlier life left at the path is replaced. Raises ``OSError`` where the path cannot be bound: too long
    (more than 107 bytes, unix(7)), in a directory that is missing or not ours, or taken by something that is no socket.
    """

    __slots__ = ("_socket", "_uids", "path")

    def __init__(self, path: str, uid: int | None = None) -> None:
        self.path = path
        self._uids = {0, os.getuid(), os.getuid() if uid is None else uid}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            os.fchmod(self.fileno(), 0o600)  # before bind, which gives the file this mode: no moment is left for others
            _remove_socket(path)
            self._socket.bind(path)
            if uid is not None:
                os.chown(path, uid, -1, follow_symlinks=False)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor to wait for; -1 once closed."""
        return self._socket.fileno()

    def receive(self) -> list[Notification]:
        """What has arrived, oldest first, up to 64 messages; returns at once.

        Left out are messages of other users, those that are too long, and those that say nothing that we know. File
        descriptors that came with a message are closed, which is also the answer to ``BARRIER=1``.
        """
        heard = []
        for _ in range(MESSAGES_A_CALL):
            try:
                data, ancillary, flags, _ = self._socket.recvmsg(MESSAGE_SIZE, _ANCILLARY_SIZE, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                break
            _close_descriptors(ancillary)
            if flags & socket.MSG_TRUNC or _sender(ancillary) not in self._uids:
                continue
            notification = parse_notification(data)
            if notification != _NOTHING:
                heard.append(notification)
        return heard

    def close(self) -> None:
        """Close the socket and remove its file. Closing twice is harmless."""
        if self.fileno() >= 0:
            self._socket.close()
            with suppress(OSError):
                _remove_socket(self.path)


def _remove_socket(path: str) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)  # noqa: PTH108


def _sender(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """The uid that the kernel vouches for."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and len(data) == _CREDENTIALS.size:
            uid: int = _CREDENTIALS.unpack(data)[1]
            return uid
    return None


def _close_descriptors(ancillary: list[tuple[int, int, bytes]]) -> None:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            for (descriptor,) in struct.iter_unpack("i", data[: len(data) // 4 * 4]):
                os.close(descriptor)
