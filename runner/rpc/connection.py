"""One connection, seen from either end: bytes in, events out, and bytes for what is said. It touches no socket.

Theory of operation
===================

Rule 1. A connection has calls, one at a time. The client numbers their streams 1, 2, 3... and begins each with an Invoke. The
*current* stream is the one that was begun last. A frame is judged by its stream: it is the current one, below or above it.

Rule 2. A call is two directions that end each for itself. It is ``open`` while both sides may speak, then ``we-said-all`` or
``peer-said-all``, and ``over`` when both have, or when one of them ends all of it with an Error, a Cancel or a Close.
``RECEIVED`` and ``SENT`` below are all there is to it.

Rule 3. What comes for a stream below the current one, or for one that is over, was sent before its sender knew: it is passed
over, whatever it is. So is a Message or a CloseSend after a CloseSend.

Rule 4. Above the current stream only an Invoke has a meaning, and the InvokeMetadata before it, and only from a client. Both end
the call that runs, for a client has one at a time. Metadata counts for the next Invoke where that has its stream, else it is
forgotten.

Rule 5. All else that comes where it has no meaning may be passed over where its control bit is set. Where it is clear, the peer
breaks the protocol, as it does with a second request to an rpc that takes one. (The reference server reads nothing more then,
and keeps the connection for ever.)

Rule 6. To a breach nothing is answered. ``ConnectionEnded`` says what it was, and from then on nothing comes and nothing goes.
The end of what a peer sends is the end of the connection too: nobody half-closes one and waits for an answer.

Rule 7. What is said in a call that is over comes to no bytes. So an answer that is found too late needs no care from its
finder: a cancelled call gets none.
"""

from __future__ import annotations

from .event import CallCancelled, ConnectionEnded, ErrorReceived, Invoked, MessageReceived, SendClosed
from .frame import CANCEL, CLOSE, CLOSE_SEND, ERROR, INVOKE, INVOKE_METADATA, MESSAGE, ProtocolError
from .packet import LARGEST_PACKET, SPLIT_SIZE, Packet, PacketReader, append_packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import Literal, TypeAlias

    from .event import Event
    from .frame import Frame

CallState: TypeAlias = "Literal['open', 'we-said-all', 'peer-said-all', 'over']"

RECEIVED: dict[int, dict[CallState, CallState]] = {
    MESSAGE: {"open": "open", "we-said-all": "we-said-all"},
    CLOSE_SEND: {"open": "peer-said-all", "we-said-all": "over"},
    ERROR: {"open": "over", "we-said-all": "over", "peer-said-all": "over"},
    CANCEL: {"open": "over", "we-said-all": "over", "peer-said-all": "over"},
    CLOSE: {"open": "over", "we-said-all": "over", "peer-said-all": "over"},
}
"""For each kind of packet and state of the current call, the state after it came. Where there is none it is passed over."""

SENT: dict[int, dict[CallState, CallState]] = {
    MESSAGE: {"open": "open", "peer-said-all": "peer-said-all"},
    CLOSE_SEND: {"open": "we-said-all", "peer-said-all": "over"},
    ERROR: RECEIVED[ERROR],
    CANCEL: RECEIVED[CANCEL],
    CLOSE: RECEIVED[CLOSE],
}
"""The same for what is sent. Where there is none, nothing is."""


class Connection:
    """What both ends have in common: take what comes, and say something in the current call."""

    BEGINNINGS: tuple[int, ...] = ()
    """The kinds of packets with which the peer may begin a call."""

    def __init__(self, *, limit: int = LARGEST_PACKET, split_size: int = SPLIT_SIZE) -> None:
        """``limit`` is the most bytes of one packet that are taken, ``split_size`` the most of one frame that is sent."""
        self._reader = PacketReader(self._means_something, limit)
        self._split_size = split_size
        self._stream = 0
        self._state: CallState = "over"
        self._message = 0
        """The number of our last packet of the current stream."""
        self._messages_left: int | None = None
        """How many Messages may still come in the current call; None: any number."""
        self._peer_is_done = False
        self._untold: list[Event] = []
        self.has_ended = False
        """Whether nothing more comes and nothing goes."""

    def receive(self, data: bytes | bytearray) -> Iterator[Event]:
        """Take what came from the socket, where nothing means its end, and go through the events that it makes.

        What is said between two events is said before the second comes about, so the answers do not depend on how the bytes
        were cut. Who stops before the last event gets the others from the next call.
        """
        if data:
            self._reader.feed(data)
        else:
            self._peer_is_done = True
        return self._events()

    def send_message(self, stream: int, data: bytes) -> bytes:
        """The bytes that say one request or answer. Raises ``ValueError`` for one that no peer would take."""
        if len(data) > LARGEST_PACKET:
            raise ValueError(f"cannot send a message of {len(data)} bytes: a packet has at most {LARGEST_PACKET}")
        return self._send(stream, MESSAGE, data)

    def close_send(self, stream: int) -> bytes:
        """The bytes that say: that was all from here."""
        return self._send(stream, CLOSE_SEND)

    def send_error(self, stream: int, code: int, text: str) -> bytes:
        """The bytes that end the call with an error."""
        return self._send(stream, ERROR, code.to_bytes(8, "big") + text.encode(errors="replace"))

    def cancel(self, stream: int) -> bytes:
        """The bytes that give the call up and leave the connection usable."""
        return self._send(stream, CANCEL, is_control=True)

    def close(self, stream: int) -> bytes:
        """The bytes that say that the call is finished with."""
        return self._send(stream, CLOSE)

    def relay(self, stream: int, event: Event) -> bytes:
        """The bytes that say in this call what was heard in one of another connection, unchanged.

        There are none for the beginning of a call (see :meth:`ClientConnection.open`) and for the end of a connection: the
        call that it ended was cancelled before.
        """
        match event:
            case MessageReceived(_, data):
                return self._send(stream, MESSAGE, data)
            case SendClosed():
                return self.close_send(stream)
            case ErrorReceived(_, data):
                return self._send(stream, ERROR, data)
            case CallCancelled(_, kind):
                return self.close(stream) if kind == CLOSE else self.cancel(stream)
        return b""

    def _events(self) -> Iterator[Event]:
        while self._untold or self._advance():
            yield self._untold.pop(0)

    def _advance(self) -> bool:
        """Work on through what was fed until it makes an event; False where it makes none any more."""
        while not self._untold and not self.has_ended:
            try:
                packet = self._reader.next_packet()
                if packet is None and not self._peer_is_done:
                    break
                if packet is None:
                    self._end()
                elif self._means_something(packet):
                    self._apply(packet)
            except ProtocolError as error:
                self._end(str(error))
        return bool(self._untold)

    def _means_something(self, said: Frame | Packet) -> bool:
        """Whether a packet is to be taken and not passed over. Raises :class:`ProtocolError` by rule 5."""
        if said.stream > self._stream:
            if said.kind in self.BEGINNINGS:
                return True
        elif said.stream < self._stream or self._state == "over":
            return False
        elif said.kind in RECEIVED:
            if said.kind != MESSAGE or self._state not in RECEIVED[MESSAGE]:
                return self._state in RECEIVED[said.kind]
            if self._messages_left != 0:
                return True
        if said.is_control:
            return False
        raise ProtocolError(f"cannot take {said}: {self._describe()}")

    def _describe(self) -> str:
        return "no call was begun" if not self._stream else f"the call on stream {self._stream} is {self._state}"

    def _apply(self, packet: Packet) -> None:
        """Do what a packet says that means something."""
        before = self._state
        self._state = RECEIVED[packet.kind][before]
        if packet.kind == MESSAGE and self._messages_left:
            self._messages_left -= 1
        if self._is_heard_in(before):
            self._untold.append(_tell(packet))

    def _is_heard_in(self, state: CallState) -> bool:
        """Whether anybody here wants to hear more of a call in this state."""
        return state != "over"

    def _cancel_current(self) -> None:
        if self._is_heard_in(self._state):
            self._untold.append(CallCancelled(self._stream, CANCEL))
        self._state = "over"

    def _end(self, error: str = "") -> None:
        self.has_ended = True
        self._cancel_current()
        self._untold.append(ConnectionEnded(error))

    def _begin(self, stream: int) -> None:
        self._stream, self._state, self._message, self._messages_left = stream, "open", 0, None

    def _send(self, stream: int, kind: int, data: bytes = b"", *, is_control: bool = False) -> bytes:
        after = SENT[kind].get(self._state)
        if stream != self._stream or after is None:
            return b""
        self._state = after
        return self._say(kind, data, is_control)

    def _say(self, kind: int, data: bytes = b"", is_control: bool = False) -> bytes:
        self._message += 1
        buffer = bytearray()
        append_packet(buffer, Packet(kind, self._stream, self._message, data, is_control), self._split_size)
        return bytes(buffer)


class ServerConnection(Connection):
    """The end that answers. It hears nothing more of a call in which it has said all."""

    BEGINNINGS = (INVOKE, INVOKE_METADATA)

    def __init__(self, one_request: Container[str] = (), *, limit: int = LARGEST_PACKET, split_size: int = SPLIT_SIZE) -> None:
        """``one_request`` has the paths of all rpcs that take a single Message; others may take many."""
        super().__init__(limit=limit, split_size=split_size)
        self._one_request = one_request
        self._metadata = 0, b""
        """The last that came, and for which stream."""

    def answer(self, stream: int, data: bytes) -> bytes:
        """The bytes of the only answer of a call, or its last."""
        return self.send_message(stream, data) + self.close_send(stream)

    def _is_heard_in(self, state: CallState) -> bool:
        return state in ("open", "peer-said-all")

    def _apply(self, packet: Packet) -> None:
        if packet.stream == self._stream:
            super()._apply(packet)
            return
        self._cancel_current()
        if packet.kind == INVOKE_METADATA:
            self._metadata = packet.stream, packet.data
            return
        self._begin(packet.stream)
        rpc = packet.data.decode(errors="surrogateescape")
        self._messages_left = 1 if rpc in self._one_request else None
        (stream, metadata), self._metadata = self._metadata, (0, b"")
        self._untold.append(Invoked(packet.stream, rpc, metadata if stream == packet.stream else b""))


class ClientConnection(Connection):
    """The end that calls."""

    def open(self, rpc: str, metadata: bytes = b"") -> tuple[int, bytes]:
        """Begin a call: its stream, and the bytes that say so.

        Raises ``RuntimeError`` while another call runs, or when the connection has ended.
        """
        if self.has_ended or self._state != "over":
            why = "the connection has ended" if self.has_ended else self._describe()
            raise RuntimeError(f'cannot call "{rpc}": {why}')
        self._begin(self._stream + 1)
        prelude = self._say(INVOKE_METADATA, metadata) if metadata else b""
        return self._stream, prelude + self._say(INVOKE, rpc.encode(errors="surrogateescape"))

    def call(self, rpc: str, request: bytes = b"", metadata: bytes = b"") -> tuple[int, bytes]:
        """Begin a call that has one request: its stream, and the bytes of all that there is to say. Raises as :meth:`open`."""
        stream, invoke = self.open(rpc, metadata)
        return stream, invoke + self.send_message(stream, request) + self.close_send(stream)


def _tell(packet: Packet) -> Event:
    """The event that a packet of the current call makes."""
    if packet.kind == MESSAGE:
        return MessageReceived(packet.stream, packet.data)
    if packet.kind == CLOSE_SEND:
        return SendClosed(packet.stream)
    if packet.kind == ERROR:
        return ErrorReceived(packet.stream, packet.data)
    return CallCancelled(packet.stream, packet.kind)
