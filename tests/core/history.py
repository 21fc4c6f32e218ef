"""A run as text, one line for each thing decided and each signal sent: what scenarios are written in."""

from __future__ import annotations

from collections.abc import Iterable

from runner.core.effect import Answer, Effect, RunStopCommand, Signal, WatchScript
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
            unit = item.unit if isinstance(item, UnitEvent | Signal | RunStopCommand | WatchScript) else "-"
            lines.append(f"{at:g} {unit}: {said}")
    return "\n".join(lines)


def lines(history: Iterable[tuple[float, Decided | Effect]], unit: str) -> list[str]:
    """What became of one unit, without the steps that every attempt begins with."""
    about = [line for line in tell_history(history).splitlines() if f" {unit}: " in line]
    told = [line.replace(f" {unit}:", "") for line in about]
    return [line for line in told if " starting, attempt " not in line and not line.endswith(" started")]


def _say(item: Decided | Effect) -> str:
    if isinstance(item, UnitEvent):
        return _say_of_unit(item)
    match item:
        case StartupFinished():
            failed = f", failed {' '.join(item.failed)}" if item.failed else ""
            return f"startup {item.outcome}{failed}, path {' '.join(item.critical_path)}"
        case RunEnded():
            return f"run {item.outcome}"
        case DurationsExpected():
            return "expects " + ", ".join(f"{unit} {seconds:g}" for unit, seconds in item.durations.items())
        case Signal():
            return f"<- {item.signal} to {item.to}"
        case RunStopCommand():
            return "<- stop command"
        case WatchScript():
            return "its script is watched"
        case Answer():
            return f"call {item.call}: " + (
                ": ".join(filter(None, (item.refusal.why, item.refusal.about))) if item.refusal else "yes"
            )
    return ""


def _say_of_unit(event: UnitEvent) -> str:
    match event:
        case UnitWaiting():
            return "waits for " + ", ".join(map(_say_wait, event.waits_for))
        case UnitStarting():
            return f"starting, attempt {event.attempt}"
        case UnitStarted():
            return "started"
        case UnitReady():
            return f"ready after {event.after:g}"
        case UnitReported():
            return f"says {event.text}"
        case SyncCalled():
            return f"script calls {event.call}" + (f" {event.depends_on}" if event.depends_on else "")
        case UnitRetrying():
            return f"attempt {event.attempt} follows in {event.delay:g}: {event.reason}"
        case UnitStopping():
            return f"stopping: {event.reason}"
        case UnitEnded():
            return f"{event.outcome} after {event.duration:g}: {event.reason}" + (f" [{event.cause}]" if event.cause else "")
    raise AssertionError(event)


def _say_wait(wait: WaitsFor) -> str:
    if isinstance(wait.unit, str):
        return wait.unit + (" to end" if wait.requires == "completion" else "")
    if isinstance(wait.lock, str):
        return f"lock {wait.lock} of {wait.holder}"
    if isinstance(wait.call, str):
        return f"its script to call {wait.call}"
    return f"one of {wait.jobs} jobs"
