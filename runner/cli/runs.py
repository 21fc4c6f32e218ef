"""The run that a command is about: the one that a supervisor has now, or one of those that the journals tell of."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.json import decode

from ..core.snapshot import Snapshot, fold
from ..core.stream import SnapshotTaken
from ..errors import RunnerError, UsageError
from ..rpc.client import Client
from ..rpc.failure import CallTimedOut, CannotConnect, NoAnswer
from ..rpc.methods import SNAPSHOT
from ..show.text import printable
from ..supervisor.endpoint import explain_silence, find_owner, say_unreachable, socket_path
from ..supervisor.journal import KEPT_RUNS, Recorded, read_run
from ..supervisor.paths import StatePaths, has_runs
from .options import Parser, add_socket, add_state, add_units, find_paths
from .stdout import write_err
from .stream import reading

if TYPE_CHECKING:
    from ..core.record import RunRecord
    from ..supervisor.history import History

PATIENCE = 5.0
"""Seconds that a supervisor has for an answer."""


class Present(Struct, frozen=True):
    """A run at the moment of asking, or at its end."""

    snapshot: Snapshot
    at: float
    """Seconds since the run began."""
    begun_at: float
    """The wall clock at its beginning, in seconds since the epoch."""
    is_live: bool
    """A supervisor looks after it now."""


def add_places(parser: Parser) -> None:
    """``--units``, ``--state`` and ``--socket``: where the runs of a workspace are found."""
    add_units(parser)
    add_state(parser)
    add_socket(parser)


def add_run(parser: Parser) -> None:
    """``--run RUN``: which of the past runs."""
    parser.add_argument("--run", metavar="RUN", help='its id, or its number as "runner history" tells it (default: the last one)')


def find_journals(paths: StatePaths) -> list[Path]:
    """The journals that there are, oldest first."""
    return sorted(Path(paths.journals).glob("*.jsonl"))


def load_run(options: Namespace) -> Recorded:
    """The run that ``--run`` names, or the last one. Raises UsageError where it is not there."""
    return read_past(find_journal(options))


def read_past(journal: Path) -> Recorded:
    """The run that a journal tells of. Raises UsageError where it cannot be read."""
    with reading(journal):
        return read_run(journal)


def find_journal(options: Namespace) -> Path:
    """The journal of that run."""
    journals = find_journals(find_paths(options))
    if not journals:
        raise UsageError("cannot find a run of these units: there is no journal", hint='start one: "runner up"')
    if options.run is None:
        return journals[-1]
    name = find_run(options, options.run).run if options.run.isdecimal() else options.run
    for journal in journals:
        if journal.stem == name:
            return journal
    if name != options.run:
        raise UsageError(
            f"cannot read run {options.run}: its journal is gone", hint=f"those of the last {KEPT_RUNS} runs are kept"
        )
    raise UsageError(f'cannot find run "{options.run}"', hint=f'the last one is "{journals[-1].stem}"')


@contextmanager
def open_history(options: Namespace) -> Iterator[History]:
    """The history, with all that the journals tell. Raises UsageError where no run is known, CannotUseHistory."""
    from ..show.error import render_error
    from ..supervisor.history import History

    paths = find_paths(options)
    if not has_runs(paths):
        raise UsageError("cannot find a run of these units: there is no history", hint='start one: "runner up"')
    with closing(History(paths, lambda what: write_err(render_error(RunnerError(what))))) as history:
        history.catch_up()
        yield history


def find_run(options: Namespace, name: str) -> RunRecord:
    """The past run with this id or number, also where its journal is gone. Raises UsageError where it is not there."""
    with open_history(options) as history:
        found = history.find(name)
    if found is None:
        raise UsageError(f'cannot find run "{name}"', hint='see "runner history" for all runs')
    return found


class NothingTold(NoAnswer):
    """The supervisor went away before it told anything: its run was over when it was asked."""


class NoSupervisor(RunnerError):
    """None serves the socket, or this user may not speak to it. Nothing was asked."""

    exit_status = 3


@contextmanager
def connect(options: Namespace) -> Iterator[Client]:
    """A connection to the supervisor. Raises NoSupervisor, and CallTimedOut where it does not answer in time."""
    path = socket_path(options.socket, os.environ)
    try:
        with Client(path, timeout=PATIENCE) as client:
            yield client
    except CannotConnect as error:
        pid = find_owner(path)
        hint = say_unreachable(pid) if pid else 'start one: "runner up"'
        raise NoSupervisor(f'cannot reach a supervisor at "{error.path}": {error.why}', hint=hint) from None
    except CallTimedOut:
        what = f'cannot get an answer from the supervisor at "{path}": it says nothing'
        raise CallTimedOut(what, hint=explain_silence(path) or 'it may be very busy: see "runner doctor"') from None
    except NothingTold:
        raise NoSupervisor("cannot reach a supervisor: its run was just over", hint='start another: "runner up"') from None


def find_present(options: Namespace) -> Present:
    """The run that goes on, or else the last one. Raises NoSupervisor where there is neither."""
    try:
        with connect(options) as client:
            taken = decode(client.call(SNAPSHOT.path, b"{}", timeout=PATIENCE), type=SnapshotTaken)
    except (NoSupervisor, NoAnswer):  # or it was on its way out
        if options.socket:
            raise
        try:
            journal = find_journal(Namespace(run=None, state=options.state, units=options.units))
        except UsageError as missing:
            what = "cannot find a run: no supervisor runs, and there is no journal of an earlier run"
            raise NoSupervisor(what, hint=missing.hint) from None
        run = read_past(journal)
        snapshot = fold(run.events)
        return Present(snapshot, snapshot.at, run.begun_at, is_live=False)
    return Present(taken.snapshot, taken.at, taken.begun_at, is_live=True)


def say_past(past: Present) -> str:
    """Which run is told of where no supervisor runs."""
    name = past.snapshot.run.run if past.snapshot.run else "without a beginning"
    said = f"no supervisor runs now; the last run {printable(name)} began at {say_when(past.begun_at, 0)}"
    return said if past.snapshot.ended else f"{said}; its journal ends before it did"


def say_when(begun_at: float, at: float) -> str:
    """The local time of a moment of a run: ``12:00:01``, with its date where that is another day."""
    moment, now = time.localtime(begun_at + at), time.localtime()
    return time.strftime("%H:%M:%S" if moment[:3] == now[:3] else "%Y-%m-%d %H:%M:%S", moment)
