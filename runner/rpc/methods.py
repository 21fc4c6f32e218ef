"""The table of methods: their paths, what they ask and answer, and since which version of the service.

A method is served where it has a handler; this table only says how to speak of it. What stands in no row is another service's.
"""

from __future__ import annotations

from .messages import (
    Empty,
    SyncFailRequest,
    SyncListResponse,
    SyncReadyResponse,
    SyncStatusResponse,
    SyncWantRequest,
    UnitRequest,
    UpdateAppStatusRequest,
)
from .quote import quote
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .proto import Message

AGENT_SOCKET = "/coder.agentsocket.v1.AgentSocket"
"""The service of the agent's socket, which legacy scripts speak to."""
SYNC = "/runner.v1.Sync"
"""What that service lacks, for our own client."""
CONTROL = "/runner.v1.Control"
"""What the other commands ask of a supervisor. Bodies are JSON, so they need no message here."""

LONGEST_NAME = 4_096
"""Characters of an rpc's name that an error quotes."""
NO_REQUEST = "EOF"
"""What the reference answers where a call ends before its request has come."""
NOT_CONNECTED = "agent not connected to coderd"
"""What is answered to UpdateAppStatus where there is no agent to pass it on to."""


class Method(Record):
    """One rpc that takes one request."""

    path: str
    request: type[Message] | None = None
    """None: JSON."""
    response: type[Message] | None = None
    """None: JSON."""
    since: tuple[int, int] = (1, 0)
    """The version of its service that brought it."""
    is_stream: bool = False
    """Whether it has any number of answers, one message each, rather than one."""


PING = Method(f"{AGENT_SOCKET}/Ping", Empty, Empty)
SYNC_START = Method(f"{AGENT_SOCKET}/SyncStart", UnitRequest, Empty)
SYNC_WANT = Method(f"{AGENT_SOCKET}/SyncWant", SyncWantRequest, Empty)
SYNC_COMPLETE = Method(f"{AGENT_SOCKET}/SyncComplete", UnitRequest, Empty)
SYNC_READY = Method(f"{AGENT_SOCKET}/SyncReady", UnitRequest, SyncReadyResponse)
SYNC_STATUS = Method(f"{AGENT_SOCKET}/SyncStatus", UnitRequest, SyncStatusResponse)
SYNC_LIST = Method(f"{AGENT_SOCKET}/SyncList", Empty, SyncListResponse, (1, 2))
UPDATE_APP_STATUS = Method(f"{AGENT_SOCKET}/UpdateAppStatus", UpdateAppStatusRequest, Empty, (1, 1))

WAIT = Method(f"{SYNC}/Wait", UnitRequest, SyncReadyResponse)
"""SyncReady that is answered when it is true, however long that takes."""
REACH = Method(f"{SYNC}/Reach", UnitRequest, SyncReadyResponse)
"""Answered when a unit has reached its goal; an error where it cannot any more."""
FAIL = Method(f"{SYNC}/Fail", SyncFailRequest, Empty)
"""SyncComplete for a unit that did not succeed."""

SNAPSHOT = Method(f"{CONTROL}/Snapshot")
"""The run as it is now."""
EVENTS = Method(f"{CONTROL}/Events", is_stream=True)
"""The run as it is now, then what becomes of it."""
START = Method(f"{CONTROL}/Start")
STOP = Method(f"{CONTROL}/Stop")
"""Without units: everything, and then the supervisor."""
RESTART = Method(f"{CONTROL}/Restart")
RETRY = Method(f"{CONTROL}/Retry")
RELOAD = Method(f"{CONTROL}/Reload")
"""Without units: the unit files are read anew."""
USAGE = Method(f"{CONTROL}/Usage")
"""What the processes of the units use now."""

METHODS: dict[str, Method] = {
    method.path: method
    for method in (
        *(PING, SYNC_START, SYNC_WANT, SYNC_COMPLETE, SYNC_READY, SYNC_STATUS, SYNC_LIST, UPDATE_APP_STATUS),
        *(WAIT, REACH, FAIL),
        *(SNAPSHOT, EVENTS, USAGE),
        *(START, STOP, RESTART, RETRY, RELOAD),
    )
}
"""All methods by their path: what a :class:`~.connection.ServerConnection` takes as those with one request."""


def say_unknown(rpc: str) -> str:
    """What is answered to an rpc that nobody serves. Of a name of megabytes only the beginning is worth the time to quote."""
    return f"protocol error: unknown rpc: {quote(rpc[:LONGEST_NAME])}"
