"""The file format: every key of a unit file, its type, its default and what it means, once.

The structs below are what ``msgspec.convert`` fills, what the reference is generated from, and the list of known keys. A
default here is the one that :mod:`runner.core.unit` has; a test holds them together.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from ..core.unit import Kind, Once, Requires
from .limits import LimitsTable
from .table import Table
from .table import says as _says
from .values import AccountName, Duration, Interval, Pattern, SignalName, Size

SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._@:-]*"


def _text(pattern: str, label: str, expected: str, *, many: str = "strings") -> Meta:
    """A string that matches; how the reference calls it, and how "it must be ..." goes on."""
    return Meta(pattern=pattern, extra={"label": label, "expected": expected, "many": many})


Name = Annotated[
    str,
    _text(
        rf"^{SEGMENT}(/{SEGMENT})*((?<=@)\*)?$(?!\n)",
        "name",
        'a name of letters, digits and ._@:- (such as "editor/server")',
        many="names",
    ),
]
NameOrAll = Annotated[
    str,
    _text(
        rf"^(\*|{SEGMENT}(/{SEGMENT})*((?<=@)\*)?)$(?!\n)",
        'name or `"*"`',
        '"*" or a name of letters, digits and ._@:- (such as "editor/server")',
        many='names or `"*"`',
    ),
]
Word = Annotated[str, _text(rf"^{SEGMENT}$(?!\n)", "word", 'a word of letters, digits and ._@:-, such as "apt"', many="words")]
Tag = Annotated[str, _text(r"^\S+$(?!\n)", "word", "a word without spaces", many="words")]
Line = Annotated[str, _text(r"^[^\n\r]*$(?!\n)", "string", "a string of one line")]
# No pattern: in a union with a list, msgspec 0.22 frees a pattern as what it is not, and the interpreter crashes at its end.
Text = Annotated[str, Meta(min_length=1, extra={"expected": "a string that is not empty", "label": "string"})]
Path = Annotated[str, _text(r"^[\s\S]", "path", "a path", many="paths")]
Variable = Annotated[
    str,
    _text(r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)", "name", 'the name of a variable, such as "DEPLOY_KEY"', many="names of variables"),
]
Octal = Annotated[str, _text(r"^0?[0-7]{1,3}$(?!\n)", "octal string", 'an octal number in quotes, such as "022"')]
Argv = Annotated[list[str], Meta(min_length=1, extra={"expected": "a list of at least one string", "label": "list of strings"})]
Natural = Annotated[int, Meta(ge=1, le=1_000_000)]
Factor = Annotated[float, Meta(ge=1, le=1000)]


class AfterTable(Table):
    """One entry of `after`, where a name alone does not say enough."""

    unit: Annotated[Name, _says("The unit or group that this one waits for.")]
    requires: Annotated[Requires | None, _says("What is needed of it. Default: the unit's own `requires`.")] = None
    restart: Annotated[bool, _says("This unit is restarted too, where somebody restarts that one by hand.")] = False


class BeforeTable(Table):
    """One entry of `before`, where a name alone does not say enough."""

    unit: Annotated[NameOrAll, _says("The unit or group that waits for this one.")]
    requires: Annotated[Requires, _says("What it needs of this one.")] = "success"
    restart: Annotated[bool, _says("That unit is restarted too, where somebody restarts this one by hand.")] = False


class RetryTable(Table):
    """`retry = N` is short for `retry = { attempts = N }`."""

    attempts: Annotated[Natural, _says("Attempts in all, the first one counted.")] = 1
    delay: Annotated[Duration, _says("From the end of the first attempt to the second.")] = Duration(1.0)
    backoff: Annotated[Factor, _says("Each further delay is so many times the one before.")] = 2.0
    max_delay: Annotated[
        Duration, _says("No delay is longer than this, jitter aside. Where it is not said, it is never less than `delay`.")
    ] = Duration(60.0)
    jitter: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        _says("Each delay varies by this share of itself, up or down: 0.1 is 10 %."),
    ] = 0.0


class RestartTable(Table):
    """`restart = "always"` is short for `restart = { when = "always" }`."""

    when: Annotated[
        Literal["never", "on-failure", "always"],
        _says("After which ends it is started again: none, those that are failures, or all."),
    ]
    delay: Annotated[Duration, _says("From its end to the first restart.")] = Duration(1.0)
    backoff: Annotated[Factor, _says("Each further delay is so many times the one before.")] = 2.0
    max_delay: Annotated[
        Duration, _says("No delay is longer than this. Where it is not said, it is never less than `delay`.")
    ] = Duration(60.0)
    limit: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)],
        _says("More restarts than this within `window`, and the unit has failed. 0: no limit."),
    ] = 5
    window: Annotated[Interval, _says("The time in which restarts are counted.")] = Interval(60.0)


class ProbeTable(Table):
    """The kinds of probes, of which `ready` and `health` take one."""

    http: Annotated[str, _says("This URL answers with 2xx or 3xx, or with one of `status`. Expanded.")] = ""
    tcp: Annotated[str, _says("This `host:port` accepts a connection. Expanded.")] = ""
    unix: Annotated[str, _says("The Unix socket of this path accepts a connection. Expanded.")] = ""
    file: Annotated[str, _says("This path exists. Expanded.")] = ""
    command: Annotated[Text | Argv | None, _says("This command ends with exit status 0. Written as the unit's `command`.")] = None
    notify: Annotated[bool, _says("The unit tells it on `$NOTIFY_SOCKET`. Only `true` can be written.")] = False
    status: Annotated[
        Annotated[list[Annotated[int, Meta(ge=100, le=599)]], Meta(min_length=1)],
        _says("With `http`: the statuses that mean yes, in place of 2xx and 3xx."),
    ] = []


class ReadyTable(ProbeTable):
    """When dependents may go on, before the unit's end: one kind of probe, or `delay` alone.

    With `notify` the unit sends `READY=1`.
    """

    log: Annotated[Pattern | None, _says("A line of the unit's output matches, anywhere in the line.")] = None
    sync: Annotated[
        bool, _says("The unit's own script calls `runner sync complete` with the unit's name. Only `true` can be written.")
    ] = False
    interval: Annotated[
        Interval, _says("From one question to the next. Not with `log`, `notify` and `sync`, whose answer comes by itself.")
    ] = Interval(0.1)
    delay: Annotated[Duration, _says("From the probe's yes, or alone from the start, until the unit counts as ready.")] = (
        Duration(0.0)
    )


class HealthTable(ProbeTable):
    """Liveness of a ready service: one kind of probe, asked over and over.

    With `notify` the unit sends `WATCHDOG=1` at least once in every `interval`.
    """

    interval: Annotated[Interval, _says("From one question to the next.")] = Interval(10.0)
    log: Annotated[Pattern | None, _says("A line of the unit's output matches, at least once in every interval.")] = None
    failures: Annotated[Natural, _says("So many noes in a row, and the unit is restarted.")] = 3
    grace: Annotated[Duration, _says("From ready to the first question.")] = Duration(0.0)


class StopTable(Table):
    """How the unit is stopped: the command, then the signal, and after `timeout` SIGKILL."""

    command: Annotated[Text | Argv | None, _says("Executed first. Written as the unit's `command`.")] = None
    signal: Annotated[SignalName, _says("The signal that asks the unit to end.")] = SignalName("SIGTERM")
    timeout: Annotated[Duration, _says("How long the unit may take to end before it is killed.")] = Duration(10.0)
    mode: Annotated[
        Literal["group", "main"],
        _says("Whom the signal goes to first: all processes of the unit, or its main process alone."),
    ] = "group"


class ReloadTable(Table):
    """How a running service is told to read its configuration again, by `runner reload UNIT`: either a command or a signal."""

    command: Annotated[Text | Argv | None, _says("Executed. Written as the unit's `command`.")] = None
    signal: Annotated[SignalName | None, _says("Sent to the main process.")] = None


class LogTable(Table):
    """Where the unit's output is kept, and how much of it."""

    file: Annotated[str, _says("The file. Expanded. Default: one of the unit's name in the state directory.")] = ""
    max_size: Annotated[Size, _says("The file is rotated before it grows beyond this.")] = Size(10_000_000)
    keep: Annotated[Annotated[int, Meta(ge=0, le=100)], _says("Rotated files that are kept beside it.")] = 2


class ConditionsTable(Table):
    """What must hold for the unit to run at all. All that is written must hold."""

    exists: Annotated[Text | list[Path], _says("These paths are there. Expanded.")] = []
    missing: Annotated[Text | list[Path], _says("These paths are not there. Expanded.")] = []
    env: Annotated[
        dict[str, str | bool],
        _says(
            'Variables of the unit\'s environment: `"value"`: it is this; `"!value"`: it is something else, or not set; `true`: '
            "it is set and not empty; `false`: it is not."
        ),
    ] = {}
    command: Annotated[
        Text | Argv | None,
        _says(
            "This command ends with exit status 0. Executed last, and only where all else holds. Written as the unit's `command`."
        ),
    ] = None
    os: Annotated[
        Text | list[Tag], _says('The system is this, or one of these, such as `"linux"`; with a `!` before it: anything else.')
    ] = []
    arch: Annotated[
        Text | list[Tag],
        _says('The same of the machine, such as `"x86_64"` or `"aarch64"` (`"amd64"` and `"arm64"` mean these).'),
    ] = []
    user: Annotated[Text | list[Tag], _says("The same of the name of the user as whom the unit runs.")] = []


class UnitFile(Table):
    """The keys of a unit. They stand at the top of the file, without a table around them."""

    description: Annotated[Line, _says("What people read in place of the name.")] = ""
    type: Annotated[
        Kind | None,
        _says("What the unit is, see above. Default: `oneshot` with a `command` or `script`, else `target`."),
    ] = None
    command: Annotated[
        Text | Argv | None,
        _says("What to execute. A string is run by `sh -c`, a list is executed as it stands, without a shell."),
    ] = None
    script: Annotated[
        Text | None,
        _says("Several lines to execute. A `#!` line names the interpreter; else `bash -eo pipefail`, or `sh -e` without bash."),
    ] = None
    after: Annotated[list[Name | AfterTable], _says("What this unit waits for.")] = []
    before: Annotated[
        list[NameOrAll | BeforeTable],
        _says('What waits for this unit. `"*"`: every unit that this one does not itself depend on.'),
    ] = []
    requires: Annotated[
        Requires,
        _says(
            "What this unit needs of its `after`, where an entry does not say. "
            "What waits for it because of its `before` needs `success`, where that entry does not say."
        ),
    ] = "success"
    optional: Annotated[bool, _says("Its failure does not fail the startup. What needs its success is skipped all the same.")] = (
        False
    )
    timeout: Annotated[
        Interval | None,
        _says(
            "How long one attempt may take: a oneshot until its end, a service until it is ready, an external unit from its "
            "start until it is completed. Default: no limit."
        ),
    ] = None
    wait_timeout: Annotated[Interval | None, _says("How long it may wait for its `after`. Default: no limit.")] = None
    retry: Annotated[Natural | RetryTable, _says("How often a failed attempt is made again, before the unit was ready.")] = 1
    restart: Annotated[
        Literal["never", "on-failure", "always"] | RestartTable, _says("What happens when a service ends after it was ready.")
    ] = "never"
    ready: Annotated[
        ReadyTable | None,
        _says("When dependents may go on. Default: a oneshot at its end, a service once its program was executed."),
    ] = None
    health: Annotated[HealthTable | None, _says("Whether a ready service still does its work. Default: not asked.")] = None
    stop: Annotated[StopTable | None, _says("How it is stopped.")] = None
    reload: Annotated[ReloadTable | None, _says("How it is told to read its configuration again. Default: it cannot be.")] = None
    locks: Annotated[list[Word], _says("At most one unit that holds a lock of the same name runs at a time.")] = []
    conditions: Annotated[
        ConditionsTable | None, _says("What must hold for it to run at all; where it does not, the unit is `unneeded`.")
    ] = field(default=None, name="if")
    creates: Annotated[
        list[Path],
        _says("Paths that it makes. Where all are there, and nothing below says otherwise, it is `unneeded`. Expanded."),
    ] = []
    inputs: Annotated[
        list[Path],
        _says(
            "Paths and globs (`*`, `?`, `[...]`, `**`) of what it is made from; a directory stands for all below it. Where "
            "their content, the command and the unit's environment are as at its last success, it is `unneeded`. Expanded."
        ),
    ] = []
    once: Annotated[
        Once,
        _says(
            "How often a success is repeated: in every run, once each time that the machine or container starts, or once in the "
            "life of the state directory."
        ),
    ] = "run"
    env: Annotated[dict[str, str], _says("Environment variables, in the order written. Expanded.")] = {}
    env_file: Annotated[
        list[Path],
        _says(
            "Files of `KEY=VALUE` lines, read when the unit starts. A leading `-` means that the file may be missing. Expanded."
        ),
    ] = []
    mask: Annotated[
        list[Variable] | None,
        _says(
            "Variables whose values are shown as `***`, beside those whose names have TOKEN, SECRET, PASSWORD or API_KEY in "
            "them, see above. An empty list: none of those that the unit sets itself."
        ),
    ] = None
    cwd: Annotated[Path | None, _says("The directory in which it runs. Expanded. Default: that of the supervisor.")] = None
    user: Annotated[
        AccountName | None,
        _says(
            "Whose its processes are. Another than that of the supervisor takes root, see below. Default: that of the supervisor."
        ),
    ] = None
    group: Annotated[AccountName | None, _says("Their group. Default: that of the user.")] = None
    nice: Annotated[
        Annotated[int, Meta(ge=-20, le=19)] | None,
        _says("Its niceness: 19 gives way to all others. Lower than it is takes root. Default: that of the supervisor."),
    ] = None
    umask: Annotated[Octal | None, _says("Permissions that new files do not get. Default: that of the supervisor.")] = None
    limits: Annotated[LimitsTable | None, _says("What each of its processes may use. Default: as the supervisor.")] = None
    log: Annotated[LogTable | None, _says("Where its output is kept.")] = None
    on_success: Annotated[
        list[Name], _says("Units that are started when it ended `succeeded`. They do not start otherwise.")
    ] = []
    on_failure: Annotated[
        list[Name], _says("Units that are started when it ended `failed` or `timed-out`. They do not start otherwise.")
    ] = []
    bridge: Annotated[
        bool,
        _says(
            "With `runner up --bridge`: what becomes of the unit is told on the socket of the workspace's agent too. "
            "An external unit is completed when that socket shows it completed."
        ),
    ] = False
    icon: Annotated[Line, _says("A sign that screens may show beside its name.")] = ""
    tags: Annotated[list[Tag], _says("Words to find it by.")] = []
    enabled: Annotated[bool, _says("`false`: it is left out, and entries that name it have no effect and give a warning.")] = True


KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    **dict.fromkeys(
        (
            *("command", "script", "retry", "ready", "stop", "locks", "env", "env-file", "mask", "cwd"),
            *("user", "group", "nice", "umask", "limits", "log"),
        ),
        ("oneshot", "service"),
    ),
    **dict.fromkeys(("creates", "inputs", "once"), ("oneshot",)),
    **dict.fromkeys(("timeout", "bridge"), ("oneshot", "service", "external")),
    **dict.fromkeys(("restart", "health", "reload"), ("service",)),
}
"""Keys that mean something on some kinds of units only. What is not here, every unit may have."""


GROUP_KEYS: Final = ("after", "before", "requires", "env", "cwd", "locks", "tags", "enabled")
"""What a group can have, for its members to inherit."""

SHORT_FORMS: Final = {"retry": "attempts", "restart": "when"}
"""Keys whose plain value is short for a table, and which of its keys has that value there."""


ALIASES: Final[dict[str, str]] = {
    **dict.fromkeys(("cmd", "exec", "run", "execstart"), "command"),
    **dict.fromkeys(("depends-on", "depends", "needs"), "after"),
    "environment": "env",
    **dict.fromkeys(("workdir", "working-dir", "workingdirectory"), "cwd"),
}
"""What other tools call a key, in small letters and with - for _, and what it is called here."""

FOREIGN_TABLES: Final = frozenset({"unit", "service"})
"""Tables, in small letters, that other tools put keys into that stand at the top here."""
