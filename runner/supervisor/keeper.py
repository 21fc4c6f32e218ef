"""The keeper: the process that ``runner up`` starts as. It waits for the supervisor, and nothing runs that nobody looks after.

A supervisor may die at any moment: somebody kills it, memory runs out, it has a bug. Whoever is to clean up then must have
next to nothing that can go wrong, so this is a process of its own that imports almost nothing and, while all goes well, sits
in one call of sigwait(3). There are two of them, and each ends everything when the other dies:

* The supervisor is forked from the keeper, and both adopt orphans (prctl(2), PR_SET_CHILD_SUBREAPER). While the supervisor
  lives, a daemon that left its parent becomes its child. When it dies, all that it had become children of the keeper, which
  kills whatever is below it until nobody is left.
* The keeper holds the writing end of a pipe. When it dies, the supervisor reads the end of it, and kills all of its run.

The pipe carries the signals that the keeper gets, a byte each. It does not pass them on as signals: ctrl-c, and a SIGHUP for
the whole process group, reach both processes, and the supervisor could not tell one request from two.

Both stay in one process group, so a shell can stop them with ctrl-z and let them go on. The keeper stops when the supervisor
has, for that one gives the terminal back first, and the shell writes as soon as the keeper has stopped. As the first process
of a container the keeper reaps whatever it inherits.
"""

from __future__ import annotations

import os
import signal
import time

from .apart import is_apart, let_go_as
from .processes import GONE, ZOMBIE, Kin, adopt_orphans, fill_standard_streams, kin_of, list_processes
from .signals import STOP_SIGNALS

_PATIENCE = 5.0
"""Seconds that killed processes have to go. One that hangs in the kernel is given up then: nobody can end it."""

_passed_on: int | None = None


def passed_on() -> int | None:
    """In a supervisor: where to read the signals that its keeper got, and the keeper's end. None: it has no keeper."""
    return _passed_on


def keep() -> None:
    """Return in the supervisor, which is a new process. This one waits for it, and ends as it ended."""
    global _passed_on
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    meant = {signal.SIGCHLD, signal.SIGTSTP, *STOP_SIGNALS, *([signal.SIGUSR1] if is_apart() else [])}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # as under nohup(1)
        meant.remove(signal.SIGHUP)
    fill_standard_streams()
    try:
        adopt_orphans()
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        strangers = _Strangers()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, meant)
        supervisor = os.fork()
    except OSError as error:
        _say(f"cannot start the supervisor: {error.strerror}")
        os._exit(1)
    if supervisor == 0:
        os.close(writer)
        adopt_orphans()
        _passed_on = reader
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    os.close(reader)
    os._exit(_wait(supervisor, writer, meant, strangers))


def _wait(supervisor: int, writer: int, meant: set[signal.Signals], strangers: _Strangers) -> int:
    """Take each signal in its turn until the supervisor has ended; then its exit status, or what a shell makes of it.

    The signals are blocked, so none of them can come between a look and the wait for the next.
    """
    while (ended := _reap(strangers).get(supervisor)) is None:
        number = signal.sigwait(meant)
        if number == signal.SIGUSR1:
            let_go_as(supervisor)
        elif number == signal.SIGCHLD:
            _stop_as(supervisor)
        elif number != signal.SIGTSTP:
            _pass_on(writer, number)
    has_killed = end_descendants(strangers)
    status = os.waitstatus_to_exitcode(ended)
    if status < 0 or has_killed:
        _clear_groups()
    if status >= 0:
        return status
    if -status in STOP_SIGNALS:  # it had hardly begun when it was asked to end: that is no accident
        return 128 - status
    _say(f"the supervisor was killed by {_name(-status)}; all that it ran was ended")
    return 1


def _stop_as(supervisor: int) -> None:
    """Stop where the supervisor has stopped at ctrl-z; whoever lets both go on signals their group."""
    try:
        stopped = os.waitid(os.P_PID, supervisor, os.WSTOPPED | os.WNOHANG)
    except ChildProcessError:  # it has ended
        return
    if stopped and stopped.si_status == signal.SIGTSTP:
        os.kill(os.getpid(), signal.SIGSTOP)


def _reap(strangers: _Strangers) -> dict[int, int]:
    """Reap the dead; their pids and wait statuses."""
    ended: dict[int, int] = {}
    try:
        while (pair := os.waitpid(-1, os.WNOHANG))[0]:
            ended.update([pair])
            strangers.pids.discard(pair[0])  # from now on its number may be another's
    except ChildProcessError:
        pass
    return ended


def _pass_on(writer: int, number: int) -> None:
    try:
        os.write(writer, bytes([number]))
    except OSError:  # it has enough of them unread, or is gone
        return


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _say(text: str) -> None:
    try:
        os.write(2, f"runner: {text}\n".encode())
    except OSError:  # nobody listens any more
        return


class _Strangers:
    """Children of this process that it did not start: those of the program that became this one by execve(2).

    What they fork is not ours either. Such a one may become our child when its parent dies, and is known by its session then.
    """

    def __init__(self) -> None:
        self.pids: set[int] = set()
        self.sessions: set[int] = set()
        if not _has_children():  # as nearly always
            return
        own = os.getpid()
        for pid in list_processes():
            parent, _, session = kin_of(pid)
            if parent == own:
                self.pids.add(pid)
                self.sessions.add(session)


def _clear_groups() -> None:
    """Remove the control groups of a supervisor that could not do so itself."""
    from .cgroup import clear_home, find_home

    if home := find_home():
        clear_home(home)


def end_descendants(strangers: _Strangers) -> bool:
    """Kill all processes below this one, those too that are born meanwhile, and reap them; says whether there were any.

    Each death makes its children ours, and the kernel tells of each child's death by SIGCHLD, so it is enough to look again
    then. That is blocked here, or it could come before the wait for it.
    """
    has_killed = False
    give_up_at = time.monotonic() + _PATIENCE
    _reap(strangers)
    while _has_children() and (left := give_up_at - time.monotonic()) > 0:
        found, is_torn = _find_descendants(strangers)
        for pid, (_, group, session) in found.items():
            _kill(pid, group, session)
        if found:
            has_killed = True
            signal.sigtimedwait([signal.SIGCHLD], left)
        elif strangers.sessions and not is_torn:
            break  # the children that are left are not ours; otherwise one was born since the list of processes was made
        _reap(strangers)
    return has_killed


def _has_children() -> bool:
    """Whether this process has any, living or dead."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _find_descendants(strangers: _Strangers) -> tuple[dict[int, Kin], bool]:
    """All processes below this one but strangers; and whether a parent had ended when read, whose children may be missing."""
    kin = {pid: kin_of(pid) for pid in list_processes()}
    children: dict[int, list[int]] = {}
    for pid, (parent, _, session) in kin.items():
        if pid not in strangers.pids and session not in strangers.sessions - {os.getsid(0)}:
            children.setdefault(parent, []).append(pid)
    found: dict[int, Kin] = {}
    parents = [os.getpid()]
    while parents:
        for pid in children.get(parents.pop(), ()):
            found[pid] = kin[pid]
            parents.append(pid)
    return found, any(kin.get(parent) in (ZOMBIE, GONE) for parent, _, _ in kin.values())


def _kill(pid: int, group: int, session: int) -> None:
    """Kill a process; where it is in a session that the supervisor made, with its group: nobody can be forked in between."""
    try:
        if session != os.getsid(0) and group > 1:  # 0 is a group that cannot be seen from here (pid_namespaces(7))
            os.killpg(group, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    except OSError:  # it is gone, or became somebody else's
        return
