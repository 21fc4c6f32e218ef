"""For agents that are written in Python: have a supervisor as a subprocess, see its events, say what it is to do, and stop it.

There is a shell for each of the two libraries, of the same shape; import the one that the agent uses::

    from runner.api.trio import open_supervisor
    from runner.api.asyncio import open_supervisor

    async with open_supervisor(units=["units"]) as supervisor:
        async for event in supervisor.events():
            ...

What both of them know is in the modules beside them and touches neither library, nor any descriptor. All that can be raised
and all that comes as an event is named here.
"""

from ..core.event import (
    DurationsExpected,
    RunEnded,
    RunStarted,
    StartupFinished,
    SyncCalled,
    UnitEnded,
    UnitEvent,
    UnitReady,
    UnitReported,
    UnitRetrying,
    UnitsChanged,
    UnitStarted,
    UnitStarting,
    UnitStopping,
    UnitWaiting,
)
from ..core.snapshot import Snapshot, UnitView
from ..core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from ..errors import InvalidUnits, Problem, RunnerError
from ..rpc.failure import CannotConnect, ErrorAnswered, NoAnswer
from ..supervisor.commands import Answer
from .failure import AlreadyRuns, CannotStart, Refused, RunOver, SupervisorDied
from .supervisor import Supervisor

__all__ = [
    "AlreadyRuns",
    "Answer",
    "CannotConnect",
    "CannotStart",
    "DurationsExpected",
    "ErrorAnswered",
    "Gap",
    "InvalidUnits",
    "NoAnswer",
    "Problem",
    "Refused",
    "RunEnded",
    "RunOver",
    "RunStarted",
    "RunnerError",
    "Snapshot",
    "SnapshotTaken",
    "StartupFinished",
    "StreamEvent",
    "Supervisor",
    "SupervisorDied",
    "SyncCalled",
    "UnitEnded",
    "UnitEvent",
    "UnitReady",
    "UnitReported",
    "UnitRetrying",
    "UnitStarted",
    "UnitStarting",
    "UnitStopping",
    "UnitView",
    "UnitWaiting",
    "UnitWrote",
    "UnitsChanged",
]
