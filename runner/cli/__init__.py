"""Finds the command that was asked for and runs it: one module per command, imported only when it is meant.

What can be answered from the table below (the version, the list of commands) imports next to nothing, so it is as quick as
Python itself.

A command's module has two functions: ``configure(parser)`` adds its options, and ``run(options)`` does its work and returns
the exit status. Only ``sync`` reads its arguments itself, because scripts wait for it. Whatever goes wrong on the way is told
in one place, here.
"""

from __future__ import annotations

import sys

from .. import __doc__ as _summary
from .. import __version__

TYPE_CHECKING = False  # that of typing would cost more time to import than all else here
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import RunnerError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "check the unit files, then start the units and look after them"),
    "down": ("down", "stop all units in reverse order, then the supervisor"),
    "check": ("check", "report all that is wrong in the unit files; start nothing"),
    "plan": ("plan", "show what would run, in which order, and how long it would take"),
    "graph": ("graph", "draw which unit waits for which"),
    "show": ("show", "show what a unit is in the end, and which file each value came from"),
    "status": ("status", "show how the units of a run stand, or all that is known of one"),
    "list": ("list", "list the units of a run"),
    "logs": ("logs", "show what units wrote, and follow what they write"),
    "start": ("start", "let units reach their goal, and with them what they need"),
    "stop": ("stop", "end units, and before them all that depends on them"),
    "restart": ("restart", "end units that run and begin them anew; others are started"),
    "retry": ("retry", "run again what failed or timed out, then what was skipped because of it"),
    "reload": ("reload", "read the unit files anew, or have services read their configuration anew"),
    "wait": ("wait", "wait until the startup, or some units, are done"),
    "watch": ("watch", "show a startup live that a supervisor runs elsewhere"),
    "why": ("why", "tell why a unit is where it is: what it waits for, or what made it fail"),
    "history": ("history", "list past runs"),
    "timeline": ("timeline", "draw what each unit of a run did when"),
    "analyze": ("analyze", "find out what made a startup slow: blame, critical-chain, compare"),
    "replay": ("replay", "show a recorded run again, live"),
    "doctor": ("doctor", "look at what this machine and workspace lack, and say what to do about it"),
    "sync": ("sync", "coordinate scripts: ping, want, start, complete, fail, wait, status, list"),
}
"""Each command's module in this folder, and what it does in one line."""

INTERRUPTED = 130
"""Exit status of a command that SIGINT ended, as shells count it."""
BROKEN_PIPE = 141
"""Exit status of a command whose reader went away, as shells count SIGPIPE."""


def main(argv: list[str] | None = None) -> int:
    """Run ``runner`` with these arguments, by default those of the process, and return its exit status."""
    return mind_errors(lambda: _dispatch(sys.argv[1:] if argv is None else argv))


def mind_errors(command: Callable[[], int]) -> int:
    """Run a command and return its exit status, or tell why it cannot be done."""
    try:
        return command()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        from .stdout import abandon_stdout

        abandon_stdout()
        return BROKEN_PIPE
    except Exception as error:
        from ..errors import RunnerError

        if not isinstance(error, RunnerError):
            raise
        return _tell(error)


def run_process() -> None:
    """Be the process ``runner``: run the command and end at once.

    Tearing an interpreter down takes longer than many a startup, and all that matters is with the kernel by then. Nor does
    anything become garbage while modules are imported, so nobody looks for it; ``up`` does, once it is up.
    """
    import gc
    import os

    from .stdout import write_err

    gc.disable()
    status = _supervise() if sys.argv[1:2] == ["up"] else main()
    write_err("")
    os._exit(status)


def _supervise() -> int:
    """Run ``up``: in a new process with one that looks after it, of which this one becomes either; or show how they do."""
    from ..supervisor.keeper import keep

    if "--detach" in sys.argv:
        from ..supervisor.apart import fork_apart

        logs = None
        if "--logs" in sys.argv:
            from .detach import open_logs

            logs = open_logs(sys.argv[2:])  # as they are before any unit writes to them
        if apart := fork_apart():
            from .detach import show_startup

            return mind_errors(lambda: show_startup(apart, logs))
    keep()
    return main()


def help_text() -> str:
    """What ``runner --help`` says."""
    width = max(map(len, COMMANDS))
    commands = "".join(f"  {name:{width}}  {line}\n" for name, (_, line) in COMMANDS.items())
    return (
        f"usage: runner COMMAND [OPTION...]\n       runner --version\n\n{_summary}\n\ncommands:\n{commands}\n"
        '"runner COMMAND --help" tells all about a command.\n'
    )


def _dispatch(arguments: list[str]) -> int:
    from .stdout import hide, write_err, write_out

    hide(str)  # until unit files were read there is nothing to hide
    match arguments:
        case []:
            write_err(help_text())
            return 2
        case ["sync", *rest]:
            from .sync import run_sync  # reads its arguments itself: argparse would take longer than the call

            return run_sync("runner sync", rest)
        case [name, *rest] if name in COMMANDS:
            return _run(name, rest)
        case ["--version"]:
            write_out(f"runner {__version__}\n")
            return 0
        case ["--help" | "-h"]:
            write_out(help_text())
            return 0
    raise _unknown(arguments[0])


def _run(name: str, arguments: list[str]) -> int:
    from importlib import import_module

    from .options import Parser

    module_name, summary = COMMANDS[name]
    module = import_module(f".{module_name}", __name__)
    parser = Parser(name, summary)
    module.configure(parser)
    try:
        options = parser.parse_args(arguments)
    except SystemExit:  # it has printed the help
        return 0
    status: int = module.run(options)
    return status


def _unknown(word: str) -> RunnerError:
    from ..core.near import nearest
    from ..errors import UsageError

    if word in ("--version", "--help", "-h"):
        return UsageError(f'cannot use "{word}" with other arguments', hint="give it alone")
    if word.startswith("-"):
        return UsageError(f'cannot use "{word}" before a command', hint='options follow the command: "runner up --units DIR"')
    near = nearest(word, COMMANDS)
    return UsageError(
        f'cannot find command "{word}"', hint=f'did you mean "{near}"?' if near else 'see "runner --help" for all commands'
    )


def _tell(error: RunnerError) -> int:
    from ..show.error import render_error
    from .stdout import write_err

    write_err(render_error(error))
    return error.exit_status
