"""One attempt at a unit's command: its main process, the processes that this one starts, its output, its notify socket.

It turns what the operating system says into observed events, and orders about signals into system calls. What any of it
means is decided elsewhere.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import Protocol

from ..core.mask import Masker, Secrets
from ..core.observed import (
    Observed,
    ProbeSucceeded,
    ProcessExited,
    StatusReported,
    StopCommandEnded,
    TimeoutExtended,
    TreeEnded,
    ValuesRead,
)
from ..core.unit import Command, Unit
from ..core.words import say_exit
from .cgroup import ControlGroup
from .child import Child, Exit
from .notify import Notification, NotifySocket
from .output import TAIL_LINES, LogFile, Output, printable
from .poller import Poller
from .spawn import Setting, SpawnError, explain, spawn
from .tree import Birth, Census, TreeWatch, invocation_of, look_for, send_signal, send_signal_to_group, session_of
from .values import CannotUse, read_values, remove

_SEARCHED = 4_096
"""Bytes of a line in which readiness is looked for: a search may take the square of this, and everybody waits for it."""


class Host(Protocol):
    """What an invocation needs of the supervisor."""

    poller: Poller
    birth: Birth
    on_line: Callable[[str, bytes], None] | None
    on_output: list[Callable[[str], None]]
    on_values: list[Callable[[str, Mapping[str, str]], None]]

    @property
    def secrets(self) -> Secrets:
        """What is masked in all that units write."""

    def observe(self, event: Observed) -> None:
        """Take a fact."""

    def now(self) -> float:
        """Seconds since the run began."""

    def luck(self) -> float:
        """A random number in [0, 1)."""

    def census(self) -> Census:
        """The processes as they are, or were a moment ago: one look serves all that happens in a turn of the loop."""


class Invocation:
    """An attempt from its spawn until its tree is gone and its output at its end.

    Raises :class:`SpawnError` where the command cannot be executed; then nothing is left of it.
    """

    def __init__(
        self,
        host: Host,
        unit: Unit,
        name: str,
        setting: Setting,
        log: LogFile,
        notify: NotifySocket | None,
        group: ControlGroup | None = None,
    ) -> None:
        if unit.command is None:
            raise SpawnError("spawn", "cannot execute a unit without a command")
        self.unit = unit
        self.name = name
        self.setting = setting
        self.log = log
        self.notify = notify
        self.group = group
        """The control group that its processes are in; None: in none of their own."""
        self.is_alive_signal = False
        """The unit pinged its watchdog, or wrote a line that is a sign of life, since somebody looked."""
        self._host = host
        self._ready_line: re.Pattern[str] | None = None
        self._alive_line: re.Pattern[str] | None = None
        self._waits_for_notice = False
        self._is_being_stopped = False
        self._killed = False
        self._is_left = False
        """The main process is gone, and others of its tree were there when it went."""
        self._tree: TreeWatch | None = None
        self._new_main = 0
        """The main process that the unit named itself (``MAINPID``); 0: the one that was spawned."""
        self._helpers: list[Child] = []
        """The processes of its stop command and its reload commands."""
        with group.entered() if group else nullcontext():
            self._main = self._spawn(unit.command, self._main_exited)
        if notify:
            host.poller.add(notify.fileno(), self._notified)

    @property
    def pid(self) -> int:
        """The process that was spawned, which leads the session."""
        return self._main.pid

    @property
    def is_running(self) -> bool:
        """That process lives, or was not reaped yet: nobody else has its number."""
        return self._main.is_running

    def members(self, census: Census) -> set[int]:
        """Its processes."""
        return census.members(self.pid, self.name, self.group.pids() if self.group else ())

    def tail(self, n: int = TAIL_LINES) -> list[str]:
        """The last lines of its output, at most so many."""
        return self._main.output.tail(n)

    def _spawn(self, command: Command, on_exit: Callable[[Exit], None]) -> Child:
        try:
            reader, writer = os.pipe2(os.O_CLOEXEC)
        except OSError as error:
            raise explain(error, str(command), self.setting) from None
        if (uid := self.setting.other_uid) is not None:
            with suppress(OSError):  # who cannot give it away cannot become another either, which is told
                os.fchown(writer, uid, -1)  # or /dev/stdout could not be opened (proc_pid_fd(5))
        try:
            process = spawn(command, self.setting, writer)
        except SpawnError:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        output = Output(reader, self.log, self._listener(), Masker(self._host.secrets))
        return Child(self._host.poller, process, output, on_exit, self._wrote)

    def _children(self) -> list[Child]:
        return [self._main, *self._helpers]

    # ---------------------------------------------------------------- output and notices

    def _listener(self) -> Callable[[bytes], None] | None:
        return self._line if self._host.on_line or self._ready_line or self._alive_line else None

    def _wrote(self) -> None:
        for hear in self._host.on_output:
            hear(self.unit.name)

    def _line(self, line: bytes) -> None:
        if self._host.on_line:
            self._host.on_line(self.unit.name, line)
        if self._alive_line and not self.is_alive_signal and self._alive_line.search(printable(line[:_SEARCHED])):
            self.is_alive_signal = True
        if self._ready_line and self._ready_line.search(printable(line[:_SEARCHED])):
            self.wait_for_line(None)
            self._observe_ready()

    def look_for_line(self, pattern: re.Pattern[str] | None) -> None:
        """A line of the output that matches is a sign of life; None: it is not, or not any more."""
        self._alive_line = pattern
        self._main.output.on_line = self._listener()

    def wait_for_line(self, pattern: re.Pattern[str] | None) -> None:
        """Readiness is a line of the output that matches; None: it is not, or not any more."""
        self._ready_line = pattern
        self._main.output.on_line = self._listener()

    def wait_for_notice(self, is_waited_for: bool) -> None:
        """Readiness is a ``READY=1``; False: it is not, or not any more."""
        self._waits_for_notice = is_waited_for

    def _observe_ready(self) -> None:
        self._host.observe(ProbeSucceeded(at=self._host.now(), unit=self.unit.name, invocation=self.name, purpose="ready"))

    def _notified(self) -> None:
        for notice in self.notify.receive() if self.notify else ():
            self._take(notice)

    def _take(self, notice: Notification) -> None:
        at, unit, host = self._host.now(), self.unit.name, self._host
        if notice.main_pid and self._is_member(notice.main_pid):
            self._new_main = notice.main_pid
        if notice.extend_timeout is not None:
            host.observe(TimeoutExtended(at=at, unit=unit, invocation=self.name, seconds=notice.extend_timeout))
        if notice.status is not None:
            host.observe(StatusReported(at=at, unit=unit, invocation=self.name, text=notice.status))
        self.is_alive_signal = self.is_alive_signal or notice.watchdog
        if notice.ready and self._waits_for_notice:
            self._waits_for_notice = False
            self._observe_ready()

    def _is_member(self, pid: int) -> bool:
        """Whether a process is one of ours, so that nobody can have a stranger signalled by naming it."""
        if session_of(pid) == self.pid or invocation_of(pid) == self.name:
            return True
        return self.group is not None and pid in self.group.pids()

    # ---------------------------------------------------------------- its end

    def _main_exited(self, exit_: Exit) -> None:
        if self.notify:
            self._notified()  # what it said last, it said before it went
        if self._new_main not in (0, self.pid) and exit_.exit_code == 0 and self._follow(self._new_main):
            return
        self._ended(exit_)

    def _follow(self, pid: int) -> bool:
        """Wait for the process that the unit named as its main one. It is not our child: how it ends, nobody tells us."""
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            return False

        def gone() -> None:
            self._host.poller.remove(fd)
            os.close(fd)
            self._new_main = 0
            self._ended(Exit())

        self._host.poller.add(fd, gone)
        return True

    def _ended(self, exit_: Exit) -> None:
        is_well = exit_.exit_code == 0 and self.unit.kind == "oneshot"
        left = self._is_left = self._is_anything_left(is_well)
        self._close_notify()
        gives, fault = self._read_values() if is_well else ({}, "")
        if self.setting.values_file:
            remove(self.setting.values_file)
        if self.group and not left:
            self.group.remove()
        self._host.observe(
            ProcessExited(
                at=self._host.now(),
                unit=self.unit.name,
                invocation=self.name,
                exit_code=exit_.exit_code,
                signal=exit_.signal,
                cpu=exit_.cpu,
                max_rss=exit_.max_rss,
                left=left,
                luck=self._host.luck(),
                gives=gives,
                fault=fault,
            )
        )
        if left:
            self._tree = TreeWatch(self._host.poller, self._find, self._tree_ended)
            self._tree.look()

    def tell_values(self) -> None:
        """Say what it gives to the units after it until now."""
        gives, fault = self._read_values()
        at, unit = self._host.now(), self.unit.name
        self._host.observe(ValuesRead(at=at, unit=unit, invocation=self.name, gives=gives, fault=fault))

    def _read_values(self) -> tuple[dict[str, str], str]:
        """What it gives, or why that cannot be used."""
        if not self.setting.values_file:
            return {}, ""
        try:
            values = read_values(self.setting.values_file)
        except CannotUse as error:
            return {}, str(error)
        if values:
            for hear in self._host.on_values:
                hear(self.unit.name, values)
        return values, ""

    def _is_anything_left(self, is_well: bool) -> bool:
        """Whether its processes live on. Of one that ended well only the process group is asked, which costs one call."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            is_asked = self._is_being_stopped or not is_well
            return is_asked and bool(self.members(self._host.census()))
        except PermissionError:
            return True
        return True

    def _find(self) -> set[int]:
        found = look_for(self._host.birth, self.members)
        if self._killed:  # whoever was born since the last look shares the fate of the others
            if self.group:
                self.group.kill()
            send_signal_to_group(self.pid, signal.SIGKILL)
            for pid in found:
                send_signal(pid, signal.SIGKILL)
        return found

    def _tree_ended(self) -> None:
        self._tree = None
        self._is_left = False
        if self._is_being_stopped:  # a look can miss who hands on from process to process; its group cannot
            send_signal_to_group(self.pid, signal.SIGKILL)
        for child in self._children():
            child.read_output()  # they are gone, and what they wrote last is there
        if self.group:
            self.group.remove()
        at, luck = self._host.now(), self._host.luck()
        self._host.observe(TreeEnded(at=at, unit=self.unit.name, invocation=self.name, luck=luck))

    # ---------------------------------------------------------------- orders

    def send(self, number: signal.Signals, to_tree: bool) -> None:
        """Signal the main process alone or all processes. One that is stopped is woken to hear it (kill(2), SIGCONT).

        Its group is signalled as one, as long as somebody is in it, so that nobody else can have its number.
        """
        self._is_being_stopped = True
        self._killed = number == signal.SIGKILL
        numbers = (number,) if self._killed else (number, signal.SIGCONT)
        if not to_tree:
            targets = {self._main_pid()} - {0}
        else:
            census = self._host.census()
            targets = self.members(census)
            if self.group and self._killed:
                self.group.kill()
            if self._main.is_running or self._is_left:
                targets = targets - census.group(self.pid)
                for one in numbers:
                    send_signal_to_group(self.pid, one)
        for pid in targets:
            for one in numbers:
                send_signal(pid, one)

    def _main_pid(self) -> int:
        """Its main process; 0: it has none any more. Whom the unit named may have gone since, and its number be another's."""
        if not self._main.is_running:
            return self._new_main
        return self._new_main if self._new_main and self._is_member(self._new_main) else self.pid

    def run_stop_command(self, command: Command) -> None:
        """Execute the unit's stop command in the same setting, its output to the same log. The unit is not over before it."""
        self._is_being_stopped = True
        try:
            self._helpers.append(self._spawn(command, self._stop_command_ended))
        except SpawnError as error:
            said = self._host.secrets.mask_text(error.reason)
            self.log.write(f"stop command: {said}\n".encode(errors="surrogateescape"))
            self._stop_command_ended(Exit())

    def reload(self, then: Callable[[str], None]) -> None:
        """Tell the unit to read its configuration again, in its own way; ``then`` gets why that failed, or an empty text."""
        way = self.unit.reload
        if way and way.command:
            self._run_reload_command(way.command, then)
        elif way:
            pid = self._main_pid()
            if pid:
                send_signal(pid, signal.Signals[way.signal])
            then("" if pid else "it has ended")

    def _run_reload_command(self, command: Command, then: Callable[[str], None]) -> None:
        """Execute it in the same setting, its output to the same log."""
        self._helpers = [child for child in self._helpers if child.is_running or child.output.fileno() >= 0]

        def ended(exit_: Exit) -> None:
            then("" if exit_.exit_code == 0 else f"the reload command: {say_exit(exit_.exit_code, exit_.signal)}")

        try:
            self._helpers.append(self._spawn(command, ended))
        except SpawnError as error:
            then(f"the reload command: {error.reason}")

    def _stop_command_ended(self, _: Exit) -> None:
        self._host.observe(StopCommandEnded(at=self._host.now(), unit=self.unit.name, invocation=self.name))

    def _close_notify(self) -> None:
        if self.notify:
            self._host.poller.remove(self.notify.fileno())
            self.notify.close()
            self.notify = None

    def close(self) -> None:
        """Let go of everything; for a supervisor that ends."""
        if self._tree:
            self._tree.close()
        self._close_notify()
        for child in self._children():
            child.close()
