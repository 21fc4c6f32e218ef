"""The colours of the drawings for a browser, in its light and in its dark mode.

A kind of phase is never told by its colour alone: waits are thin, work is thick, and what is held up is hatched.
"""

from __future__ import annotations

from typing import Final

_COLOURS: Final[dict[str, tuple[str, str]]] = {
    "page": ("#ffffff", "#14171c"),
    "band": ("#f5f6f8", "#1b1f26"),
    "ink": ("#1c2128", "#e4e8ee"),
    "muted": ("#5b6573", "#98a3b3"),
    "grid": ("#e1e4e9", "#2b313b"),
    "waiting": ("#a9b2bf", "#5d6876"),
    "lock-wait": ("#c98a00", "#e0aa3e"),
    "job-wait": ("#8a63c9", "#b395ea"),
    "running": ("#2f6fdb", "#5b9bff"),
    "not-ready": ("#2a93b8", "#4cc0e6"),
    "ready": ("#3a9a5b", "#4fbf78"),
    "backoff": ("#d2601a", "#f08c4b"),
    "stopping": ("#80705f", "#a8977f"),
    "failed": ("#c92a2a", "#ff7b72"),
    "critical": ("#c2255c", "#ff6fa5"),
}
"""By name: on light and on dark."""


def colours(selector: str) -> str:
    """Every colour as a variable of its name, for the elements below ``selector``."""
    light, dark = ("".join(f"--{name}:{pair[mode]};" for name, pair in _COLOURS.items()) for mode in (0, 1))
    return f"{selector}{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{{selector}{{{dark}}}}}\n"
