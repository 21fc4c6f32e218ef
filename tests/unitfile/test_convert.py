from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.convert import Finding, Path, convert, show_path
from runner.unitfile.keys import ALIASES, AfterTable, RetryTable, StopTable, UnitFile


def findings(text: str) -> list[Finding]:
    return convert(tomli.loads(text))[1]


def test_a_sound_document_is_what_it_says() -> None:
    text = 'after = ["a", { unit = "b" }]\ntimeout = "5s"\nretry = { attempts = 2 }\n[env]\nA = "b"\n'
    file, wrong = convert(tomli.loads(text))
    assert wrong == []
    assert (file.after, file.timeout, file.env) == (["a", AfterTable(unit="b")], 5.0, {"A": "b"})
    assert file.retry == RetryTable(attempts=2)
    assert convert({}) == (UnitFile(), [])


@pytest.mark.parametrize(
    ("text", "path", "what", "hint"),
    [
        ('if = "test -e /x"', ("if",), 'cannot use "test -e /x" for "if"', 'if = { command = "test -e /x" }'),
        ('ready = "https://x/"', ("ready",), 'cannot use "https://x/" for "ready"', 'ready = { http = "https://x/" }'),
        ('health = "ok"', ("health",), 'cannot use "ok" for "health"', 'health = { command = "ok" }'),
        ('if = { env = "CI" }', ("if", "env"), 'cannot use "CI" for "if.env"', "env = { CI = true }"),
        ('if = { env = "A=1" }', ("if", "env"), 'cannot use "A=1" for "if.env"', '"env" is a key of the unit'),
        ('limits = { memory = "1GiB" }', ("limits", "memory"), 'cannot use the key "memory"', '"as" limits the address space'),
        (
            "description = 5",
            ("description",),
            'cannot use 5 for "description": it must be a string of one line',
            'write it in quotes: "5"',
        ),
        ("icon = 1979-05-27", ("icon",), 'cannot use 1979-05-27 for "icon": it must be', 'write it in quotes: "1979-05-27"'),
        ("script = []", ("script",), 'cannot use [] for "script": it must be a string that is not empty', ""),
        ("command = {}", ("command",), 'cannot use {} for "command": it must be', ""),
        ("command = ['a', 5]", ("command", 1), 'cannot use 5 in "command": it must be a string', 'write it in quotes: "5"'),
        (
            "health = { sync = true }",
            ("health", "sync"),
            'cannot use the key "sync" in "health": there is no such key',
            "a script says once that it is complete, which is no sign of life: use notify, log or command",
        ),
        ("comand = 'x'", ("comand",), 'cannot use the key "comand": there is no such key', 'did you mean "command"?'),
        *((f"{key} = 1", (key,), "there is no such key", f'did you mean "{known}"?') for key, known in ALIASES.items()),
        ("Working_Dir = 1", ("Working_Dir",), "there is no such key", 'did you mean "cwd"?'),
        ("ready.exec = 1", ("ready", "exec"), 'cannot use the key "exec" in "ready"', 'did you mean "command"?'),
        ("name = 'x'", ("name",), "there is no such key", "the unit's name is the name of its file"),
        ("instances = ['x']", ("instances",), "there is no such key", "only a template has instances"),
        ("[Unit]\nafter = []", ("Unit",), "there is no such key", "keys stand at the top, without a table"),
        ("[service]\ntype = 'x'", ("service",), "there is no such key", "keys stand at the top, without a table"),
        ("service = 1", ("service",), "there is no such key", ""),
        ("zzz = 1", ("zzz",), 'cannot use the key "zzz": there is no such key', ""),
        ("optional = 'true'", ("optional",), "it must be true or false", "write true without quotes"),
        ("optional = 'yes'", ("optional",), "it must be true or false", ""),
        ("nice = '5'", ("nice",), "it must be an integer from -20 to 19", "write 5 without quotes"),
        ("nice = 5.0", ("nice",), "cannot use 5.0 for", ""),
        ("after = 'a'", ("after",), "it must be a list of names or tables", 'write it as a list: ["a"]'),
        ("after = ''", ("after",), "it must be a list of names or tables", ""),
        ("after = [1]", ("after", 0), 'cannot use 1 in "after"', 'write it in quotes: "1"'),
        ("after = [{}]", ("after", 0), 'cannot use {} in "after": "unit" is missing', ""),
        ("restart = {}", ("restart",), 'cannot use {} for "restart": "when" is missing', ""),
        ("restart = 'alway'", ("restart",), 'it must be "never", "on-failure" or "always" or a table', 'did you mean "always"?'),
        ("timeout = '5 s'", ("timeout",), "it must be a duration", "the units are h, m, s and ms"),
        ("stop.signal = 'TERM'", ("stop", "signal"), 'for "stop.signal": it must be the name', 'did you mean "SIGTERM"?'),
        ("ready.htp = 1", ("ready", "htp"), 'cannot use the key "htp" in "ready"', 'did you mean "http"?'),
        ("reload.zzz = 1", ("reload", "zzz"), 'cannot use the key "zzz" in "reload"', "it can have command, signal"),
        ("ready.locks = []", ("ready", "locks"), 'cannot use the key "locks"', '"locks" is a key of the unit: write it above'),
        ("env.after = []", ("env", "after"), 'cannot use [] for "env.after"', '"after" is a key of the unit: write it above'),
        ("env = 'A=b'", ("env",), "it must be a table of strings", ""),
        ("env = []", ("env",), "it must be a table of strings", ""),
        ("on-success = ['a b']", ("on-success", 0), 'cannot use "a b" in "on-success"', ""),
    ],
)
def test_each_mistake_has_its_words(text: str, path: Path, what: str, hint: str) -> None:
    (finding,) = findings(text)
    assert finding.path == path
    assert what in finding.what
    assert (hint in finding.hint) if hint else finding.hint == ""


def test_all_mistakes_come_at_once_and_the_rest_is_kept() -> None:
    text = """
        optional = 1
        nice = 5
        retry = { attempts = 0, delay = "9s" }
        after = ["a", 5, { unit = "b", x = 1 }, "c"]
        env = { A = 1, B = "b" }
    """
    file, wrong = convert(tomli.loads(text))
    assert [finding.path for finding in wrong] == [
        ("optional",),
        ("retry", "attempts"),
        ("after", 1),
        ("after", 2, "x"),
        ("env", "A"),
    ]
    assert (file.optional, file.nice, file.after, file.env) == (False, 5, ["a", "c"], {"B": "b"})
    assert isinstance(file.retry, RetryTable)
    assert (file.retry.attempts, file.retry.delay) == (1, 9.0)


def test_a_table_without_what_it_must_have_is_left_out() -> None:
    file, wrong = convert({"restart": {"when": "seldom", "delay": "1s"}, "stop": {"mode": "x"}, "ready": {"status": [1]}})
    assert file.restart == "never"
    assert file.stop == StopTable()
    assert [finding.path for finding in wrong] == [("restart", "when"), ("stop", "mode"), ("ready", "status", 0)]


def test_paths_in_words() -> None:
    assert show_path(("ready", "http")) == "ready.http"
    assert show_path(("after", 1, "unit")) == "after.unit"


scalars = st.one_of(
    st.text(max_size=5), st.integers(), st.floats(), st.booleans(), st.datetimes(), st.sampled_from(["1s", "never", "SIGTERM"])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
known_keys = st.sampled_from([*UnitFile.__struct_encode_fields__, "delay", "unit", "when", "http", "signal", "comand"])
tables = st.recursive(
    anything, lambda inner: st.dictionaries(known_keys, inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=6
)


@given(st.dictionaries(known_keys, tables, max_size=5))
def test_anything_is_converted_or_told_with_a_path_that_leads_to_it(document: dict[str, Any]) -> None:
    file, wrong = convert(document)
    assert isinstance(file, UnitFile)
    for finding in wrong:
        value: Any = document
        for part in finding.path:
            value = value[part]
        assert finding.what.startswith("cannot use ")
    assert convert(document)[0] == file
