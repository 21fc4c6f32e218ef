"""Runs a command on a terminal of its own, as a shell does, and looks at the screen until it shows something."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import runner
from tests.screen import Screen
from tests.supervisor.harness import deadline

_OF_A_TERMINAL = {"CI", "NO_COLOR", "TERM", "COLORTERM", "COLUMNS", "LINES"}
RUNNER = (sys.executable, "-m", "runner")


class OnTerminal:
    """A process that leads a session on a terminal whose other end the test has."""

    def __init__(self, process: subprocess.Popen[bytes], controller: int, fd: int, screen: Screen) -> None:
        self.process = process
        self.screen = screen
        self.said = b""
        """All that was written, with its escape codes."""
        self._controller = controller
        self._fd = fd

    def until(self, condition: Callable[[Screen], object]) -> None:
        """Read on until the screen is so."""
        while not condition(self.screen):
            data = os.read(self._controller, 65_536)
            self.said += data
            self.screen.feed(data)

    def until_shown(self, text: str) -> None:
        """Read on until this stands on the screen."""
        self.until(lambda screen: text in screen.text())

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._controller, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, of which the kernel sends word."""
        self.screen.columns, self.screen.rows = columns, rows
        termios.tcsetwinsize(self._controller, (rows, columns))

    def modes(self) -> list[object]:
        """How its keyboard is."""
        return termios.tcgetattr(self._fd)

    def finish(self) -> int:
        """Read to the end; the exit status, negative where a signal ended it."""
        os.close(self._fd)
        self._fd = -1
        try:
            self.until(lambda _: False)
        except OSError:  # EIO: nobody has the terminal any more (pty(7))
            return self.process.wait()
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Whatever is left of it is killed."""
        self.process.kill()
        self.process.wait()
        os.close(self._controller)
        if self._fd >= 0:
            os.close(self._fd)


@contextmanager
def on_terminal(
    *arguments: str,
    environment: Mapping[str, str],
    cwd: Path,
    program: Sequence[str] = RUNNER,
    more: Mapping[str, str] = {},
) -> Iterator[OnTerminal]:
    """``runner`` with these arguments, on a terminal that can do everything unless ``more`` of the environment says otherwise."""
    controller, fd = pty.openpty()
    termios.tcsetwinsize(fd, (24, 80))
    kept = {name: value for name, value in environment.items() if name not in _OF_A_TERMINAL}
    process = subprocess.Popen(
        [*program, *arguments],
        env={"PYTHONPATH": str(Path(runner.__file__).parents[1]), "TERM": "xterm-256color", **kept, **more},
        cwd=cwd,
        stdin=fd,
        stdout=fd,
        stderr=fd,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    there = OnTerminal(process, controller, fd, Screen(80, 24))
    try:
        with deadline():
            yield there
    finally:
        there.close()
