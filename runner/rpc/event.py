"""What a peer said, as the connection tells it to whoever serves or calls."""

from __future__ import annotations

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

NOTE_INVALID = " (drpcwire note: invalid error data)"
"""What the reference library adds to an error too short to have a code."""


class Invoked(Record):
    """The client began a call."""

    stream: int
    rpc: str
    """The path of the method. Bytes that are no UTF-8 are in it as lone surrogates (``surrogateescape``)."""
    metadata: bytes = b""
    """What came before it as InvokeMetadata, as it came."""


class MessageReceived(Record):
    """The peer sent a request or an answer."""

    stream: int
    data: bytes


class SendClosed(Record):
    """The peer has said all that it will say in this call."""

    stream: int


class ErrorReceived(Record):
    """The peer ended the call with an error."""

    stream: int
    data: bytes
    """Eight bytes of code, the highest first, and a text."""

    @property
    def code(self) -> int:
        """The code; 0 where there is none."""
        return int.from_bytes(self.data[:8], "big") if len(self.data) >= 8 else 0

    @property
    def text(self) -> str:
        """The text, for people."""
        if len(self.data) < 8:
            return self.data.decode(errors="replace") + NOTE_INVALID
        return self.data[8:].decode(errors="replace")


class CallCancelled(Record):
    """The call is over without an answer, and what is said in it now goes nowhere."""

    stream: int
    kind: int
    """How the peer said so: ``CANCEL`` or ``CLOSE``. ``CANCEL`` too where it hung up, or began another call instead."""


class ConnectionEnded(Record):
    """Nothing more comes, and nothing is to be sent: close the socket. Always the last event."""

    error: str = ""
    """How the peer broke the protocol; empty where it only went away."""


Event: TypeAlias = "Invoked | MessageReceived | SendClosed | ErrorReceived | CallCancelled | ConnectionEnded"
