"""Requests by hand, by the wire: what is answered to each. That many may ask at once is tried end to end."""

from __future__ import annotations

from msgspec import json

from runner.core.event import UnitEnded, UnitReady
from runner.core.unit import Command, Dependency, Reload, Unit
from runner.rpc.methods import RELOAD, RESTART, RETRY, START, STOP, USAGE, Method
from runner.supervisor.commands import Answer
from runner.supervisor.usage import UnitUsage

from .sync_site import Caller, Site, served


def service(name: str, *after: str, shell: str = "sleep 600", reload: Reload | None = None) -> Unit:
    needs = tuple(Dependency(unit=unit) for unit in after)
    return Unit(name=name, kind="service", command=Command(shell=f"exec {shell}"), after=needs, reload=reload)


UNITS = (service("db"), service("app/web", "db"))


def ask(site: Site, method: Method, *units: str) -> Answer:
    with Caller(site) as caller:
        answer = caller.ask(method, json.encode({"units": units}))
    assert isinstance(answer, bytes), answer
    return json.decode(answer, type=Answer)


def test_each_request_tells_what_it_sets_in_motion() -> None:
    with served(*UNITS) as site:
        site.until_decided(UnitReady, "app/web")
        assert ask(site, START, "db").units == ()
        assert ask(site, STOP, "db").units == ("app/web", "db")
        site.until_decided(UnitEnded, "db")
        assert set(ask(site, START, "app").units) == {"app/web", "db"}
        site.until_decided(UnitReady, "app/web", 2)
        assert ask(site, RESTART, "app/web").units == ("app/web",)
        assert ask(site, RETRY).units == ()


def test_a_name_that_nobody_has_is_refused_with_the_one_that_was_meant() -> None:
    with served(*UNITS) as site:
        refused = ask(site, START, "app/wep").refused
        assert refused
        assert refused.is_wrong_use
        assert (refused.what, refused.hint) == ('cannot find unit or group "app/wep" in this run', 'did you mean "app/web"?')


def test_what_is_no_request_is_refused() -> None:
    with served(*UNITS) as site, Caller(site) as caller:
        for request in (b"[]", b'{"unit":["db"]}'):
            answer = caller.ask(STOP, request)
            assert isinstance(answer, str)
            assert answer.startswith("cannot understand the request")


def test_a_service_reloads_in_its_own_way() -> None:
    loop = """sh -c 'trap "echo again" HUP; echo up; while :; do sleep 0.01; done'"""
    by_signal = service("a", shell=loop, reload=Reload(signal="SIGHUP"))
    well = service("b", reload=Reload(command=Command(shell="echo reloading")))
    badly = service("c", reload=Reload(command=Command(shell="exit 3")))
    gone = service("d", reload=Reload(command=Command(argv=("/no/such/program",))))
    with served(by_signal, well, badly, gone) as site:
        site.until(lambda: site.supervisor.tail("a") == ["up"])
        answer = ask(site, RELOAD, "a", "b", "c", "d")
        assert answer.units == ("a", "b", "c", "d")
        assert answer.failed["c"] == "the reload command: exit status 3"
        assert answer.failed.keys() == {"c", "d"}
        site.until(lambda: site.supervisor.tail("a") == ["up", "again"])


def test_usage_is_that_of_all_processes_of_a_unit() -> None:
    with served(service("one"), service("two", shell="sh -c 'sleep 600 & echo up; wait'")) as site, Caller(site) as caller:
        site.until(lambda: site.supervisor.tail("two") == ["up"])
        answer = caller.ask(USAGE, b"{}")
        assert isinstance(answer, bytes)
        usage = json.decode(answer, type=dict[str, UnitUsage])
        assert {name: one.processes for name, one in usage.items()} == {"one": 1, "two": 2}
        assert all(one.memory > 0 and one.cpu >= 0 for one in usage.values())
