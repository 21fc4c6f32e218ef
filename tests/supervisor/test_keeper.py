"""The keeper with a supervisor that is a few lines of Python; with a real one it is tried end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import runner

from .harness import deadline, is_there

ROOT = Path(runner.__file__).parents[1]
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
SAID = "runner: the supervisor was killed by SIGKILL; all that it ran was ended\n"


def keep(supervisor: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a supervisor under its keeper to the end of both."""
    code = f"{before}\nfrom runner.supervisor.keeper import keep, passed_on\nkeep()\n{supervisor}"
    with deadline():
        return subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("status", [0, 3, 143])
def test_its_exit_status_is_that_of_the_supervisor(status: int) -> None:
    done = keep(f"import os; os._exit({status})")
    assert (done.returncode, done.stderr) == (status, "")


def test_a_supervisor_that_is_killed_is_told_of() -> None:
    done = keep(DIES)
    assert (done.returncode, done.stderr) == (1, SAID)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_that_was_asked_to_end_before_it_began_is_no_accident(number: signal.Signals) -> None:
    code = f"import os, signal\nsignal.signal({number}, signal.SIG_DFL)\nos.kill(os.getpid(), {number})"
    done = keep(code)
    assert (done.returncode, done.stderr) == (128 + number, "")


@pytest.mark.parametrize(
    "unit",
    [
        "sleep 600",
        "trap '' TERM INT HUP; sleep 600",
        "kill -STOP $$; sleep 600",
        "env -i setsid sleep 600 & exit",
        "while :; do sleep 600 & sleep 0.001; done",
        "setsid sh -c 'while :; do env -i setsid sleep 600 & sleep 0.001; done' & exit",
    ],
)
def test_nobody_is_left_below_it(unit: str, tmp_path: Path) -> None:
    """Everybody holds the pipe, whose end so tells that nobody is left."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    spawn = f"import subprocess\nsubprocess.Popen(['sh', '-c', {unit!r}], start_new_session=True, pass_fds=[{writer}])\n"
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom runner.supervisor.keeper import keep\nkeep()\n{spawn}{DIES}"
    with deadline():
        done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, pass_fds=[writer])
        assert (done.returncode, done.stderr) == (1, SAID)
        os.close(writer)
        os.set_blocking(reader, False)
        assert os.read(reader, 1) == b""
        os.close(reader)


def test_what_a_supervisor_leaves_goes_with_it() -> None:
    done = keep("import os, subprocess\nprint(subprocess.Popen(['sleep', '600'], stdout=2).pid, flush=True)\nos._exit(5)")
    assert done.returncode == 5
    assert not is_there(int(done.stdout))


def test_children_that_it_did_not_start_are_spared() -> None:
    before = (
        "import subprocess\nnothing = subprocess.DEVNULL\n"
        "other = subprocess.Popen(['sleep', '600'], start_new_session=True, stdout=nothing, stderr=nothing)\n"
        "print(other.pid, flush=True)"
    )
    done = keep(DIES, before)
    other = int(done.stdout)
    assert is_there(other)
    os.kill(other, signal.SIGKILL)
    assert done.returncode == 1


def test_it_imports_next_to_nothing() -> None:
    code = "import os, signal, sys, time; old = {*sys.modules}\n"
    code += "import runner.supervisor.keeper\nprint(*{*sys.modules} - old)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    ours = {"runner", "runner.supervisor", *(f"runner.supervisor.{name}" for name in ("apart", "keeper", "processes", "signals"))}
    assert set(done.stdout.split()) == {"__future__", *ours}
