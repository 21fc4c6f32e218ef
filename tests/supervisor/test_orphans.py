"""Orphans come to a process that adopts them, so each of these is a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import runner

from .harness import deadline

REAPS = """
import os
from runner.core.unit import Command
from runner.supervisor.orphans import Orphans
from runner.supervisor.poller import Poller
from runner.supervisor.processes import GONE, ZOMBIE, adopt_orphans, kin_of
from runner.supervisor.spawn import Setting, note_reaped, own_children, spawn

adopt_orphans()
poller = Poller()
orphans = Orphans(poller)
reader, writer = os.pipe()

ours = spawn(Command(shell="exit 3"), Setting({b"PATH": os.environb[b"PATH"]}), writer)
middle = spawn(Command(shell="(sh -c 'echo $$') & exit 4"), Setting({b"PATH": os.environb[b"PATH"]}), writer)
orphan = int(os.read(reader, 20))
while kin_of(orphan)[0] not in (os.getpid(), ZOMBIE[0]):
    pass
for process in (ours, middle):
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
while kin_of(orphan) not in (ZOMBIE, GONE):
    pass
for _ in range(100):
    poller.dispatch()
assert {ours.pid, middle.pid} <= own_children
assert kin_of(ours.pid) == kin_of(middle.pid) == ZOMBIE
for process, status in ((ours, 3), (middle, 4)):
    assert process.wait() == status
    note_reaped(process.pid)
assert kin_of(orphan) == GONE
orphans.close()
poller.close()
"""


def test_an_orphan_is_reaped_and_our_own_children_are_left_to_us() -> None:
    done = run(REAPS)
    assert (done.returncode, done.stderr) == (0, "")


def run(code: str) -> subprocess.CompletedProcess[str]:
    with deadline():
        return subprocess.run(
            [sys.executable, "-c", code], cwd=Path(runner.__file__).parents[1], capture_output=True, text=True, check=False
        )
