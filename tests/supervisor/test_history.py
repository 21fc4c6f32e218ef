from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

import runner
from runner.core.declare import declarations
from runner.core.event import Decided, RunEnded, RunStarted, StartupFinished, UnitEnded, UnitReady, UnitStarted, UnitStarting
from runner.core.graph import Graph, link
from runner.core.record import RunRecord, UnitRecord, record
from runner.core.unit import Command, Unit
from runner.supervisor.history import (
    KEPT_RUNS,
    LEARNED_RUNS,
    LEARNED_SUCCESSES,
    CannotUseHistory,
    History,
    learn,
)
from runner.supervisor.journal import Lines
from runner.supervisor.paths import StatePaths, has_runs

GRAPH: Graph = link(
    [
        Unit(name="a", kind="oneshot", command=Command(argv=("make", "a"))),
        Unit(name="s", kind="service", command=Command(shell="serve")),
        Unit(name="x", kind="external"),
    ]
)[0]
COMMANDS = {"a": "make a", "s": "serve", "x": ""}


class Place:
    """A state directory, what is written into it, and what was warned of."""

    def __init__(self, root: Path) -> None:
        self.paths = StatePaths(str(root))
        self.warnings: list[str] = []

    def write(self, run: str, events: Iterable[Decided], *, begun_at: float = 1e9) -> Path:
        path = Path(self.paths.journals, f"{run}.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Lines(begun_at).encode(events))
        return path

    def history(self) -> closing[History]:
        return closing(History(self.paths, self.warnings.append))

    def runs(self, limit: int = 1000) -> list[RunRecord]:
        with self.history() as history:
            history.catch_up()
            return history.runs(limit)

    def numbers(self) -> list[tuple[int, str]]:
        return [(run.number, run.run) for run in self.runs()]

    def expected(self) -> dict[str, float]:
        with self.history() as history:
            history.catch_up()
            return history.expected(COMMANDS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "state")
    yield place
    assert place.warnings == []


@pytest.fixture
def bad_place(tmp_path: Path) -> Place:
    """One that is expected to warn."""
    return Place(tmp_path / "state")


def life(unit: str, took: float, *, fails: bool = False, command: str = "") -> list[Decided]:
    """A unit that starts at once, and is ready or done after some seconds."""
    invocation = f"r.{unit}"
    begun: list[Decided] = [
        UnitStarting(at=1.0, unit=unit, invocation=invocation, attempt=1),
        UnitStarted(at=1.0, unit=unit, pid=7, invocation=invocation, attempt=1, command=command or COMMANDS[unit]),
    ]
    if unit == "s" and not fails:
        return [*begun, UnitReady(at=1.0 + took, unit=unit, after=took)]
    outcome, code = ("failed", 1) if fails else ("succeeded", 0)
    end = UnitEnded(at=1.0 + took, unit=unit, outcome=outcome, reason="", exit_code=code, duration=took)  # type: ignore[arg-type]
    return [*begun, end]


def a_run(*lives: list[Decided], ends: bool = True, run: str = "r") -> list[Decided]:
    begun = RunStarted(at=0.0, run=run, version="1", pid=1, units=tuple(GRAPH.units), declared=declarations(GRAPH))
    middle = [event for life in lives for event in life]
    end = [StartupFinished(at=9.0, outcome="succeeded", duration=9.0), RunEnded(at=10.0, outcome="succeeded", duration=10.0)]
    return [begun, *middle, *(end if ends else [])]


# ---------------------------------------------------------------- what is kept


def test_a_run_is_kept_as_its_journal_tells_it(place: Place) -> None:
    events = a_run(life("a", 2.0), life("s", 3.0))
    place.write("20260101T000000-1", events, begun_at=5e8)
    told = place.runs()
    assert told == [structs.replace(record("20260101T000000-1", 5e8, events), number=1)]
    assert (told[0].begun_at, told[0].startup, told[0].duration, told[0].units[1].took) == (5e8, 9.0, 10.0, 3.0)


def test_every_column_of_the_tables_is_a_field(place: Place) -> None:
    place.write("1", a_run())
    place.runs()
    with closing(sqlite3.connect(place.paths.history)) as connection:
        columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in ("runs", "invocations")
        }
    assert columns["invocations"] == ["number", *(field.name for field in structs.fields(UnitRecord))]
    assert set(columns["runs"]) == {field.name for field in structs.fields(RunRecord)} - {"units"} | {"size"}


def test_runs_are_numbered_in_their_order_and_found_by_number_and_id(place: Place) -> None:
    for run in ("c", "a", "b"):
        place.write(run, a_run())
    assert place.numbers() == [(1, "a"), (2, "b"), (3, "c")]
    place.write("d", a_run())
    assert place.numbers() == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    with place.history() as history:
        found = [history.find(name) for name in ("2", "d", "5", "e", "9" * 30)]
        assert [run and run.run for run in found] == ["b", "d", None, None, None]
        assert [run.number for run in history.runs(2)] == [3, 4]


def test_a_run_that_was_not_over_is_read_again_when_there_is_more(place: Place) -> None:
    place.write("a", a_run(life("a", 1.0), ends=False))
    assert [(run.number, run.outcome, len(run.units)) for run in place.runs()] == [(1, None, 1)]
    place.write("b", a_run())
    place.write("a", a_run(life("a", 1.0), life("s", 1.0)))
    assert [(run.number, run.outcome, len(run.units)) for run in place.runs()] == [(1, "succeeded", 2), (2, "succeeded", 0)]


def test_a_run_that_is_over_or_has_no_news_is_not_read_again(place: Place) -> None:
    over, killed = place.write("a", a_run()), place.write("b", a_run(life("a", 1.0), ends=False))
    place.runs()
    over.write_bytes(b"")
    killed.write_bytes(b"x" * killed.stat().st_size)
    assert [(run.outcome, len(run.units)) for run in place.runs()] == [("succeeded", 0), (None, 1)]


def test_the_history_outlives_its_journals(place: Place) -> None:
    place.write("a", a_run(life("a", 1.0))).unlink()
    assert place.runs() == []
    place.write("b", a_run())
    place.runs()
    place.write("b", a_run()).unlink()
    place.write("c", a_run())
    assert place.numbers() == [(1, "b"), (2, "c")]


def test_the_last_runs_are_kept(place: Place) -> None:
    for number in range(KEPT_RUNS + 3):
        place.write(f"{number:04}", a_run(life("a", 1.0)))
        if number == KEPT_RUNS - 1:
            place.runs()
    runs = place.runs()
    assert len(runs) == KEPT_RUNS
    assert (runs[0].number, runs[-1].number, runs[-1].run) == (4, KEPT_RUNS + 3, f"{KEPT_RUNS + 2:04}")
    with closing(sqlite3.connect(place.paths.history)) as connection:
        assert connection.execute("SELECT min(number) FROM invocations").fetchone() == (4,)
    assert place.numbers()[0][0] == 4, "what was forgotten does not come back"


def test_a_journal_that_cannot_be_read_costs_no_other(place: Place) -> None:
    place.write("a", a_run())
    Path(place.paths.journals, "b.jsonl").mkdir()
    Path(place.paths.journals, "c.jsonl").write_bytes(b"\xff\n{")
    assert [(run.run, run.version) for run in place.runs()] == [("a", "1"), ("c", "")]


def test_only_its_owner_may_read_it(place: Place) -> None:
    place.write("a", a_run())
    place.runs()
    assert stat.S_IMODE(Path(place.paths.history).stat().st_mode) == 0o600


# ---------------------------------------------------------------- what is expected


def test_the_median_of_the_last_successes_is_expected(place: Place) -> None:
    for number, took in enumerate([90.0, 3.0, 1.0, 2.0, 50.0, 4.0]):
        place.write(f"{number}", a_run(life("a", took), life("s", took + 1)))
    assert LEARNED_SUCCESSES == 5
    assert place.expected() == {"a": 3.0, "s": 4.0}


def test_of_two_the_longer_is_expected(place: Place) -> None:
    for number, took in enumerate([1.0, 3.0]):
        place.write(f"{number}", a_run(life("x", took)))
    assert place.expected() == {"x": 3.0}


def test_failures_and_other_commands_tell_nothing(place: Place) -> None:
    place.write("a", a_run(life("a", 7.0)))
    place.write("b", a_run(life("a", 1.0, fails=True), life("s", 5.0, command="serve --quickly")))
    assert place.expected() == {"a": 7.0}


def test_what_was_long_ago_tells_nothing(place: Place) -> None:
    place.write("000", a_run(life("a", 7.0), life("x", 1.0)))
    for number in range(1, LEARNED_RUNS):
        place.write(f"{number:03}", a_run(life("x", 1.0)))
    assert place.expected() == {"a": 7.0, "x": 1.0}
    place.write("999", a_run())
    assert place.expected() == {"x": 1.0}


def test_learning(place: Place) -> None:
    assert learn(place.paths, GRAPH, place.warnings.append) == {}
    assert not Path(place.paths.root).exists(), "nothing is made only to look"
    assert not has_runs(place.paths)
    place.write("a", a_run(life("a", 2.0), life("s", 3.0)))
    assert has_runs(place.paths)
    assert learn(place.paths, GRAPH, place.warnings.append) == {"a": 2.0, "s": 3.0}


def test_secrets_in_commands_are_hidden_as_they_are_in_journals(place: Place) -> None:
    def mask(command: str) -> str:
        return command.replace("make", "***")

    place.write("a", a_run(life("a", 2.0, command=mask(COMMANDS["a"]))))
    assert learn(place.paths, GRAPH, place.warnings.append) == {}
    assert learn(place.paths, GRAPH, place.warnings.append, mask=mask) == {"a": 2.0}


def test_a_run_that_goes_on_does_not_learn_from_itself(place: Place) -> None:
    place.write("a", a_run(life("a", 2.0)))
    place.write("b", a_run(life("a", 9.0), life("s", 3.0)))
    assert learn(place.paths, GRAPH, place.warnings.append, but="b") == {"a": 2.0}


def test_the_database_is_imported_when_it_is_opened() -> None:
    program = "import sys, runner.supervisor.history; sys.exit('sqlite3' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parent.parent)}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0


# ---------------------------------------------------------------- what goes wrong


def damage_all(path: Path) -> None:
    path.write_bytes(b"this is no database, and never was" * 100)
    Path(f"{path}-journal").write_bytes(b"nor is this a journal of one")


def damage_a_part(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [damage_all, damage_a_part])
def test_a_damaged_database_is_put_aside_and_made_anew(bad_place: Place, damage: Callable[[Path], None]) -> None:
    place = bad_place
    for run in "ab":
        place.write(run, a_run(life("a", 2.0)))
    place.runs()
    place.write("a", a_run()).unlink()
    damage(Path(place.paths.history))
    assert learn(place.paths, GRAPH, place.warnings.append) == {"a": 2.0}
    assert place.warnings == [
        f'cannot read the history "{place.paths.history}": it is damaged; it is made anew, '
        f'and the old one is "{place.paths.history}.damaged"'
    ]
    assert place.numbers() == [(1, "b")]
    assert Path(f"{place.paths.history}.damaged").exists()
    assert len(place.warnings) == 1


READ_ONLY = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"')
"""Runs a command for which a directory is on a disk that is mounted for reading alone."""


def can_mount() -> bool:
    command = [*READ_ONLY, "/tmp", "sh", "-c", "! touch /tmp/runner-is-read-only"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")
class TestReadOnly:
    PROGRAM = """
import sys
from runner.supervisor.history import History
from runner.supervisor.paths import StatePaths
history = History(StatePaths(sys.argv[1]), print)
history.catch_up()
print(*(run.run for run in history.runs(9)))
history.close()
"""

    def told(self, place: Place) -> list[str]:
        """What is told of a state directory that cannot be written, in which nothing changes."""
        root = Path(place.paths.root)
        before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
        environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parent.parent)}
        command = [*READ_ONLY, str(root), sys.executable, "-c", self.PROGRAM, str(root)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
        return done.stdout.splitlines()

    def warning(self, place: Place) -> str:
        """What is said of a database that cannot be used."""
        why = "it is damaged or half written; only the journals that are left are told"
        return f'cannot read the history "{place.paths.history}": {why}'

    def test_what_is_stored_and_what_the_journals_have_more(self, place: Place) -> None:
        place.write("a", a_run(life("a", 2.0)))
        place.runs()
        place.write("b", a_run(life("a", 2.0)))
        assert self.told(place) == ["a b"]

    def test_without_a_database(self, place: Place) -> None:
        place.write("a", a_run(life("a", 2.0)))
        assert self.told(place) == ["a"]

    @pytest.mark.parametrize("damage", [damage_all, damage_a_part])
    def test_a_damaged_one(self, place: Place, damage: Callable[[Path], None]) -> None:
        place.write("a", a_run(life("a", 2.0)))
        place.runs()
        damage(Path(place.paths.history))
        assert self.told(place) == [self.warning(place), "a"]

    def test_one_that_was_being_written_when_the_machine_stopped(self, place: Place) -> None:
        place.write("a", a_run(life("a", 2.0)))
        place.runs()
        with closing(sqlite3.connect(place.paths.history, isolation_level=None)) as connection:
            connection.execute("PRAGMA cache_size = 1")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("UPDATE runs SET run = 'torn'")
            connection.execute("CREATE TABLE more AS SELECT hex(randomblob(100000)) AS data")
            torn = {path: path.read_bytes() for path in Path(place.paths.root).glob("history.db*")}
        for path, data in torn.items():
            path.write_bytes(data)
        assert len(torn) == 2
        assert self.told(place) == [self.warning(place), "a"]


def of_the_future(paths: StatePaths) -> sqlite3.Connection:
    connection = sqlite3.connect(paths.history)
    connection.execute("PRAGMA user_version = 99")
    return connection


def locked(paths: StatePaths) -> sqlite3.Connection:
    connection = sqlite3.connect(paths.history, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def of_somebody_else(paths: StatePaths) -> sqlite3.Connection:
    connection = sqlite3.connect(paths.history)
    connection.execute("CREATE TABLE runs (me TEXT)")
    return connection


def no_file(paths: StatePaths) -> sqlite3.Connection:
    Path(paths.history).mkdir()
    return sqlite3.connect(":memory:")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (of_the_future, "a newer version of runner has written it"),
        (locked, "database is locked"),
        (of_somebody_else, "table runs already exists"),
        (no_file, "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used_costs_history_alone(
    bad_place: Place, spoil: Callable[[StatePaths], sqlite3.Connection], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bad_place
    monkeypatch.setattr("runner.supervisor.history._PATIENCE", 0.0)
    place.write("a", a_run(life("a", 2.0)))
    with closing(spoil(place.paths)):
        assert learn(place.paths, GRAPH, place.warnings.append) == {}
        assert place.warnings == [f'cannot use the history "{place.paths.history}": {why}']
        with pytest.raises(CannotUseHistory), place.history() as history:
            history.runs(1)
    assert not Path(f"{place.paths.history}.damaged").exists()


def test_a_state_directory_that_cannot_be_made(bad_place: Place) -> None:
    Path(bad_place.paths.root).write_text("a file")
    with pytest.raises(CannotUseHistory, match="File exists"), bad_place.history() as history:
        history.catch_up()
    assert learn(bad_place.paths, GRAPH, bad_place.warnings.append) == {}
    assert len(bad_place.warnings) == 1


def test_a_python_without_sqlite(bad_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_place.write("a", a_run(life("a", 2.0)))
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    assert learn(bad_place.paths, GRAPH, bad_place.warnings.append) == {}
    assert bad_place.warnings == ["cannot use the history: this Python was built without sqlite3"]


def test_a_value_that_no_database_takes(bad_place: Place) -> None:
    events = a_run([*life("a", 2.0)[:-1], UnitEnded(at=2.0, unit="a", outcome="failed", reason="", max_rss=2**70)])
    bad_place.write("a", events)
    assert learn(bad_place.paths, GRAPH, bad_place.warnings.append) == {}
    assert len(bad_place.warnings) == 1


# ---------------------------------------------------------------- two at a time


def test_two_that_catch_up_at_once_store_every_run_once(place: Place) -> None:
    for number in range(20):
        place.write(f"{number:02}", a_run(life("a", 1.0), life("s", 2.0), ends=number < 19))
    program = (
        "import sys; from runner.supervisor.history import History; from runner.supervisor.paths import StatePaths;"
        "history = History(StatePaths(sys.argv[1]), sys.exit); print(flush=True); input(); history.catch_up()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(runner.__file__).parent.parent)}
    start = [sys.executable, "-c", program, place.paths.root]
    children = [
        subprocess.Popen(start, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for child in children:
        assert child.stdout
        child.stdout.readline()
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert place.numbers() == [(number + 1, f"{number:02}") for number in range(20)]
    assert all(len(run.units) == 2 for run in place.runs())


def test_what_another_process_has_stored_meanwhile_is_left_as_it_is(place: Place) -> None:
    """One reads the journal while the run goes on, another stores the whole run, then the first stores what it read."""
    place.write("a", a_run(ends=False))

    class Slow(History):
        def _catch_up(self, connection: sqlite3.Connection) -> None:
            connection.set_trace_callback(lambda statement: overtake() if statement.startswith("BEGIN") else None)
            super()._catch_up(connection)

    def overtake() -> None:
        place.write("a", a_run(life("a", 1.0)))
        place.write("b", a_run())
        place.runs()

    with place.history() as history:
        history.catch_up()
    place.write("a", a_run(life("a", 1.0), ends=False))
    with closing(Slow(place.paths, place.warnings.append)) as slow:
        slow.catch_up()
    assert [(run.number, run.outcome) for run in place.runs()] == [(1, "succeeded"), (2, "succeeded")]
