from __future__ import annotations

import pytest
import tomli

from runner.unitfile.convert import Finding, Path, convert
from runner.unitfile.keys import KINDS, UnitFile
from runner.unitfile.rules import PROBES, Written, check_rules, wrong_keys

RUN = 'command = "true"\n'
SERVICE = 'type = "service"\n' + RUN


def written(text: str) -> Written:
    values = tomli.loads(text)
    file, findings = convert(values)
    return Written(file, values, wrong_keys(findings))


def findings(text: str) -> list[Finding]:
    return list(check_rules(written(text)))


def test_a_mistyped_key_stands_for_the_one_that_was_meant() -> None:
    assert wrong_keys([Finding(("comand",), ""), Finding(("zzzzz",), ""), Finding(("env", "A"), ""), Finding((), "")]) == {
        "comand",
        "command",
        "zzzzz",
        "env",
    }


def test_words_of_other_tools_stand_for_the_keys_that_were_meant() -> None:
    assert wrong_keys([Finding(("exec",), ""), Finding(("depends_on",), "")]) == {"exec", "command", "depends_on", "after"}
    assert wrong_keys([Finding(("Service",), "")]) == {"Service", "command"}


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (RUN, "oneshot"),
        ('script = "x"', "oneshot"),
        (SERVICE, "service"),
        ("after = []", "target"),
        ('type = "target"', "target"),
    ],
)
def test_the_kind_follows_from_the_keys(text: str, kind: str) -> None:
    assert written(text).kind == kind
    assert findings(text) == []


@pytest.mark.parametrize("kind", ["oneshot", "service"])
def test_what_runs_needs_a_command(kind: str) -> None:
    (finding,) = findings(f'type = "{kind}"')
    assert (finding.path, finding.what) == (("type",), f"cannot make a {kind} without a command")


@pytest.mark.parametrize("key", KINDS)
def test_a_key_is_told_on_the_kinds_that_cannot_have_it(key: str) -> None:
    values = {
        "command": '"x"',
        "script": '"x"',
        "restart": '"never"',
        "retry": "2",
        "timeout": "1",
        "bridge": "true",
        "nice": "1",
        "umask": '"022"',
        "cwd": '"x"',
        "once": '"boot"',
        "user": '"x"',
        "group": '"x"',
    }
    values |= {"ready": '{ tcp = "x:1" }', "health": '{ tcp = "x:1" }', "reload": '{ signal = "SIGHUP" }'}
    lists = dict.fromkeys(("locks", "env-file", "creates", "inputs", "mask"), "[]")
    tables = dict.fromkeys(("stop", "env", "limits", "log"), "{}")
    value = (values | lists | tables)[key]
    for kind in ("oneshot", "service", "target"):
        base = "" if kind == "target" or key in ("command", "script") else RUN
        told = [finding.path for finding in findings(f'type = "{kind}"\n{base}{key} = {value}')]
        assert told == ([] if kind in KINDS[key] else [(key,)])


@pytest.mark.parametrize(
    ("limit", "what", "also"),
    [
        ("core = { soft = 2, hard = 1 }", 'cannot use a "limits.core.soft" of 2: it is above "limits.core.hard"', "which is 1"),
        (
            'as = { soft = "unlimited", hard = "1GB" }',
            'cannot use a "limits.as.soft" of "unlimited": it is above "limits.as.hard"',
            'which is "1GB"',
        ),
    ],
)
def test_a_soft_limit_is_not_above_the_hard_one(limit: str, what: str, also: str) -> None:
    (finding,) = findings(RUN + f"limits.{limit}")
    name = limit.split()[0]
    assert (finding.path, finding.what) == (("limits", name, "soft"), what)
    assert finding.also == ((also, ("limits", name, "hard")),)


@pytest.mark.parametrize(
    "limit",
    [
        "core = 1",
        "core = { soft = 1, hard = 1 }",
        "core = { soft = 5 }",
        'core = { soft = 5, hard = "unlimited" }',
        'core = { soft = "unlimited", hard = "unlimited" }',
        "core = { soft = 5, hard = -1 }",
    ],
)
def test_limits_that_go_together(limit: str) -> None:
    assert findings(RUN + f"limits.{limit}") == []


def test_a_kind_that_was_not_said_is_explained() -> None:
    (finding,) = findings("timeout = 5")
    assert finding.hint == 'a unit without "command" or "script" is a target'
    (finding,) = findings(RUN + 'restart = "always"')
    assert 'type = "service"' in finding.hint
    assert finding.also == ()
    (finding,) = findings('type = "target"\ntimeout = 5')
    assert (finding.hint, finding.also) == ("", (("its type", ("type",)),))


@pytest.mark.parametrize(
    "text", ['comand = "x"\nretry = 2', 'type = "servce"\ncommand = "x"\nrestart = "always"', "command = 5\nretry = 2"]
)
def test_nothing_is_told_of_a_kind_that_is_in_doubt(text: str) -> None:
    assert findings(text) == []


# ---------------------------------------------------------------- contradictions


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        (RUN + 'script = "x"', ("script",), 'cannot use both "command" and "script"'),
        (RUN + "ready = {}", ("ready",), 'cannot use "ready" without a question'),
        (RUN + "ready = { interval = 1 }", ("ready",), 'cannot use "ready" without a question'),
        (RUN + "ready = { delay = 1, interval = 1 }", ("ready",), 'cannot use "ready" without a question'),
        (RUN + 'ready = { tcp = "x:1", file = "y" }', ("ready", "file"), 'cannot use both "ready.tcp" and "ready.file"'),
        (RUN + "ready = { notify = false }", ("ready", "notify"), 'cannot use false for "ready.notify"'),
        (RUN + "ready = { sync = false }", ("ready", "sync"), 'cannot use false for "ready.sync"'),
        ('type = "external"\nlocks = []', ("locks",), 'cannot use "locks" on an external unit: only a oneshot or service has it'),
        ("bridge = true", ("bridge",), 'cannot use "bridge" on a target: only a oneshot, service or external unit has it'),
        (RUN + 'ready = { tcp = "x:1", status = [200] }', ("ready", "status"), 'cannot use "ready.status" without "ready.http"'),
        (RUN + 'ready = { log = "x", interval = 1 }', ("ready", "interval"), 'cannot use "ready.interval" with "ready.log"'),
        (
            RUN + "ready = { notify = true, interval = 1 }",
            ("ready", "interval"),
            'cannot use "ready.interval" with "ready.notify"',
        ),
        (SERVICE + "health = {}", ("health",), 'cannot use "health" without a question'),
        (SERVICE + "reload = {}", ("reload",), 'cannot use "reload" without'),
        (SERVICE + 'reload = { command = "x", signal = "SIGHUP" }', ("reload", "signal"), 'cannot use both "reload.command" and'),
        (RUN + 'requires = "completion"', ("requires",), 'cannot use "requires" without "after"'),
        (RUN + 'retry = { delay = "2m", max-delay = "1m" }', ("retry", "delay"), 'cannot use a "retry.delay" of "2m"'),
        (
            SERVICE + 'restart = { when = "always", delay = 5, max-delay = 1 }',
            ("restart", "delay"),
            'cannot use a "restart.delay" of 5',
        ),
    ],
)
def test_contradictions(text: str, path: Path, what: str) -> None:
    (finding,) = findings(text)
    assert finding.path == path
    assert finding.what.startswith(what)


@pytest.mark.parametrize(
    "text",
    [
        RUN + "ready = { delay = 1 }",
        RUN + 'ready = { http = "x", status = [200], interval = 1, delay = 1 }',
        RUN + "ready = { notify = true, delay = 1 }",
        RUN + "ready = { sync = true, delay = 1 }",
        'type = "external"\ntimeout = 1\nwait-timeout = 1\nbridge = true\nafter = ["a"]\nrequires = "completion"',
        SERVICE + "health = { notify = true, interval = 1, failures = 1, grace = 1 }",
        SERVICE + 'reload = { command = "x" }',
        SERVICE + 'reload = { signal = "SIGHUP" }',
        RUN + 'requires = "completion"\nafter = []',
        RUN + 'retry = { delay = "2m" }',
        RUN + 'retry = { delay = "1m", max-delay = "1m" }',
        SERVICE + 'restart = "always"',
    ],
)
def test_what_goes_together(text: str) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    "text",
    [
        RUN + "ready = { http = 5 }",
        RUN + "ready = 5",
        SERVICE + "reload = { signal = 1 }",
        RUN + "retry = { delay = 5, max-delay = 'x' }",
    ],
)
def test_a_table_that_is_wrong_already_contradicts_nothing(text: str) -> None:
    assert findings(text) == []


def test_the_way_out_names_only_what_can_be_used() -> None:
    hints = [finding.hint for text in (RUN + "ready = {}", SERVICE + "health = {}") for finding in findings(text)]
    assert hints == [
        'write one of http, tcp, unix, file, command, log, notify or sync, or "delay" alone',
        "write one of http, tcp, unix, file, command, log or notify",
    ]


def test_an_entry_of_before_has_its_own_requires() -> None:
    (finding,) = findings(RUN + 'before = ["a"]\nrequires = "completion"')
    assert '"before"' in finding.hint


def test_every_kind_of_probe_is_a_key() -> None:
    table = next(hint for name, hint in UnitFile.__annotations__.items() if name == "ready")
    assert "ReadyTable" in str(table)
    file, wrong = convert({"ready": dict.fromkeys(PROBES, 5)})
    assert {finding.path[1] for finding in wrong} == set(PROBES)
    assert file.ready


def test_conditions_that_say_nothing() -> None:
    (finding,) = findings(RUN + "if = { exists = [] }")
    assert (finding.path, finding.what) == (("if",), 'cannot use "if" without a condition')
    assert findings(RUN + 'if = { exists = "x" }') == []
