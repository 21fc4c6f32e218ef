"""Signs and colours of a live view: what stands for what.

A sign alone says it all, so that a screen reads the same without colours. Colours are the terminal's own, for signs and bars
only; of text, that of a failure alone is coloured, in red, which can be read on white and on black. What matters is bold.
Nothing is dim or grey, for that vanishes on some terminals.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from ...core.event import Outcome
from ...core.snapshot import UnitView
from ...core.state import State

STRONG: Final = "bold"
ALARM: Final = "bold red"


class Glyphs(Struct, frozen=True, kw_only=True):
    """The signs that are drawn, each one cell wide."""

    states: dict[State, str]
    outcomes: dict[Outcome, str]
    done: str
    """The part of a bar that is done, and the part that is not."""
    rest: str
    gutter: str
    """Left of what a unit wrote."""
    arrow: str
    more: str
    """Where text was cut."""
    encodable: bool = True
    """Whether other characters than ASCII can be shown at all."""


UNICODE: Final = Glyphs(
    states={"idle": " ", "waiting": "○", "running": "●", "ready": "◆", "backoff": "↻", "stopping": "■", "ended": " "},
    outcomes={"succeeded": "✓", "failed": "✗", "timed-out": "✗", "skipped": "⊘", "unneeded": "·", "cancelled": "□"},
    done="━",
    rest="┄",
    gutter="│",
    arrow="→",
    more="…",
)
ASCII: Final = Glyphs(
    states={"idle": " ", "waiting": ".", "running": "*", "ready": "@", "backoff": "~", "stopping": "!", "ended": " "},
    outcomes={"succeeded": "+", "failed": "X", "timed-out": "X", "skipped": "-", "unneeded": "=", "cancelled": "/"},
    done="#",
    rest="-",
    gutter="|",
    arrow="->",
    more="...",
    encodable=False,
)
"""For terminals whose encoding has no more than this."""

_STATE_STYLES: Final[dict[State, str]] = {
    "idle": "",
    "waiting": "",
    "running": "bold blue",
    "ready": "green",
    "backoff": "bold yellow",
    "stopping": "bold magenta",
    "ended": "",
}
_OUTCOME_STYLES: Final[dict[Outcome, str]] = {
    "succeeded": "green",
    "failed": ALARM,
    "timed-out": ALARM,
    "skipped": "yellow",
    "unneeded": "",
    "cancelled": "magenta",
}


def sign_of(view: UnitView, glyphs: Glyphs) -> tuple[str, str]:
    """The sign of a unit and its style."""
    if view.outcome is not None and view.state == "ended":
        return glyphs.outcomes[view.outcome], _OUTCOME_STYLES[view.outcome]
    return glyphs.states[view.state], _STATE_STYLES[view.state]


def bar(share: float, width: int, glyphs: Glyphs) -> list[tuple[str, str]]:
    """A bar of which so much is done, in pieces with their styles. Only what is all done fills it."""
    done = width if share >= 1 else min(int(max(share, 0.0) * width), width - 1)
    return [(glyphs.done * done, "green"), (glyphs.rest * (width - done), "")]
