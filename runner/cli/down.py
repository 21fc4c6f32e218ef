"""``runner down``: stop all units in reverse order, then the supervisor."""

from __future__ import annotations

import os
import select
import time
from argparse import Namespace

from ..rpc.methods import STOP
from ..show.order import say_down
from ..supervisor.commands import Request
from .events import EventStream
from .options import Parser, add_json, add_socket, add_timeout
from .order import Following, add_no_wait, ask, finish, tell_timeout
from .runs import connect
from .stdout import write_out


def configure(parser: Parser) -> None:
    """Add the options."""
    add_no_wait(parser)
    add_timeout(parser)
    add_socket(parser)
    add_json(parser)
    parser.epilog = (
        "It waits until the supervisor is gone; ctrl-c ends the waiting, not what was asked for.\n\n"
        "exit status:\n"
        "  0  the supervisor is gone, and with it all that it ran\n"
        "  3  no supervisor runs: nothing is there to stop\n"
        "  4  it was not done in the time that --timeout gives"
    )


def run(options: Namespace) -> int:
    """Stop everything, and see the supervisor off."""
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    with connect(options) as watching, connect(options) as asking:
        following = Following(EventStream(watching, "see the stop", with_output=False), deadline)
        following.begin()
        begun = following.snapshot.run
        supervisor = _open(begun.pid) if begun else -1
        answer = ask(asking, STOP, Request(reason='by "runner down"'))
        following.expect(answer, dict.fromkeys(answer.units, "stop"), answer.units)
        if not options.json:
            write_out("".join(f"{line}\n" for line in say_down(answer.units)))
        status = finish(following, options, "the stop")
    if options.no_wait or status not in (0, 1):
        return status
    if not _is_gone(supervisor, deadline):
        return tell_timeout(["the supervisor"], "the stop")
    if not options.json:
        write_out("the supervisor is gone\n")
    return 0


def _open(pid: int) -> int:
    """The supervisor itself, to wait for its end; -1 where it is out of our sight, as in another container."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _is_gone(supervisor: int, deadline: float | None) -> bool:
    """Wait for the end of the process."""
    if supervisor < 0:
        return True
    waiter = select.poll()
    waiter.register(supervisor, select.POLLIN)
    return bool(waiter.poll(None if deadline is None else max(deadline - time.monotonic(), 0) * 1000))
