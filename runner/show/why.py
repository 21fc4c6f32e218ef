"""Says in words why a unit is where it is, as one would say it to a colleague.

First one sentence that answers the question, then the chain behind it, a unit a line, then one thing to do next. What is said
of a single unit is in ``reason``.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import takewhile
from shlex import quote

import msgspec

from ..core.explain import Explanation, Link
from ..core.freshness import BY_HAND
from .reason import ENDED_SO, Told, named, say, say_awaited, say_handled, say_moment, say_now, say_start
from .text import printable

_WIDTH = 80
_WIDEST_NAME = 24
_FIRST_SHOWN = 8
_LAST_SHOWN = 4
_IN_A_DURATION = re.compile(r"(?<=\d) (?=(?:ms|s|min|h)\b)")


def render_json(explanation: Explanation) -> str:
    """The explanation as one JSON object: the chain, each unit with all that is known of it and what holds it up."""
    return msgspec.json.format(msgspec.json.encode(explanation), indent=2).decode() + "\n"


def render_text(explanation: Explanation, note: str = "") -> str:
    """The answer, the chain where there is more to it than the answer, a note, and what to do next."""
    told = list(_tell(explanation))
    paragraphs = [_wrap(f"{_answer(told)}.", "", "")]
    if len(told) > 1:
        paragraphs.append(_chain_lines(told))
    if told[0].outcome == "unneeded":
        paragraphs += _what_would_do(told[0])
    if note:
        paragraphs.append(_wrap(note, "", ""))
    if hint := _hint(told):
        paragraphs.append([printable(f"hint: {hint}")])  # not wrapped: a path or a command is to be copied
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"


def say_answer(explanation: Explanation) -> str:
    """The answer alone, in one sentence or two, without the full stop."""
    return _answer(list(_tell(explanation)))


def _tell(explanation: Explanation) -> Iterator[Told]:
    """Each link with what it needs to be told: the one behind it, and whether its story is over."""
    chain = explanation.chain
    for number, link in enumerate(chain):
        behind = chain[number + 1].view if number + 1 < len(chain) else None
        before = chain[number - 1].hold if number else None
        yield Told(link, behind, explanation.at, _is_story(link) if before is None else before.until is not None)


def _is_story(top: Link) -> bool:
    """Whether one who asks about this unit wants to know why it began when it did."""
    return top.view is not None and (top.view.state == "ready" or top.view.outcome == "succeeded")


# ------------------------------------------------------------------ the answer


def _answer(told: Sequence[Told]) -> str:
    top = told[0]
    match top.state:
        case "waiting":
            return _answer_waiting(told)
        case "idle":
            return f"{top.unit} {_answer_idle(told)}"
        case "running":
            is_external = top.link.view is not None and top.link.view.kind == "external"
            return f"{top.unit} {say_now(top)}. {f'That was {say_moment(top)}' if is_external else f'It {say_start(top)}'}"
    if top.outcome == "skipped" and len(told) > 1:
        return _answer_skipped(told)
    return f"{top.unit} {say(top)}"


def _answer_waiting(told: Sequence[Told]) -> str:
    """What it waits for in the end, through which others, and what that does now."""
    top = told[0]
    waiting = list(takewhile(lambda one: one.state == "waiting", told))
    *through, last = waiting
    root = told[len(waiting)] if len(told) > len(waiting) else None
    if root and last.hold and last.hold.by == "dependency":
        said = f"{_through(waiting[1:])} for {root.unit}, which {say_now(root)}"
    elif root:
        said = f"{_through(waiting[1:])} for {say_awaited(last)}; {root.unit} {say_now(root)}"
    elif through:
        said = f"{_through(through[1:])} for {last.unit}, which {say_now(last)}"
    else:
        said = f" for {say_awaited(top)}"
    others = top.hold.others if top.hold and top.hold.by == "dependency" else ()
    rest = f"; {named(others)} {'is' if len(others) == 1 else 'are'} not there yet either" if others else ""
    return f"{top.unit} waits{said}{rest}"


def _answer_idle(told: Sequence[Told]) -> str:
    top = told[0]
    if top.hold is None:
        is_declared = top.link.view is not None and top.link.view.is_declared
        return say_now(top) + (", and nothing that was asked for depends on it" if is_declared else "")
    handled = told[1]
    if handled.outcome in ENDED_SO[top.hold.on]:
        return f"did not start although {handled.unit} {say_now(handled)}; everything was being stopped by then"
    return f"has not started: it {say_handled(top.hold)}; {handled.unit} {say_now(handled)}"


def _answer_skipped(told: Sequence[Told]) -> str:
    """The root of it, and through which others it came."""
    skipped = list(takewhile(lambda one: one.outcome == "skipped", told))
    root = told[len(skipped)] if len(told) > len(skipped) else skipped.pop()
    between = f", which it needs{_through(skipped[1:]).removeprefix(',')}" if len(skipped) > 1 else ""
    return f"{told[0].unit} was skipped because {root.unit}{between} {say_now(root)}"


def _through(between: Sequence[Told]) -> str:
    return f", through {named([one.unit for one in between])}," if between else ""


# ------------------------------------------------------------------ the chain, and what to do


def _chain_lines(told: Sequence[Told]) -> list[str]:
    column = min(max(len(printable(one.unit)) for one in told), _WIDEST_NAME)
    entries = [_wrap(say(one), f"  {printable(one.unit):{column}}  ", " " * (column + 4)) for one in told]
    hidden = len(entries) - _FIRST_SHOWN - _LAST_SHOWN
    if hidden > 1:
        entries[_FIRST_SHOWN:-_LAST_SHOWN] = [[f"  ({hidden} more)"]]
    return [line for entry in entries for line in entry]


def _what_would_do(top: Told) -> list[list[str]]:
    """What would make a unit run that was not needed."""
    runs_if = top.link.view.runs_if if top.link.view else ()
    return [_wrap(f"It runs if {'; if '.join(runs_if)}.", "", "")] if runs_if else []


def _hint(told: Sequence[Told]) -> str:
    """One thing to do about the last in the chain, or to look at."""
    top, root = told[0], told[-1]
    name = quote(root.unit)
    if top.state == "idle":
        return f'see what it belongs to: "runner graph {quote(top.unit)}"' if top.link.view and top.link.view.is_declared else ""
    if root.link.view is None or (root.hold and root.hold.by == "script" and root.state == "waiting"):
        return f'when its work begins, its script calls "runner sync start {name}"'
    if root.state == "running" and root.link.view.kind == "external":
        return f'when its work is done, its script calls "runner sync complete {name}"'
    if top.outcome == "unneeded":
        by_hand = top.link.view is not None and BY_HAND in top.link.view.runs_if
        return f'to run it all the same: "runner restart {quote(top.unit)}"' if by_hand else ""
    if root.is_story:
        return 'see the whole run: "runner timeline"' if len(told) > 1 else ""
    return f'see what {root.unit} wrote: "runner logs {name}"' if root.link.view.log else ""


def _wrap(text: str, first: str, further: str) -> list[str]:
    """Lines that fit a terminal. Names and durations stay in one piece, however long."""
    whole = _IN_A_DURATION.sub("\N{NO-BREAK SPACE}", printable(text))
    lines = textwrap.wrap(
        whole, _WIDTH, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
