"""Says of one unit what it does, waits for, or came to, as the end of a sentence that begins with its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ..core.event import Outcome
from ..core.explain import Hold, Link
from ..core.snapshot import UnitView
from ..core.state import State
from ..core.words import say_count, say_duration
from .ending import say_reason
from .summary import OUTCOME_WORDS

ENDED_SO: Final[dict[str, tuple[Outcome, ...]]] = {"success": ("succeeded",), "failure": ("failed", "timed-out")}
"""The outcomes that start a handler that is there for a success or for a failure."""

_NAMES_SHOWN = 4
_BEGINNING = 0.1
"""Seconds for which a run counts as beginning: nobody cares in which of these milliseconds a unit started."""


class Told(Struct, frozen=True):
    """A link of a chain in its place."""

    link: Link
    behind: UnitView | None
    """The unit on which it hangs."""
    at: float
    """Now, in seconds since the run began."""
    is_story: bool
    """It is told why it began when it did and how it went on, rather than what it does now."""

    @property
    def unit(self) -> str:
        """Its name."""
        return self.link.unit

    @property
    def hold(self) -> Hold | None:
        """What holds it up, or did."""
        return self.link.hold

    @property
    def state(self) -> State | None:
        """None: nobody has brought it."""
        return self.link.view.state if self.link.view else None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, if it did."""
        return self.link.view.outcome if self.link.view else None


def named(names: Sequence[str], word: str = "and") -> str:
    """Names as one says them: ``a``, ``a and b``, ``a, b and c``, ``a, b, c and 97 more``."""
    rest = len(names) - _NAMES_SHOWN
    if rest > 0:
        return f"{', '.join(names[: _NAMES_SHOWN - 1])} {word} {rest + 1} more"
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last


def say(told: Told) -> str:
    """What a link's line says."""
    if told.is_story and told.link.view and told.link.view.state not in ("idle", "waiting") and told.outcome != "skipped":
        return _say_story(told, told.link.view)
    return say_now(told)


# ------------------------------------------------------------------ what it does now


def say_now(told: Told) -> str:
    """What a unit does, or how it ended, without its story."""
    view = told.link.view
    match told.state:
        case "waiting":
            return f"waits for {say_awaited(told)}{_say_others(told.hold)}"
        case "running" if view:
            return _say_running(view, told.at)
        case "ready" if view:
            still = " and still runs" if view.kind == "oneshot" else ""
            return f"has been ready for {say_duration(told.at - view.since)}{still}"
        case "backoff" if view:
            return _say_backoff(view, told.at)
        case "stopping" if view:
            return f"has been stopping for {say_duration(told.at - view.since)}: {view.reason}"
        case "ended" if view:
            return _say_ended(told, view)
    return _say_idle(told)


def say_awaited(told: Told) -> str:
    """What a waiting unit waits for, with whoever has it."""
    hold, behind = told.hold, told.behind
    if hold is None:
        return "its turn"
    match hold.by:
        case "lock":
            lock = f'lock "{hold.lock}"'
            if not hold.unit:
                return lock
            is_free = behind is not None and behind.state == "waiting"
            return f"{lock}, which {hold.unit} is to have first" if is_free else f"{lock}, which {hold.unit} has"
        case "check":
            if hold.asks:
                return f'the answer of "{hold.asks}", which says whether it need run'
            return f"a look whether it need run: {', '.join(hold.check)}"
        case "job":
            holders = sorted(name for name in (hold.unit, *hold.others) if name)
            who = f", which {named(holders)} {'have' if len(holders) > 1 else 'has'}" if holders else ""
            return f"{_say_jobs(hold.jobs)}{who}"
        case "script":
            return "its script to call start"
    return hold.unit


def _say_others(hold: Hold | None) -> str:
    """What else it waits for. Who has the other jobs was said with the jobs."""
    if hold is None or not hold.others or hold.by == "job":
        return ""
    if hold.by == "lock":
        return f", and for what {named(hold.others)} {'has' if len(hold.others) == 1 else 'have'}"
    return f", and for {named(hold.others)}"


def say_handled(hold: Hold) -> str:
    """For whose end a handler is there."""
    return f"starts only if {named([hold.unit, *hold.others], 'or')} {'succeeds' if hold.on == 'success' else 'fails'}"


def _say_jobs(jobs: int) -> str:
    return f"one of the {jobs} jobs" if jobs > 1 else "the only job"


def _say_idle(told: Told) -> str:
    view = told.link.view
    if view is None:
        return "is not there: no unit file declares it, and no script has brought it"
    if told.hold:
        return say_handled(told.hold)
    if not view.is_declared:
        return "was brought by a script, which has not gone on to start it"
    return "was not asked for in this run"


def _say_running(view: UnitView, at: float) -> str:
    elapsed = at - view.since
    if view.kind == "external":
        return f"was started by its script {say_duration(elapsed)} ago and has not been completed"
    said = f"has been running for {say_duration(elapsed)}"
    if view.expected is not None:
        usual = say_duration(view.expected)
        said += f" of the usual {usual}" if elapsed <= view.expected else f", longer than the usual {usual},"
    if view.kind == "service":
        said += " and is not ready yet"
    if view.attempt > 1:
        said = f"{said.removesuffix(',')} (attempt {view.attempt})"
    return f'{said.removesuffix(",")}{f"""; it says "{view.text}" """.rstrip() if view.text else ""}'


def _say_backoff(view: UnitView, at: float) -> str:
    delay = say_duration((view.retry_at or at) - at)
    if view.ready_at is not None:
        return f"ended: {say_reason(view)}; it starts again in {delay}"
    which = f" at attempt {view.attempt}" if view.attempt > 1 else ""
    return f"failed{which}: {say_reason(view)}; it tries again in {delay}"


def _say_ended(told: Told, view: UnitView) -> str:
    match view.outcome:
        case "skipped":
            return f"needs {told.hold.unit}" if told.hold and told.hold.unit else f"was skipped: {view.reason}"
        case "unneeded":
            return f"was not needed: {view.reason}"
        case "cancelled":
            when = "before it started" if view.first_started_at is None else f"after {say_duration(view.duration)}"
            return f"was cancelled {when}: {view.reason}"
        case "succeeded":
            return "succeeded"
    tries = f" after {say_count(view.attempt, 'attempt')}" if view.attempt > 1 else ""
    if view.outcome == "timed-out":
        return f"timed out{tries}: {view.reason}"
    lasted = f" after {say_duration(view.duration)}" if view.duration else ""
    return f"failed{tries or lasted}: {say_reason(view)}"


# ------------------------------------------------------------------ its story


def say_start(told: Told) -> str:
    """When a unit began, and why then: what it had to wait for last."""
    view = told.link.view
    assert view is not None, "who began is there"
    if view.kind == "target":
        return f"was reached {say_moment(told)}"
    if view.kind == "external":
        return f"was {'completed' if view.first_started_at is None else 'started'} by its script {say_moment(told)}"
    return f"started {say_moment(told)}"


def say_moment(told: Told) -> str:
    """When that was, and why then."""
    view = told.link.view
    assert view is not None, "who began is there"
    begun = view.since if view.first_started_at is None else view.first_started_at
    when = "at the beginning" if begun < _BEGINNING else f"{say_duration(begun)} into the run"
    is_milestone = view.kind == "external" and view.first_started_at is None
    return when if is_milestone else f"{when}, {_say_past(told)}"


def _say_past(told: Told) -> str:
    hold = told.hold
    if hold is None:
        return "with nothing to wait for"
    waited = say_duration((hold.until or 0.0) - (hold.since or 0.0))
    came = f"{hold.unit} {_say_came(told.behind, hold)}" if hold.unit and told.behind else ""
    match hold.by:
        case "lock":
            earlier = f"{named(hold.others)} and then " if hold.others else ""
            return f'after waiting {waited} for lock "{hold.lock}"' + (f", which {earlier}{hold.unit} had" if hold.unit else "")
        case "job":
            back = f"until {hold.unit} gave back" if hold.unit else "for"
            return f"after waiting {waited} {back} {_say_jobs(hold.jobs)}"
        case "script":
            return f"{waited} after {came or 'it could have been'}"
        case "handled":
            return f"because {hold.unit} {'succeeded' if hold.on == 'success' else 'failed'}"
    return f"as soon as {came or 'all that it depends on was there'}"


def _say_came(view: UnitView | None, hold: Hold) -> str:
    """How a dependency let its dependents go."""
    assert view is not None, "it is the next in the chain"
    if view.kind == "service" or view.state == "ready" or view.ready_at == hold.until:
        return "was ready"
    if view.kind == "target":
        return "was reached"
    if view.kind == "external" and view.outcome == "succeeded":
        return "was completed"
    passive = view.outcome in ("skipped", "cancelled", "unneeded")
    return f"{'was' if passive else 'had'} {_outcome_words(view)}"


def _say_story(told: Told, view: UnitView) -> str:
    return say_start(told) + _say_rest(told, view)


def _say_rest(told: Told, view: UnitView) -> str:
    """How a unit went on after it had started."""
    if view.first_started_at is None:
        return ""
    took = say_duration((view.reached_at if view.reached_at is not None else view.since) - view.first_started_at)
    if view.kind == "service" and view.reached_at is not None:
        return f", and was ready after {took}"
    tries = f" at attempt {view.attempt}" if view.attempt > 1 else ""
    if view.outcome == "succeeded":
        word = "was completed" if view.kind == "external" else "succeeded"
        return f", and {word}{tries} after {took}"
    return f"; it {say_now(told)}"


def _outcome_words(view: UnitView) -> str:
    return OUTCOME_WORDS[view.outcome] if view.outcome else "ended"
