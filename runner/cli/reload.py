"""``runner reload``: read the unit files anew, or have services read their own configuration anew."""

from __future__ import annotations

import time
from argparse import Namespace

from msgspec import json

from ..core.snapshot import Snapshot
from ..core.stream import SnapshotTaken
from ..rpc.client import Client
from ..rpc.failure import CallTimedOut
from ..rpc.methods import RELOAD, SNAPSHOT
from ..show.order import Lines, say_changes
from ..show.problem import render_text
from ..supervisor.commands import Answer, Request
from .events import EventStream
from .options import Parser
from .order import Following, Goal, add_order, ask, finish, tell_end, tell_timeout
from .runs import PATIENCE, connect
from .stdout import write_err, write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    add_order(parser, 'services to tell, in the way that their "reload" says', "read the unit files anew")
    parser.add_argument("--restart", action="store_true", help="restart at once what has changed in the unit files and runs")
    parser.epilog = (
        "The supervisor reads the unit files that it was started with. If anything is wrong with them, nothing\n"
        "changes. New units start if all were wanted, those that are gone are stopped, and changed ones follow\n"
        "at their next start.\n\n" + (parser.epilog or "")
    ).replace("there is no such unit", "there is no such unit, or the unit files are invalid")


def run(options: Namespace) -> int:
    """Reload what is meant."""
    return _reload_units(options) if options.names else _reload_files(options)


def _reload_units(options: Namespace) -> int:
    """Have services told. The supervisor answers when that is done."""
    with connect(options) as client:
        try:
            answer = ask(client, RELOAD, Request(units=tuple(options.names)), options.timeout)
        except CallTimedOut:
            return tell_timeout(options.names, "the reload")
    if options.json:
        write_out(json.format(json.encode({"units": answer.units, "failed": answer.failed}), indent=2).decode() + "\n")
    else:
        said = {unit: answer.failed.get(unit, "was told to reload") for unit in answer.units}
        write_out("".join(f"{line}\n" for line in Lines(answer.units).lines(said)))
    return 1 if answer.failed else 0


def _reload_files(options: Namespace) -> int:
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    with connect(options) as watching, connect(options) as asking:
        following = Following(EventStream(watching, "see what the reload changes", with_output=False), deadline)
        following.begin()
        answer = ask(asking, RELOAD, Request(restart=options.restart), options.timeout)
        if answer.problems:
            write_err(render_text(answer.problems))
        if not options.json:
            lines = say_changes(answer.added, answer.changed, answer.removed, restarts=options.restart)
            write_out("".join(f"{line}\n" for line in lines))
        goals = _goals(answer, _snapshot(asking), restarts=options.restart)
        following.expect(Answer(answer.at, tuple(goals)), goals)
        changes = {"added": answer.added, "changed": answer.changed, "removed": answer.removed}
        status = finish(following, options, "the change", changes)
        tell_end(following, options)
        return status


def _snapshot(client: Client) -> Snapshot:
    return json.decode(client.call(SNAPSHOT.path, b"{}", timeout=PATIENCE), type=SnapshotTaken).snapshot


def _goals(answer: Answer, now: Snapshot, *, restarts: bool) -> dict[str, Goal]:
    """What is to be expected of the units that changed: of those that are active just after the request."""

    def is_active(unit: str) -> bool:
        view = now.units.get(unit)
        return view is not None and view.state not in ("idle", "ended")

    starting = [*answer.added, *(answer.changed if restarts else ())]
    goals: dict[str, Goal] = {unit: "stop" for unit in answer.removed if is_active(unit)}
    return {**goals, **{unit: "start" for unit in starting if is_active(unit)}}
