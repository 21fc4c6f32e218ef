"""The messages of the sync service, ``coder.agentsocket.v1``, and what our own service adds to them."""

from __future__ import annotations

from .proto import BOOL, STRING, Message


class Empty(Message):
    """Nothing: what Ping and SyncList ask, and what most methods answer."""


class UnitRequest(Message):
    """One unit: what SyncStart, SyncComplete, SyncReady and SyncStatus ask."""

    FIELDS = {1: ("unit", STRING)}
    unit: str = ""


class SyncWantRequest(Message):
    """A unit and one that it is to wait for."""

    FIELDS = {1: ("unit", STRING), 2: ("depends_on", STRING)}
    unit: str = ""
    depends_on: str = ""


class SyncReadyResponse(Message):
    """Whether all dependencies of a unit are met."""

    FIELDS = {1: ("ready", BOOL)}
    ready: bool = False


class DependencyInfo(Message):
    """One dependency of a unit, and how far it is."""

    FIELDS = {
        1: ("unit", STRING),
        2: ("depends_on", STRING),
        3: ("required_status", STRING),
        4: ("current_status", STRING),
        5: ("is_satisfied", BOOL),
    }
    unit: str = ""
    depends_on: str = ""
    required_status: str = ""
    current_status: str = ""
    is_satisfied: bool = False


class SyncStatusResponse(Message):
    """How far a unit is and what it waits for. The status is empty for one that nobody has named."""

    FIELDS = {1: ("status", STRING), 2: ("is_ready", BOOL), 3: ("dependencies", DependencyInfo)}
    status: str = ""
    is_ready: bool = False
    dependencies: tuple[DependencyInfo, ...] = ()


class UnitInfo(Message):
    """One unit in a list of them."""

    FIELDS = {1: ("unit", STRING), 2: ("status", STRING), 3: ("is_ready", BOOL)}
    unit: str = ""
    status: str = ""
    is_ready: bool = False


class SyncListResponse(Message):
    """All units that are registered."""

    FIELDS = {1: ("units", UnitInfo)}
    units: tuple[UnitInfo, ...] = ()


class UpdateAppStatusRequest(Message):
    """What an app wants the dashboard to show of it."""

    FIELDS = {1: ("slug", STRING), 2: ("state", STRING), 3: ("message", STRING), 4: ("uri", STRING)}
    slug: str = ""
    state: str = ""
    message: str = ""
    uri: str = ""


class SyncFailRequest(Message):
    """A unit that its script gives up, and why in words."""

    FIELDS = {1: ("unit", STRING), 2: ("reason", STRING)}
    unit: str = ""
    reason: str = ""
