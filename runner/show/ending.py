"""Says how a unit ended and why."""

from __future__ import annotations

from ..core.snapshot import UnitView
from ..core.words import say_duration, say_exit


def say_end(view: UnitView, is_optional: bool) -> str:
    """The outcome of an ended unit, after how long, and the reason: ``failed after 1.4 s: exit status 2``."""
    mark = " (optional)" if is_optional else ""
    after = f" after {say_duration(view.duration)}" if view.duration else ""
    match view.outcome:
        case "succeeded":
            return f"succeeded in {say_duration(view.duration)}" if after else view.reason or "succeeded"
        case "failed":
            return f"failed{mark}{after}: {say_reason(view)}"
        case "timed-out":
            return f"timed out{mark}: {say_reason(view)}"
        case "skipped":
            return f"skipped{mark}: {view.reason}"
        case "unneeded":
            return f"unneeded: {view.reason}"
        case "cancelled":
            return f"cancelled{after}: {view.reason}"
        case None:
            return view.state


def say_reason(view: UnitView) -> str:
    """The reason, and how the main process ended where that does not say it."""
    if view.exit_code is None and view.signal is None:
        return view.reason
    said = say_exit(view.exit_code, view.signal)
    return view.reason if said in view.reason else f"{view.reason} ({said})"
