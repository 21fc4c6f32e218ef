from __future__ import annotations

from typing import Any

import pytest

from runner.core.unit import Command, Conditions, Health, Kind, Probe, Ready, Reload, Stop, Unit
from runner.unitfile.convert import Path
from runner.unitfile.lint import lint

THERE = {"true", "apt", "apt-get", "sudo", "dpkg", "bash"}


def has_program(name: str, search_path: str) -> bool:
    return search_path == "/bin:/usr/bin" and name in THERE


def warnings(unit: Unit, search_path: str | None = "/bin:/usr/bin") -> list[tuple[Path, str]]:
    found = list(lint(unit, search_path, has_program))
    assert all(finding.severity == "warning" for finding in found)
    return [(finding.path, finding.what) for finding in found]


def run(*argv: str, shell: str = "", script: str = "", locks: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Unit:
    return Unit(name="a", kind="oneshot", command=Command(argv=argv, shell=shell, script=script), locks=locks, env=env or {})


@pytest.mark.parametrize(
    "unit",
    [
        Unit(name="a", kind="target"),
        run("true"),
        run("/opt/serve"),
        run("./serve"),
        run("bin/serve"),
        run(shell="true && serve"),
        run(shell="cd x && serve"),
        run(shell="A=b serve"),
        run(shell="$SERVE"),
        run(shell='"$SERVE" x'),
        run(shell="./serve"),
        run(shell="(serve)"),
        run(shell="serve() { :; }; serve"),
        run(script="serve"),
        run("coder", "exp", "sync", "ping"),
        run(shell="coder exp sync ping"),
    ],
)
def test_nothing_to_warn_of(unit: Unit) -> None:
    assert warnings(unit) == []


@pytest.mark.parametrize(
    "unit", [run("serve"), run(shell="serve"), run(shell="  serve --all"), run(shell="serve; true"), run(shell="serve\n")]
)
def test_a_program_that_is_not_there(unit: Unit) -> None:
    assert warnings(unit) == [(("command",), 'cannot find the program "serve" of "command": it is not on PATH')]


def test_every_command_of_a_unit_is_looked_at() -> None:
    command = Command(argv=("none",))
    probe = Probe(by="command", command=command)
    unit = Unit(
        name="a",
        kind="service",
        command=command,
        ready=Ready(probe=probe),
        health=Health(probe=probe),
        stop=Stop(command=command),
        reload=Reload(command=command),
        conditions=Conditions(command=command),
    )
    names = ["command", "if.command", "ready.command", "health.command", "stop.command", "reload.command"]
    assert [".".join(map(str, path)) for path, _ in warnings(unit)] == names
    assert [f'of "{name}"' in what for name, (_, what) in zip(names, warnings(unit), strict=True)] == [True] * 6


def test_other_probes_and_reloads_have_no_program() -> None:
    unit = Unit(
        name="a",
        kind="service",
        command=Command(argv=("true",)),
        ready=Ready(),
        health=Health(probe=Probe(by="tcp", target="x:1")),
        reload=Reload(signal="SIGHUP"),
    )
    assert warnings(unit) == []


def test_the_search_path_is_the_units_then_the_supervisors_then_the_usual_one() -> None:
    assert warnings(run("true"), None) == []
    assert warnings(run("true"), "/nowhere")
    assert warnings(run("true", env={"PATH": "/bin:/usr/bin"}), "/nowhere") == []
    assert warnings(run("true", env={"PATH": "/nowhere"}))


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("apt-get install -y jq", "apt-get"),
        ("apt update && apt install jq", "apt"),
        ("/usr/bin/apt-get update", "apt-get"),
        ("set -e\n  apt-get update", "apt-get"),
        ("true;apt-get update", "apt-get"),
        ("true && apt-get update", "apt-get"),
        ("true | apt-get update", "apt-get"),
        ("(apt-get update)", "apt-get"),
        ("if true; then apt-get update; fi", "apt-get"),
        ("for x in y; do apt-get install $x; done", "apt-get"),
        ("true || { apt-get update; }", "apt-get"),
        ("if ! apt-get update; then exit 1; fi", "apt-get"),
        ("sudo apt-get update", "apt-get"),
        ("sudo -E -n apt-get update", "apt-get"),
        ("sudo DEBIAN_FRONTEND=noninteractive apt-get update", "apt-get"),
        ("DEBIAN_FRONTEND=noninteractive A=b apt-get update", "apt-get"),
        ("exec env A=b nice apt-get update", "apt-get"),
        ("dpkg -i x.deb", "dpkg"),
        ("dpkg --force-all --install x.deb", "dpkg"),
        ("dpkg --configure -a", "dpkg"),
    ],
)
def test_apt_without_a_lock(text: str, call: str) -> None:
    what = f'cannot be sure that "{call}" runs alone: the unit has no "locks"'
    assert (("script",), what) in warnings(run(script=text))
    assert (("command",), what) in warnings(run(shell=text))
    assert warnings(run(script=text, locks=("apt",))) == []


def test_apt_as_a_list() -> None:
    assert [path for path, _ in warnings(run("sudo", "apt-get", "install", "jq"))] == [("command",)]


@pytest.mark.parametrize(
    "text",
    [
        "echo apt-get install",
        "command -v apt-get > /dev/null",
        "apt list --installed",
        "apt-get",
        "dpkg -s jq",
        "dpkg --print-architecture",
        "dpkg -l | grep -i x",
        "./apt-get x",
        "adapt x",
        "captain",
        "# apt-get install x",
    ],
)
def test_what_only_looks_like_apt(text: str) -> None:
    assert warnings(run(script=text)) == []


def serve(kind: Kind = "service", ready: Ready | None = None, **command: Any) -> Unit:
    return Unit(name="a", kind=kind, command=Command(**command), ready=ready)


def test_a_service_that_gives_values_says_when_it_has() -> None:
    what = 'cannot read what it writes to $RUNNER_ENV: a service without "ready" is ready before it can write'
    assert warnings(serve(script='echo A=1 >>"$RUNNER_ENV"\nexec ./serve')) == [(("script",), what)]
    assert warnings(serve(argv=("bash", "-c", "echo A=1 >>$RUNNER_ENV"))) == [(("command",), what)]
    assert warnings(serve(script="echo A=1 >>$RUNNER_ENV", ready=Ready(delay=1.0))) == []
    assert warnings(serve("oneshot", script="echo A=1 >>$RUNNER_ENV")) == []


def test_a_condition_whose_program_is_not_there_does_not_hold() -> None:
    def hint(command: Command) -> str:
        unit = Unit(name="a", kind="target", conditions=Conditions(command=command))
        return next(lint(unit, "/bin:/usr/bin", has_program)).hint

    assert hint(Command(shell="ask")) == "fine if an earlier unit installs it; until then the condition does not hold"
    assert hint(Command(argv=("ask",))) == "fine if an earlier unit installs it"
