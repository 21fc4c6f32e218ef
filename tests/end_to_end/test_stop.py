"""However a unit resists, it is stopped, and nothing of it is left: the harness holds every run to that."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from runner.core.event import Decided, StartupFinished, UnitEnded, UnitReady, UnitStarted, UnitStopping
from runner.core.unit import Command, Dependency, Probe, Ready, Retry, Stop, Unit
from runner.supervisor.supervisor import Supervisor
from tests.supervisor.harness import PYTHON, Ran, is_there, kill, make, on, python, service, stop, supervise

UP = Ready(probe=Probe(by="log", target="^up"))
QUICK = Stop(timeout=0.2)
STRAY = f"""setsid {" ".join(PYTHON)} 'import os, signal; print("up", os.getpid(), flush=True); {{}}signal.pause()' & """
IGNORE = "signal.signal(15, signal.SIG_IGN); "


def pids(ran: Ran, unit: str) -> list[int]:
    """The processes that a unit told of, each with a line of its own."""
    return [int(line.split()[1]) for line in ran.text(unit).splitlines() if line.startswith("up ")]


def stopped(tmp_path: Path, unit: Unit) -> Ran:
    """Run a service, and stop it when it is ready."""
    ran = supervise(tmp_path / "state", unit, react=on(UnitReady, unit.name))
    assert ran[unit.name].outcome == "cancelled"
    assert not any(is_there(pid) for pid in pids(ran, unit.name))
    return ran


def test_all_go_in_reverse_order(tmp_path: Path) -> None:
    units = [
        service("database", "exec sleep 600"),
        make("migration", "true", ["database"]),
        service("web", "exec sleep 600", ["migration"]),
        service("proxy", "exec sleep 600", ["web"]),
        service("mail", "exec sleep 600"),
    ]
    ran = supervise(tmp_path, *units, react=on(UnitReady, "proxy"))
    order = [event.unit for event in ran.of(UnitEnded) if event.unit not in ("mail", "migration")]
    assert order == ["proxy", "web", "database"]
    assert ran.place(UnitEnded, "web") < ran.place(UnitStopping, "database")
    assert {ran[name].signal for name in order} == {"SIGTERM"}


def test_one_unit_goes_with_those_that_need_it(tmp_path: Path) -> None:
    units = [service("a", "exec sleep 600"), service("b", "exec sleep 600", ["a"]), service("c", "exec sleep 600")]

    def react(supervisor: Supervisor, event: Decided) -> None:
        if isinstance(event, StartupFinished):
            stop(supervisor, "a")
        on(UnitEnded, "a")(supervisor, event)

    ran = supervise(tmp_path, *units, react=react)
    assert [event.unit for event in ran.of(UnitEnded)] == ["b", "a", "c"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGUSR1", "SIGQUIT"])
def test_a_signal_of_its_own(tmp_path: Path, name: str) -> None:
    code = f"import signal, sys\nsignal.signal(signal.{name}, lambda *_: sys.exit(5))\nprint('up', flush=True)\nsignal.pause()"
    assert stopped(tmp_path, service("s", python(code), ready=UP, stop=Stop(signal=name)))["s"].exit_code == 5


def test_one_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    ran = stopped(tmp_path, service("s", "trap '' TERM; echo up; while :; do sleep 600; done", ready=UP, stop=QUICK))
    assert ran["s"].signal == "SIGKILL"
    assert re.fullmatch(r"stopped by hand, killed after \d+ ms", ran["s"].reason)


def test_one_that_goes_on_after_the_signal_is_waited_for(tmp_path: Path) -> None:
    unit = service("s", "trap 'sleep 0.1; echo bye; exit 0' TERM; echo up; while :; do sleep 600 & wait; done", ready=UP)
    ran = stopped(tmp_path, unit)
    assert ran.text("s").splitlines() == ["up", "bye"]
    assert ran["s"].exit_code == 0


@pytest.mark.parametrize("does", ["", IGNORE])
def test_one_that_hides_in_another_session(tmp_path: Path, does: str) -> None:
    unit = service("s", STRAY.format(does) + "exec sleep 600", ready=UP, stop=QUICK)
    ran = stopped(tmp_path, unit)
    assert len(pids(ran, "s")) == 1


def test_one_that_forks_twice(tmp_path: Path) -> None:
    code = (
        "import os, signal\nif os.fork() == 0:\n os.setsid()\n if os.fork(): os._exit(0)\nprint('up', os.getpid(), flush=True)\n"
    )
    both = Ready(
        probe=Probe(by="command", command=Command(shell=f"test $(grep -c up {tmp_path}/state/logs/s.log) = 2"), interval=0.01)
    )
    ran = stopped(tmp_path, service("s", python(code + "signal.pause()"), ready=both))
    assert len(set(pids(ran, "s"))) == 2


def test_one_that_clears_its_environment(tmp_path: Path) -> None:
    line = (
        f"env -i {' '.join(PYTHON)} 'import os, signal; print(\"up\", os.getpid(), flush=True); signal.pause()' & exec sleep 600"
    )
    assert len(pids(stopped(tmp_path, service("s", line, ready=UP)), "s")) == 1


def test_one_that_clears_its_environment_and_hides_in_another_session(tmp_path: Path) -> None:
    line = f"env -i {STRAY.format('')} exec sleep 600"
    assert len(pids(stopped(tmp_path, service("s", line, ready=UP, stop=QUICK)), "s")) == 1


def test_one_that_is_frozen(tmp_path: Path) -> None:
    line = "trap 'exit 4' TERM; sh -c 'echo up $$; kill -STOP $$' & wait"
    ran = stopped(tmp_path, service("s", line, ready=UP, stop=Stop(timeout=600)))
    assert len(pids(ran, "s")) == 1


def test_one_that_froze_itself(tmp_path: Path) -> None:
    ran = stopped(tmp_path, service("s", "echo up $$; kill -STOP $$; sleep 600", ready=UP, stop=Stop(timeout=600)))
    assert ran["s"].signal == "SIGTERM"


def test_one_that_bears_children_for_ever(tmp_path: Path) -> None:
    code = "import os, signal\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\n"
    code += "for _ in range(100000):\n if os.fork(): os._exit(0)"
    unit = service("s", f'{" ".join(PYTHON)} "$CODE" & exec sleep 600', env={"CODE": code}, ready=UP, stop=Stop(timeout=0.05))
    ran = supervise(tmp_path, unit, react=on(UnitReady, "s"))
    assert ran["s"].outcome == "cancelled"


class TestMain:
    """Mode ``main``: the main process is signalled first, alone."""

    def test_it_stops_its_children_itself(self, tmp_path: Path) -> None:
        child = "sh -c 'trap \"echo signalled\" TERM; echo up; while :; do sleep 600 & wait; done' & child=$!"
        line = f"{child}; trap 'echo mine; kill -KILL $child; exit 6' TERM; wait; wait"
        ran = stopped(tmp_path, service("s", line, ready=UP, stop=Stop(mode="main")))
        assert ran.text("s").splitlines() == ["up", "mine"]
        assert ran["s"].exit_code == 6

    def test_what_it_leaves_is_stopped_then(self, tmp_path: Path) -> None:
        unit = service("s", STRAY.format("") + "sleep 600 & exec sleep 600", ready=UP, stop=Stop(mode="main"))
        ran = stopped(tmp_path, unit)
        assert len(pids(ran, "s")) == 1

    def test_what_it_leaves_and_what_resists_is_killed(self, tmp_path: Path) -> None:
        unit = service("s", STRAY.format(IGNORE) + "exec sleep 600", ready=UP, stop=Stop(mode="main", timeout=0.2))
        assert len(pids(stopped(tmp_path, unit), "s")) == 1


class TestStopCommand:
    def test_it_comes_first(self, tmp_path: Path) -> None:
        command = Command(shell='echo "stop $RUNNER_UNIT"; touch done; pwd')
        line = "trap 'test -e done && exit 7' TERM; echo up; while :; do sleep 600 & wait; done"
        ran = stopped(tmp_path, service("s", line, ready=UP, cwd=str(tmp_path), stop=Stop(command=command)))
        assert ran["s"].exit_code == 7
        assert ran.text("s").splitlines() == ["up", "stop s", str(tmp_path)]

    def test_the_unit_is_not_over_before_it(self, tmp_path: Path) -> None:
        """It kills the service itself, then has something to tidy up, which the next life must not meet."""
        os.mkfifo(tmp_path / "pid")
        tidy = f"read pid < {tmp_path}/pid; kill -9 $pid; while kill -0 $pid 2>&-; do :; done; sleep 0.1; echo tidy"
        line = f"echo up; (echo $$ > {tmp_path}/pid) & exec sleep 600"
        ran = stopped(tmp_path, service("s", line, ready=UP, stop=Stop(command=Command(shell=tidy))))
        assert ran.text("s").splitlines() == ["up", "tidy"]
        assert ran["s"].signal == "SIGKILL"

    def test_one_that_hangs_is_killed_too(self, tmp_path: Path) -> None:
        hang = Command(shell="trap '' TERM; echo up $$; while :; do sleep 600; done")
        ran = stopped(tmp_path, service("s", "echo up $$; exec sleep 600", ready=UP, stop=Stop(command=hang, timeout=0.2)))
        assert len(pids(ran, "s")) == 2

    def test_one_that_cannot_be_executed_is_told_in_the_log(self, tmp_path: Path) -> None:
        unit = service("s", "echo up; exec sleep 600", ready=UP, stop=Stop(command=Command(argv=("nowhere",))))
        ran = stopped(tmp_path, unit)
        assert ran.text("s").splitlines()[1] == 'stop command: cannot execute "nowhere": program not found on PATH'
        assert ran["s"].signal == "SIGTERM"


class TestLeftovers:
    def test_a_daemon_lives_as_long_as_the_run(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """It holds the output of the unit that started it, which nobody waits for."""
        os.mkfifo(tmp_path / "there")
        code = f'import os, signal; print("up", os.getpid(), flush=True); open("{tmp_path}/there", "w").close(); signal.pause()'
        line = f"setsid {' '.join(PYTHON)} '{code}' & cat {tmp_path}/there"
        alive = f"kill -0 $(sed 's/up //' {tmp_path}/state/logs/a.log)"
        ran = supervise(tmp_path / "state", make("a", line), make("b", alive, ["a"]))
        assert ran.outcomes() == {"a": "succeeded", "b": "succeeded"}
        assert not is_there(pids(ran, "a")[0])
        assert capfd.readouterr().err == "runner: ending 1 process left behind by a; what should stay is a service\n"

    def test_a_daemon_that_resists(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        os.mkfifo(tmp_path / "there")
        code = f'import os, signal; {IGNORE}print("up", os.getpid(), flush=True); '
        code += f'open("{tmp_path}/there", "w").close(); signal.pause()'
        ran = supervise(tmp_path / "state", make("a", f"setsid {' '.join(PYTHON)} '{code}' & cat {tmp_path}/there"))
        assert not is_there(pids(ran, "a")[0])
        assert capfd.readouterr().err == "runner: ending 1 process left behind by a; what should stay is a service\n"

    def test_what_a_failure_leaves_is_ended_with_it(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "there")
        line = f"sh -c 'echo up $$; echo > {tmp_path}/there; exec sleep 600' & cat {tmp_path}/there; sleep 600 & exit 3"
        ran = supervise(tmp_path / "state", make("a", line), make("b", "true", [Dependency(unit="a", requires="completion")]))
        assert ran.outcomes() == {"a": "failed", "b": "succeeded"}
        assert ran["a"].reason == "exit status 3"
        assert ran.of(UnitStopping, "a")[0].reason == "exit status 3, but processes that it started are still there"
        assert not is_there(*pids(ran, "a"))

    def test_a_failure_leaves_nobody_who_left_its_session_to_the_next_attempt(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "there")
        code = f'import os, signal; print("up", os.getpid(), flush=True); open("{tmp_path}/there", "w").close(); signal.pause()'
        line = (
            f"for pid in $(sed -n 's/up //p' {tmp_path}/state/logs/a.log); do ! grep -q . /proc/$pid/cmdline || echo met; done; "
        )
        line += f"setsid {' '.join(PYTHON)} '{code}' & cat {tmp_path}/there; exit 3"
        ran = supervise(tmp_path / "state", make("a", line, retry=Retry(attempts=2, delay=0)))
        assert len(pids(ran, "a")) == 2
        assert "met" not in ran.text("a")

    def test_what_a_service_leaves_is_ended_with_it(self, tmp_path: Path) -> None:
        ran = supervise(tmp_path, service("s", "echo up; sleep 600 & exit 0", ready=UP))
        assert ran["s"].outcome == "succeeded"


def test_the_last_resort_is_for_all_at_once(tmp_path: Path) -> None:
    resist = "trap '' TERM; echo up; while :; do sleep 600; done"
    units = [service("a", resist, ready=UP), service("b", resist, ["a"], ready=UP)]

    def react(supervisor: Supervisor, event: Decided) -> None:
        on(UnitReady, "b")(supervisor, event)
        on(UnitStopping, "b", kill)(supervisor, event)

    ran = supervise(tmp_path, *units, react=react)
    assert {ran[name].signal for name in "ab"} == {"SIGKILL"}
    assert {event.outcome for event in ran.of(UnitEnded)} == {"cancelled"}


def test_a_stop_finds_units_in_every_state(tmp_path: Path) -> None:
    """Some run, some wait, some are only about to be spawned."""
    units = [make(f"u{number}", "exec sleep 600", [f"u{number - 1}"] if number % 3 == 2 else []) for number in range(90)]
    ran = supervise(tmp_path, *units, react=on(UnitStarted, "u0"))
    assert set(ran.outcomes().values()) == {"cancelled"}
    assert ran.outcome == "cancelled"
