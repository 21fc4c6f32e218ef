from __future__ import annotations

import os
import signal
import subprocess

from runner.core.effect import WatchScript
from runner.core.event import SyncCalled, UnitEnded, UnitStarted
from runner.core.observed import ScriptEnded
from runner.supervisor.scripts import Scripts
from runner.supervisor.tree import Census

from .harness import NOBODY, make, needs_root
from .sync_site import Caller, Site, served

ABANDONED = "abandoned: its script exited without complete"


def started(site: Site, unit: str = "x") -> UnitStarted:
    """Wait until a script has started its unit."""
    return site.until_decided(UnitStarted, unit)


def abandoned(site: Site, unit: str = "x") -> bool:
    """Wait for the end of a unit, and say whether it was abandoned."""
    ended = site.until_decided(UnitEnded, unit)
    return (ended.outcome, ended.reason) == ("failed", ABANDONED)


def is_started(site: Site, unit: str = "x") -> bool:
    with Caller(site) as caller:
        return caller.state(unit) == "started"


class TestAbandoned:
    def test_is_a_unit_whose_script_was_killed(self) -> None:
        with served() as site:
            script = site.run("sync start x; read -r _; sync complete x")
            started(site)
            script.send_signal(signal.SIGKILL)
            assert abandoned(site)

    def test_is_one_whose_script_forgot_it(self) -> None:
        with served() as site:
            script = site.run("sync start x; sync start y; sync complete x")
            assert abandoned(site, "y")
            assert site.of(UnitEnded, "x")[0].outcome == "succeeded"
            assert site.finish(script) == 0

    def test_is_not_one_whose_script_has_a_process_left(self) -> None:
        with served() as site:
            script = site.run("sync start x; exec 3<&0; { read -r _ <&3; } &")
            assert site.finish(script) == 0
            assert is_started(site)
            assert Census().session(script.pid)
            assert script.stdin
            script.stdin.close()
            assert abandoned(site)

    def test_is_not_one_that_a_helper_started(self) -> None:
        with served() as site:
            script = site.run(
                "bash -c 'coder exp sync start x; true'; (sync start y); read -r _; sync complete x; sync complete y"
            )
            started(site, "y")
            site.settle()
            assert is_started(site)
            assert script.stdin
            script.stdin.close()
            assert site.finish(script) == 1  # read's, for the end of its input
            assert abandoned(site)

    def test_is_not_one_whose_script_is_done(self) -> None:
        with served() as site:
            assert site.finish(site.run("sync start x; sync complete x")) == 0
            assert [ended.outcome for ended in site.of(UnitEnded, "x")] == ["succeeded"]

    def test_is_one_that_was_started_again(self) -> None:
        with served() as site:
            script = site.run("sync start x; sync complete x; sync start x; kill -KILL $$")
            site.finish(script)
            site.until_decided(UnitEnded, "x", 2)
            assert [ended.outcome for ended in site.of(UnitEnded, "x")] == ["succeeded", "failed"]


class TestNobodyIsGone:
    def test_where_the_caller_leads_its_session(self) -> None:
        with served() as site:
            script = site.run("exec coder exp sync start x")
            assert site.finish(script) == 0
            site.settle()
            assert is_started(site)

    def test_where_the_caller_is_in_the_session_of_the_supervisor(self) -> None:
        with served() as site:
            assert site.finish(site.run("sync start x", leads=False)) == 0
            site.settle()
            assert is_started(site)

    def test_where_the_caller_is_gone_already(self) -> None:
        with served() as site:
            gone = subprocess.Popen(["/bin/true"], start_new_session=True)
            gone.wait()
            scripts = Scripts(site.supervisor)
            scripts.watch(WatchScript("x", "i", gone.pid))
            scripts.close()
            assert site.of(UnitEnded, "x") == []


class TestInAUnit:
    def test_the_caller_is_known_by_its_unit(self) -> None:
        unit = make("a", "coder exp sync start x && coder exp sync complete x && bash -c 'coder exp sync ping; true'")
        with served(unit) as site:
            assert site.until_decided(UnitEnded, "a").outcome == "succeeded"
            assert [(call.call, call.peer.unit, call.peer.uid) for call in site.of(SyncCalled, "x")] == [
                ("start", "a", os.getuid()),
                ("complete", "a", os.getuid()),
            ]

    def test_the_end_of_the_unit_is_the_end_of_its_script(self) -> None:
        with served(make("a", "coder exp sync start x; exit 0")) as site:
            assert site.until_decided(UnitEnded, "a").outcome == "succeeded"
            assert abandoned(site)

    def test_a_helper_with_a_session_for_itself_is_not_the_script(self) -> None:
        unit = make("a", "setsid -w sh -c 'coder exp sync start x; true' && coder exp sync complete x")
        with served(unit) as site:
            assert site.until_decided(UnitEnded, "a").outcome == "succeeded"
            assert [ended.outcome for ended in site.of(UnitEnded, "x")] == ["succeeded"]

    def test_a_script_that_it_left_behind_is_one_of_its_own(self) -> None:
        unit = make("a", "setsid sh -c 'coder exp sync start x; coder exp sync start y; kill -KILL $$' & exit 0")
        with served(unit) as site:
            assert abandoned(site, "x")
            assert abandoned(site, "y")


def test_what_is_not_known_any_more_is_not_told() -> None:
    with served() as site:
        scripts = Scripts(site.supervisor)
        scripts.forget("x")
        site.supervisor.observe(ScriptEnded(at=site.supervisor.now(), unit="x", invocation="none"))
        site.settle()
        assert site.of(UnitEnded, "x") == []


@needs_root
class TestUnitsOfOtherUsers:
    def test_a_caller_speaks_only_for_a_unit_of_its_own_user(self) -> None:
        units = [
            make("ours", "sleep 600"),
            make("theirs", "sleep 600", user="nobody"),
            make("hidden", ["env", "-i", "sleep", "600"], user="nobody"),
        ]
        with served(*units) as site:
            site.until(lambda: all(site.of(UnitStarted, unit.name) for unit in units))
            invocations = site.supervisor.invocations
            scripts = Scripts(site.supervisor)
            assert scripts.identify(invocations["theirs"].pid, NOBODY).unit == "theirs"
            assert scripts.identify(invocations["theirs"].pid, 0).unit == "theirs"
            assert scripts.identify(invocations["theirs"].pid, 1).unit == ""
            assert scripts.identify(invocations["hidden"].pid, NOBODY).unit == "hidden"
            for name in ("ours", "none.1"):
                claimed = invocations[name].name if name in invocations else name
                environment = {"PATH": os.environ["PATH"], "RUNNER_INVOCATION": claimed}
                with subprocess.Popen(["sleep", "600"], user=NOBODY, env=environment) as liar:
                    assert scripts.identify(liar.pid, NOBODY).unit == ""
                    liar.kill()
