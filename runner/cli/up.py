"""``runner up``: check the unit files, then start the units and look after them."""

from __future__ import annotations

import gc
import os
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import UsageError
from .options import (
    Parser,
    add_color,
    add_jobs,
    add_names,
    add_socket,
    add_state,
    add_staying,
    add_units,
    check_names,
    find_directories,
    find_paths,
    load_units,
)
from .output import show_json, show_plain
from .stdout import write_err

if TYPE_CHECKING:
    from ..show.terminal import Color
    from ..supervisor.endpoint import Endpoint
    from ..supervisor.outlet import Outlet
    from ..supervisor.supervisor import Supervisor
    from ..unitfile import Loaded
    from .live import Live

_STDOUT = 1
_PATIENCE = 2.0
"""Seconds that a slow reader has to take the last lines."""


def configure(parser: Parser) -> None:
    """Add the options."""
    add_names(parser, "all units")
    add_units(parser)
    parser.add_argument(
        "--output",
        metavar="FORMAT",
        choices=["auto", "live", "plain", "json"],
        default="auto",
        help="auto, live, plain or json: what suits the terminal, a view that follows the run, or a line of text or of JSON for "
        "every change (default: auto)",
    )
    add_color(parser)
    parser.add_argument("--logs", action="store_true", help="also every line that the units write; makes the output plain")
    add_jobs(parser)
    parser.add_argument("--fail-fast", action="store_true", help="stop everything as soon as a unit fails that is not optional")
    add_state(parser)
    add_socket(parser)
    parser.add_argument("--keep", action="store_true", help="stay, for scripts that call, though no unit runs any more")
    add_staying(parser)
    parser.add_argument("--bridge", action="store_true", help="share units that say so with the scripts of the workspace's agent")
    parser.epilog = (
        "Where a supervisor serves the socket already, the units that are named are started in it.\n\n"
        "In the live view ctrl-c stops the run and ctrl-z stops it being looked after until\n"
        "fg; other keys do nothing. On what is no terminal, and where TERM is dumb or CI or\n"
        "NO_COLOR is set, it is a line for every change.\n\n"
        "exit status:\n"
        "  0    all units that are not optional reached their goal\n"
        "  1    some did not\n"
        "  2    wrong arguments or invalid unit files; nothing was started\n"
        "  3    a supervisor serves this socket already, and no units are named\n"
        "  129  stopped by SIGHUP, as when its terminal closes\n"
        "  130  stopped by SIGINT, units first; a second one kills at once\n"
        "  131  killed by SIGQUIT, units at once\n"
        "  143  stopped by SIGTERM, units first; a second one kills at once"
    )


def run(options: Namespace) -> int:
    """Check everything, then start the units and look after them until nothing runs any more."""
    _check_output(options)
    loaded = load_units(options)
    names = check_names(loaded.graph, options.names)
    lead = _open_process(options.stop_with)
    from ..supervisor.endpoint import Endpoint, SupervisorRuns, socket_path
    from ..supervisor.keeper import passed_on
    from ..supervisor.spawn import mind_descriptors

    mind_descriptors()
    try:
        place = Endpoint(socket_path(options.socket, os.environ), None if passed_on() is None else os.getppid())
    except SupervisorRuns:
        if not names:
            raise
        return _start_there(options)
    with closing(place) as endpoint:
        supervisor = _make_supervisor(loaded, options, endpoint)
        if lead is not None:
            supervisor.stop_requests.follow(lead)
        return _run(supervisor, endpoint, loaded, names, options)


def _make_supervisor(loaded: Loaded, options: Namespace, endpoint: Endpoint) -> Supervisor:
    from ..core.engine import Engine
    from ..supervisor.apart import is_apart, let_go
    from ..supervisor.journal import new_run_id
    from ..supervisor.keeper import passed_on
    from ..supervisor.supervisor import Supervisor

    paths, run_id = find_paths(options), new_run_id()
    if is_apart():
        let_go(paths.supervisor_log)
        options.output = "plain"
    engine = Engine(loaded.graph, run=run_id, jobs=options.jobs, fail_fast=options.fail_fast, keep=options.keep)
    supervisor = Supervisor(engine, run=run_id, paths=paths, environment=dict(os.environ), passed_on=passed_on())
    supervisor.offer_socket(endpoint.path)
    return supervisor


def _run(supervisor: Supervisor, endpoint: Endpoint, loaded: Loaded, names: list[str], options: Namespace) -> int:
    """Start the first units before all else, supervise them to the end, and leave nothing behind."""
    from ..supervisor.learning import expect

    outlet = _show(supervisor, options)
    try:
        supervisor.begin(__version__, names, expect(supervisor))
        _supervise(supervisor, endpoint, loaded, options)
    except BaseException:
        supervisor.abandon()
        raise
    finally:
        outlet.close(_PATIENCE)
        supervisor.close()
    return _exit_status(supervisor)


def _open_process(pid: int | None) -> int | None:
    """A descriptor that is readable when a process has ended. Raises UsageError where there is no such process."""
    if pid is None:
        return None
    try:
        return os.pidfd_open(pid)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or "there is no such process"
        raise UsageError(f"cannot stop with process {pid}: {said}", hint="name a process that runs") from None


def _start_there(options: Namespace) -> int:
    """Start the units in the supervisor that runs already, as ``runner start`` does."""
    from ..rpc.methods import START
    from .order import order

    write_err("a supervisor runs already; starting in it\n")
    asked = Namespace(names=options.names, socket=options.socket, json=options.output == "json", no_wait=False, timeout=None)
    return order(asked, START, "starting", "start")


def _show(supervisor: Supervisor, options: Namespace) -> Outlet | Live:
    """Tell of the run from its beginning on, in the way that was asked for or that suits."""
    if options.output == "json":
        return show_json(supervisor)
    if options.output == "live" or (options.output == "auto" and not options.logs and _is_live(options.color)):
        from .live import Live

        return Live(supervisor, options.color)
    return show_plain(supervisor, options.logs)


def _is_live(color: Color) -> bool:
    if not os.isatty(_STDOUT):  # as most often; nothing more need be known
        return False
    from .look import is_live

    return is_live(color)


def _check_output(options: Namespace) -> None:
    """Raise UsageError where output was asked for that cannot be."""
    if options.logs and options.output in ("live", "json"):
        what = f'cannot show what units write with "--output {options.output}": "--logs" is for plain output'
        raise UsageError(what, hint='leave one of the two out, or follow the logs elsewhere: "runner logs -f"')
    if options.output != "live":
        return
    from ..show.terminal import can_move

    if not can_move(os.isatty(_STDOUT), os.environ):
        what = "cannot show the run live: standard output is no terminal that can be drawn on"
        raise UsageError(what, hint="a line for every change: --output plain")


def _supervise(supervisor: Supervisor, endpoint: Endpoint, loaded: Loaded, options: Namespace) -> None:
    """What is imported here is imported while the first units run; whoever calls meanwhile waits in the socket's queue."""
    from ..supervisor.loop import run_to_end
    from ..supervisor.sync_socket import SyncSocket
    from ..supervisor.unit_files import UnitFiles

    gc.freeze()  # what is here now stays
    gc.enable()
    files = UnitFiles(find_directories(options.units, os.environ), os.environ, loaded)
    with closing(SyncSocket(supervisor, endpoint, files, has_bridge=options.bridge)):
        run_to_end(supervisor, endpoint.note_end)


def _exit_status(supervisor: Supervisor) -> int:
    if supervisor.stopped_by is not None:
        return 128 + supervisor.stopped_by
    if supervisor.stop_requests.is_kill:  # nobody asked for it: the keeper died
        return 1
    ended = supervisor.snapshot.ended
    return 0 if ended and ended.outcome == "succeeded" else 1
