"""Looks whether units need run: carries out ``StartCheck`` and ``StopCheck``, and keeps what the next run will ask for.

What is at hand (variables, the system) is answered at once. Whatever touches files is done in a thread, and a condition's
command is executed, so both need the loop; what is asked before there is one waits for it. What is found means is told by
``core.freshness``.

What a unit was made from is read before it runs and kept when it has succeeded: an input that changes while it runs makes it
run again. When an attempt begins, what was remembered is forgotten, before the command is executed.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from msgspec.structs import asdict

from ..core.engine import Engine
from ..core.event import Decided, UnitEnded, UnitStarting
from ..core.freshness import Found, Judgement, Memory, could_be_fresh, judge, keepable
from ..core.observed import CheckEnded, Observed
from ..core.unit import Command, Unit
from ..core.values import NOTHING, Conflict
from ..core.words import say_exit
from .environment import as_text
from .evidence import look, remember, takes_a_look_at_files
from .memories import Memories
from .secrets import RunSecrets
from .settings import Settings
from .spawn import Setting, SpawnError

if TYPE_CHECKING:
    import trio

    from ..core.effect import StartCheck, StopCheck

_AT_ONCE: Final = 40
"""Looks at files. One at a file system that does not answer hangs until it does; its unit's ``timeout`` makes room for others."""


class Host(Protocol):
    """What the checks need of the supervisor."""

    run: str
    engine: Engine
    secrets: RunSecrets
    on_values: list[Callable[[str, Mapping[str, str]], None]]

    def observe(self, event: Observed) -> None:
        """Take a fact."""

    def now(self) -> float:
        """Seconds since the run began."""


def judge_now(unit: Unit, settings: Settings, memories: Memories) -> Judgement:
    """Whether a unit need run as things are now, without the command of its condition, which is taken to hold."""
    try:
        setting = settings.make(unit, "", 0, None)
    except SpawnError as error:
        return Judgement("failed", as_text(error.reason))
    return judge(unit, _find(unit, setting, settings, memories))


def _find(unit: Unit, setting: Setting, settings: Settings, memories: Memories) -> Found:
    own, state = settings.own(unit, setting.other_uid), os.path.dirname(memories.directory)  # noqa: PTH120
    return look(unit, setting.environment, own, memories.recall(unit.name), state, setting.uid)


class Checks:
    """All looks that go on. They run in the supervisor's nursery, from when there is one."""

    def __init__(self, host: Host, settings: Settings, memories: Memories) -> None:
        self._host = host
        self._settings = settings
        self._memories = memories
        self._nursery: trio.Nursery | None = None
        self._not_yet: list[Callable[[], Awaitable[None]]] = []
        self._slots: trio.CapacityLimiter | None = None
        """For the looks that are in threads now and that somebody waits for."""
        self._going: dict[int, trio.CancelScope | None] = {}
        """The looks that somebody waits for."""
        self._found: dict[str, Found] = {}
        """How each unit that runs now was found before it began."""

    def attach(self, nursery: trio.Nursery) -> None:
        """Begin to look in this nursery, also for what was asked before there was one."""
        self._nursery = nursery
        for task in self._not_yet:
            nursery.start_soon(task)
        self._not_yet.clear()

    def start(self, order: StartCheck) -> None:
        """Look whether a unit need run."""
        unit = self._host.engine.graph.units[order.unit]
        self._going[order.check] = None
        try:
            setting = self._settings.make(unit, f"{self._host.run}.check-{order.check}", 0, None, self._received(unit))
        except SpawnError as error:
            self._answer(order, Judgement("failed", as_text(error.reason)))
            return
        if not takes_a_look_at_files(unit):
            self._judge(order, unit, setting, self._look(unit, setting))
        elif self._nursery:
            self._nursery.start_soon(self._look_in_thread, order, unit, setting)
        else:
            self._not_yet.append(lambda: self._look_in_thread(order, unit, setting))

    def _received(self, unit: Unit) -> Mapping[str, str]:
        """What it would get from the units before it; nothing where that cannot be told, which its start will say."""
        received = self._host.engine.values.received(unit.name, unit.env)
        return NOTHING if isinstance(received, Conflict) else received

    def stop(self, order: StopCheck) -> None:
        """Look no more; a command that was asked is killed."""
        scope = self._going.pop(order.check, None)
        if scope:
            scope.cancel()

    def heed(self, events: Sequence[Decided], _: bytes = b"") -> None:
        """Forget what was remembered of units that begin, and remember how those were made that have succeeded."""
        for event in events:
            if isinstance(event, UnitStarting) and event.attempt == 1 and event.unit in self._found:
                self._memories.keep(event.unit, Memory())
            elif isinstance(event, UnitEnded) and (found := self._found.pop(event.unit, None)) and event.outcome == "succeeded":
                given = self._host.engine.values.given(event.unit)
                kept = keepable(self._host.engine.graph.units[event.unit], given, self._host.secrets)
                self._memories.keep(event.unit, remember(found, kept, has_secrets=len(kept) < len(given)))

    def _look(self, unit: Unit, setting: Setting) -> Found:
        return _find(unit, setting, self._settings, self._memories)

    async def _look_in_thread(self, order: StartCheck, unit: Unit, setting: Setting) -> None:
        import trio

        if order.check not in self._going:
            return
        self._slots = self._slots or trio.CapacityLimiter(_AT_ONCE)
        with trio.CancelScope() as scope:
            self._going[order.check] = scope
            async with self._slots:  # a thread that is left to itself has none, and nobody waits for it
                alone = trio.CapacityLimiter(1)
                found = await trio.to_thread.run_sync(self._look, unit, setting, abandon_on_cancel=True, limiter=alone)
            self._judge(order, unit, setting, found)

    def _judge(self, order: StartCheck, unit: Unit, setting: Setting, found: Found) -> None:
        if order.check not in self._going:
            return
        judgement = judge(unit, found, is_forced=order.is_forced)
        if judgement.verdict == "needed" and could_be_fresh(unit):
            self._found[unit.name] = found
        command = unit.conditions.command if unit.conditions else None
        if command is None or judgement.verdict != "needed":
            self._answer(order, judgement)
        elif self._nursery:
            self._nursery.start_soon(self._ask, order, command, setting, judgement)
        else:
            self._not_yet.append(lambda: self._ask(order, command, setting, judgement))

    async def _ask(self, order: StartCheck, command: Command, setting: Setting, judgement: Judgement) -> None:
        """Whether the unit's own condition holds."""
        import trio

        from .probe import run_command

        if order.check not in self._going:
            return
        with trio.CancelScope() as scope:
            self._going[order.check] = scope
            try:
                status, killed_by = await run_command(command, setting)
            except SpawnError as error:
                self._answer(order, Judgement("failed", f"its condition: {as_text(error.reason)}"))
                return
            if killed_by:
                self._answer(order, Judgement("failed", f'its condition "{command}" was {say_exit(None, killed_by)}'))
            elif status:
                said = say_exit(status, None)
                self._answer(
                    order, Judgement("unneeded", f'"{command}" ended with {said}', (f'"{command}" ends with exit status 0',))
                )
            else:
                self._answer(order, judgement)

    def _answer(self, order: StartCheck, judgement: Judgement) -> None:
        if order.check not in self._going:
            return
        del self._going[order.check]
        at = self._host.now()
        if judgement.gives:
            for hear in self._host.on_values:
                hear(order.unit, judgement.gives)
        self._host.observe(CheckEnded(at=at, unit=order.unit, check=order.check, **asdict(judgement)))
