from __future__ import annotations

from msgspec import UNSET, structs

from runner.core.event import (
    Decided,
    Declaration,
    DurationsExpected,
    Need,
    Peer,
    RunEnded,
    RunStarted,
    StartupFinished,
    SyncCalled,
    UnitEnded,
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
from runner.core.snapshot import UnitView, fold

BEGUN = RunStarted(at=0.0, run="r", version="1", pid=1, units=("a",))
WAITS = (WaitsFor(unit="b", requires="success"),)
WAITING = UnitWaiting(at=1.0, unit="a", waits_for=WAITS)
STARTING = UnitStarting(at=2.0, unit="a", invocation="r.1", attempt=1)
STARTED = UnitStarted(at=2.0, unit="a", invocation="r.1", attempt=1, pid=7, command="make", log="a.log")
READY = UnitReady(at=3.0, unit="a", after=1.0)
RETRYING = UnitRetrying(at=4.0, unit="a", attempt=2, delay=3.0, reason="exit status 1", exit_code=1)
ENDED = UnitEnded(at=5.0, unit="a", outcome="failed", reason="killed", signal="SIGKILL", duration=3.0, cpu=0.5, max_rss=9)


def view(*events: Decided) -> UnitView:
    return fold([BEGUN, *events]).units["a"]


def test_a_run_begins_with_its_units_idle() -> None:
    snapshot = fold([BEGUN])
    assert snapshot.run == BEGUN
    assert snapshot.units == {"a": UnitView()}


def test_waiting() -> None:
    assert view(WAITING) == UnitView(state="waiting", since=1.0, waits_for=WAITS, wanted_at=1.0)


def test_started() -> None:
    started = UnitView(
        state="running",
        since=2.0,
        wanted_at=1.0,
        invocation="r.1",
        attempt=1,
        pid=7,
        command="make",
        log="a.log",
        first_started_at=2.0,
        started_at=2.0,
    )
    assert view(WAITING, STARTING, STARTED) == started


def test_ready() -> None:
    found = view(STARTING, STARTED, READY)
    assert (found.state, found.since, found.ready_at) == ("ready", 3.0, 3.0)


def test_what_it_gives_is_what_it_said_last() -> None:
    gives = structs.replace(READY, gives=("PORT", "HOST"))
    assert view(STARTING, STARTED, gives).gives == ("PORT", "HOST")
    assert view(STARTING, STARTED, gives, UnitStopping(at=4.0, unit="a", reason="restarted")).gives == ("PORT", "HOST")
    assert view(STARTING, STARTED, gives, ENDED).gives == ()
    assert view(STARTING, STARTED, gives, structs.replace(ENDED, gives=("PORT",))).gives == ("PORT",)
    assert view(STARTING, STARTED, gives, UnitsChanged(at=4.0, removed=("a",))).gives == ()


def test_what_it_says_and_why_it_is_being_stopped_change_no_more_than_that() -> None:
    before = view(STARTING, STARTED, READY)
    found = view(STARTING, STARTED, READY, UnitReported(at=4.0, unit="a", text="busy"))
    assert found == structs.replace(before, text="busy")
    found = view(STARTING, STARTED, READY, UnitStopping(at=4.0, unit="a", reason="by hand"))
    assert found == structs.replace(before, state="stopping", since=4.0, reason="by hand")


def test_backoff() -> None:
    found = view(STARTING, STARTED, RETRYING)
    assert (found.state, found.retry_at, found.pid, found.exit_code, found.signal) == ("backoff", 7.0, None, 1, None)
    found = view(STARTING, STARTED, RETRYING, structs.replace(WAITING, at=7.0))
    assert (found.state, found.retry_at, found.reason) == ("waiting", None, "")


def test_ended() -> None:
    found = view(STARTING, STARTED, ENDED)
    assert (found.state, found.outcome, found.reason, found.cause) == ("ended", "failed", "killed", "")
    assert (found.pid, found.exit_code, found.signal) == (None, None, "SIGKILL")
    assert (found.duration, found.cpu, found.max_rss) == (3.0, 0.5, 9)
    assert view(UnitEnded(at=0.0, unit="a", outcome="skipped", reason="", cause="b")).cause == "b"


def test_another_attempt_forgets_the_one_before() -> None:
    again = structs.replace(STARTING, at=6.0, invocation="r.2")
    assert view(STARTING, STARTED, ENDED, again) == UnitView(
        state="running",
        since=6.0,
        wanted_at=6.0,
        invocation="r.2",
        attempt=1,
        command="make",
        log="a.log",
        first_started_at=6.0,
    )
    again = structs.replace(STARTING, at=7.0, invocation="r.2", attempt=2)
    assert view(STARTING, STARTED, RETRYING, again).first_started_at == 2.0


def test_the_run() -> None:
    finished, ended = (
        StartupFinished(at=1.0, outcome="succeeded", duration=1.0),
        RunEnded(at=2.0, outcome="succeeded", duration=2.0),
    )
    snapshot = fold([BEGUN, finished, ended])
    assert (snapshot.startup, snapshot.ended) == (finished, ended)


def test_a_fact_that_readers_do_not_know_changes_only_the_time() -> None:
    assert fold([BEGUN, Decided(at=1.0)]) == structs.replace(fold([BEGUN]), at=1.0)


def test_a_unit_that_a_script_brings() -> None:
    called = SyncCalled(at=1.0, unit="x", call="want", peer=Peer(pid=7, uid=1000), depends_on="a")
    found = fold([BEGUN, called]).units["x"]
    assert found == UnitView(is_declared=False, kind="external", after={"a": Need(unit="a")}, called="want")
    assert fold([BEGUN, called, structs.replace(called, call="start", depends_on=UNSET)]).units["x"].called == "start"


def test_a_fork_goes_on_by_itself() -> None:
    snapshot = fold([BEGUN, WAITING])
    before = fold([BEGUN, WAITING])
    fork = snapshot.fork()
    assert fork == snapshot
    fork.apply(SyncCalled(at=2.0, unit="a", call="want", peer=Peer(pid=7, uid=1000), depends_on="b"))
    fork.apply(STARTING)
    fork.apply(SyncCalled(at=2.0, unit="x", call="want", peer=Peer(pid=7, uid=1000)))
    assert snapshot == before


def test_a_group_that_a_script_wants_stands_for_its_members() -> None:
    begun = RunStarted(
        at=0.0,
        run="r",
        version="0",
        pid=1,
        units=("g/a", "g/b", "g/h", "gh"),
        socket="/s",
        declared=(
            Declaration(unit="g/b", kind="oneshot", optional=True),
            Declaration(unit="g/h", kind="oneshot", is_handler=True),
        ),
    )
    called = SyncCalled(at=1.0, unit="x", call="want", peer=Peer(pid=7, uid=1000), depends_on="g")
    assert fold([begun, called]).units["x"].after == {"g/a": Need(unit="g/a"), "g/b": Need(unit="g/b", lenient=True)}


def test_a_script_that_wants_what_a_file_says_already_changes_nothing() -> None:
    need = Need(unit="b", requires="completion")
    begun = structs.replace(BEGUN, units=("a", "b"), declared=(Declaration(unit="a", after=(need,)),))
    called = SyncCalled(at=1.0, unit="a", call="want", peer=Peer(pid=7, uid=1000), depends_on="b")
    assert fold([begun, called]).units["a"].after == {"b": need}


def test_what_is_declared_of_a_unit() -> None:
    needs = (Need(unit="b", requires="completion"),)
    declaration = Declaration(
        unit="a",
        kind="service",
        description="A",
        optional=True,
        is_handler=True,
        after=needs,
        locks=("apt",),
        on_success=("c",),
        on_failure=("d",),
    )
    expected = DurationsExpected(at=0.5, durations={"a": 4.0, "gone": 1.0})
    found = fold([structs.replace(BEGUN, declared=(declaration,)), expected]).units
    assert found == {
        "a": UnitView(
            kind="service",
            description="A",
            optional=True,
            is_handler=True,
            after={"b": needs[0]},
            locks=("apt",),
            on_success=("c",),
            on_failure=("d",),
            expected=4.0,
        )
    }


def test_what_held_it_up_is_remembered_until_it_is_wanted_again() -> None:
    lock = (WaitsFor(lock="apt", holder="b"),)
    asked = UnitWaiting(at=1.5, unit="a", waits_for=lock)
    found = view(WAITING, asked, STARTING, STARTED, ENDED)
    assert (found.wanted_at, found.asked_at, found.held_up_by) == (1.0, 1.5, lock)
    jobs = (WaitsFor(jobs=2),)
    assert view(WAITING, structs.replace(asked, waits_for=jobs)).held_up_by == jobs
    found = view(WAITING, asked, STARTING, STARTED, ENDED, structs.replace(WAITING, at=9.0))
    assert (found.wanted_at, found.asked_at, found.held_up_by) == (9.0, None, ())


def test_when_it_reached_its_goal() -> None:
    good = structs.replace(ENDED, outcome="succeeded")
    service = structs.replace(BEGUN, declared=(Declaration(unit="a", kind="service"),))
    assert view(STARTING, STARTED, READY).reached_at is None
    assert view(STARTING, STARTED, good).reached_at == 5.0
    assert view(STARTING, STARTED, ENDED).reached_at is None
    assert fold([service, STARTING, STARTED, READY]).units["a"].reached_at == 3.0
    restarted = (RETRYING, structs.replace(STARTING, at=7.0), structs.replace(READY, at=8.0))
    assert fold([service, STARTING, STARTED, READY, *restarted]).units["a"].reached_at == 3.0
    assert fold([service, STARTING, STARTED, good]).units["a"].reached_at is None


def test_what_the_files_say_anew() -> None:
    declared = (Declaration(unit="a", description="other"), Declaration(unit="new", kind="service"))
    changed = UnitsChanged(at=6.0, added=("new",), changed=("a",), removed=("b",), declared=declared)
    units = fold([structs.replace(BEGUN, units=("a", "b")), STARTING, changed]).units
    assert (units["a"].description, units["a"].state) == ("other", "running")
    assert (units["new"].kind, units["new"].is_declared) == ("service", True)
    assert (units["b"].is_declared, units["b"].is_removed) == (False, True)
