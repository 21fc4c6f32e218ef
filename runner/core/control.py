"""What people ask for by hand: start, stop, kill, restart, retry.

A request is never refused because something else goes on. What cannot be done now (to start what is being stopped) is done
as soon as it can; what is so already is no error. Only a run that is being stopped as a whole takes no new wishes.

What a request means is told in ``want`` and ``stop``; here is only for which units, and the report of what it set in motion,
which is given in the same step: who asked can then follow these units by their events.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import stop as wave
from . import urgency
from .effect import Report
from .observed import ControlRequested, KillRequested, RestartRequested, RetryRequested, StartRequested, StopRequested
from .run import Run
from .want import revivable, want


def start(run: Run, request: StartRequested) -> None:
    """Units are to reach their goal."""
    run.has_begun = True
    run.wants_all = run.wants_all or not request.units
    if _is_refused(run, request):
        return
    names = run.graph.select(request.units) if request.units else all_that_start(run)
    _report(run, request, want(run, _in_order_given(run, names)))
    urgency.reckon(run)


def stop(run: Run, request: StopRequested) -> None:
    """Units are to end or, where none is named, everything is."""
    going = run.graph.dependents_closure(run.graph.select(request.units) if request.units else run.nodes)
    active = [name for name in going if run.nodes[name].is_active or run.admission.is_waiting(name)]
    if request.units:
        wave.stop(run, run.graph.select(request.units), request.reason)
    else:
        wave.stop_all(run, request.reason)
    if request.call:
        _report(run, request, [name for name in reversed(run.graph.order()) if name in active])


def kill(run: Run, request: KillRequested) -> None:
    """Whatever has a process is to be killed."""
    wave.kill_all(run, request.reason)


def restart(run: Run, request: RestartRequested) -> None:
    """Units that run are to begin anew, and others to run."""
    if not _is_refused(run, request):
        _report(run, request, restart_units(run, run.graph.select(request.units), request.reason))


def restart_units(run: Run, names: Iterable[str], reason: str) -> list[str]:
    """Restart units, and with them the dependents that run and ask for it; returns who begins anew."""
    named = set(names)
    along = [name for name in run.graph.restarted_with(named) - named if run.nodes[name].is_active]
    for name in named:
        run.nodes[name].is_forced = True
    wave.restart(run, [*named, *along], reason)
    wanted = want(run, _in_order_given(run, named))
    urgency.reckon(run)
    return _in_order_given(run, {*wanted, *(name for name in (*named, *along) if run.nodes[name].restart_reason is not None)})


def retry(run: Run, request: RetryRequested) -> None:
    """What failed or timed out is to run again, and what was skipped because of it."""
    if _is_refused(run, request):
        return
    chosen = run.graph.select(request.units) if request.units else run.nodes
    failed = [name for name in chosen if run.nodes[name].outcome in ("failed", "timed-out")]
    skipped = [name for name in chosen if run.nodes[name].outcome == "skipped"]
    again = {*failed, *revivable(run, failed), *(skipped if request.units else ())}
    _report(run, request, want(run, _in_order_given(run, again)))
    urgency.reckon(run)


def all_that_start(run: Run) -> set[str]:
    """The declared units that start by themselves."""
    return {name for name, node in run.nodes.items() if node.is_declared} - run.graph.handlers


def _in_order_given(run: Run, names: set[str]) -> list[str]:
    return [name for name, node in run.nodes.items() if name in names and node.is_registered]


def _is_refused(run: Run, request: ControlRequested) -> bool:
    if run.stop_reason is None:
        return False
    if request.call:
        run.order(Report(request.call, refusal=f"the run is being stopped: {run.stop_reason}"))
    return True


def _report(run: Run, request: ControlRequested, names: Iterable[str]) -> None:
    if request.call:
        run.order(Report(request.call, tuple(names)))
