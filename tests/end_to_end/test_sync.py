"""Scripts as they are in the wild, in the graph of ``runner up``: who waits for whom, and what comes of it when one fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runner.supervisor.tree import Census, send_signal

from .command import Event, Workspace

SCRIPTS = Path(__file__).parent / "scripts"
WAYS = sorted(path.name for path in SCRIPTS.iterdir() if path.name != "killed.sh")


LEGACY = """
script = '''
trap "coder exp sync complete legacy-tools" EXIT
coder exp sync want legacy-tools repository
coder exp sync start legacy-tools
echo work
'''
"""


class Site(Workspace):
    """A workspace whose supervisor serves scripts that the test starts beside it."""

    def __init__(self, root: Path, agent: str = "/nowhere") -> None:
        super().__init__(root)
        self._agent = agent
        self.events: list[Event] = []
        self._runtime = root / "run"
        self._runtime.mkdir(mode=0o700)
        self._gates = ExitStack()
        self._scripts: list[subprocess.Popen[str]] = []

    @property
    def socket(self) -> str:
        return f"{self._runtime}/runner/runner.sock"

    def environment(self) -> dict[str, str]:
        own = {"XDG_RUNTIME_DIR": str(self._runtime), "XDG_STATE_HOME": str(self.root / "xdg")}
        return {**super().environment(), **own, "CODER_AGENT_SOCKET_PATH": self._agent}

    def gate(self, name: str) -> str:
        """A command that waits until :meth:`open` is called, and ends with the status that it is given then."""
        os.mkfifo(self.root / name)
        fd = os.open(self.root / name, os.O_RDWR | os.O_CLOEXEC)
        self._gates.callback(os.close, fd)
        return f"read -r status < {self.root / name}; exit $status"

    def open(self, name: str, status: int = 0) -> None:
        """Let whoever waits at a gate go."""
        (self.root / name).write_text(f"{status}\n")

    def script(self, way: str, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start a script as an agent does: in a session of its own, with nothing but ``coder`` on its PATH."""
        environment = {
            "PATH": f"{self.socket}.bin:{os.environ['PATH']}",
            "RUNNER_SOCKET": self.socket,
            "CODER_AGENT_SOCKET_PATH": self.socket,
            **extra,
        }
        script = subprocess.Popen(
            ["bash", str(SCRIPTS / way), *arguments],
            env=environment,
            cwd=self.root,
            start_new_session=True,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._scripts.append(script)
        return script

    def coder(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One call by a person."""
        return subprocess.run(
            [f"{self.socket}.bin/coder", "exp", "sync", *arguments],
            env={**os.environ, "RUNNER_SOCKET": self.socket},
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def up(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Serve until the block is left, and then stop; all events are there after that."""
        try:
            with self.start("--keep", "--output", "json", *options) as process:
                self._process = process
                self.until(lambda event: event["event"] == "run-started")
                assert self.coder("ping").stdout == "Success\n"
                yield process
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate()
                assert (process.returncode, err) == (143, "")
                self.events += [json.loads(line) for line in out.splitlines()]
        finally:
            self._gates.close()
            for script in self._scripts:
                for pid in Census().session(script.pid):
                    send_signal(pid, signal.SIGKILL)
                with script:
                    script.kill()

    def until(self, condition: Callable[[Event], object], count: int = 1) -> Event:
        """Read events until one is so, or so many of all that were read; the last of them."""
        while len(found := [event for event in self.events if condition(event)]) < count:
            assert self._process.stdout
            line = self._process.stdout.readline()
            assert line, f"it ended: {self.events}"
            self.events.append(json.loads(line))
        return found[-1]

    def until_waiting(self, *units: str) -> None:
        """Until scripts have declared what these units wait for, and wait for it."""
        for unit in units:
            self.until(lambda event, unit=unit: event["event"] == "unit-waiting" and event["unit"] == unit)  # type: ignore[misc]

    def until_ended(self, unit: str) -> Event:
        return self.until(lambda event: event["event"] == "unit-ended" and event["unit"] == unit)

    def until_called(self, unit: str, call: str) -> Event:
        return self.until(lambda event: event["event"] == "sync" and (event["unit"], event["call"]) == (unit, call))

    def place(self, event: str, unit: str) -> int:
        """Where among the events the first such one of a unit is."""
        return next(place for place, one in enumerate(self.events) if (one["event"], one.get("unit")) == (event, unit))

    def ended(self) -> dict[str, tuple[str, str]]:
        """How each unit ended, and why."""
        return {event["unit"]: (event["outcome"], event["reason"]) for event in self.events if event["event"] == "unit-ended"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def finish(script: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit status, and all that it said."""
    out, err = script.communicate()
    return script.returncode, out, err


def start_all(site: Site) -> tuple[dict[str, subprocess.Popen[str]], dict[str, list[str]]]:
    """All eight ways at once; and for each unit, what it waits for."""
    runs: dict[str, tuple[str, ...]] = {
        "trap.sh": ("tools", "repository", "server"),
        "patient.sh": ("editor", "tools"),
        "barrier.sh": ("all-there", "tools", "editor"),
        "milestone.sh": ("hook-ran",),
        "best-effort.sh": ("cache", "repository"),
        "empty-list.sh": ("plain",),
        "comma-list.sh": ("tests", "all-there,repository,hook-ran"),
        "module.sh": ("module", "plain", "all-there"),
    }
    assert sorted(runs) == WAYS
    after = {unit: list(names) for unit, *names in runs.values()}
    after["tests"] = ["all-there", "repository", "hook-ran"]
    after |= {
        "module-install": ["plain", "all-there"],
        "module-configure": ["module-install", "plain", "all-there"],
        "module-start": ["module-configure"],
    }
    del after["module"]
    return {way: site.script(way, *arguments) for way, arguments in runs.items()}, after


class TestTheEightWays:
    def test_each_goes_on_when_what_it_waits_for_is_there(self, site: Site) -> None:
        site.write(
            repository=f"command = '{site.gate('repository')}'",
            server="type = 'service'\ncommand = 'echo here; exec sleep 600'\nready = { log = 'here' }",
        )
        with site.up():
            scripts, after = start_all(site)
            site.until_waiting("tools", "editor", "all-there", "cache", "tests", "module-install")
            site.until_ended("hook-ran")
            site.until_ended("plain")
            assert not [
                event for event in site.events if event["event"] == "unit-started" and event["unit"] in ("tools", "cache")
            ]
            site.open("repository")
            ended = {way: finish(script) for way, script in scripts.items()}
        assert {way: status for way, (status, *_) in ended.items() if status} == {}
        assert {unit: outcome for unit, (outcome, _) in site.ended().items() if outcome != "succeeded"} == {"server": "cancelled"}
        for unit, names in after.items():
            for name in names:
                released = site.place("unit-ready" if name == "server" else "unit-ended", name)
                assert released < site.place("unit-started", unit), f"{unit} started before {name} was there"
        assert ended["trap.sh"][1] == (
            'Unit "tools" declared dependencies: [repository, server]\n'
            'Unit "tools" is waiting for dependencies to be satisfied: [repository, server]\n'
            'Unit "tools" finished waiting for dependencies: [repository, server]\nwork of tools\nSuccess\n'
        )
        assert ended["empty-list.sh"][1:] == (
            'want said 1\nUnit "plain" started with no dependencies\nwork of plain\nSuccess\n',
            'Encountered an error running "coder exp sync want", see "coder exp sync want --help" for more information\n'
            "error: at least two arguments are required: unit and one or more depends-on\n",
        )
        assert ended["best-effort.sh"][1:] == ("work of cache\n", "")

    def test_each_works_without_a_supervisor_as_it_always_did(self, site: Site) -> None:
        best_effort = site.script("best-effort.sh", "cache", "repository")
        assert finish(best_effort) == (0, "work of cache\n", "")


class TestFailure:
    def test_ends_all_waits_at_once_with_the_reason(self, site: Site) -> None:
        site.write(broken=f"command = '{site.gate('broken')}'", after="command = 'true'\nafter = ['broken']")
        with site.up():
            scripts = {
                "trap": site.script("trap.sh", "trap", "broken"),
                "patient": site.script("patient.sh", "patient", "trap"),
                "barrier": site.script("barrier.sh", "barrier", "patient", "after"),
                "comma": site.script("comma-list.sh", "comma", "broken"),
                "best": site.script("best-effort.sh", "best", "broken"),
            }
            site.until_waiting(*scripts)
            site.open("broken", 3)
            said = {name: finish(script) for name, script in scripts.items()}
        why = 'dependency "broken" failed: exit status 3'
        assert f'error: start unit failed: cannot start unit "trap": {why}\n' in said["trap"][2]
        assert f'error: start unit failed: cannot start unit "comma": {why}\n' in said["comma"][2]
        assert '"broken" failed: exit status 3' in said["patient"][2]
        assert {name: status for name, (status, *_) in said.items()} == {**dict.fromkeys(scripts, 1), "best": 0}
        assert all("work of" not in out for name, (_, out, _) in said.items() if name != "best")
        assert {unit: outcome for unit, (outcome, _) in site.ended().items()} == {
            "broken": "failed",
            **dict.fromkeys(("after", *scripts), "skipped"),
        }

    def test_of_a_start_is_not_mended_by_the_trap(self, site: Site) -> None:
        site.write(slow=f"command = '{site.gate('slow')}'")
        with site.up():
            dependent = site.script("patient.sh", "dependent", "impatient")
            site.until_waiting("dependent")
            wants = site.coder("want", "impatient", "slow")
            assert wants.returncode == 0
            start = site.coder("start", "--timeout", "10ms", "impatient")
            assert (start.returncode, start.stderr.splitlines()[1]) == (
                1,
                "error: timeout waiting for dependencies of unit 'impatient'",
            )
            complete = site.coder("complete", "impatient")
            assert (complete.returncode, complete.stdout) == (0, "Success\n")
            status, out, err = finish(dependent)
        assert status == 1
        assert "work of" not in out
        assert 'dependency "impatient" failed: its script completed it, but had not been able to start it' in err
        assert site.ended()["dependent"][0] == "skipped"


class TestAbandonment:
    def test_is_a_failure_of_the_unit_and_skips_its_dependents(self, site: Site) -> None:
        site.write(repository="command = 'true'")
        with site.up():
            site.until_ended("repository")
            killed = site.script("killed.sh", "doomed", "repository")
            waiter = site.script("trap.sh", "waiter", "doomed")
            last = site.script("patient.sh", "last", "waiter")
            site.until_called("doomed", "start")
            site.until_waiting("waiter", "last")
            os.killpg(killed.pid, signal.SIGKILL)
            status, _, err = finish(waiter)
            assert status == 1
            assert 'dependency "doomed" failed: abandoned: its script exited without complete' in err
            assert finish(last)[0] == 1
        ended = site.ended()
        assert ended["doomed"] == ("failed", "abandoned: its script exited without complete")
        assert ended["waiter"][0] == ended["last"][0] == "skipped"

    def test_skips_declared_units_too(self, site: Site) -> None:
        site.write(theirs="type = 'external'", after="command = 'true'\nafter = ['theirs']")
        with site.up():
            script = site.script("killed.sh", "theirs", "hook-ran")
            site.script("milestone.sh", "hook-ran")
            site.until_called("theirs", "start")
            os.killpg(script.pid, signal.SIGKILL)
            finished = site.until(lambda event: event["event"] == "startup-finished")
            assert (finished["outcome"], sorted(finished["failed"])) == ("failed", ["after", "theirs"])
        assert site.ended()["theirs"] == ("failed", "abandoned: its script exited without complete")
        assert site.ended()["after"] == (
            "skipped",
            'dependency "theirs" failed: abandoned: its script exited without complete',
        )


class TestDeclaredUnits:
    def test_are_not_a_scripts_to_change(self, site: Site) -> None:
        site.write(repository=f"command = '{site.gate('repository')}'")
        with site.up():
            where = site.root / "units" / "repository.toml"
            for verb, words in (("start", []), ("complete", []), ("want", ["x"]), ("fail", [])):
                done = site.coder(verb, "repository", *words)
                assert done.returncode == 1
                assert f"it is declared in {where}" in done.stderr, done.stderr
            assert site.coder("status", "repository").stdout.splitlines()[1] == "Status: started"
            site.open("repository")
            site.until_ended("repository")
        assert site.ended()["repository"][0] == "succeeded"
        assert [event for event in site.events if event["event"] == "sync"] == []

    def test_coordinate_phases_of_their_own_work(self, site: Site) -> None:
        """A unit whose script is a legacy one: with the usual trap, for a phase that others wait for."""
        site.write(
            repository=f"command = '{site.gate('repository')}'",
            legacy=LEGACY,
        )
        with site.up():
            dependent = site.script("patient.sh", "dependent", "legacy-tools")
            site.until_waiting("dependent", "legacy-tools")
            site.open("repository")
            assert finish(dependent)[0] == 0
            site.until_ended("legacy")
        assert {outcome for outcome, _ in site.ended().values()} == {"succeeded"}
        calls = [event for event in site.events if event["event"] == "sync" and event["unit"] == "legacy-tools"]
        assert [(event["call"], event["peer"]["unit"]) for event in calls] == [
            ("want", "legacy"),
            ("start", "legacy"),
            ("complete", "legacy"),
        ]

    def test_that_scripts_bring_are_in_the_order_of_all(self, site: Site) -> None:
        site.write(theirs="type = 'external'", after="command = 'true'\nafter = ['theirs']")
        with site.up():
            last = site.script("patient.sh", "last", "after")
            site.until_waiting("last", "after")
            site.script("milestone.sh", "theirs")
            assert finish(last)[0] == 0
            finished = site.until(lambda event: event["event"] == "startup-finished")
            assert finished["outcome"] == "succeeded"
        assert {outcome for outcome, _ in site.ended().values()} == {"succeeded"}
        assert site.place("unit-ended", "theirs") < site.place("unit-started", "after")

    def test_make_no_cycle_with_calls(self, site: Site) -> None:
        site.write(theirs="type = 'external'", after="command = 'true'\nafter = ['theirs']")
        with site.up():
            assert site.coder("want", "mine", "after").returncode == 0
            refused = site.coder("want", "theirs", "mine")
            assert refused.returncode == 1
            assert "failed to add dependency\nadding edge (theirs -> mine): cycle detected" in refused.stderr
            assert 'after -> theirs by "after" of after' in refused.stderr
            assert "theirs -> mine by this call" in refused.stderr

    def test_become_ready_when_their_script_says_so(self, site: Site) -> None:
        script = "coder exp sync complete server\nexec sleep 600"
        site.write(
            server=f"type = 'service'\nscript = '''\n{script}\n'''\nready = {{ sync = true }}",
            after="command = 'true'\nafter = ['server']",
        )
        with site.up():
            site.until_ended("after")
        assert site.place("unit-ready", "server") < site.place("unit-started", "after")


class TestBridge:
    def test_joins_the_scripts_of_the_agent_to_our_units(self, tmp_path: Path) -> None:
        """Another supervisor stands for the agent: its socket knows the same calls."""
        (tmp_path / "agent").mkdir()
        (tmp_path / "ours").mkdir()
        agent = Site(tmp_path / "agent")
        agent.write(nothing="command = 'true'")
        ours = Site(tmp_path / "ours", agent.socket)
        ours.write(
            repository="command = 'true'\nbridge = true",
            theirs="type = 'external'\nbridge = true",
            after="command = 'true'\nafter = ['theirs']",
        )
        with agent.up():
            script = agent.script("trap.sh", "theirs", "repository")
            agent.until_waiting("theirs")
            with ours.up("--bridge"):
                ours.until_ended("after")
            assert finish(script)[0] == 0
        assert {outcome for outcome, _ in ours.ended().values()} == {"succeeded"}
        assert agent.place("unit-ended", "repository") < agent.place("unit-started", "theirs")
