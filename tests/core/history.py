"""A run as text, one line for each thing decided and each signal sent: what scenarios are written in."""

from __future__ import annotations

from collections.abc import Iterable

from runner.core.effect import Answer, Effect, Report, RunStopCommand, Signal, Spawn, StartCheck, WatchScript
from runner.core.event import (
    Decided,
    DurationsExpected,
    RunEnded,
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
    WaitsFor,
)


def tell_history(history: Iterable[tuple[float, Decided | Effect]]) -> str:
    """All of it, times first. Orders that are not sent to a program are left out."""
    lines = []
    for at, item in history:
        said = _say(item)
        if said:
            of_a_unit = UnitEvent | Signal | RunStopCommand | Spawn | StartCheck | WatchScript
            unit = item.unit if isinstance(item, of_a_unit) else "-"
            lines.append(f"{at:g} {unit}: {said}")
    return "\n".join(lines)


def lines(history: Iterable[tuple[float, Decided | Effect]], unit: str) -> list[str]:
    """What became of one unit, without the steps that every attempt begins with."""
    about = [line for line in tell_history(history).splitlines() if f" {unit}: " in line]
    told = [line.replace(f" {unit}:", "") for line in about]
    return [line for line in told if " starting, attempt " not in line and not line.endswith(" started")]


def _signed(event: UnitsChanged) -> list[tuple[str, tuple[str, ...]]]:
    return [("+", event.added), ("~", event.changed), ("-", event.removed)]


def _say(item: Decided | Effect) -> str:
    if isinstance(item, UnitEvent):
        return _say_of_unit(item)
    return _say_of_run(item) if isinstance(item, Decided) else _say_order(item)


def _say_of_run(event: Decided) -> str:
    match event:
        case StartupFinished():
            failed = f", failed {' '.join(event.failed)}" if event.failed else ""
            return f"startup {event.outcome}{failed}, path {' '.join(event.critical_path)}"
        case RunEnded():
            return f"run {event.outcome}"
        case UnitsChanged():
            return "units" + "".join(f" {sign}{name}" for sign, names in _signed(event) for name in names)
        case DurationsExpected():
            return "expects " + ", ".join(f"{unit} {seconds:g}" for unit, seconds in event.durations.items())
    return ""


def _say_order(order: Effect) -> str:
    match order:
        case Spawn() if order.values or order.cause:
            told = [f"{name}={value}" for name, value in order.values.items()]
            told += [f"{order.cause.unit} {order.cause.outcome}: {order.cause.reason}"] if order.cause else []
            return "<- " + ", ".join(told)
        case Signal():
            return f"<- {order.signal} to {order.to}"
        case RunStopCommand():
            return "<- stop command"
        case StartCheck() if order.is_forced:
            return "<- checked, but to run though it is up to date"
        case WatchScript():
            return "its script is watched"
        case Report() if order.refusal:
            return f"request {order.call} is refused: {order.refusal}"
        case Answer():
            refusal = order.refusal
            return f"call {order.call}: " + (": ".join(filter(None, (refusal.why, refusal.about))) if refusal else "yes")
    return ""


def _say_of_unit(event: UnitEvent) -> str:
    match event:
        case UnitWaiting():
            return "waits for " + ", ".join(map(_say_wait, event.waits_for))
        case UnitStarting():
            return f"starting, attempt {event.attempt}" + (f", because {event.because}" if event.because else "")
        case UnitStarted():
            return "started"
        case UnitReady():
            return f"ready after {event.after:g}" + _say_gives(event)
        case UnitReported():
            return f"says {event.text}"
        case SyncCalled():
            return f"script calls {event.call}" + (f" {event.depends_on}" if event.depends_on else "")
        case UnitRetrying():
            return f"attempt {event.attempt} follows in {event.delay:g}: {event.reason}"
        case UnitStopping():
            return f"stopping: {event.reason}"
        case UnitEnded():
            more = f"; runs if {' or '.join(event.runs_if)}" if event.runs_if else ""
            more += _say_gives(event)
            more += f" [{event.cause}]" if event.cause else ""
            return f"{event.outcome} after {event.duration:g}: {event.reason}{more}"
    raise AssertionError(event)


def _say_gives(event: UnitReady | UnitEnded) -> str:
    return f"; gives {' '.join(event.gives)}" if event.gives else ""


def _say_wait(wait: WaitsFor) -> str:
    if isinstance(wait.unit, str):
        return wait.unit + (" to end" if wait.requires == "completion" else "")
    if isinstance(wait.lock, str):
        return f"lock {wait.lock} of {wait.holder}"
    if isinstance(wait.check, tuple):
        return f"a look at {', '.join(wait.check)}"
    if isinstance(wait.call, str):
        return f"its script to call {wait.call}"
    return f"one of {wait.jobs} jobs"
