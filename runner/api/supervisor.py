"""A supervisor as an agent has it: the same for every library of asynchronous calls, of which each shell brings two things.

One is an event that can be waited for; both libraries have a class of the same shape. The other is a way to carry a call to
the supervisor's socket and its answer back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, Self

from msgspec.json import decode, encode

from ..core.event import RunStarted, StartupFinished
from ..core.snapshot import Snapshot
from ..core.stream import SnapshotTaken, StreamEvent
from ..errors import InvalidUnits
from ..rpc.methods import RELOAD, RESTART, RETRY, SNAPSHOT, START, STOP, Method
from ..supervisor.commands import Answer, Request
from .call import Call
from .failure import Refused, RunOver, SupervisorDied, explain_start
from .log import EventLog

_REASON: Final = "by the agent"
"""Why something is done, in the journal."""


class News(Protocol):
    """Something that has come, or is waited for."""

    def set(self) -> None:
        """It has come."""

    async def wait(self) -> object:
        """Wait until it has."""


Converse = Callable[[str, Call], Awaitable[bytes]]
"""Carries a call to the socket at a path and returns the answer. Raises CannotConnect and what the call raises."""


class Supervisor:
    """A supervisor that runs as a subprocess of this program."""

    def __init__(self, make_news: Callable[[], News], converse: Converse) -> None:
        self.exit_status: int | None = None
        """How its process ended, or minus the signal that killed it; None while it is there."""
        self._make_news = make_news
        self._converse = converse
        self._log = EventLog()
        self._news = make_news()
        self._told = ""

    @property
    def run(self) -> RunStarted:
        """The beginning of its run: the run's id, its own pid, the path of its socket, the units."""
        assert self._log.run
        return self._log.run

    def events(self) -> Events:
        """All that becomes of the run, from its first event to its last. Any number of readers may ask, at any time.

        A reader who is very late gets a :class:`Gap` and the run as it is in place of what is kept no more. Raises
        SupervisorDied where the supervisor goes away without ending its run.
        """
        return Events(self)

    async def wait_startup(self) -> StartupFinished:
        """Wait until every unit has reached its goal or will not reach it any more; its ``outcome`` says how it went.

        Raises RunOver where somebody stops the run before, and SupervisorDied.
        """
        while (startup := self._log.snapshot.startup) is None:
            if not await self.wait_news():
                raise RunOver("cannot wait for the startup: the run ended before it was finished")
        return startup

    async def snapshot(self) -> Snapshot:
        """The run as it is now. Raises CannotConnect, ErrorAnswered or NoAnswer, as everything below does."""
        return decode(await self._ask(SNAPSHOT, b"{}"), type=SnapshotTaken).snapshot

    async def start(self, *units: str) -> Answer:
        """Start units or groups, and before them what they depend on; by default all.

        This and what is below is answered as soon as it is set in motion: how it goes on is in the events. Raises Refused
        where it cannot be done.
        """
        return await self._order(START, units)

    async def stop(self, *units: str) -> Answer:
        """Stop units or groups, and before them what needs them; by default everything, and then the supervisor."""
        return await self._order(STOP, units)

    async def restart(self, *units: str) -> Answer:
        """Stop units or groups and start them again."""
        return await self._order(RESTART, units)

    async def retry(self, *units: str) -> Answer:
        """Start what failed or timed out again, and then what was skipped because of it; by default all of that."""
        return await self._order(RETRY, units)

    async def reload(self, *units: str, restart: bool = False) -> Answer:
        """Have units read their own settings anew; by default the supervisor its unit files, and ``restart`` what has changed.

        Raises InvalidUnits where the unit files have mistakes; nothing changes then.
        """
        return await self._order(RELOAD, units, restart=restart)

    async def _order(self, method: Method, units: tuple[str, ...], *, restart: bool = False) -> Answer:
        request = Request(units=units, reason=_REASON, restart=restart)
        answer = decode(await self._ask(method, encode(request)), type=Answer)
        if answer.refused:
            raise Refused(answer.refused.what, hint=answer.refused.hint)
        if any(problem.severity == "error" for problem in answer.problems):
            raise InvalidUnits(list(answer.problems))
        return answer

    async def _ask(self, method: Method, request: bytes) -> bytes:
        return await self._converse(self.run.socket, Call(method.path, request))

    # -------------------------------------------------------------- for this folder

    def read(self, number: int) -> tuple[list[StreamEvent], int]:
        """The events from one with a number on that have come, and the number of the next."""
        return self._log.read(number)

    async def wait_news(self) -> bool:
        """Wait until there is something new; False where nothing comes any more. Raises SupervisorDied."""
        if self.exit_status is None:
            await self._news.wait()
            return True
        if self._log.snapshot.ended is None:
            raise SupervisorDied(self.exit_status, self._told)
        return False

    async def begin(self) -> None:
        """Wait until the run has begun. Raises CannotStart, AlreadyRuns or SupervisorDied where it does not."""
        while self._log.run is None:
            if self.exit_status is not None:
                raise explain_start(self.exit_status, self._told)
            await self._news.wait()

    def hear(self, output: bytes) -> None:
        """Take what came on its standard output."""
        self._log.feed(output)
        self._tell()

    def end(self, status: int, told: str) -> None:
        """Take note that its process ended, and of what it wrote to standard error."""
        self.exit_status, self._told = status, "\n".join([*self._log.strays, told]).strip()
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = self._make_news()


class Events:
    """The events of a run for one reader. It holds nothing, so it may be left at any time."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._number = 0
        """That of the next to read."""
        self._come: deque[StreamEvent] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        while not self._come:
            events, self._number = self._supervisor.read(self._number)
            self._come.extend(events)
            if not events and not await self._supervisor.wait_news():
                raise StopAsyncIteration
        return self._come.popleft()
