"""A workspace full of secrets, and every command that there is: none of them is in any file of the state or on any screen.

Units do with their secrets what units do: they print them, whole and in halves, in JSON and in URLs, have them in their
commands, tell them to the supervisor, and fail. Then all that was written is searched.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

from runner.cli import COMMANDS
from runner.cli.options import Parser
from runner.supervisor.tree import Census, send_signal
from tests.on_terminal import on_terminal
from tests.supervisor.harness import deadline
from tests.supervisor.served import RUNNER, environment_of

PLAIN = "hunter22-token"
"""In the ``env`` of a unit, and literally in commands."""
HARD = 'p"a\\s/wörd 😀'
"""In the environment of the supervisor; nearly every way to write it is another."""
FILED = "filed-away-0815"
"""In an env-file, so that nobody knows it before a unit is started."""
GIVEN = "given-on-4711"
"""What a unit gives to the units after it, which nobody knows before it has ended."""
KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAA
AAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQ/AAAAgyJ2
qf==
-----END OPENSSH PRIVATE KEY-----
"""
"""In the environment of the supervisor, under a name that does not look secret."""

FORMS = [
    *(PLAIN, FILED, HARD, GIVEN),
    *(json.dumps(HARD)[1:-1], json.dumps(HARD, ensure_ascii=False)[1:-1], json.dumps(HARD).replace("/", "\\/")[1:-1]),
    *(quote(HARD), quote(HARD, safe="")),
    *KEY.splitlines()[1:3],
]
"""What must be nowhere."""

SPEAK = r"""
import json, os, subprocess, sys
from urllib.parse import quote

def write(data):
    while data:
        data = data[os.write(1, data):]

def be_read():
    subprocess.run([sys.executable, "-m", "runner", "sync", "ping"], check=True, stdout=subprocess.DEVNULL)

token, hard, key = os.environ["A_TOKEN"], os.environ["HARD_PASSWORD"], os.environ["DEPLOY"]
write(b"in halves: " + token[:7].encode())
be_read()
write(token[7:].encode() + b"\n")
write(b"x" * 60_000 + b"\n")
be_read()
edge = b"y" * (65_536 - 5)
write(edge + token.encode() + edge + b"\n")
for text in (json.dumps({"hard": hard}), json.dumps({"hard": hard}, ensure_ascii=False), quote(hard), hard, key):
    write(text.encode() + b"\n")
print(json.dumps({"key": key}).replace("/", "\\/"))
"""

NOTIFY = r"""
import os, socket, sys, time
status = f"STATUS=listening with {os.environ['A_TOKEN']} and {os.environ['HARD_PASSWORD']}\nREADY=1"
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(status.encode(), os.environ["NOTIFY_SOCKET"])
print("up with", sys.argv[1], flush=True)
time.sleep(600)
"""

START = r"""
import importlib, json, os, sys, tempfile
from runner.cli import COMMANDS, main

for module, _ in COMMANDS.values():
    importlib.import_module(f"runner.cli.{module}")
for line in sys.stdin:
    with tempfile.TemporaryFile() as file:
        if (pid := os.fork()) == 0:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            status = 1
            try:
                status = main(json.loads(line))
            finally:
                sys.stdout.flush()
                if sys.exc_info()[0]:
                    sys.excepthook(*sys.exc_info())
                os._exit(status)
        os.waitpid(pid, 0)
        file.seek(0)
        print(json.dumps(file.read().decode()), flush=True)
"""
"""Runs each command in a process of its own that has imported it already: there are a hundred of them."""

PYTHON = shlex.quote(sys.executable)
TOKEN = f'env.A_TOKEN = "{PLAIN}"\n'
UNITS = {
    "speak": f'command = ["{sys.executable}", "speak.py"]\nmask = ["DEPLOY"]\n{TOKEN}',
    "fail": f'command = "echo I have $A_TOKEN; echo $HARD_PASSWORD >&2; exit 3"\ndescription = "needs {PLAIN}"\n{TOKEN}',
    "notify": f'type = "service"\ncommand = ["{sys.executable}", "notify.py", "{PLAIN}"]\nready.notify = true\n'
    f'reload.command = ["/nowhere/{PLAIN}"]\nstop.command = ["/nowhere/{PLAIN}"]\n{TOKEN}',
    "nowhere": f'command = ["/nowhere/{PLAIN}", "--x"]\n',
    "ext": 'type = "external"\n',
    "caller": f'command = "{PYTHON} -m runner sync start ext; '
    f'{PYTHON} -m runner sync fail ext --reason \\"no $A_TOKEN and no $HARD_PASSWORD\\""\n{TOKEN}',
    "after-ext": 'command = "true"\nafter = ["ext"]\n',
    "sick": f'type = "service"\ncommand = "exec sleep 600"\n'
    f'health = {{ command = ["/nowhere/{PLAIN}"], interval = "20ms", failures = 1 }}\n'
    'restart = { when = "on-failure", limit = 1, delay = "10ms" }\n',
    "unwritable": f'command = "echo lost"\nlog.file = "/dev/null/${{A_TOKEN}}/x.log"\n{TOKEN}',
    "filed": 'command = "echo $FILED_SECRET; echo $FILED_SECRET; exit 4"\nenv-file = ["secrets.env"]\n',
    "unneeded": 'command = "true"\nenv-file = ["secrets.env"]\nif.env = { FILED_SECRET = "another", HARD_PASSWORD = true }\n',
    "after-filed": f'command = "echo {FILED}"\nafter = [{{ unit = "filed", requires = "completion" }}]\n',
    "given": 'command = "cat given.env >> $RUNNER_ENV"\nonce = "workspace"\n',
    "taken": 'command = "echo $GIVEN_PASSWORD $GIVEN_URL; exit 5"\nafter = ["given"]\n',
    "never": f'type = "external"\ndescription = "what {PLAIN} is for"\n',
    "after-never": 'command = "true"\nafter = ["never"]\nlocks = ["apt"]\n',
}
BAD = {
    "broken": f'command = "true"\nenv = {{ A_TOKEN = "{PLAIN}\\q" }}\n',
    "wrong": f'command = ["{PLAIN}", "{PLAIN}"]\nnice = "{PLAIN} {PLAIN} {PLAIN} {PLAIN} {PLAIN}"\n'
    f"cwd = '''{HARD}${{{PLAIN}}}'''\nshort = \"{PLAIN}\"\n{TOKEN}",
    "warned": f'command = ["{PLAIN}"]\nmask = ["NOWHERE"]\n',
}

NAMES = [*UNITS]
LIVE: dict[str, list[list[str]]] = {
    "status": [[], *([name] for name in NAMES)],
    "list": [[]],
    "why": [[name] for name in NAMES],
    "logs": [[], *([name] for name in ("speak", "fail", "notify", "filed"))],
    "sync": [["ping"], ["list"], ["list", "-o", "json"], ["status", "after-ext"], ["status", "after-ext", "-o", "json"]],
    "watch": [["--run", "1"]],
}
"""What is asked of a run that goes on."""
BY_HAND: dict[str, list[list[str]]] = {
    "start": [["fail"], [PLAIN]],
    "stop": [["sick", "fail"], [PLAIN]],
    "restart": [["notify", "filed"], [PLAIN]],
    "retry": [["--no-wait"], ["nowhere"], [PLAIN]],
    "reload": [["notify"], [PLAIN]],
    "wait": [["speak", "fail"]],
    "sync": [["want", "ours", PLAIN], ["start", PLAIN], ["fail", PLAIN, "--reason", HARD], ["complete", PLAIN, "--status", "1"]],
    "up": [["fail"]],
}
"""What is asked for, one after the other, in a run that goes on. What somebody typed is not ours to hide from them."""
PAST: dict[str, list[list[str]]] = {
    "status": [[], ["fail"]],
    "list": [[]],
    "why": [["after-ext"]],
    "watch": [[]],
    "logs": [[]],
    "history": [[]],
    "timeline": [[], ["--whole", "--all"]],
    "replay": [["--speed", "0", "JOURNAL"], ["--speed", "1000", "JOURNAL"]],
}
"""What is asked of a run that is over."""
FILES: dict[str, list[list[str]]] = {
    "check": [[], ["--units", "bad"]],
    "plan": [[], ["--units", "bad"], ["fail", "--fail", "fail"], ["fail", "--what-if", "fail=5s"], [PLAIN]],
    "show": [*([name] for name in NAMES), *([name, "--all"] for name in NAMES), ["wrong", "--units", "bad"], [PLAIN]],
    "graph": [[], ["--units", "bad"], [PLAIN]],
    "doctor": [[]],
    "up": [["--units", "bad"]],
}
"""What is said of unit files."""
ANALYSES = [[name, *more] for name in ("blame", "critical-chain", "compare") for more in ([], ["--json"])]
COVERED = {*LIVE, *BY_HAND, *PAST, *FILES, "analyze", "down"}


def variants(command: str) -> list[list[str]]:
    """The options that say in which form a command prints: one of each."""
    if command == "sync":
        return [[]]
    parser = Parser(command, "-")
    import_module(f"runner.cli.{COMMANDS[command][0]}").configure(parser)
    options = {option: action for action in parser._actions for option in action.option_strings}
    if "--format" in options:
        return [["--format", str(choice)] for choice in options["--format"].choices or ()]
    return [[], ["--json"]] if "--json" in options else [[]]


class Tour:
    """All that was printed, by the command line that printed it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            **environment_of(root),
            "RUNNER_UNITS": "units",
            "HARD_PASSWORD": HARD,
            "DEPLOY": KEY,
            "COLUMNS": "200",
        }
        self.said: dict[str, str] = {}
        self.going_on: list[subprocess.Popen[bytes]] = []
        for directory, units in (("units", UNITS), ("bad", BAD)):
            (root / directory).mkdir()
            for name, text in units.items():
                (root / directory / f"{name}.toml").write_text(text)
        (root / "speak.py").write_text(SPEAK)
        (root / "notify.py").write_text(NOTIFY)
        (root / "secrets.env").write_text(f"FILED_SECRET={FILED}\n")
        (root / "given.env").write_text(f"GIVEN_PASSWORD={GIVEN}\nGIVEN_URL=https://ann:{GIVEN}@db/\n")
        pipe = subprocess.PIPE
        self.starter = subprocess.Popen(
            [sys.executable, "-c", START], env=self.environment, cwd=root, stdin=pipe, stdout=pipe, text=True
        )

    def run(self, *arguments: str) -> None:
        """Run a command to its end."""
        assert self.starter.stdin
        assert self.starter.stdout
        self.starter.stdin.write(json.dumps(arguments) + "\n")
        self.starter.stdin.flush()
        said: str = json.loads(self.starter.stdout.readline())
        assert "Traceback" not in said, said
        self.said[" ".join(arguments)] = said

    def run_all(self, calls: Mapping[str, list[list[str]]], *, in_all_forms: bool = True) -> None:
        """Run commands one after the other."""
        for name, given in calls.items():
            for call in given:
                for form in variants(name) if in_all_forms else [[]]:
                    self.run(name, *call, *form)

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on; what it says is in :attr:`said` when it was finished."""
        with (self.root / f"said-{' '.join(arguments)}").open("wb") as out:
            process = subprocess.Popen([*RUNNER, *arguments], env=self.environment, cwd=self.root, stdout=out, stderr=out)
        self.going_on.append(process)
        return process

    def finish(self, *processes: subprocess.Popen[bytes]) -> None:
        """Wait for the end of what goes on."""
        for process in processes:
            process.wait()
        for file in self.root.glob("said-*"):
            self.said[file.name.removeprefix("said-")] = file.read_text()

    @property
    def state(self) -> Path:
        """The state directory."""
        return next((self.root / "state" / "runner").iterdir())

    def journals(self) -> list[Path]:
        """Those of all runs, oldest first."""
        return sorted((self.state / "journal").glob("*.jsonl"))

    def close(self) -> None:
        """Nothing may outlive a test, also one that failed."""
        with self.starter:
            self.starter.kill()
        for process in self.going_on:
            process.kill()
            process.wait()
        for journal in (self.root / "state").glob("**/*.jsonl"):
            for pids in Census().members_of_run(journal.stem).values():
                for pid in pids:
                    send_signal(pid, signal.SIGKILL)


def live(tour: Tour) -> None:
    """A run that goes on, those who watch it, and all that may be asked of it."""
    run = tour.begin("up", "--keep", "--output", "json")
    while not (tour.root / "runner" / "runner.sock").exists():
        assert run.poll() is None
        os.sched_yield()
    watching = [tour.begin(*line) for line in (("watch",), ("watch", "--json"), ("logs", "-f"), ("logs", "-f", "--json"))]
    tour.run("wait", *(name for name in NAMES if "never" not in name))
    tour.run_all(LIVE)
    tour.run_all(BY_HAND, in_all_forms=False)
    (tour.root / "units" / "speak.toml").write_text(f'command = "{FILED}"\nnice = "{FILED}"\n')
    tour.run("reload")
    (tour.root / "units" / "speak.toml").write_text(UNITS["speak"])
    (tour.root / "units" / "new.toml").write_text('command = "echo new-secret-4711"\nenv.NEW_SECRET = "new-secret-4711"\n')
    tour.run("reload", "--json")
    tour.run("wait", "new")
    tour.run("down")
    tour.finish(run, *watching)
    (tour.root / "units" / "new.toml").unlink()


@pytest.fixture(scope="module")
def tour() -> Iterator[Tour]:
    with TemporaryDirectory(prefix="runner-") as name, deadline(50):
        made = Tour(Path(name))
        try:
            live(made)
            (made.root / "units" / "after-never.toml").unlink()
            (made.root / "units" / "never.toml").unlink()
            (made.root / "units" / "sick.toml").unlink()
            (made.root / "units" / "notify.toml").unlink()
            made.finish(made.begin("up", "--output", "plain", "--logs"))
            with on_terminal("up", "--output", "live", environment=made.environment, cwd=made.root) as terminal:
                terminal.finish()
                made.said["up --output live"] = terminal.said.decode()
            made.finish(made.begin("up", "--detach", "--keep"))
            made.run("down")
            journal = str(made.journals()[0])
            past = {
                name: [[journal if word == "JOURNAL" else word for word in call] for call in calls]
                for name, calls in PAST.items()
            }
            made.run_all({**past, **FILES, "analyze": ANALYSES})
            yield made
        finally:
            made.close()


def test_every_command_is_covered() -> None:
    """A new command has to be added above, with what it may be asked."""
    assert {*COMMANDS} == COVERED


def test_no_command_shows_a_secret(tour: Tour) -> None:
    typed = re.compile(rf"\S*{PLAIN}\S*")
    for line, said in tour.said.items():
        found = [form for form in FORMS if form in (typed.sub("", said) if PLAIN in line else said)]
        assert not found, f"{line}:\n{said}"


def test_no_file_of_the_state_holds_a_secret(tour: Tour) -> None:
    files = [file for file in (tour.root / "state").rglob("*") if file.is_file()]
    assert {"supervisor.log", "history.db", "speak.log", tour.journals()[0].name} <= {file.name for file in files}
    for file in files:
        data = file.read_bytes()
        assert not [form for form in FORMS if form.encode() in data], file
        assert b"new-secret" not in data


def test_where_a_secret_was_there_are_stars(tour: Tour) -> None:
    said = tour.said
    log = (tour.state / "logs" / "speak.log").read_text().splitlines()
    assert log[0] == "in halves: ***"
    assert log[2] == f"{'y' * 65_531}***{'y' * 65_531}"
    assert log[3:7] == ['{"hard": "***"}', '{"hard": "***"}', "***", "***"]
    assert log[7] == "***"
    assert '"listening with *** and ***"' in said["status notify --json"]
    assert "notify.py ***" in said["status notify"]
    assert 'FILED_SECRET is "***"' in said["why unneeded"]
    assert 'FILED_SECRET is \\"***\\"' in said["plan --json"]
    assert "no *** and no ***" in said["why after-ext"]
    assert "I have ***" in said["status fail"]
    assert "/nowhere/***" in said["status nowhere"]
    assert "needs ***" in said["status fail"]
    assert "cannot write the log '/dev/null/***/x.log'" in said["up --keep --output json"]
    assert "***" in said["check --units bad --format text"]
    assert 'cannot find unit or group "***"' in said[f"start {PLAIN}"]
    assert "/nowhere/***" in said["reload notify"]
    assert 'nice = "***"' in said["reload"]
