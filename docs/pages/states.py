"""The states of a unit: a diagram and two tables, all from the one table of transitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from runner.core.event import Outcome
from runner.core.state import STATES, TRANSITIONS

SOURCE: Final = "runner/core/state.py"


def page() -> str:
    """The text."""
    return "\n".join([*_states_text()]) + "\n"


def _states_text() -> Iterator[str]:
    yield "# States of a unit"
    yield ""
    yield "A unit is in one of these states, and only a decided event moves it."
    yield "How it went is not a state but the *outcome*, which only an ended unit has: " + _listed(get_args(Outcome)) + "."
    yield ""
    yield "| state | what is going on |"
    yield "|---|---|"
    yield from (f"| `{state}` | {meaning} |" for state, meaning in STATES.items())
    yield ""
    yield "## Transitions"
    yield ""
    yield "```mermaid"
    yield from _diagram()
    yield "```"
    yield ""
    yield "An event in a state that this table does not have for it is a bug of the runner."
    yield ""
    yield "| event | " + " | ".join(f"`{state}`" for state in STATES) + " |"
    yield "|---|" + "---|" * len(STATES)
    for event, moves in TRANSITIONS.items():
        yield f"| `{_name(event)}` | " + " | ".join(f"`{moves[state]}`" if state in moves else "" for state in STATES) + " |"


def _diagram() -> Iterator[str]:
    """One arrow from a state to another, with all the events that it stands for. What stays where it is has none."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for event, moves in TRANSITIONS.items():
        for start, end in moves.items():
            if start != end:
                arrows.setdefault((start, end), []).append(_name(event))
    yield "stateDiagram-v2"
    yield "    [*] --> idle"
    for (before, after), names in arrows.items():
        yield f"    {before} --> {after}: {', '.join(names)}"


def _name(event: type) -> str:
    """What an event is called in the journal."""
    tag = getattr(event, "__struct_config__").tag  # noqa: B009
    assert isinstance(tag, str)
    return tag


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"
