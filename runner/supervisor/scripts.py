"""Who calls on the sync socket, and when the script behind the call is gone.

The peer of a connection is the process that made it, most often a short-lived ``coder``. The *script* that it speaks for is
its session: agents and the runner start every script in one of its own. A helper of a unit may have a session for itself and
end before the unit does; so in the process tree of a unit the unit's session counts too. A caller that leads its session
itself has no script behind it, and one in the supervisor's own session is typed by a person; neither is ever held to be gone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..core.effect import WatchScript
from ..core.event import Peer
from ..core.observed import ScriptEnded
from .tree import Census, TreeWatch, invocation_of, session_of

if TYPE_CHECKING:
    from .supervisor import Supervisor

_CALLERS_KNOWN = 1_024
"""As many as can be connected at a time."""


class Scripts:
    """The scripts that have started a unit and not ended it yet."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._watches: dict[str, TreeWatch] = {}
        self._sessions: dict[int, int] = {}
        """The sessions of those who called last, as they were then: a caller can be killed before it is asked for again."""

    def identify(self, pid: int, uid: int) -> Peer:
        """The caller, with the unit in whose process tree it is."""
        self._sessions.pop(pid, None)
        self._sessions[pid] = session_of(pid)
        if len(self._sessions) > _CALLERS_KNOWN:
            del self._sessions[next(iter(self._sessions))]
        return Peer(pid=pid, uid=uid, unit=self._unit_of(pid, uid))

    def _unit_of(self, pid: int, uid: int) -> str:
        """The unit in whose process tree a caller is. Whoever is neither root nor our user speaks only for units of their own.

        Without CAP_SYS_PTRACE (docker) root cannot read the environment of another user's process, but knows its session.
        """
        unit = self._supervisor.unit_of(invocation_of(pid))
        if uid in (0, os.getuid()):
            return unit
        invocations = self._supervisor.invocations
        if not unit:
            session = session_of(pid)
            unit = next((name for name, invocation in invocations.items() if session == invocation.pid), "")
        identity = invocations[unit].setting.identity if unit in invocations else None
        return unit if identity and identity.uid == uid else ""

    def watch(self, order: WatchScript) -> None:
        """Tell the engine when the script is gone."""
        self.forget(order.unit)
        session = self._sessions.get(order.pid) or session_of(order.pid)
        if session in (0, order.pid, os.getsid(0)):
            return
        sessions = {session, self._session_of_unit(order.pid)} - {0}

        def gone() -> None:
            self._watches.pop(order.unit, None)
            supervisor = self._supervisor
            supervisor.observe(ScriptEnded(at=supervisor.now(), unit=order.unit, invocation=order.invocation))

        watch = TreeWatch(self._supervisor.poller, lambda: _members(sessions), gone)
        self._watches[order.unit] = watch
        watch.look()

    def _session_of_unit(self, pid: int) -> int:
        """The session of the unit in whose process tree a process is; 0 where it is in none, or the unit's leader is gone."""
        invocation = self._supervisor.invocations.get(self._supervisor.unit_of(invocation_of(pid)))
        if invocation is None or session_of(invocation.pid) != invocation.pid:
            return 0
        return invocation.pid

    def forget(self, unit: str) -> None:
        """The unit has its outcome: what becomes of its script is nobody's business."""
        watch = self._watches.pop(unit, None)
        if watch:
            watch.close()

    def close(self) -> None:
        """Watch nobody any more."""
        for unit in list(self._watches):
            self.forget(unit)


def _members(sessions: set[int]) -> set[int]:
    """Whom to wait for: the leaders of the sessions, and only when these are gone, whoever else there is."""
    leaders = {session for session in sessions if session_of(session) == session}
    if leaders:
        return leaders
    census = Census()
    return {pid for session in sessions for pid in census.session(session)}
