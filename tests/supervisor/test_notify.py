from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.supervisor.notify import MESSAGE_SIZE, MESSAGES_A_CALL, Notification, NotifySocket, parse_notification

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def notify_socket(tmp_path: Path) -> Iterator[NotifySocket]:
    notify_socket = NotifySocket(str(tmp_path / "notify"))
    yield notify_socket
    notify_socket.close()


def send(path: str, *messages: bytes, descriptors: tuple[int, ...] = ()) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path)
        for message in messages:
            socket.send_fds(sender, [message], list(descriptors)) if descriptors else sender.send(message)


NAMES = ["READY", "STATUS", "MAINPID", "EXTEND_TIMEOUT_USEC", "WATCHDOG", "STOPPING", "RELOADING", "ERRNO", "FDSTORE", ""]
LINES = st.tuples(
    st.sampled_from(NAMES).map(str.encode), st.sampled_from([b"=", b"", b"=="]), st.binary(max_size=12) | st.just(b"1")
)
MESSAGES = st.lists(LINES.map(b"".join), max_size=8).map(b"\n".join) | st.binary(max_size=100)


class TestParseNotification:
    @pytest.mark.parametrize(
        ("data", "notification"),
        [
            (b"", Notification()),
            (b"READY=1", Notification(ready=True)),
            (b"READY=1\n", Notification(ready=True)),
            (b"READY=0", Notification()),
            (b"READY", Notification()),
            (b"ready=1", Notification()),
            (b" READY=1", Notification()),
            (b"READY=1\nSTATUS=serving on 8080\nMAINPID=4711", Notification(ready=True, status="serving on 8080", main_pid=4711)),
            (b"STATUS=a=b", Notification(status="a=b")),
            (b"STATUS=", Notification(status="")),
            (b"STATUS=bad \xff \x1b[31mred\x1b[0m\r", Notification(status="bad \ufffd red")),
            (b"STATUS=first\nSTATUS=second", Notification(status="first")),
            (b"MAINPID=0", Notification()),
            (b"MAINPID=-1", Notification()),
            (b"MAINPID=4_2", Notification()),
            (b"MAINPID= 42", Notification()),
            (b"MAINPID=2147483648", Notification()),
            ("MAINPID=٤٢".encode(), Notification()),
            (b"EXTEND_TIMEOUT_USEC=2500000", Notification(extend_timeout=2.5)),
            (b"EXTEND_TIMEOUT_USEC=18446744073709551616", Notification()),
            (b"EXTEND_TIMEOUT_USEC=1.5", Notification()),
            (b"EXTEND_TIMEOUT_USEC=" + b"9" * 5_000, Notification()),
            (b"WATCHDOG=1", Notification(watchdog=True)),
            (b"WATCHDOG=trigger", Notification()),
            (b"STOPPING=1", Notification(stopping=True)),
            (b"RELOADING=1\nMONOTONIC_USEC=5", Notification(reloading=True)),
            (b"ERRNO=2", Notification(errno=2)),
            (b"ERRNO=0", Notification(errno=0)),
            (b"ERRNO=4096", Notification()),
            (b"FDSTORE=1\nFDNAME=x\nBARRIER=1\nX_ANYTHING=1", Notification()),
        ],
    )
    def test_says(self, data: bytes, notification: Notification) -> None:
        assert parse_notification(data) == notification

    @given(MESSAGES)
    def test_never_raises_and_keeps_what_it_promises(self, data: bytes) -> None:
        notification = parse_notification(data)
        assert (
            notification.status is None
            or notification.status.replace("\t", "").isprintable()
            or not notification.status.isascii()
        )
        assert notification.main_pid is None or notification.main_pid > 0
        assert notification.extend_timeout is None or notification.extend_timeout >= 0
        assert notification.ready == (next((line for line in data.split(b"\n") if line.startswith(b"READY=")), b"") == b"READY=1")


class TestNotifySocket:
    def test_receives_what_was_sent_in_order(self, notify_socket: NotifySocket) -> None:
        assert notify_socket.receive() == []
        send(notify_socket.path, b"STATUS=one", b"READY=1\nSTATUS=two")
        assert notify_socket.receive() == [Notification(status="one"), Notification(ready=True, status="two")]
        assert notify_socket.receive() == []

    def test_only_its_owner_may_write(self, notify_socket: NotifySocket) -> None:
        mode = Path(notify_socket.path).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert not os.get_inheritable(notify_socket.fileno())

    def test_leaves_out_what_says_nothing(self, notify_socket: NotifySocket) -> None:
        send(notify_socket.path, b"", b"\n", b"X_OTHER=1", b"READY=1")
        assert notify_socket.receive() == [Notification(ready=True)]

    def test_leaves_out_what_is_too_long(self, notify_socket: NotifySocket) -> None:
        longest = b"STATUS=".ljust(MESSAGE_SIZE, b"x")
        send(notify_socket.path, longest, longest + b"x")
        assert notify_socket.receive() == [Notification(status="x" * (MESSAGE_SIZE - len("STATUS=")))]

    def test_one_call_takes_only_its_share(self, notify_socket: NotifySocket) -> None:
        taken = 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.connect(notify_socket.path)
            for _ in range(2 * MESSAGES_A_CALL):
                try:
                    sender.send(b"READY=1")
                except BlockingIOError:  # net.unix.max_dgram_qlen
                    heard = len(notify_socket.receive())
                    assert heard <= MESSAGES_A_CALL
                    taken += heard
                    sender.send(b"READY=1")
        assert 0 < taken < 2 * MESSAGES_A_CALL

    def test_closes_descriptors_that_come_along(self, notify_socket: NotifySocket) -> None:
        reader, writer = os.pipe()
        send(notify_socket.path, b"FDSTORE=1\nREADY=1", descriptors=(writer, writer))
        send(notify_socket.path, b"BARRIER=1", descriptors=(writer,))
        os.close(writer)
        assert notify_socket.receive() == [Notification(ready=True)]
        assert os.read(reader, 1) == b""  # every copy of the writing end is closed
        os.close(reader)

    def test_leaves_out_other_users(self, notify_socket: NotifySocket) -> None:
        if os.getuid() != 0:
            pytest.skip("needs root to send as somebody else")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(notify_socket.path)
            for uid in (65_534, 0):
                credentials = struct.pack("iII", os.getpid(), uid, 0)
                sender.sendmsg([b"STATUS=%d" % uid], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, credentials)])
        assert notify_socket.receive() == [Notification(status="0")]

    def test_of_another_user_hears_that_user_too(self, tmp_path: Path) -> None:
        if os.getuid() != 0:
            pytest.skip("needs root to send as somebody else")
        notify_socket = NotifySocket(str(tmp_path / "theirs"), 65_534)
        assert (os.lstat(notify_socket.path).st_uid, stat.S_IMODE(os.lstat(notify_socket.path).st_mode)) == (65_534, 0o600)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(notify_socket.path)
            for uid in (1, 65_534, 0):
                credentials = struct.pack("iII", os.getpid(), uid, 0)
                sender.sendmsg([b"STATUS=%d" % uid], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, credentials)])
        assert notify_socket.receive() == [Notification(status="65534"), Notification(status="0")]
        notify_socket.close()

    def test_replaces_a_stale_socket(self, tmp_path: Path) -> None:
        path = str(tmp_path / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stale:
            stale.bind(path)
        notify_socket = NotifySocket(path)
        send(path, b"READY=1")
        assert notify_socket.receive() == [Notification(ready=True)]
        notify_socket.close()

    def test_does_not_remove_what_is_no_socket(self, tmp_path: Path) -> None:
        (tmp_path / "notify").write_text("precious")
        with pytest.raises(OSError, match="Address already in use"):
            NotifySocket(str(tmp_path / "notify"))
        assert (tmp_path / "notify").read_text() == "precious"

    @pytest.mark.parametrize(("name", "words"), [("x" * 108, "path too long"), ("missing/notify", "No such file")])
    def test_says_why_it_cannot_be_bound(self, tmp_path: Path, name: str, words: str) -> None:
        with pytest.raises(OSError, match=words):
            NotifySocket(str(tmp_path / name))

    def test_close_removes_the_file(self, tmp_path: Path) -> None:
        notify_socket = NotifySocket(str(tmp_path / "notify"))
        notify_socket.close()
        notify_socket.close()
        assert notify_socket.fileno() == -1
        assert not list(tmp_path.iterdir())
