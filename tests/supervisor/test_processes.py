from __future__ import annotations

import os
import subprocess
from pathlib import Path

import runner
from runner.supervisor.processes import GONE, ZOMBIE, kin_of, list_processes

from .harness import PYTHON, deadline

ADOPTS = """
import os, sys
sys.path.insert(0, sys.argv[1])
from runner.supervisor.processes import adopt_orphans
adopt_orphans()
if os.fork() == 0:
    if os.fork() == 0:
        os.read(0, 1)
        print(os.getppid(), flush=True)
    os._exit(0)
os.wait()
print(os.getpid(), flush=True)
os.wait()
"""


def test_we_are_our_parents_child() -> None:
    kin = kin_of(os.getpid())
    assert kin == (os.getppid(), os.getpgrp(), os.getsid(0))
    assert os.getppid() in list_processes()
    assert os.getpid() not in list_processes()


def test_the_dead_are_nobodys() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert kin_of(process.pid) == ZOMBIE
    process.wait()
    assert kin_of(process.pid) == GONE


def test_orphans_are_adopted() -> None:
    root = str(Path(runner.__file__).parents[1])
    pipe = subprocess.PIPE
    with deadline(), subprocess.Popen([*PYTHON, ADOPTS, root], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        adopter = process.stdout.readline()
        parent, _ = process.communicate("now its parent is gone")
    assert parent == adopter
