from __future__ import annotations

import pytest
import tomli

from runner.core.unit import (
    UNLIMITED,
    Command,
    Conditions,
    Dependency,
    Health,
    Limit,
    Log,
    Probe,
    Ready,
    Reload,
    Restart,
    Retry,
    Stop,
    Unit,
)
from runner.unitfile.build import build
from runner.unitfile.convert import Finding, Path, convert
from runner.unitfile.rules import Written, wrong_keys

ENVIRONMENT = {"HOME": "/home/ann", "PORT": "8080", "EMPTY": ""}


def build_text(text: str) -> tuple[Unit, list[Finding]]:
    values = tomli.loads(text)
    file, wrong = convert(values)
    return build("a", Written(file, values, wrong_keys(wrong)), ENVIRONMENT)


def unit(text: str) -> Unit:
    made, findings = build_text(text)
    assert findings == []
    return made


def findings(text: str) -> list[tuple[Path, str, str]]:
    return [(finding.path, finding.what, finding.hint) for finding in build_text(text)[1]]


def test_a_unit_that_says_little() -> None:
    assert unit('command = "make"') == Unit(name="a", kind="oneshot", command=Command(shell="make"))
    assert unit('script = "make"') == Unit(name="a", kind="oneshot", command=Command(script="make"))
    assert unit('after = ["b"]') == Unit(name="a", kind="target", after=(Dependency(unit="b"),))


def test_a_unit_that_says_everything() -> None:
    made = unit(
        """
        description = "The web server"
        type = "service"
        command = ["serve", "~", "${PORT}"]
        after = ["b", { unit = "c" }, { unit = "d", requires = "success" }]
        before = ["e", { unit = "*", requires = "completion" }]
        requires = "completion"
        optional = true
        timeout = "1m"
        wait-timeout = 5
        retry = { attempts = 3, delay = 2, backoff = 1.5, max-delay = 9, jitter = 0.1 }
        restart = { when = "always", delay = 2, backoff = 1, max-delay = 9, limit = 0, window = "1h" }
        ready = { http = "http://localhost:${PORT}/", status = [200, 401], interval = 1, delay = 2 }
        health = { command = "curl x", interval = 5, failures = 1, grace = 3 }
        stop = { command = ["serve", "stop"], signal = "SIGINT", timeout = 1, mode = "main" }
        reload = { signal = "SIGHUP" }
        locks = ["apt", "dpkg", "apt"]
        if = { exists = "~/there", missing = ["gone", "/away"], env = { A = true, B = "!x" }, os = "linux", user = ["ann"] }
        creates = ["out", "~/bin/x"]
        inputs = ["src/**", "${DATA}"]
        once = "boot"
        env = { DATA = "~/data", FILE = "${DATA}/file" }
        env-file = ["-.env", "/etc/web.env"]
        cwd = "~/web"
        user = "ann"
        group = "1000"
        nice = 5
        umask = "022"
        limits = { nofile = 1024, core = "unlimited", as = { soft = "1GiB" }, cpu = { soft = "1m", hard = 90 }, rttime = "1ms" }
        log = { file = "web.log", max-size = "1MB", keep = 0 }
        on-success = ["f"]
        on-failure = ["g"]
        icon = "*"
        tags = ["x", "y"]
        enabled = false
        """
    )
    assert made == Unit(
        name="a",
        kind="service",
        description="The web server",
        command=Command(argv=("serve", "~", "${PORT}")),
        after=(Dependency(unit="b", requires="completion"), Dependency(unit="c", requires="completion"), Dependency(unit="d")),
        before=(Dependency(unit="e"), Dependency(unit="*", requires="completion")),
        optional=True,
        timeout=60.0,
        wait_timeout=5.0,
        retry=Retry(attempts=3, delay=2.0, backoff=1.5, max_delay=9.0, jitter=0.1),
        restart=Restart(when="always", delay=2.0, backoff=1.0, max_delay=9.0, limit=0, window=3600.0),
        ready=Ready(probe=Probe(by="http", target="http://localhost:8080/", status=(200, 401), interval=1.0), delay=2.0),
        health=Health(probe=Probe(by="command", command=Command(shell="curl x"), interval=5.0), failures=1, grace=3.0),
        stop=Stop(command=Command(argv=("serve", "stop")), signal="SIGINT", timeout=1.0, mode="main"),
        reload=Reload(signal="SIGHUP"),
        locks=("apt", "dpkg"),
        conditions=Conditions(
            exists=("/home/ann/there",),
            missing=("/home/ann/web/gone", "/away"),
            env={"A": True, "B": "!x"},
            os=("linux",),
            user=("ann",),
        ),
        creates=("/home/ann/web/out", "/home/ann/bin/x"),
        inputs=("/home/ann/web/src/**", "/home/ann/data"),
        once="boot",
        env={"DATA": "/home/ann/data", "FILE": "/home/ann/data/file"},
        env_file=("-/home/ann/web/.env", "/etc/web.env"),
        cwd="/home/ann/web",
        user="ann",
        user_group="1000",
        nice=5,
        umask=0o22,
        limits={
            "as": Limit(soft=2**30),
            "core": Limit(soft=UNLIMITED, hard=UNLIMITED),
            "cpu": Limit(soft=60, hard=90),
            "nofile": Limit(soft=1024, hard=1024),
            "rttime": Limit(soft=1000, hard=1000),
        },
        log=Log(file="/home/ann/web/web.log", max_size=1_000_000, keep=0),
        on_success=("f",),
        on_failure=("g",),
        icon="*",
        tags=("x", "y"),
        enabled=False,
    )


def test_a_machine_has_one_name() -> None:
    made = unit('command = "x"\nif = { arch = ["amd64", "!arm64", "riscv64"], command = ["test"] }')
    assert made.conditions == Conditions(arch=("x86_64", "!aarch64", "riscv64"), command=Command(argv=("test",)))


def test_what_belongs_to_the_user_of_the_runner_is_not_known_of_another() -> None:
    hint = "it is looked up for the unit's user, not for that of the runner: write the value itself"
    values = tomli.loads('command = "x"\nuser = "bob"\ncwd = "~/x"')
    file, _ = convert(values)
    _, (finding,) = build("a", Written(file, values, frozenset()), {})
    assert (finding.what, finding.hint) == ('cannot expand "~/x" for "cwd": HOME is not set', hint)


def test_values_are_plain() -> None:
    """What the rest of the program gets knows nothing of the types of the file format."""
    more = 'stop.timeout = 5\nstop.signal = "SIGINT"\nlog.max-size = 5000\nretry.delay = 5'
    made = unit(f'type = "service"\ncommand = "x"\nuser = "x"\ngroup = "y"\ntimeout = 5\n{more}')
    assert [type(value) for value in (made.user, made.user_group)] == [str, str]
    values = (made.timeout, made.stop.timeout, made.stop.signal, made.log.max_size, made.retry.delay, made.retry.max_delay)
    assert [type(value) for value in values] == [float, float, str, int, float, float]


@pytest.mark.parametrize(
    ("text", "retry"),
    [
        ("retry = 1", Retry()),
        ("retry = 3", Retry(attempts=3)),
        ("retry = {}", Retry()),
        ('retry = { attempts = 2, delay = "5m" }', Retry(attempts=2, delay=300.0, max_delay=300.0)),
    ],
)
def test_retry(text: str, retry: Retry) -> None:
    assert unit(f'command = "x"\n{text}').retry == retry


@pytest.mark.parametrize(
    ("text", "restart"),
    [
        ('restart = "never"', Restart()),
        ('restart = "always"', Restart(when="always")),
        ('restart = "on-failure"', Restart(when="on-failure")),
        ('restart = { when = "on-failure", delay = "5m" }', Restart(when="on-failure", delay=300.0, max_delay=300.0)),
    ],
)
def test_restart(text: str, restart: Restart) -> None:
    assert unit(f'type = "service"\ncommand = "x"\n{text}').restart == restart


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ('tcp = "[::1]:${PORT}"', Probe(by="tcp", target="[::1]:8080")),
        ('unix = "~/s"', Probe(by="unix", target="/home/ann/s")),
        ('file = "done"', Probe(by="file", target="done")),
        ('command = ["test", "-e", "x"]', Probe(by="command", command=Command(argv=("test", "-e", "x")))),
        ('log = "ready on ${PORT}$"', Probe(by="log", target="ready on ${PORT}$")),
        ("notify = true", Probe(by="notify")),
        ("sync = true", Probe(by="sync")),
        ("delay = 0", None),
    ],
)
def test_probes(text: str, probe: Probe | None) -> None:
    assert unit(f'command = "x"\n[ready]\n{text}').ready == Ready(probe=probe)


def test_health_asks_every_ten_seconds() -> None:
    made = unit('type = "service"\ncommand = "x"\nhealth.tcp = "localhost:1"')
    assert made.health == Health(probe=Probe(by="tcp", target="localhost:1", interval=10.0))


def test_health_without_a_question_is_none() -> None:
    assert unit('type = "service"\ncommand = "x"\nhealth.grace = 1').health is None


def test_reload_by_a_command() -> None:
    assert unit('type = "service"\ncommand = "x"\nreload.command = "y"').reload == Reload(command=Command(shell="y"))


@pytest.mark.parametrize(
    ("cwd", "path"),
    [("", "x.env"), ('cwd = "/"', "/x.env"), ('cwd = "sub"', "sub/x.env"), ('cwd = "sub/"', "sub/x.env")],
)
def test_files_are_relative_to_the_working_directory(cwd: str, path: str) -> None:
    assert unit(f'command = "x"\n{cwd}\nenv-file = ["x.env"]').env_file == (path,)


def test_a_log_without_a_file_of_its_own() -> None:
    assert unit('command = "x"\nlog.keep = 5').log == Log(keep=5)


# ---------------------------------------------------------------- what cannot be


def test_a_variable_sees_those_above_it_and_the_environment() -> None:
    made = unit('command = "x"\n[env]\nPORT = "${PORT}0"\nB = "${PORT}:~/x"\n')
    assert made.env == {"PORT": "80800", "B": "80800:/home/ann/x"}


@pytest.mark.parametrize(
    ("text", "path", "what", "hint"),
    [
        ('cwd = "${NONE}"', ("cwd",), 'cannot expand "${NONE}" for "cwd": NONE is not set', "give a default: ${NONE:-...}"),
        ('cwd = "${HOMER}"', ("cwd",), "HOMER is not set", 'did you mean "HOME"?'),
        ('cwd = "${"', ("cwd",), 'a "${" needs a name', ""),
        ('cwd = "${EMPTY}"', ("cwd",), 'cannot use "${EMPTY}" (that is "") for "cwd": it must be a path', ""),
        ('env = { A = "${B}", B = "1" }', ("env", "A"), "B is not set", 'B is set further down in "env": write it above'),
        ('env = { "a b" = "x" }', ("env", "a b"), 'cannot use "a b" as the name of a variable', "a name has letters"),
        ('env = { NOTIFY_SOCKET = "x" }', ("env", "NOTIFY_SOCKET"), 'cannot set "NOTIFY_SOCKET" in "env"', "remove it"),
        ('env-file = ["x", "-"]', ("env-file", 1), 'cannot use "" for "env-file": it must be a path', ""),
        (
            'ready.http = "localhost"',
            ("ready", "http"),
            'cannot use "localhost" for "ready.http": it must be an http://',
            "such as",
        ),
        ('ready.tcp = ""', ("ready", "tcp"), 'cannot use "" for "ready.tcp": it must be host:port', "such as"),
        ('log.file = "${NONE}"', ("log", "file"), "NONE is not set", "give a default"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, path: Path, what: str, hint: str) -> None:
    ((told_path, told_what, told_hint),) = findings(f'command = "x"\n{text}')
    assert told_path == path
    assert what in told_what
    assert (hint in told_hint) if hint else told_hint == ""


@pytest.mark.parametrize(
    "text",
    ['env = { A = 1, B = "${A}" }', "ready = { http = 5 }", "health = { command = 5 }", 'ready = { log = "(" }', 'cwd = ""'],
)
def test_what_is_wrong_already_is_not_told_again(text: str) -> None:
    assert findings(f'command = "x"\n{text}') == []


def test_no_variable_is_blamed_for_one_that_cannot_be_expanded() -> None:
    assert [path for path, _, _ in findings('command = "x"\n[env]\nA = "${NONE}"\nB = "${A}"')] == [("env", "A")]
