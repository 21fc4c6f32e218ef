"""The connections of the sync socket: accepts them, reads calls, writes answers, and never waits for any of them.

A connection is an entry in the poller and a little state, not a task, so that a thousand scripts that wait cost next to
nothing. A client that does not read its answers is not read from either until it does; one that sends half a packet and
stops holds nothing but its own buffer. Whoever breaks the protocol is hung up on, and nobody else notices.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..core.event import Peer
from ..rpc.connection import ServerConnection
from ..rpc.event import CallCancelled, ConnectionEnded, ErrorReceived, Event, Invoked, MessageReceived, SendClosed
from ..rpc.methods import METHODS, NO_REQUEST
from .endpoint import PEER
from .poller import Poller
from .wire import Wire

MOST_CONNECTIONS = 1_024
"""A further one waits in the listener's queue."""
_ACCEPTED_AT_ONCE = 64
"""After so many, those who are connected have their turn."""
_RETRY = 0.1
"""Seconds from one attempt to the next while the system has no descriptor or no memory for a further connection."""
_LONGEST_ERROR = 1_048_576
"""Characters of an error that are said: in four bytes each they fill a packet."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of one connection, for whoever serves it."""

    connection: CallerConnection
    stream: int
    rpc: str
    metadata: bytes
    forget: Callable[[], None] | None = None
    """To be called when the caller wants no answer any more."""
    taken: Callable[[], None] | None = None
    """To be called when the caller, who was slow, has taken all that was said."""
    hear: Callable[[Event], None] | None = None
    """Gets everything that the caller says in this call, where it is passed on rather than served."""

    @property
    def unsent(self) -> int:
        """How many bytes were said to this peer that it has not taken."""
        return self.connection.unsent

    def say(self, message: bytes) -> None:
        """Give one of many answers. Instead of one that no peer would take, end the call and say so."""
        try:
            said = self.connection.rpc.send_message(self.stream, message)
        except ValueError as error:
            self.refuse(str(error))
        else:
            self.connection.send(said)

    def end(self) -> None:
        """There are no more answers."""
        self.forget = None
        self.connection.send(self.connection.rpc.close_send(self.stream))

    def answer(self, message: bytes) -> None:
        """Give the only answer, or the last. Instead of one that no peer would take, say so."""
        self.forget = None
        try:
            said = self.connection.rpc.answer(self.stream, message)
        except ValueError as error:
            self.refuse(str(error))
        else:
            self.connection.send(said)

    def refuse(self, text: str) -> None:
        """Answer with an error."""
        self.forget = None
        self.connection.refuse(self.stream, text)


class CallerConnection:
    """One peer and its calls, one at a time."""

    def __init__(self, server: CallerServer, sock: socket.socket, peer: Peer) -> None:
        self.peer = peer
        self.rpc = ServerConnection(METHODS)
        self._server = server
        self._call: Call | None = None
        self._has_request = False
        self._events: Iterator[Event] = iter(())
        self._wire = Wire(server.poller, sock, self._receive, self._was_taken)

    def _receive(self, data: bytes) -> None:
        self._events = self.rpc.receive(data)
        self._go_on()

    def _was_taken(self) -> None:
        if self._call and self._call.taken:
            self._call.taken()
        self._go_on()

    def _go_on(self) -> None:
        """Take what has come, as long as the peer takes the answers."""
        while not self._wire.is_waiting and (event := next(self._events, None)) is not None:
            self._take(event)

    def _take(self, event: Event) -> None:
        call = self._call
        match event:
            case ConnectionEnded():
                self.close()
            case Invoked(stream, rpc, metadata):
                self._call = Call(self, stream, rpc, metadata)
                self._has_request = False
                self._server.begin(self._call)
            case _ if call is None:
                return
            case _ if call.hear:
                call.hear(event)
            case MessageReceived(_, data):
                self._has_request = True
                self._server.serve(call, data)
            case SendClosed():
                if not self._has_request:
                    call.refuse(NO_REQUEST)
            case CallCancelled() | ErrorReceived():
                self._forget()

    def _forget(self) -> None:
        call, self._call = self._call, None
        if call and call.forget:
            call.forget()

    @property
    def unsent(self) -> int:
        """How many bytes the peer has not taken."""
        return self._wire.unsent

    def fileno(self) -> int:
        """Writable when a slow peer takes more."""
        return self._wire.fileno()

    def go_on(self) -> None:
        """Send more of what waits."""
        self._wire.go_on()

    def refuse(self, stream: int, text: str) -> None:
        """Answer a call with an error, without the secrets that it may quote."""
        self.send(self.rpc.send_error(stream, 0, self._server.mask(text)[:_LONGEST_ERROR]))

    def send(self, data: bytes) -> None:
        """Write, now or when the peer reads again."""
        self._wire.write(data)

    def close(self) -> None:
        """Hang up."""
        if self._wire.is_closed:
            return
        self._wire.close()
        if self._call and self._call.hear:
            self._call.hear(ConnectionEnded())
        self._forget()
        self._server.forget(self)


class CallerServer:
    """All connections of a listening socket. ``begin`` hears of every call, ``serve`` of every request."""

    def __init__(
        self,
        poller: Poller,
        listener: socket.socket,
        *,
        begin: Callable[[Call], None],
        serve: Callable[[Call, bytes], None],
        identify: Callable[[int, int], Peer],
        later: Callable[[float, Callable[[], None]], None],
        mask: Callable[[str], str] = str,
        uid: int | None = None,
    ) -> None:
        """``identify`` makes a peer of a pid and a uid; ``later`` calls something after so many seconds; ``mask`` hides
        secrets.

        Welcome are our own user, root, and the user ``uid``. What each may call is not decided here.
        """
        self.poller = poller
        self.begin = begin
        self.serve = serve
        self.mask = mask
        self._identify = identify
        self._listener = listener
        self._uids = {0, os.getuid(), os.getuid() if uid is None else uid}
        self._connections: set[CallerConnection] = set()
        self._later = later
        self._is_accepting = False
        self._is_retrying = False
        self._accept_again()

    def _accept_again(self) -> None:
        if not self._is_accepting:
            self._is_accepting = True
            self.poller.add(self._listener.fileno(), self._accept)

    def _pause(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            self.poller.remove(self._listener.fileno())

    def _accept(self) -> None:
        """Take some of those who wait, if there is room."""
        for _ in range(_ACCEPTED_AT_ONCE):
            if len(self._connections) >= MOST_CONNECTIONS:
                self._pause()
                return
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            except OSError:  # EMFILE, ENFILE, ENOBUFS, ENOMEM (accept(2))
                self._wait_for_room()
                return
            self._welcome(sock)

    def _wait_for_room(self) -> None:
        """Let callers wait in the queue until one of the others has gone, or for a moment, rather than spin."""
        self._pause()
        if not self._is_retrying:
            self._is_retrying = True
            self._later(_RETRY, self._retry)

    def _retry(self) -> None:
        self._is_retrying = False
        self._accept_again()

    def _welcome(self, sock: socket.socket) -> None:
        pid, uid, _ = PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        if uid not in self._uids:
            sock.close()
            return
        try:
            self._connections.add(CallerConnection(self, sock, self._identify(pid, uid)))
        except OSError:  # ENOMEM, ENOSPC (epoll_ctl(2))
            sock.close()

    def forget(self, connection: CallerConnection) -> None:
        """A connection has ended, and there is room for another."""
        self._connections.discard(connection)
        self._accept_again()

    def close(self, patience: float = 0.0) -> None:
        """Hang up on everybody, and accept nobody any more. Slow peers have so many seconds to take what was said to them."""
        self._wait_until_taken(patience)
        for connection in list(self._connections):
            connection.close()
        self._pause()

    def _wait_until_taken(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while waiting := {one.fileno(): one for one in self._connections if one.unsent}:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            poll = select.poll()
            for fd in waiting:
                poll.register(fd, select.POLLOUT)
            for fd, _ in poll.poll(left * 1000):
                waiting[fd].go_on()
