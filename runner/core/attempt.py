"""How an attempt begins, becomes ready, and is concluded: by the end of the unit or by another attempt."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from .effect import ReadValues, Spawn, StartProbe, StopCheck
from .event import Outcome, UnitEnded, UnitReady, UnitRetrying, UnitStarting
from .node import Node, Verdict
from .policy import restart_delay, retry_delay
from .run import Run
from .values import Conflict
from .words import say_count, say_duration


def start(run: Run, node: Node) -> None:
    """Execute the unit's command: first write that it is about to be, then order it.

    Where it cannot be told what the units before it give it, it has failed, and another attempt would fare no better.
    """
    received = run.values.received(node.name, node.unit.env)
    if isinstance(received, Conflict):
        node.started_at = node.exit = None  # these are of the attempt before
        end(run, node, "failed", str(received))
        return
    node.begin_attempt(run.next_invocation())
    node.is_forced = False
    because = node.because if node.attempt == 1 and node.because else UNSET
    run.emit(UnitStarting(at=run.now, unit=node.name, invocation=node.invocation, attempt=node.attempt, because=because))
    run.order(Spawn(node.name, node.invocation, node.attempt, received, node.because_of))


def get_ready(run: Run, node: Node) -> None:
    """Nothing holds the dependents any more but that what they may get from the unit is to be read."""
    if not node.is_getting_ready:
        node.is_getting_ready = True
        run.order(ReadValues(node.name, node.invocation))


def become_ready(run: Run, node: Node) -> None:
    """Let the dependents go. A service need not hurry any more, counts as no job, and is looked after from now on."""
    started_at = node.started_at if node.started_at is not None else run.now
    run.emit(UnitReady(at=run.now, unit=node.name, after=run.now - started_at, gives=_gives(run, node)))
    node.was_ready = True
    run.admission.free_job(node.name)
    if node.unit.kind == "service":
        run.cancel_timers(node, "timeout")
    if node.unit.health:
        run.order(StartProbe(node.name, node.invocation, "health"))


def conclude(run: Run, node: Node, verdict: Verdict, luck: float) -> None:
    """The attempt is over and nothing of it is left: the unit's policy says whether another follows, or somebody does."""
    if node.restart_reason is not None and node.stop_reason is None:
        _let_go(run, node, Verdict(verdict.outcome, node.restart_reason), attempt=1, delay=0.0)
        return
    delay: float | None = None
    if node.stop_reason is None and verdict.then == "retry":
        delay = retry_delay(node.unit.retry, node.attempt, luck)
    elif node.stop_reason is None and verdict.then == "restart" and _is_restart_wanted(node, verdict):
        delay = restart_delay(node.unit.restart, node.restarts, run.now)
        if delay is None:
            verdict = Verdict("failed", f"{verdict.reason}; {_limit_in_words(node)}")
    if delay is None:
        end(run, node, verdict.outcome, verdict.reason)
    else:
        _let_go(run, node, verdict, node.attempt + 1, delay)
        run.set_timer(node, "backoff", run.now + delay)


def _is_restart_wanted(node: Node, verdict: Verdict) -> bool:
    when = node.unit.restart.when
    return verdict.forced or when == "always" or (when == "on-failure" and verdict.outcome in ("failed", "timed-out"))


def _limit_in_words(node: Node) -> str:
    policy = node.unit.restart
    return f"restarted {say_count(policy.limit, 'time')} within {say_duration(policy.window)}, which is its limit"


def _let_go(run: Run, node: Node, verdict: Verdict, attempt: int, delay: float) -> None:
    run.cancel_timers(node, "timeout", "ready", "stop")
    run.admission.release(node.name)
    exit_code, signal = _exit(node)
    run.emit(
        UnitRetrying(
            at=run.now,
            unit=node.name,
            attempt=attempt,
            delay=delay,
            reason=verdict.reason,
            exit_code=UNSET if exit_code is None else exit_code,
            signal=UNSET if signal is None else signal,
        )
    )


def end(run: Run, node: Node, outcome: Outcome, reason: str, runs_if: tuple[str, ...] = ()) -> None:
    """Give the unit its outcome, and others what it held."""
    drop_check(run, node)
    run.cancel_timers(node, "wait", "timeout", "ready", "backoff", "stop")
    run.admission.withdraw(node.name)
    run.admission.release(node.name)
    node.outcome, node.reason = outcome, reason
    node.pid = node.restart_reason = None
    node.is_forced = False
    _settle_values(run, node)
    if node.is_declared and not node.unit.optional and not _is_good(node) and run.stop_reason is None:
        run.failed[node.name] = None
    exit_code, signal = _exit(node)
    run.emit(
        UnitEnded(
            at=run.now,
            unit=node.name,
            outcome=outcome,
            reason=reason,
            cause=node.cause or UNSET,
            runs_if=runs_if or UNSET,
            exit_code=UNSET if exit_code is None else exit_code,
            signal=UNSET if signal is None else signal,
            duration=duration(run, node),
            cpu=node.exit.cpu if node.exit else 0.0,
            max_rss=node.exit.max_rss if node.exit else 0,
            gives=_gives(run, node),
        )
    )


def drop_check(run: Run, node: Node) -> None:
    """Nobody wants to know any more whether a unit need run."""
    if node.check:
        run.order(StopCheck(node.name, node.check))
        run.cancel_timers(node, "timeout")
        node.check = 0


def _settle_values(run: Run, node: Node) -> None:
    """A oneshot gives at its end what it has written until then. What did not end well gives nothing."""
    if node.outcome == "succeeded" and node.exit and node.unit.kind == "oneshot":
        run.values.give(node.name, node.exit.gives)
    elif node.outcome not in ("succeeded", "unneeded"):
        run.values.give(node.name, {})


def _gives(run: Run, node: Node) -> tuple[str, ...] | UnsetType:
    return tuple(run.values.given(node.name)) or UNSET


def _is_good(node: Node) -> bool:
    """It reached its goal. So did a service that was ready, and that somebody stopped then."""
    return node.outcome in ("succeeded", "unneeded") or (
        node.outcome == "cancelled" and node.was_ready and node.unit.kind == "service"
    )


def duration(run: Run, node: Node) -> float:
    """Seconds for which the main process of the last attempt has been there."""
    if node.started_at is None:
        return 0.0
    return (node.exit.at if node.exit else run.now) - node.started_at


def _exit(node: Node) -> tuple[int | None, str | None]:
    return (node.exit.exit_code, node.exit.signal) if node.exit else (None, None)
