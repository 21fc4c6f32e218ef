"""Units of other users, under a supervisor that runs as root: they have all that a unit has, and nothing of root's."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import runner
from runner.core.event import UnitEnded, UnitReady, UnitStarted
from runner.core.unit import Command, Conditions, Limit, Log, Probe, Ready, Stop
from runner.supervisor.supervisor import Supervisor
from tests.supervisor.harness import NOBODY, make, needs_root, on, service, supervise

from .command import Workspace, as_nobody, of, outcomes, read_until

PACKAGE = Path(runner.__file__).parent
PYTHONS = (sys.executable, "/usr/bin/python3")
NAME = pwd.getpwuid(NOBODY).pw_name


@pytest.fixture(scope="module")
def reachable() -> Iterator[Path]:
    """A directory that everybody can read, with this package, a ``python``, and a ``coder`` that it executes."""
    with TemporaryDirectory(prefix="reachable-", dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        shutil.copytree(PACKAGE, place / "lib" / "runner", ignore=shutil.ignore_patterns("__pycache__"))
        for python in PYTHONS:
            check = [python, "-I", "-S", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            try:
                status = subprocess.run(check, user=NOBODY, group=NOBODY, extra_groups=[], check=False, cwd="/").returncode
            except OSError:
                continue
            if status == 0:
                break
        else:
            pytest.skip("no Python that others than root can execute")
        start = "from runner.cli.coder import main; sys.exit(main(sys.argv[1:]))"
        coder = place / "coder"
        coder.write_text(f'#!/bin/sh\nexec {python} -I -S -c \'import sys; sys.path.insert(0, "{place}/lib"); {start}\' "$@"\n')
        (place / "python").symlink_to(python)
        for path in [place, *place.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755)
        yield place


@needs_root
def test_a_startup_with_units_of_another_user(tmp_path: Path, reachable: Path) -> None:
    """As people do it: scripts, readiness over the notify and the sync socket, a stop command, limits, an end in order."""
    workspace = Workspace(tmp_path)
    common = f'user = "{NAME}"\ncwd = "/"\nenv = {{ PATH = "{reachable}:{os.environ["PATH"]}" }}\n'
    notify = "import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])"
    workspace.write(
        database=common
        + 'type = "service"\nnice = 3\numask = "027"\n'
        + 'limits = { nofile = 321, core = 0, cpu = { soft = "1m", hard = "2m" } }\n'
        + "ready = { notify = true }\n"
        + 'stop = { command = "echo stopped by $(id -un)" }\n'
        + f'''script = """
#!/bin/sh
python -I -S -c "{notify}"
echo $(id -un) $(id -G) $HOME $USER $LOGNAME $(nice) $(umask) $(ulimit -n) $(ulimit -c) $(ulimit -S -t) $(ulimit -H -t)
echo again > /dev/stdout
exec sleep 600
"""
''',
        server=common
        + 'type = "service"\nafter = ["database"]\nready = { sync = true }\n'
        + 'script = "coder exp sync start server; coder exp sync complete server; exec sleep 600"\n',
        job=common + 'after = ["server"]\nscript = "coder exp sync start extra; coder exp sync complete extra"\n',
        other='command = "coder exp sync start mine && coder exp sync complete mine"\n',
    )
    with workspace.start("--output", "json", "--socket", str(tmp_path / "run" / "x.sock")) as process:
        begun = read_until(process, "startup-finished")
        process.send_signal(signal.SIGTERM)
        events = begun + read_until(process, "run-ended")
    assert begun[-1]["outcome"] == "succeeded"
    assert outcomes(events) == {
        "job": "succeeded",
        "extra": "succeeded",
        "other": "succeeded",
        "mine": "succeeded",
        "server": "cancelled",
        "database": "cancelled",
    }
    assert of(events, "unit-stopping") == ["server", "database"]
    calls = {(event["unit"], event["peer"]["uid"], event["peer"]["unit"]) for event in events if event["event"] == "sync"}
    assert calls >= {("server", NOBODY, "server"), ("extra", NOBODY, "job"), ("mine", 0, "other")}
    said = workspace.log("database").read_text().splitlines()
    home = pwd.getpwuid(NOBODY).pw_dir
    groups = " ".join(map(str, os.getgrouplist(NAME, pwd.getpwuid(NOBODY).pw_gid)))
    assert said == [f"{NAME} {groups} {home} {NAME} {NAME} {os.nice(0) + 3} 0027 321 0 60 120", "again", f"stopped by {NAME}"]


@needs_root
def test_all_commands_of_a_unit_are_its_user_s(tmp_path: Path) -> None:
    who = f"echo $1 $(id -u) $(umask); test $(id -u) = {NOBODY}"
    unit = service(
        "s",
        "echo main $(id -u) $(umask); exec sleep 600",
        user=NAME,
        cwd="/",
        umask=0o077,
        ready=Ready(probe=Probe(by="command", command=Command(shell=who))),
        stop=Stop(command=Command(shell="echo stop $(id -u) $(umask)")),
    )
    ran = supervise(tmp_path, unit, react=on(UnitReady, "s"))
    assert ran.text("s").splitlines() == [f"main {NOBODY} 0077", f"stop {NOBODY} 0077"]


@needs_root
def test_conditions_are_asked_as_its_user(tmp_path: Path) -> None:
    is_nobody = Conditions(user=(NAME,), command=Command(shell=f"test $(id -u) = {NOBODY}"))
    units = [
        make("theirs", "true", user=NAME, cwd="/", conditions=is_nobody),
        make("ours", "true", conditions=Conditions(user=(f"!{NAME}",))),
        make("not", "true", conditions=Conditions(user=(NAME,))),
    ]
    assert supervise(tmp_path, *units).outcomes() == {"theirs": "succeeded", "ours": "succeeded", "not": "unneeded"}


@needs_root
def test_values_are_given_to_the_same_user_alone(tmp_path: Path) -> None:
    units = [
        make("ours", "echo A=ours >>$RUNNER_ENV"),
        make("theirs", "echo B=$A-theirs >$RUNNER_ENV", ["ours"], user=NAME, cwd="/"),
        make("same", "echo $A $B", ["theirs"], user=NAME, cwd="/"),
        make("root", "echo $A ${B-none}", ["theirs"]),
    ]
    ran = supervise(tmp_path, *units)
    assert (ran.text("same"), ran.text("root")) == ("ours ours-theirs", "ours none")


@needs_root
def test_what_is_of_root_is_not_inherited(tmp_path: Path) -> None:
    """What is in its environment comes from root all the same; a ``HOME`` of its own stays."""
    environment = {**os.environ, "HOME": "/root", "XDG_CONFIG_HOME": "/root/x", "SSH_AUTH_SOCK": "/root/y", "TOKEN": "t"}
    show = "echo $HOME ${XDG_CONFIG_HOME-none} ${XDG_RUNTIME_DIR-none} ${SSH_AUTH_SOCK-none} $TOKEN"
    units = [make("a", show, user=NAME, cwd="/"), make("b", show, user=NAME, cwd="/", env={"HOME": "/own"}), make("c", show)]
    ran = supervise(tmp_path, *units, environment=environment)
    assert ran.text("a") == f"{pwd.getpwuid(NOBODY).pw_dir} none none none t"
    assert ran.text("b") == "/own none none none t"
    assert ran.text("c").startswith("/root /root/x /tmp/")


@needs_root
def test_a_unit_cannot_harm_what_is_not_its_own(tmp_path: Path, reachable: Path) -> None:
    """Neither the supervisor nor another unit: not by a signal, not through /proc, and it does not even see their sockets."""
    attack = (
        f"kill $PPID && echo killed; kill $(cat {reachable}/victim) && echo killed\n"
        "ls ${XDG_RUNTIME_DIR:-/tmp/runner-0} && echo listed; ls ${RUNNER_SOCKET%/*} && echo listed\n"
        "cat /proc/$PPID/environ && echo read; echo x > /proc/$PPID/mem && echo written\n"
        "true"
    )

    def offer(supervisor: Supervisor) -> None:
        supervisor.offer_socket(f"{tmp_path}/x.sock")

    up = Ready(probe=Probe(by="log", target="up"))
    victim = service("victim", f"echo $$ > {reachable}/victim; echo up; exec sleep 600", ready=up)
    units = [victim, make("a", attack, ["victim"], user=NAME, cwd="/")]
    ran = supervise(tmp_path / "state", *units, react=on(UnitEnded, "a"), prepare=offer)
    assert ran.outcomes() == {"victim": "cancelled", "a": "succeeded"}
    assert ran.text("a").count("Operation not permitted") == 2
    assert not {"killed", "listed", "read", "written"} & set(ran.text("a").split())


@needs_root
@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"user": "no-such-user"}, 'cannot run as the user "no-such-user": there is no such user'),
        ({"user_group": "no-such-group"}, 'cannot run with the group "no-such-group": there is no such group'),
        ({"user": NAME, "cwd": "{0}"}, 'cannot enter the directory "{0}": permission denied'),
        (
            {"limits": {"nofile": Limit(soft=9, hard=5)}},
            'cannot set the limit "nofile" to 9 (hard: 5): invalid argument',
        ),
    ],
)
def test_what_cannot_be_had_is_told_by_its_reason(tmp_path: Path, keys: dict[str, Any], reason: str) -> None:
    tmp_path.chmod(0o700)
    said = {key: value.format(tmp_path) if isinstance(value, str) else value for key, value in keys.items()}
    ran = supervise(tmp_path / "state", make("a", "true", **said), make("b", "true", ["a"]))
    assert ran.outcomes() == {"a": "failed", "b": "skipped"}
    assert ran["a"].reason == reason.format(tmp_path)
    assert not ran.of(UnitStarted, "a")


@needs_root
def test_a_log_of_another_user(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="home-", dir="/tmp") as home:
        os.chown(home, NOBODY, NOBODY)
        victim = tmp_path / "victim"
        Path(home, "bad.log").symlink_to(victim)
        units = [make(name, "echo said", user=NAME, cwd="/", log=Log(file=f"{home}/{name}.log")) for name in ("good", "bad")]
        ran = supervise(tmp_path / "state", *units)
        assert ran.outcomes() == {"good": "succeeded", "bad": "succeeded"}
        assert (ran.text("good"), Path(home, "good.log").stat().st_uid) == ("said", NOBODY)
        assert ran.tails["bad"] == ["said"]
        assert not victim.exists()


@pytest.fixture
def units() -> Iterator[Path]:
    """A directory of units that somebody else than root can read."""
    with TemporaryDirectory(prefix="units-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_somebody_else_is_told_that_it_takes_root(units: Path) -> None:
    text = 'command = "true"\nuser = "root"\nnice = -20\nlimits = { nofile = "unlimited" }\n'
    (units / "a.toml").write_text(text)
    own = NAME if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    for command in ("check", "up"):
        done = as_nobody(command, "--units", str(units))
        said = done.stdout + done.stderr
        assert done.returncode == 2, said
        assert f'error: cannot run as the user "root": the runner runs as "{own}" and may not become another' in said
        assert 'error: cannot use a "nice" of -20: the lowest that the runner may give here is ' in said
        assert 'error: cannot raise "limits.nofile" to unlimited: the runner may go up to ' in said
        assert 'hint: start the runner as root, or remove "user"' in said


def test_somebody_else_may_look_at_the_units(units: Path) -> None:
    (units / "a.toml").write_text('command = "true"\nuser = "root"\n')
    done = as_nobody("graph", "--units", str(units), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")


def test_who_names_oneself_needs_no_root(units: Path) -> None:
    own = NAME if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    (units / "a.toml").write_text(f'command = "true"\nuser = "{own}"\nlimits = {{ core = 0 }}\n')
    done = as_nobody("check", "--units", str(units))
    assert (done.returncode, done.stdout) == (0, "1 unit, no problems\n")
