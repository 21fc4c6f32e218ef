"""The journal: one JSON object a line for every fact that was decided, written before anything is done about it.

The same lines are the output of ``up --output json``. Each begins with ``seq`` (1, 2, 3...) and ``at`` (RFC 3339, UTC,
microseconds), which belong to paper and not to the engine; the rest is the event itself.

A supervisor holds a lock of its journal (flock(2)), which ends with it however it ends: so a journal without an end tells
whether its run goes on or was cut off.

A journal that cannot be written costs history and never a unit: the first failure is told once, and what was lost counted.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder, Encoder

from ..core.event import Decided, JournalEvent

KEPT_RUNS = 20

_encode = Encoder().encode


class Lines:
    """Numbers events and puts the wall clock to them.

    ``begun_at`` is the wall clock at the run's beginning, in seconds since the epoch. Later times are that plus the elapsed
    ones, so that they never step back, whatever is done to the clock meanwhile.
    """

    def __init__(self, begun_at: float) -> None:
        self.begun_at = begun_at
        self.seq = 0

    def encode(self, events: Iterable[Decided]) -> bytes:
        """The lines of these events, each with its newline."""
        lines = bytearray()
        for event in events:
            self.seq += 1
            at = datetime.fromtimestamp(self.begun_at + event.at, UTC)
            lines += b'{"seq":%d,"at":"%s",' % (self.seq, at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode())
            lines += _encode(event)[1:]
            lines += b"\n"
        return bytes(lines)


class Journal:
    """The file of one run, begun with the first line that is written to it."""

    def __init__(self, directory: str, run: str, on_error: Callable[[str], None]) -> None:
        self.path = f"{directory}/{run}.jsonl"
        self.lost = 0
        """Bytes that could not be written."""
        self._directory = directory
        self._on_error = on_error
        self._fd = -1
        self._is_torn = False
        """The last line in the file lacks its end; the next one must not continue it."""

    def write(self, lines: bytes) -> None:
        """Append lines. They are with the kernel when this returns, so a supervisor that dies takes none along."""
        try:
            if self._fd < 0:
                self._open()
            rest = b"\n" * self._is_torn + lines
            self._is_torn = os.write(self._fd, rest) < len(rest)
            if self._is_torn:
                raise OSError("the disk is full")  # noqa: TRY301
        except OSError as error:
            if not self.lost:
                self._on_error(f"cannot write the journal {self.path!r}: {error.strerror or error}")
            self.lost += len(lines)

    def _open(self) -> None:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)  # noqa: PTH103
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(OSError):
            forget_old_runs(self._directory)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def forget_old_runs(directory: str) -> None:
    """Remove all but the last runs' journals. Their names begin with their time, so the order of names is that of runs."""
    runs = sorted(name for name in os.listdir(directory) if name.endswith(".jsonl"))  # noqa: PTH208
    for name in runs[:-KEPT_RUNS]:
        with suppress(OSError):
            os.unlink(f"{directory}/{name}")  # noqa: PTH108


def new_run_id() -> str:
    """A name for a run that sorts by time and that no other run on this machine has: ``20260131T074502-4711``."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}"


def goes_on(directory: str, run: str) -> bool:
    """Whether a run's supervisor lives and writes its journal."""
    try:
        fd = os.open(f"{directory}/{run}.jsonl", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


class Recorded(Struct, frozen=True):
    """A run as its journal tells it."""

    begun_at: float
    """The wall clock at its beginning, in seconds since the epoch."""
    events: tuple[Decided, ...]


class _Stamp(Struct):
    """What paper adds to an event."""

    at: datetime
    elapsed: float


def read_journal(path: Path) -> list[Decided]:
    """The events of a recorded run. Lines of kinds that this version does not know, and a torn last line, are passed over."""
    decoder = Decoder(JournalEvent)
    events: list[Decided] = []
    for line in path.read_bytes().splitlines():
        with suppress(ValidationError, DecodeError):
            events.append(decoder.decode(line))
    return events


def read_run(path: Path) -> Recorded:
    """The same, and when it was. A journal without a readable first line began when its file was last written."""
    from ..core.line import sensible_beginning  # whoever writes a journal needs none of that

    try:
        with path.open("rb") as file:
            stamp = Decoder(_Stamp).decode(file.readline())
        begun_at = sensible_beginning(stamp.at.timestamp() - stamp.elapsed)
    except (ValidationError, DecodeError):
        begun_at = path.stat().st_mtime
    return Recorded(begun_at, tuple(read_journal(path)))
