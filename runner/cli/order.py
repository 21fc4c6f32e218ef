"""Asks a supervisor for something, says what that sets in motion, and follows it until it is done.

The stream of events is opened first and the request made second, over a connection of its own. So nothing of what follows is
missed, however quickly it comes; and what a unit did before the request is told from what it did after by the moment of the
request, which the answer names: a unit that has not changed its state since then has yet to do what was asked.
"""

from __future__ import annotations

import select
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, json

from ..core.event import Outcome, UnitEvent
from ..core.names import hint_for
from ..core.names import select as select_units
from ..core.snapshot import Snapshot, UnitView
from ..core.state import State
from ..core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from ..errors import InvalidUnits, RunnerError, UsageError
from ..rpc.client import Client
from ..rpc.failure import CallTimedOut
from ..show.order import Lines, say_reached, say_start, say_stop, say_stopped
from ..show.reason import named
from ..show.text import printable
from ..supervisor.commands import Answer, Request
from .events import EventStream
from .options import Parser, add_json, add_socket, add_timeout
from .runs import connect
from .stdout import write_err, write_out

if TYPE_CHECKING:
    from ..rpc.methods import Method

Goal = Literal["start", "stop"]
"""What is waited for: that a unit reaches its goal, or that it has ended."""

_GOOD: tuple[Outcome, ...] = ("succeeded", "unneeded")
_INTERRUPTED = 130
_TIMED_OUT = 4


class Refusal(RunnerError):
    """The supervisor does not do it."""


class Told(Struct, frozen=True):
    """How it went with a unit, for ``--json``."""

    unit: str
    state: State
    outcome: Outcome | None
    reason: str
    has_reached_goal: bool


def add_order(parser: Parser, names: str, default: str = "") -> None:
    """What all requests take: the units, ``--no-wait``, ``--timeout``, ``--socket`` and ``--json``."""
    parser.usage = f"{parser.usage} {'[UNIT|GROUP...]' if default else 'UNIT|GROUP...'}"
    parser.add_argument(
        "names",
        metavar="UNIT|GROUP",
        nargs="*" if default else "+",
        help=f"{names}; a group stands for all of its members" + (f" (default: {default})" if default else ""),
    )
    add_no_wait(parser)
    add_timeout(parser)
    add_socket(parser)
    add_json(parser)
    parser.epilog = (
        "It waits until all is done and says how it went; ctrl-c ends the waiting, not what was asked for.\n\n"
        "exit status:\n"
        "  0  it was done\n"
        "  1  a unit did not reach its goal\n"
        "  2  there is no such unit\n"
        "  3  no supervisor runs\n"
        "  4  it was not done in the time that --timeout gives"
    )


def add_no_wait(parser: Parser) -> None:
    """``--no-wait``: do not follow what was asked for."""
    parser.add_argument("--no-wait", action="store_true", help="return as soon as it is under way")


def order(options: Namespace, method: Method, doing: str, goal: Goal, request: Request | None = None) -> int:
    """Ask, tell and follow; returns the exit status. ``doing`` is the word for it: ``starting``."""
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    with connect(options) as watching, connect(options) as asking:
        following = Following(EventStream(watching, f"see how {doing} goes on", with_output=False), deadline)
        following.begin()
        answer = ask(asking, method, request or Request(units=tuple(options.names)))
        meant = [unit for name in options.names for unit in select_units(following.snapshot.units, name)]
        following.expect(answer, dict.fromkeys(_concerned(following.snapshot, answer, meant, goal), goal), meant)
        if not options.json:
            _say_what_begins(answer, meant, doing, goal)
        status = finish(following, options, doing)
        tell_end(following, options)
        return status


def finish(following: Following, options: Namespace, doing: str, more: Mapping[str, object] | None = None) -> int:
    """Follow what was expected, unless nobody wants to wait, and tell how it went; for ``--json`` with what is more to tell."""
    if options.no_wait:
        if options.json:
            write_out(_as_json(following, more))
        return 0
    say = Lines(list(following.goals)).line
    status = following.follow(doing, (lambda *_: None) if options.json else lambda unit, said: write_out(f"{say(unit, said)}\n"))
    if options.json:
        write_out(_as_json(following, more))
    elif status == 1:
        _hint(following)
    return status


def tell_end(following: Following, options: Namespace) -> None:
    """Say it where the supervisor is gone with the last that ran: the next command will not find it."""
    if following.snapshot.ended and not following.missed and not options.json:
        write_err('nothing runs any more, so the supervisor has ended; one that stays: "runner up --keep"\n')


def _hint(following: Following) -> None:
    """Where to look for what went wrong."""
    failed = next((unit for unit in following.missed if following.done[unit].outcome in ("failed", "timed-out")), None)
    if failed:
        write_err(f'hint: what {printable(failed)} wrote: "runner logs {quote(failed)}"\n')


def ask(client: Client, method: Method, request: Request, timeout: float | None = None) -> Answer:
    """The answer to a request, which has so many seconds to come. Raises what it says is wrong."""
    answer = json.decode(client.call(method.path, json.encode(request), timeout=timeout), type=Answer)
    if answer.refused:
        kind = UsageError if answer.refused.is_wrong_use else Refusal
        raise kind(answer.refused.what, hint=answer.refused.hint)
    if any(problem.severity == "error" for problem in answer.problems):
        raise InvalidUnits(list(answer.problems))
    return answer


class Following:
    """Watches units until each has done what is expected of it."""

    def __init__(self, stream: EventStream | None, deadline: float | None) -> None:
        """Say where the events come from, if any do, and when it is too late for them (``time.monotonic``)."""
        self.snapshot = Snapshot()
        self.goals: dict[str, Goal] = {}
        """What is expected of each unit."""
        self.answer = Answer()
        self.done: dict[str, Told] = {}
        """How it went with those that are done."""
        self.missed: list[str] = []
        """Units that did not reach their goal, and should have."""
        self.awaits_startup = False
        """Not done before the startup is finished."""
        self._stream = stream
        self._deadline = deadline
        self._meant: Sequence[str] = ()
        self._has_more = False
        """Of what has come, some is not folded yet."""
        self._waiter = select.poll()
        if stream:
            self._waiter.register(stream, select.POLLIN)
        self._say: Callable[[str, str], None] = lambda *_: None

    @classmethod
    def of_past(cls, snapshot: Snapshot) -> Following:
        """One of a run that is over, in which nothing happens any more."""
        following = cls(None, None)
        following.snapshot = snapshot
        return following

    def begin(self) -> None:
        """Get the run as it is."""
        if self._stream:
            self._stream.wait_for_word(self._left())
        while not self.snapshot.run and self._is_going_on:
            self._take()

    def expect(self, answer: Answer, goals: dict[str, Goal], meant: Sequence[str] = ()) -> None:
        """Say what is expected of units after a request. Of those that are ``meant`` by name, no failure is put aside."""
        self.answer, self.goals, self._meant = answer, goals, meant

    def follow(self, doing: str, say: Callable[[str, str], None]) -> int:
        """Wait until all is done, and say of each unit how it went; returns the exit status."""
        self._say = say
        try:
            for unit in self.goals:
                self._look(unit)
            while self._is_going_on and not self._is_done:
                self._take()
        except KeyboardInterrupt:
            write_err(f'\nnot waiting any more; {doing} goes on, and "runner status" tells how far it is\n')
            return _INTERRUPTED
        except CallTimedOut:
            return tell_timeout([unit for unit in self.goals if unit not in self.done], doing)
        for unit in self.goals:
            if unit not in self.done:
                self._tell(unit, self.snapshot.units.get(unit, UnitView()), False, "has not come to that: the run has ended")
        has_failed = self.awaits_startup and (self.snapshot.startup is None or self.snapshot.startup.outcome != "succeeded")
        return 1 if self.missed or has_failed else 0

    @property
    def _is_going_on(self) -> bool:
        return self._stream is not None and not self._stream.is_over

    @property
    def _is_done(self) -> bool:
        return len(self.done) == len(self.goals) and not (self.awaits_startup and self.snapshot.startup is None)

    def _take(self) -> None:
        """Wait until something has come, and fold it. Raises CallTimedOut when the time is over."""
        assert self._stream, "something can come"
        left = self._left()
        if not self._waiter.poll(None if left is None else left * 1000):
            raise CallTimedOut("cannot wait any longer")
        self._has_more = True
        for event in self._stream.take():
            self._fold(event)
        self._has_more = False
        for unit in self.goals:
            self._look(unit)

    def _left(self) -> float | None:
        """Seconds until it is too late."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0)

    def _fold(self, event: StreamEvent) -> None:
        match event:
            case SnapshotTaken():
                self.snapshot = event.snapshot
                for unit in self.goals:
                    self._look(unit)
            case Gap() | UnitWrote():
                pass
            case _:
                self.snapshot.apply(event)
                for unit in [event.unit] if isinstance(event, UnitEvent) else self.goals:
                    self._look(unit)

    def _look(self, unit: str) -> None:
        """Whether a unit has done by now what is expected of it."""
        goal, view = self.goals.get(unit), self.snapshot.units.get(unit)
        if goal is None or view is None or unit in self.done:
            return
        is_new = view.since >= self.answer.at or unit not in self.answer.units
        if goal == "stop" and is_new and view.state in ("ended", "idle"):
            self._tell(unit, view, True, say_stopped(view, self.answer.at))
        elif goal == "start" and is_new and (view.state == "ready" or (view.state == "ended" and not self._may_go_on(view))):
            self._tell(unit, view, self._has_reached(unit, view), say_reached(view))
        elif goal == "start" and view.state == "idle" and self.snapshot.startup and unit not in self.answer.units:
            self._tell(unit, view, False, "was not asked for in this run")

    def _may_go_on(self, view: UnitView) -> bool:
        """Whether a unit that was stopped is still to be started: that is put off for as long as others are being stopped.

        When the last of them is gone it comes in the same step, and so in what has come by now.
        """
        is_stop_before_it = view.outcome == "cancelled" and (view.wanted_at or 0.0) < self.answer.at
        stopping = (other for other in self.snapshot.units.values() if other.state in ("stopping", "backoff"))
        return is_stop_before_it and (self._has_more or any(stopping))

    def _has_reached(self, unit: str, view: UnitView) -> bool:
        """Whether a unit that is ready or over has reached its goal: since the request, where that has set it in motion."""
        since = self.answer.at if unit in self.answer.units else 0.0
        return view.state == "ready" or view.outcome in _GOOD or (view.reached_at is not None and view.reached_at >= since)

    def _tell(self, unit: str, view: UnitView, has_reached: bool, said: str) -> None:
        self.done[unit] = Told(unit, view.state, view.outcome, view.reason, has_reached)
        if not has_reached and (unit in self._meant or not view.optional):
            self.missed.append(unit)
        self._say(unit, said)


def tell_timeout(left: Sequence[str], doing: str) -> int:
    """Say what was not done in time, and return the exit status."""
    what = named(left) if left else doing
    write_err(f"runner: cannot wait any longer: {what} {'are' if len(left) > 1 else 'is'} not done\n")
    write_err('hint: it goes on all the same; see "runner status"\n')
    return _TIMED_OUT


def find_units(snapshot: Snapshot, names: Sequence[str]) -> list[str]:
    """The units that names stand for in a run. Raises UsageError where one stands for nothing."""
    units: dict[str, None] = {}
    for name in names:
        found = select_units(snapshot.units, name)
        if not found:
            hint = hint_for(name, snapshot.units, 'see "runner list" for all units')
            raise UsageError(f'cannot find unit or group "{name}" in this run', hint=hint)
        units.update(dict.fromkeys(found))
    return list(units)


def _concerned(snapshot: Snapshot, answer: Answer, meant: Sequence[str], goal: Goal) -> list[str]:
    """The units to follow: those that were set in motion, and those that were meant and are on their way already."""
    views = ((unit, snapshot.units[unit]) for unit in meant if unit not in answer.units)
    return [*answer.units, *(unit for unit, view in views if goal == "start" and view.state != "idle")]


def _say_what_begins(answer: Answer, meant: Sequence[str], doing: str, goal: Goal) -> None:
    """Tell what a request has set in motion."""
    if answer.units:
        say = say_start if goal == "start" else say_stop
        write_out("".join(f"{line}\n" for line in say(doing, answer.units, meant)))
    elif not meant:
        write_out("nothing has failed: there is nothing to try again\n")
    elif goal == "stop":
        write_out(f"nothing is left to stop: {named(meant)} {'does' if len(meant) == 1 else 'do'} not run\n")
    else:
        write_out(f"nothing is to be done: {named(meant)} {'is' if len(meant) == 1 else 'are'} there or on the way\n")


def _as_json(following: Following, more: Mapping[str, object] | None) -> str:
    units, done = list(following.answer.units), list(following.done.values())
    data = {"at": following.answer.at, "units": units, **(more or {}), "done": done}
    return json.format(json.encode(data), indent=2).decode() + "\n"
