"""The table ``limits`` of a unit file. Its names are those of getrlimit(2), in small letters and without ``RLIMIT_``."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from .table import Table, says
from .values import CountLimit, ShortTimeLimit, SizeLimit, TimeLimit


class LimitsTable(Table):
    """What each process of the unit may use, as in setrlimit(2). A limit that is not named is that of the supervisor.

    One value is both the soft limit, which holds, and the hard limit, up to which a process may raise the soft one itself.
    `{ soft = ..., hard = ... }` tells them apart; the one that is left out stays as it is, and a soft limit is lowered with
    the hard one. Raising a hard limit takes root.
    """

    as_: Annotated[SizeLimit | None, says("Address space.")] = field(default=None, name="as")
    core: Annotated[SizeLimit | None, says("The largest core file; 0: none is written.")] = None
    cpu: Annotated[TimeLimit | None, says("Processor time. The soft limit brings SIGXCPU, the hard one SIGKILL.")] = None
    data: Annotated[SizeLimit | None, says("Data, heap and private writable memory.")] = None
    fsize: Annotated[SizeLimit | None, says("The largest file that it may write.")] = None
    memlock: Annotated[SizeLimit | None, says("Memory that may be locked.")] = None
    msgqueue: Annotated[SizeLimit | None, says("POSIX message queues of its user.")] = None
    nice: Annotated[CountLimit | None, says("20 less the lowest niceness that it may give itself.")] = None
    nofile: Annotated[CountLimit | None, says("One more than the highest number of an open file.")] = None
    nproc: Annotated[CountLimit | None, says("Processes and threads of its user; root has no such limit.")] = None
    rss: Annotated[SizeLimit | None, says("Resident memory. Linux takes no notice of it.")] = None
    rtprio: Annotated[CountLimit | None, says("The highest real-time priority that it may give itself.")] = None
    rttime: Annotated[
        ShortTimeLimit | None, says("Processor time that a real-time process may take without a blocking system call.")
    ] = None
    sigpending: Annotated[CountLimit | None, says("Signals that may be queued for its user.")] = None
    stack: Annotated[SizeLimit | None, says("The stack of its first thread, and a quarter of it for arguments.")] = None
