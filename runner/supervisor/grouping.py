"""When an invocation gets its control group (``cgroup.py``): a group costs as much as a tenth of the shortest unit.

* A service is born in its group. It is what people stop, and what starts daemons. Where the kernel is not ready for that, it
  is started some 10 ms later, when it is. Before there is a loop nobody could say when, so it is waited for.
* A oneshot is put into a group when it has been there for a tenth of a second, with all that it has started. Most are over by
  then, and cost nothing.

Nothing waits in the loop: a thread asks the kernel to be ready, and the loop moves who is to be moved when it is.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..core.unit import Unit
from .aside import Aside, do_aside
from .cgroup import ControlGroup, ControlGroups

if TYPE_CHECKING:
    from ..core.effect import Spawn
    from .invocation import Invocation
    from .supervisor import Supervisor

_MOMENT = 0.1
"""Seconds after which a oneshot gets a group."""
_A_TURN = 16
"""How many get one before the poller has its turn."""


class Grouping:
    """Who of a run is in a control group, and who is to be."""

    def __init__(self, supervisor: Supervisor, spawns: deque[Spawn]) -> None:
        """``spawns`` are those that the supervisor is to carry out."""
        self.groups = ControlGroups(supervisor.run)
        self.has_loop = False
        """The supervisor's turns come by themselves."""
        self._supervisor = supervisor
        self._spawns = spawns
        self._held: list[Spawn] = []
        """Services that are to be born when the kernel is ready."""
        self._young: deque[tuple[float, Invocation]] = deque()
        """Oneshots, and when they have been there for a moment."""
        self._grown: deque[Invocation] = deque()
        """Those that have."""
        self._asked: Aside | None = None
        """The kernel was asked to be ready, and has not answered."""
        if any(unit.kind == "service" for unit in supervisor.engine.graph.units.values()):
            self._ask()  # while all else is made that a run needs

    def holds(self, order: Spawn, unit: Unit) -> bool:
        """Whether a spawn has to wait. Then it is the first to be carried out as soon as it need not wait any more."""
        if unit.kind != "service" or self.groups.is_ready:
            return False
        if not self.has_loop:
            self.groups.get_ready()
            return False
        if not self._ask():
            return False
        self._held.append(order)
        return True

    def _ask(self) -> bool:
        """Have a thread ask the kernel to be ready. False: there is none to be had."""
        if self._asked is None:
            self._asked = do_aside(self._supervisor.poller, self.groups.get_ready, self._answered)
        return self._asked is not None

    def _answered(self, _: None) -> None:
        self._asked = None
        self._spawns.extendleft(reversed(self._held))
        self._held.clear()
        self._gather()

    def make(self, unit: Unit, invocation: str) -> ControlGroup | None:
        """The group that an invocation is to be born in; None: in none."""
        return self.groups.make(invocation) if unit.kind == "service" else None

    def note(self, invocation: Invocation) -> None:
        """Know of an invocation that was spawned."""
        if invocation.group or self.groups.why_not:
            return
        at = self._supervisor.now() + _MOMENT
        if not self._young:
            self._supervisor.call_at(at, self._look)
        self._young.append((at, invocation))

    def _look(self) -> None:
        now = self._supervisor.now()
        while self._young and self._young[0][0] <= now:
            invocation = self._young.popleft()[1]
            if invocation.is_running:
                self._grown.append(invocation)
        if self._young:
            self._supervisor.call_at(self._young[0][0], self._look)
        self._gather()

    def _gather(self) -> None:
        """Put those into groups that have been there for a moment, a few at a time."""
        if self._grown and not self.groups.is_ready:
            self._ask()
            return
        for _number in range(min(_A_TURN, len(self._grown))):
            invocation = self._grown.popleft()
            if invocation.is_running and (group := self.groups.make(invocation.name)):
                group.take(invocation.pid)
                invocation.group = group
        if self._grown:
            self._supervisor.call_at(self._supervisor.now(), self._gather)

    def close(self) -> None:
        """Have no groups any more."""
        if self._asked:
            self._asked.close()
        self.groups.close()
