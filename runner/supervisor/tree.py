"""Which processes belong to an invocation: its session, whoever carries its name in the environment, and all their children.

A process that a unit starts inherits ``RUNNER_INVOCATION``, whoever its parent is by now; one that emptied its environment
is still in the unit's session unless it left that too, and still the child of its parent while that lives. Whoever left all
three (``env -i setsid``, and its parent has ended) is by then a child of the supervisor (``keeper.py``): of this run, though
nobody knows of which unit. All is read from /proc (proc(5)), once when it is needed: nothing is watched for the sake of units
that are well.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress

from msgspec import Struct

from .poller import Poller
from .processes import GONE, ZOMBIE, kin_of, list_processes

_MOST_LOOKS = 10
_MOST_WATCHED = 16
_VARIABLE = b"RUNNER_INVOCATION="


class Birth(Struct, frozen=True):
    """A moment since which few enough processes were born that their numbers tell them from older ones.

    Processes are numbered in order, and begin anew after the highest (proc_sys_kernel(5), pid_max). So as long as fewer were
    born than there are numbers, the younger ones are those from ours to the last that was given. A machine may have thousands
    of others, above all where nobody reaps orphans.
    """

    pid: int
    forks: int

    @classmethod
    def now(cls) -> Birth:
        """The moment of this process's call; everything that it spawns is younger."""
        return cls(_last_pid(), _forks())

    def younger(self) -> Callable[[int], bool]:
        """Whether a process was born after this moment, going by its number. Where that cannot be told, all were."""
        last = _last_pid()
        if not last or not self.pid or _forks() - self.forks >= _number("/proc/sys/kernel/pid_max"):
            return lambda _: True
        if last >= self.pid:
            return lambda pid: self.pid < pid <= last
        return lambda pid: pid > self.pid or pid <= last


def _last_pid() -> int:
    """The number that was given last in this pid namespace; 0 where the kernel does not tell."""
    return _number("/proc/sys/kernel/ns_last_pid")


def _forks() -> int:
    """How many processes were ever born on this machine (proc_stat(5), ``processes``)."""
    with open("/proc/stat", "rb") as file:  # noqa: PTH123
        return next((int(line.split()[1]) for line in file if line.startswith(b"processes ")), 0)


def _number(path: str) -> int:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return int(file.read())
    except (OSError, ValueError):
        return 0


class Census:
    """All processes of one moment, by parent, session, group and invocation; zombies and this process aside.

    ``birth`` leaves out those that are older, where only what a supervisor has spawned is asked for.
    """

    def __init__(self, birth: Birth | None = None) -> None:
        self._children: defaultdict[int, set[int]] = defaultdict(set)
        self._sessions: defaultdict[int, set[int]] = defaultdict(set)
        self._groups: defaultdict[int, set[int]] = defaultdict(set)
        self._invocations: defaultdict[str, set[int]] = defaultdict(set)
        self.is_torn = False
        """Somebody who was listed was gone when read: a child of theirs may be too young to be listed."""
        is_younger = birth.younger() if birth else None
        for pid in self._listed():
            if is_younger and not is_younger(pid):
                continue
            kin = kin_of(pid)
            if kin == GONE:
                self.is_torn = True
            elif kin != ZOMBIE:
                parent, group, session = kin
                self._children[parent].add(pid)
                self._groups[group].add(pid)
                self._sessions[session].add(pid)
                if name := invocation_of(pid):  # whoever has none belongs to no invocation, not to one without a name
                    self._invocations[name].add(pid)

    def _listed(self) -> list[int]:
        try:
            return list_processes()
        except OSError:  # no descriptor is left to look with
            self.is_torn = True
            return []

    def members(self, session: int, invocation: str, others: Iterable[int] = ()) -> set[int]:
        """The processes of an invocation whose main process had this pid and so led this session; ``others`` are known to be."""
        return self._with_descendants(self._sessions.get(session, set()) | self._invocations.get(invocation, set()) | {*others})

    def descendants(self, pid: int) -> set[int]:
        """The processes below one."""
        return self._with_descendants(self._children.get(pid, set()))

    def _with_descendants(self, pids: Iterable[int]) -> set[int]:
        """These processes, their children, and the sessions that they lead, which only their own descendants can be in."""
        found: set[int] = set()
        new = set(pids)
        while new:
            found |= new
            new = {one for pid in new for one in self._children.get(pid, set()) | self._sessions.get(pid, set())} - found
        return found

    def group(self, leader: int) -> set[int]:
        """The processes of a process group."""
        return self._groups.get(leader, set())

    def session(self, leader: int) -> set[int]:
        """The processes of a session."""
        return self._sessions.get(leader, set())

    def members_of_run(self, run: str) -> dict[str, set[int]]:
        """The processes of each invocation of a run that has any."""
        return {name: pids for name, pids in self._invocations.items() if name.startswith(f"{run}.")}


def session_of(pid: int) -> int:
    """The session of a process; 0 for one that is gone or a zombie."""
    return max(kin_of(pid)[2], 0)


def invocation_of(pid: int) -> str:
    """The value of ``RUNNER_INVOCATION`` that a process was executed with; empty where it has none or is another user's."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
            entries = file.read().split(b"\0")
    except OSError:
        return ""
    return next((os.fsdecode(entry.removeprefix(_VARIABLE)) for entry in entries if entry.startswith(_VARIABLE)), "")


def send_signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def send_signal_to_group(leader: int, number: signal.Signals) -> None:
    """Signal all processes of a group at one moment: none of them can be forked and missed in between."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def kill_run(run: str) -> None:
    """Kill all processes of a run, those too that are born meanwhile."""
    killed: set[int] = set()
    while born := {pid for pids in Census().members_of_run(run).values() for pid in pids} - killed:
        for pid in born:
            send_signal(pid, signal.SIGKILL)
        killed |= born


def look_for(birth: Birth, select: Callable[[Census], set[int]]) -> set[int]:
    """Some of the processes that are there now. That there is nobody is believed only of a look that missed nobody.

    A process that hands on to a child and exits can slip through any look; so many looks in a row, it hardly can.
    """
    for _ in range(_MOST_LOOKS):
        census = Census(birth)
        found = select(census)
        if found or not census.is_torn:
            return found
    return set()


class TreeWatch:
    """Calls once when the last of some processes, and of those that they started meanwhile, is gone.

    Of many it watches a few, and looks again when these are gone: a descriptor each for hundreds would be missed elsewhere.
    """

    def __init__(self, poller: Poller, find: Callable[[], set[int]], on_empty: Callable[[], None]) -> None:
        self._poller = poller
        self._find = find
        self._on_empty = on_empty
        self._watched: dict[int, int] = {}
        """pid -> pidfd"""

    def look(self) -> None:
        """Watch whoever is there; where nobody is, that is the end."""
        has_room = True
        while has_room and not self._watched and (found := self._find()):
            has_room = all(self._watch(pid) for pid in sorted(found)[:_MOST_WATCHED])
        if not self._watched:
            self._on_empty()

    def _watch(self, pid: int) -> bool:
        """Watch one; False where there is no descriptor for it. Then those that are watched tell when to look again."""
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:  # gone between the look and now
            return True
        except OSError:  # EMFILE, ENFILE, ENOMEM (pidfd_open(2))
            return False
        self._watched[pid] = fd
        self._poller.add(fd, lambda: self._gone(pid))
        return True

    def _gone(self, pid: int) -> None:
        self._forget(pid)
        if not self._watched:
            self.look()

    def _forget(self, pid: int) -> None:
        fd = self._watched.pop(pid)
        self._poller.remove(fd)
        os.close(fd)

    def close(self) -> None:
        """Watch nobody any more, and call nobody."""
        for pid in list(self._watched):
            self._forget(pid)
