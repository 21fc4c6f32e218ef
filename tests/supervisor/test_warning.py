from __future__ import annotations

import os
import select

import pytest

from runner.supervisor.warning import warn_on_stderr


def test_a_warning_is_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    warn_on_stderr('cannot use "\udcff"')
    assert capfd.readouterr() == ("", 'runner: cannot use "\\udcff"\n')


def test_nobody_waits_for_whoever_does_not_read(capfd: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    before = os.dup(2)
    os.dup2(writer, 2)
    try:
        for _ in range(100_000 // select.PIPE_BUF):
            warn_on_stderr("x" * select.PIPE_BUF)
        os.close(reader)
        warn_on_stderr("nobody is there any more")
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(writer)
