"""What a unit's process writes: read from its pipe, kept in its log file, its last lines at hand.

Two classes. :class:`LogFile` is where the bytes go: a file that rotates by size and whose disk may fill up without harm to
anybody. :class:`Output` is where they come from: the reading end of a pipe. Between the two nothing is decoded and, unless
somebody listens, next to nothing is looked at, so that a unit that writes a gigabyte costs its reads and its writes.

Everything here is bounded, whatever the unit writes: the work of one :meth:`Output.read`, the memory, the size on disk.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Final

from ..core.mask import Masker

CHUNK: Final = 65_536
"""Bytes in one read: as much as a pipe holds."""
CHUNKS_A_READ: Final = 4
"""After so many chunks other units have their turn."""
TAIL_LINES: Final = 20
TAIL_WIDTH: Final = 1_000
"""Characters of a line in the tail."""
_TAIL_BYTES: Final = 4 * TAIL_WIDTH
"""A character takes at most four bytes, so these are enough for a line of the tail."""
LISTENED_LINE: Final = 65_536
"""Bytes of a line that a listener gets; what is longer is cut."""

_CONTROL: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movement
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC and the other strings: titles, links
    r"|\x1b[ -/]*[0-~]?"  # every other escape sequence
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"  # C0 but the tab, DEL, C1
)


def printable(line: bytes) -> str:
    """A line as text that is safe to print on a terminal.

    Bytes that are no UTF-8 become U+FFFD. Escape sequences (ECMA-48: CSI, OSC, DCS and their like, in seven and in eight
    bits) and control characters are removed, whole or cut off; a tab stays.
    """
    return _CONTROL.sub("", line.decode(errors="replace"))


class LogFile:
    """An append-only file that rotates by size: ``x.log`` becomes ``x.log.1``, and so on for ``keep`` files.

    Nothing touches the disk before the first byte is written; then missing directories are made. Together the files never
    exceed ``(keep + 1) * max_size`` bytes. A later invocation of the same unit appends to what is there. A file that was
    deleted or renamed by somebody else is begun anew; one that is not a regular file (``/dev/null``) is never rotated.

    A full disk or an unwritable directory costs output and nothing else: :meth:`write` never raises an ``OSError``.
    """

    __slots__ = ("_fd", "_identity", "error", "keep", "lost", "max_size", "on_error", "path")

    def __init__(self, path: str, max_size: int, keep: int, on_error: Callable[[str], None] | None = None) -> None:
        self.path = path
        self.max_size = max(max_size, 1)
        """Bytes."""
        self.keep = keep
        """Rotated files kept beside the one that is written; 0 or more."""
        self.on_error = on_error
        """Told once, in words, when writing begins to fail, and again only after it had recovered."""
        self.lost = 0
        """Bytes that could not be written, in all."""
        self.error = ""
        """Why the last write failed; empty when it did not."""
        self._fd = -1
        self._identity = (0, 0)

    def write(self, data: bytes) -> None:
        """Append to the file. What the disk does not take is counted in :attr:`lost`."""
        rest = data
        try:
            while rest:
                if piece := self._piece_that_fits(rest, self._room()):
                    rest = rest[os.write(self._fd, piece) :]
                else:
                    self._rotate()
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            self._lose(len(rest), error)
        else:
            self.error = ""

    def close(self) -> None:
        """Close the file. A later write opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _piece_that_fits(self, data: bytes, room: int) -> bytes:
        """As much as fits, in whole lines unless one alone is too long for a file; empty where a fresh file is the place."""
        if len(data) <= room:
            return data
        whole_lines = data.rfind(b"\n", 0, max(room, 0)) + 1
        return data[: whole_lines or room] if room >= self.max_size else data[:whole_lines]

    def _lose(self, count: int, error: Exception) -> None:
        self.lost += count
        self.close()  # the next write begins anew: by then what was wrong may have been mended
        is_new = not self.error
        self.error = f"cannot write the log {self.path!r}: {getattr(error, 'strerror', None) or error}"
        if is_new and self.on_error:
            self.on_error(self.error)

    def _room(self) -> int:
        """How many bytes the file may still take. Afterwards it is open, and the one that the path names."""
        there = self._named()
        if there is None:
            self.close()
            there = self._open()
        return self.max_size - there.st_size if stat.S_ISREG(there.st_mode) else sys.maxsize

    def _named(self) -> os.stat_result | None:
        """What the path names, or None where that is not our open file: not yet opened, deleted, renamed or replaced."""
        if self._fd < 0:
            return None
        try:
            there = os.stat(self.path)  # noqa: PTH116 (a Path for every chunk would be the dearest thing here)
        except FileNotFoundError:
            return None
        return there if (there.st_dev, there.st_ino) == self._identity else None

    def _open(self) -> os.stat_result:
        # O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. 0600: output may hold what only its owner should see.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        try:
            self._fd = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
            self._fd = os.open(self.path, flags, 0o600)
        there = os.fstat(self._fd)
        self._identity = (there.st_dev, there.st_ino)
        return there

    def _rotate(self) -> None:
        self.close()
        names = [self.path, *(f"{self.path}.{number}" for number in range(1, self.keep + 1))]
        for older, newer in pairwise(reversed(names)):
            with suppress(FileNotFoundError):
                os.replace(newer, older)  # noqa: PTH105
        if not self.keep:
            os.unlink(self.path)  # noqa: PTH108


class Output:
    """The reading end of the pipe that an invocation writes to.

    The owner waits until the pipe is readable, calls :meth:`read`, and waits again until that says that the end is reached;
    then, or earlier where it has waited long enough for what a unit left behind, it calls :meth:`close`.
    """

    __slots__ = ("_held", "_lines", "_masker", "_unfinished", "fd", "log", "on_line")

    def __init__(
        self, fd: int, log: LogFile, on_line: Callable[[bytes], None] | None = None, masker: Masker | None = None
    ) -> None:
        """``masker`` is for this stream alone; None: it has no secrets."""
        os.set_blocking(fd, False)
        self.fd = fd
        """Ours to close; -1 once it is."""
        self.log = log
        self.on_line = on_line
        """Gets every line that ends from now on, without its newline, and at the end the unfinished one.

        May be set and unset at any time, also while it is called. It is cut at 64 KiB."""
        self._masker = masker
        self._lines: deque[bytes] | None = None
        self._unfinished = b""
        self._held = b""

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self.fd

    def read(self) -> bool:
        """Take what is there, up to 256 KiB, and return at once. False: there is nothing more to come."""
        for _ in range(CHUNKS_A_READ):
            try:
                data = os.read(self.fd, CHUNK)
            except BlockingIOError:
                return True
            except OSError:  # it is closed, or broken in a way that reading on does not mend
                data = b""
            if not data:
                self._take_rest()
                return False
            self._take(self._masker.feed(data) if self._masker else data)
        return True

    def _take(self, data: bytes) -> None:
        """Keep what may be seen, and hand it on."""
        if data:
            self.log.write(data)
            self._remember(data)
            if self.on_line or self._held:
                self._hand_on(data)

    def _take_rest(self) -> None:
        if self._masker:
            self._take(self._masker.flush())
        self._hand_on_rest()

    def tail(self, n: int = TAIL_LINES) -> list[str]:
        """The last lines, at most ``n`` and at most 20, each at most 1,000 characters of printable text.

        Of a line that was overwritten with carriage returns, as progress bars do, it is what a terminal would show last.
        A last line without a newline counts.
        """
        lines = [*(self._lines or ()), *([self._unfinished] if self._unfinished else ())]
        return [printable(line.rstrip(b"\r"))[:TAIL_WIDTH] for line in lines[-TAIL_LINES:][-n:]] if n > 0 else []

    def close(self) -> None:
        """Close the pipe and the log file. What remains in the pipe is lost; :meth:`tail` still answers."""
        if self.fd >= 0:
            self._take_rest()
            os.close(self.fd)
            self.fd = -1
        self.log.close()

    def _remember(self, data: bytes) -> None:
        """Keep of the data what the tail needs: at most 20 lines and the beginning of the next."""
        start = len(data)
        for _ in range(TAIL_LINES + 1):
            start = data.rfind(b"\n", 0, start)
            if start < 0:
                break
        *finished, last = data[start + 1 :].split(b"\n")
        if start >= 0:
            self._unfinished = b""  # its line ended more than 20 lines ago
        if finished:
            finished[0] = self._unfinished + finished[0]
            self._unfinished = b""
            if self._lines is None:
                self._lines = deque(maxlen=TAIL_LINES)
            self._lines.extend(map(_shown_last, finished))
        self._unfinished = _shown_last(self._unfinished + last)

    def _hand_on(self, data: bytes) -> None:
        """Give the listener the lines that end in the data, and hold back the beginning of the next."""
        *finished, last = data.split(b"\n")
        if finished:
            finished[0] = self._held + finished[0]
            self._held = b""
        for line in finished:
            self._tell(line)
        self._held = (self._held + last)[:LISTENED_LINE] if self.on_line else b""

    def _hand_on_rest(self) -> None:
        if self._held:
            self._tell(self._held)
            self._held = b""

    def _tell(self, line: bytes) -> None:
        if self.on_line:
            self.on_line(line[:LISTENED_LINE].removesuffix(b"\r"))


def _shown_last(line: bytes) -> bytes:
    """What of a line remains after its carriage returns, cut to what the tail shows, so that more of the line can be added.

    A return at the end does not hide what stands before it until something else is written; it is kept to be seen then.
    """
    returns = line.endswith(b"\r")
    text = line.rstrip(b"\r") if returns else line
    return text[text.rfind(b"\r") + 1 :][:_TAIL_BYTES] + b"\r" * returns
