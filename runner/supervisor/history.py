"""The history: past runs and what became of their units, in an sqlite database, folded from the journals.

Nothing is written to it while a run goes on. Whoever needs it first catches up: every journal that the database does not know
yet, or that was not at its end when it was read, is read and stored. So a killed supervisor loses no history, and no loop of
a running one waits for a disk. Two processes may catch up at the same time: what is to be stored is made before the
transaction, and stored in it only where the other one has not done so.

Where it cannot be written, as on a disk that is mounted for reading alone, a copy in memory catches up instead.

The database costs history and never a startup. One that is damaged is put aside and made anew from the journals that are
left; where it cannot be used (locked, not readable, written by a newer version), :class:`CannotUseHistory` tells why, and
:func:`learn` goes without.

sqlite3 is imported when a database is opened, because most commands need none and its import takes time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import astuple, fields

from ..core.graph import Graph
from ..core.record import RunRecord, UnitRecord, record
from ..errors import RunnerError
from .journal import read_run
from .paths import StatePaths, has_runs

if TYPE_CHECKING:
    from sqlite3 import Connection

_T = TypeVar("_T")

KEPT_RUNS = 200
"""Runs in the database; there are fewer journals, for these are larger."""
LEARNED_RUNS = 30
"""How many of the last runs tell what is to be expected."""
LEARNED_SUCCESSES = 5
"""How many of a unit's successes in them do."""
VERSION = 1
"""Of the tables below. A database of a newer version is left alone."""
_NUMBER_DIGITS = 19
"""sqlite counts no further."""
_PRIMARY_CODE = 0xFF
"""The part of an error's code that says what sort it is of (sqlite.org/rescode.html)."""
_PATIENCE = 1.0
"""Seconds that another process may hold the database; it writes a run in milliseconds."""

_TABLES = (
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, begun_at REAL NOT NULL, version TEXT NOT NULL,
        startup_outcome TEXT, startup REAL, outcome TEXT, duration REAL NOT NULL,
        size INTEGER NOT NULL  -- bytes of its journal when it was read
    )
    """,
    """
    CREATE TABLE invocations (  -- one row a unit and run: the invocation that reached the goal, or the last one, if any
        number INTEGER NOT NULL REFERENCES runs,
        unit TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT, reason TEXT NOT NULL, command TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        wanted_at REAL, began_at REAL, started_at REAL, reached_at REAL, ended_at REAL,
        waited REAL NOT NULL, held_up REAL NOT NULL, backed_off REAL NOT NULL, duration REAL NOT NULL,
        exit_code INTEGER, signal TEXT, cpu REAL NOT NULL, max_rss INTEGER NOT NULL, expected REAL,
        PRIMARY KEY (number, unit)
    ) WITHOUT ROWID
    """,
)
_RUN_COLUMNS = "number, run, begun_at, version, startup_outcome, startup, outcome, duration"
_UNIT_COLUMNS = ", ".join(field.name for field in fields(UnitRecord))


class CannotUseHistory(RunnerError):
    """The database cannot be opened, read or written. You don't get it for one that is damaged: that is made anew."""


def learn(
    paths: StatePaths, graph: Graph, warn: Callable[[str], None], *, but: str = "", mask: Callable[[str], str] = str
) -> dict[str, float]:
    """How long the units of a graph are expected to take, in seconds, as far as earlier runs tell; ``but`` one, which goes on.

    ``mask`` hides the secrets in a command as they are hidden in journals.

    Raises nothing: without a history nothing is expected, and ``warn`` is told why. It reads files, the journal of a large run
    for nearly a tenth of a second, so it is for a thread, or for when nothing runs yet.
    """
    if not has_runs(paths):
        return {}
    try:
        with closing(History(paths, warn)) as history:
            history.catch_up()
            return history.expected({unit.name: mask(str(unit.command or "")) for unit in graph.units.values()}, but=but)
    except CannotUseHistory as error:
        warn(error.what)
        return {}


class History:
    """The database of one state directory, opened when it is first used. Methods raise :class:`CannotUseHistory`."""

    def __init__(self, paths: StatePaths, warn: Callable[[str], None]) -> None:
        """Say where it is, and who is told that it was damaged."""
        self._paths = paths
        self._warn = warn
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close it."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def catch_up(self) -> None:
        """Store what the journals tell that is not stored yet."""
        self._use(self._catch_up)

    def runs(self, limit: int) -> list[RunRecord]:
        """The last runs with their units, the oldest of them first."""
        return self._use(lambda connection: _select(connection, "ORDER BY number DESC LIMIT ?", limit)[::-1])

    def find(self, name: str) -> RunRecord | None:
        """The run with this id or number; None where there is none."""
        is_number = name.isdecimal() and len(name) < _NUMBER_DIGITS
        where, key = ("WHERE number = ?", int(name)) if is_number else ("WHERE run = ?", name)
        return next(iter(self._use(lambda connection: _select(connection, where, key))), None)

    def expected(self, commands: Mapping[str, str], *, but: str = "") -> dict[str, float]:
        """How many seconds units are expected to take from their start until their goal, by what they took in earlier runs.

        ``commands`` are those that they have now, as ``UnitStarted`` tells them: only the same command is the same work. It
        is the median of the last successes, of an even number of them the larger of the middle two. Of a unit that was tried
        again only the attempt counts that succeeded: that the ones before failed was bad luck, and luck is not expected.
        Nothing is learned from the run ``but``.
        """
        return self._use(lambda connection: _expected(connection, commands, but))

    def _use(self, deed: Callable[[Connection], _T]) -> _T:
        """Do something with the database; if that shows that it is damaged, do it with a new one."""
        with _explained(self._paths.history):
            try:
                return deed(self._connected())
            except Exception as error:
                if not _means_damage(error):
                    raise
                self._put_aside()
            connection = self._connected()
            self._catch_up(connection)
            return deed(connection)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = _open(self._paths.history)
        return self._connection

    def _put_aside(self) -> None:
        self.close()
        path = self._paths.history
        if _is_read_only(path):
            self._connection = _prepared(":memory:")
            self._warn(
                f'cannot read the history "{path}": it is damaged or half written; only the journals that are left are told'
            )
            return
        os.replace(path, f"{path}.damaged")  # noqa: PTH105
        with suppress(FileNotFoundError):  # what it left of an unfinished transaction is not for the new one
            os.unlink(f"{path}-journal")  # noqa: PTH108
        self._warn(f'cannot read the history "{path}": it is damaged; it is made anew, and the old one is "{path}.damaged"')

    def _catch_up(self, connection: Connection) -> None:
        stored = {run: (size, outcome) for run, size, outcome in connection.execute("SELECT run, size, outcome FROM runs")}
        read = list(_read(Path(self._paths.journals), stored))
        if not read:
            return
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            for run, size in read:
                _store(connection, run, size)
            for table in ("invocations", "runs"):
                forget = f"DELETE FROM {table} WHERE number <= (SELECT max(number) FROM runs) - ?"  # noqa: S608
                connection.execute(forget, [KEPT_RUNS])


def _read(directory: Path, stored: Mapping[str, tuple[int, str | None]]) -> Iterator[tuple[RunRecord, int]]:
    """The runs whose journals tell more than is stored, oldest first, each with the size of its journal."""
    for path in sorted(directory.glob("*.jsonl"))[-KEPT_RUNS:]:
        known, outcome = stored.get(path.stem, (-1, None))
        if outcome is not None:
            continue
        with suppress(OSError):  # it was removed meanwhile, or belongs to somebody else
            size = path.stat().st_size
            if size != known:
                journal = read_run(path)
                yield record(path.stem, journal.begun_at, journal.events), size


def _store(connection: Connection, run: RunRecord, size: int) -> None:
    """Put a run in, or in the place of what was known of it, unless another process has done so meanwhile."""
    known = connection.execute("SELECT number, size, outcome FROM runs WHERE run = ?", [run.run]).fetchone()
    if known and (known[1] >= size or known[2] is not None):
        return
    number = known[0] if known else connection.execute("SELECT coalesce(max(number), 0) + 1 FROM runs").fetchone()[0]
    connection.execute("DELETE FROM invocations WHERE number = ?", [number])
    values = (number, *astuple(run)[1:-1], size)
    connection.execute(f"INSERT OR REPLACE INTO runs ({_RUN_COLUMNS}, size) VALUES ({_places(values)})", values)  # noqa: S608
    rows = [(number, *astuple(unit)) for unit in run.units]
    if rows:
        insert = f"INSERT INTO invocations (number, {_UNIT_COLUMNS}) VALUES ({_places(rows[0])})"  # noqa: S608
        connection.executemany(insert, rows)


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _select(connection: Connection, which: str, value: int | str) -> list[RunRecord]:
    """The runs that a clause selects, with their units in the order of their names."""
    rows = connection.execute(f"SELECT {_RUN_COLUMNS} FROM runs {which}", [value]).fetchall()  # noqa: S608
    return [RunRecord(*(*row, _select_units(connection, row[0]))) for row in rows]


def _select_units(connection: Connection, number: int) -> tuple[UnitRecord, ...]:
    rows = connection.execute(f"SELECT {_UNIT_COLUMNS} FROM invocations WHERE number = ? ORDER BY unit", [number])  # noqa: S608
    return tuple(UnitRecord(*row) for row in rows)


def _expected(connection: Connection, commands: Mapping[str, str], but: str) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    rows = connection.execute(
        "SELECT unit, command, reached_at - started_at FROM invocations WHERE reached_at IS NOT NULL AND started_at IS NOT NULL"
        " AND number > (SELECT max(number) FROM runs) - ? AND number NOT IN (SELECT number FROM runs WHERE run = ?)"
        " ORDER BY number DESC",
        [LEARNED_RUNS, but],
    )
    for unit, command, took in rows:
        successes = found.setdefault(unit, [])
        if command == commands.get(unit) and len(successes) < LEARNED_SUCCESSES:
            successes.append(took)
    return {unit: sorted(took)[len(took) // 2] for unit, took in found.items() if took}


def _open(path: str) -> Connection:
    """A connection to the database, with its tables. Only its owner may read what commands were given."""
    if _is_read_only(path):
        return _copy(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return _prepared(path)


def _is_read_only(path: str) -> bool:
    """Whether nothing can be written where the database is. That it is not there yet is no hindrance."""
    directory = os.path.dirname(path)  # noqa: PTH120
    return os.path.isdir(directory) and not (  # noqa: PTH112
        os.access(directory, os.W_OK) and (os.access(path, os.W_OK) or not os.path.exists(path))  # noqa: PTH110
    )


def _copy(path: str) -> Connection:
    """The database in memory, as it is on the disk; empty where there is none."""
    from sqlite3 import connect

    copy = connect(":memory:", isolation_level=None)
    try:
        if os.path.exists(path):  # noqa: PTH110
            with closing(connect(f"{Path(path).absolute().as_uri()}?mode=ro", timeout=_PATIENCE, uri=True)) as original:
                original.backup(copy)
    except BaseException:
        copy.close()
        raise
    return _checked(copy)


def _prepared(path: str) -> Connection:
    """A connection to a database that can be written, with its tables."""
    from sqlite3 import connect

    return _checked(connect(path, timeout=_PATIENCE, isolation_level=None))


def _checked(connection: Connection) -> Connection:
    """The same connection, with its tables."""
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: Connection) -> None:
    """Make the tables where they are missing, and refuse those of the future."""
    if _version(connection) == 0:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            if _version(connection) == 0:  # another process may have been quicker
                for table in _TABLES:
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version = {VERSION}")
    if _version(connection) > VERSION:
        raise ValueError("a newer version of runner has written it")


def _version(connection: Connection) -> int:
    """The version of the tables; 0 where there are none."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _means_damage(error: Exception) -> bool:
    """Whether sqlite found that the file is no database, or a broken one.

    So is one on a disk that cannot be written, which somebody was writing when the machine stopped: it would have to be
    written before it could be read (sqlite.org/lockingv3.html, hot journals).
    """
    from sqlite3 import SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_READONLY_ROLLBACK

    code: int = getattr(error, "sqlite_errorcode", 0)
    return code == SQLITE_READONLY_ROLLBACK or code & _PRIMARY_CODE in (SQLITE_CORRUPT, SQLITE_NOTADB)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Say in one way what makes a database useless: a Python without sqlite3, the disk, another process, a foreign value."""
    try:
        import sqlite3
    except ImportError:
        raise CannotUseHistory("cannot use the history: this Python was built without sqlite3") from None
    try:
        yield
    except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
        raise CannotUseHistory(f'cannot use the history "{path}": {error}') from error
