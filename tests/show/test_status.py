from __future__ import annotations

from pathlib import Path

from msgspec import Struct, json
from msgspec.structs import replace

from runner.core.event import (
    Decided,
    Declaration,
    Need,
    RunStarted,
    UnitEnded,
    UnitReady,
    UnitStarted,
    UnitStarting,
    UnitWaiting,
    WaitsFor,
)
from runner.core.snapshot import Snapshot, UnitView, fold
from runner.show.queue import lock_queues, queues_of, say_queue
from runner.show.status import Status, render_json, render_list, render_text, render_unit
from tests.snapshot import assert_snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots" / "status"

DECLARED = (
    Declaration(unit="db", kind="service", description="the database"),
    Declaration(unit="lint"),
    Declaration(unit="report", after=(Need(unit="lint"),)),
    Declaration(unit="app/tools", locks=("apt",)),
    Declaration(unit="app/extras", locks=("apt",), after=(Need(unit="db", requires="completion"),)),
)


class Used(Struct, frozen=True):
    processes: int
    memory: int
    cpu: float


def begun(unit: str, at: float, pid: int) -> tuple[Decided, ...]:
    return (
        UnitStarting(at=at, unit=unit, invocation=f"r.{pid}", attempt=1),
        UnitStarted(at=at, unit=unit, pid=pid, invocation=f"r.{pid}", attempt=1, command="serve --all", log=f"/logs/{unit}.log"),
    )


EVENTS: tuple[Decided, ...] = (
    RunStarted(
        at=0.0,
        run="r",
        version="1",
        pid=12,
        units=tuple(one.unit for one in DECLARED),
        declared=DECLARED,
        socket="/run/s",
        jobs=4,
    ),
    *begun("db", 0.0, 20),
    UnitReady(at=1.0, unit="db", after=1.0, gives=("DB_PORT", "DB_HOST")),
    *begun("lint", 0.0, 21),
    UnitEnded(at=2.0, unit="lint", outcome="failed", reason="exit status 1", exit_code=1, duration=2.0),
    UnitEnded(at=2.0, unit="report", outcome="skipped", reason='dependency "lint" failed: exit status 1', cause="lint"),
    *begun("app/tools", 3.0, 22),
    UnitWaiting(at=4.0, unit="app/extras", waits_for=(WaitsFor(lock="apt", holder="app/tools"),)),
)
SNAPSHOT = fold(EVENTS)
USAGE = {"db": Used(3, 12_500_000, 1.25), "app/tools": Used(1, 800_000, 65.0)}
STATUS = Status(SNAPSHOT, 64.0, 1_700_000_000.0, True, USAGE)


def test_all_units_those_first_that_need_an_eye() -> None:
    assert_snapshot(render_text(STATUS, list(SNAPSHOT.units)), SNAPSHOTS / "all.txt")


def test_a_run_that_is_over_says_so_and_has_no_queues() -> None:
    over = Status(SNAPSHOT, 64.0, 0.0, False, {})
    assert_snapshot(render_text(over, ["db", "lint"], "no supervisor runs now"), SNAPSHOTS / "over.txt")


def test_all_that_is_known_of_one() -> None:
    said = [render_unit(STATUS, unit, ["the last", "lines"]) for unit in ("db", "lint", "app/extras")]
    assert_snapshot("\n".join(said), SNAPSHOTS / "units.txt")


def test_what_it_starts_is_told_with_what_for() -> None:
    view = UnitView(on_success=("tell",), on_failure=("notify", "clean"))
    said = render_unit(replace(STATUS, snapshot=Snapshot(units={"a": view})), "a", [])
    assert "  starts    tell if it succeeds\n  starts    notify and clean if it fails\n" in said


def test_a_list() -> None:
    assert_snapshot(render_list(SNAPSHOT), SNAPSHOTS / "list.txt")
    assert_snapshot(render_list(SNAPSHOT, 40), SNAPSHOTS / "list-narrow.txt")


def test_no_line_is_wider_than_a_terminal() -> None:
    assert max(map(len, render_text(STATUS, list(SNAPSHOT.units)).splitlines())) <= 80


def test_data() -> None:
    data = json.decode(render_json(STATUS, ["db"]))
    assert data["queues"][1] == {"by": "lock", "name": "apt", "holders": ["app/tools"], "waiting": ["app/extras"]}
    assert [(one["unit"], one["memory"], one["state"]) for one in data["units"]] == [("db", 12_500_000, "ready")]


def test_who_has_what_and_who_waits() -> None:
    assert [say_queue(queue) for queue in queues_of(SNAPSHOT)] == [
        "4 jobs: app/tools has 1 of them",
        'lock "apt": app/tools has it; app/extras waits',
    ]
    assert lock_queues(SNAPSHOT.units) == {"apt": {"app/extras"}}
