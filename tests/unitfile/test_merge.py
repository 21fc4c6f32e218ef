from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.convert import Finding, Path
from runner.unitfile.document import Document, decode
from runner.unitfile.merge import Merged


def document(name: str, text: str) -> Document:
    made = decode(name, f"{name}.toml", text.encode())
    assert isinstance(made, Document)
    assert made.parse() is None
    return made


def merge(own: str, *drop_ins: str, common: str = "") -> Merged:
    """A unit ``own`` with drop-ins ``d1``, ``d2``, and what its group has in ``common``."""
    merged = Merged("own", "own.toml")
    if common:
        inherited = document("common", common)
        merged.add_own(inherited, inherited.values)
    first = document("own", own)
    merged.add_own(first, first.values)
    for number, text in enumerate(drop_ins, 1):
        one = document(f"d{number}", text)
        merged.add_drop_in(one, one.values)
    return merged


def place(merged: Merged, *path: str | int) -> str:
    where = merged.place(path)
    return f"{where.file.removesuffix('.toml')}:{where.line}:{where.column}"


def told(merged: Merged) -> list[tuple[str, str]]:
    return [(str(problem.where).replace(".toml", ""), problem.what) for problem in merged.problems]


def test_a_scalar_takes_the_place_of_one() -> None:
    merged = merge("a = 1\nb = 2\n", "\nb = 3\n", "c = 4\n")
    assert (merged.values, merged.problems) == ({"a": 1, "b": 3, "c": 4}, [])
    assert [place(merged, key) for key in "abc"] == ["own:1:1", "d1:2:1", "d2:1:1"]


def test_tables_are_merged() -> None:
    merged = merge("[stop]\nsignal = 'A'\ntimeout = 1\n", "stop.timeout = 2\n", "[stop]\nmode = 'main'\n")
    assert merged.values == {"stop": {"signal": "A", "timeout": 2, "mode": "main"}}
    assert [place(merged, "stop", key) for key in ("signal", "timeout", "mode")] == ["own:2:1", "d1:1:6", "d2:2:1"]
    assert place(merged, "stop") == "own:1:2"


def test_a_key_keeps_its_place_among_the_others() -> None:
    """Variables are expanded in their order."""
    merged = merge("[env]\nA = '1'\nB = '2'\n", "[env]\nC = '3'\nA = '4'\n")
    assert merged.values["env"] == {"A": "4", "B": "2", "C": "3"}
    assert list(merge("env = { A = '1', B = '2' }", "env.A = '3'").values["env"]) == ["A", "B"]  # type: ignore[call-overload]


def test_what_is_no_table_makes_way_for_one_and_the_other_way_round() -> None:
    merged = merge("log = 5\nenv = { A = '1' }\n", "log.keep = 1\nenv = 5\n")
    assert merged.values == {"log": {"keep": 1}, "env": 5}
    assert (place(merged, "log"), place(merged, "log", "keep"), place(merged, "env", "A")) == ("d1:1:1", "d1:1:5", "d1:2:1")


def test_a_list_takes_the_place_of_one() -> None:
    merged = merge("after = ['a', 'b']\n", "after = [\n'c']\n")
    assert merged.values == {"after": ["c"]}
    assert (place(merged, "after"), place(merged, "after", 0)) == ("d1:1:1", "d1:2:1")


def test_elements_are_added_to_a_list() -> None:
    merged = merge("after = [\n'a',\n'b']\n", "'after+' = ['c',\n{ unit = 'd' }]\n", "'after+' = ['c']")
    assert merged.values == {"after": ["a", "b", "c", {"unit": "d"}, "c"]}
    assert [place(merged, "after", index) for index in range(5)] == ["own:2:1", "own:3:1", "d1:1:13", "d1:2:1", "d2:1:13"]
    assert place(merged, "after", 3, "unit") == "d1:2:3"
    assert place(merged, "after") == "own:1:1"


def test_elements_are_added_where_there_was_nothing() -> None:
    merged = merge("a = 1\n", "'after+' = ['c']\n[ready]\n'status+' = [200]\n", "ready.'status+' = [201]\n")
    assert merged.values == {"a": 1, "after": ["c"], "ready": {"status": [200, 201]}}
    assert (place(merged, "after", 0), place(merged, "ready", "status", 1)) == ("d1:1:13", "d2:1:20")
    assert merged.find(("ready", "status", 0)) == (merged.documents[1], ("ready", "status+", 0))


def test_a_list_after_one_that_was_added_to() -> None:
    merged = merge("tags = ['a']", "'tags+' = ['b']", "tags = ['c', 'd']")
    assert merged.values == {"tags": ["c", "d"]}
    assert place(merged, "tags", 1) == "d2:1:14"


@pytest.mark.parametrize(
    ("own", "drop_in", "values"),
    [
        ("command = 'a'", "script = 'b'", {"script": "b"}),
        ("script = 'a'\nnice = 1", "command = ['b']", {"nice": 1, "command": ["b"]}),
        ("ready = { http = 'a', status = [200], delay = 1 }", "ready.tcp = 'b'", {"ready": {"delay": 1, "tcp": "b"}}),
        ("ready = { http = 'a', status = [200] }", "ready.http = 'b'", {"ready": {"http": "b", "status": [200]}}),
        ("ready = { http = 'a', interval = 1 }", "ready.log = 'b'", {"ready": {"log": "b"}}),
        ("ready = { http = 'a', interval = 1 }", "ready.tcp = 'b'", {"ready": {"interval": 1, "tcp": "b"}}),
        ("ready = { http = 'a', interval = 1 }", "ready = { log = 'b', interval = 2 }", {"ready": {"interval": 2, "log": "b"}}),
        (
            "health = { http = 'a', interval = 1, status = [1] }",
            "health.notify = true",
            {"health": {"interval": 1, "notify": True}},
        ),
        ("reload.signal = 'a'", "reload.command = 'b'", {"reload": {"command": "b"}}),
        ("ready.http = 'a'", "ready = { tcp = 'b', file = 'c' }", {"ready": {"tcp": "b", "file": "c"}}),
        ("stop = { command = 'a', signal = 'b' }", "stop.signal = 'c'", {"stop": {"command": "a", "signal": "c"}}),
    ],
)
def test_what_excludes_each_other_replaces_each_other(own: str, drop_in: str, values: dict[str, object]) -> None:
    assert merge(own, drop_in).values == values


def test_one_file_that_contradicts_itself_is_left_as_it_is() -> None:
    assert merge("command = 'a'\nscript = 'b'\n", "nice = 1").values == {"command": "a", "script": "b", "nice": 1}


def test_a_plain_value_that_is_short_for_a_table_is_that_table() -> None:
    merged = merge("retry = 3\nrestart = 'always'\n", "retry.delay = 1\nrestart.when = 'never'\n")
    assert merged.values == {"retry": {"attempts": 3, "delay": 1}, "restart": {"when": "never"}}
    assert (place(merged, "retry", "attempts"), place(merged, "retry", "delay")) == ("own:1:1", "d1:1:7")
    assert merge("retry = { attempts = 3, delay = 1 }", "retry = 2").values == {"retry": 2}


def test_a_word_that_is_short_for_a_list_is_that_list() -> None:
    merged = merge("[if]\nexists = 'a'\ncommand = 'x'\n", "[if]\n'exists+' = ['b']\n'os+' = ['linux']\n", "if.'exists+' = ['c']")
    assert merged.values == {"if": {"exists": ["a", "b", "c"], "command": "x", "os": ["linux"]}}
    assert [place(merged, "if", "exists", index) for index in range(3)] == ["own:2:1", "d1:2:14", "d2:1:17"]
    assert told(merge("if.command = 'x'", "if.'command+' = ['y']")) == [("d1:1:4", 'cannot add to "if.command": it is no list')]


# ---------------------------------------------------------------- upon what a group has in common


def test_lists_are_joined_with_what_is_in_common() -> None:
    merged = merge("locks = ['c', 'a']\n", "'locks+' = ['a']", common="locks = ['a', 'b']\nenv = { A = '1' }\n")
    assert merged.values == {"locks": ["b", "c", "a", "a"], "env": {"A": "1"}}
    assert [place(merged, "locks", index) for index in range(4)] == ["common:1:15", "own:1:10", "own:1:15", "d1:1:13"]


def test_a_drop_in_replaces_what_was_joined() -> None:
    merged = merge("after = ['b']", "after = ['c']", common="after = ['a']")
    assert merged.values == {"after": ["c"]}


def test_an_own_entry_outweighs_one_of_the_same_unit() -> None:
    merged = merge("after = [{ unit = 'a', requires = 'completion' }]", common="after = ['a', { unit = 'b' }]")
    assert merged.values == {"after": [{"unit": "b"}, {"unit": "a", "requires": "completion"}]}


def test_own_entries_can_be_added_to_those_in_common() -> None:
    merged = merge("'after+' = ['b']", common="after = ['a']")
    assert (merged.values, merged.problems) == ({"after": ["a", "b"]}, [])


def test_what_others_have_is_taken_over_and_not_changed() -> None:
    common = merge("after = ['a']\nenv = { A = '1' }\ncwd = '/'\n")
    merged = Merged("x", "x.toml")
    for key in ("after", "env"):
        merged.take_over(common, key)
    own = document("x", "env = { A = '2' }\n'after+' = ['b']\n")
    merged.add_own(own, own.values)
    assert merged.values == {"after": ["a", "b"], "env": {"A": "2"}}
    assert common.values == {"after": ["a"], "env": {"A": "1"}, "cwd": "/"}
    assert [one.name for one in merged.documents] == ["own", "x"]
    assert (place(merged, "after", 0), place(merged, "env", "A")) == ("own:1:10", "x:1:9")


# ---------------------------------------------------------------- what cannot be added


@pytest.mark.parametrize(
    ("own", "drop_in", "where", "what"),
    [
        ("after = ['a']", "after = []\n'after+' = ['b']", "d1:2:1", 'cannot use both "after" and "after+" in one file'),
        ("command = 'a'", "'command+' = ['b']", "d1:1:1", 'cannot add to "command": it is no list'),
        ("a = 1", "'timeout+' = ['b']", "d1:1:1", 'cannot add to "timeout": it is no list'),
        ("a = 1", "[env]\n'A+' = ['b']", "d1:2:1", 'cannot add to "env.A": it is no list'),
        ("a = 1", "[ready]\n'http+' = ['b']", "d1:2:1", 'cannot add to "ready.http": it is no list'),
        ("tags = ['a']", "'tags+' = 'b'", "d1:1:1", 'cannot use "b" for "tags+": it must be a list'),
        ("'tags+' = ['a']", "", "own:1:1", 'cannot add to "tags": nothing is there that it could be added to'),
        ("[ready]\n'status+' = [1]", "", "own:2:1", 'cannot add to "ready.status": nothing is there that it could be added to'),
    ],
)
def test_what_cannot_be_added(own: str, drop_in: str, where: str, what: str) -> None:
    merged = merge(own, drop_in)
    assert told(merged) == [(where, what)]
    assert all(problem.hint for problem in merged.problems)
    assert len(merged.wrong) == 1
    assert merged.wrong <= {"after", "command", "timeout", "env", "ready", "tags"}


def test_what_is_no_list_is_shown() -> None:
    (problem,) = merge("command = 'a'", "'command+' = ['b']").problems
    assert [(words, str(where)) for words, where in problem.also] == [("this is what it is", "own.toml:1:1")]
    (problem,) = merge("after = []\n'after+' = []").problems
    assert [(words, str(where)) for words, where in problem.also] == [("the other one", "own.toml:1:1")]


def test_an_unknown_key_is_for_others_to_tell() -> None:
    merged = merge("a = 1", "'tgas+' = ['b']\n'+' = ['c']\n[zz]\n'a+' = ['d']\n", "'instances+' = ['e']")
    assert merged.values == {"a": 1, "tgas": ["b"], "+": ["c"], "zz": {"a": ["d"]}, "instances": ["e"]}
    assert merged.problems == []
    assert place(merged, "tgas") == "d1:1:1"


# ---------------------------------------------------------------- as a source


def test_what_nobody_said_is_blamed_on_the_own_file() -> None:
    merged = merge("a = 1", "b = 2", common="c = 3")
    assert place(merged) == place(merged, "type") == "own:0:0"


def test_a_finding_becomes_a_problem_with_places_in_several_files() -> None:
    problem = merge("a = 1", "b = 2").problem(Finding(("b",), "cannot", also=(("the other", ("a",)),)))
    assert (str(problem.where), str(problem.also[0][1])) == ("d1.toml:1:1", "own.toml:1:1")


def test_an_empty_file_is_no_unit_whatever_changes_it() -> None:
    (finding,) = merge("# nothing", "nice = 1").check()
    assert "empty file" in finding.what
    assert list(merge("nice = 1", "# nothing").check()) == []


def test_a_nul_is_found_wherever_it_is_from() -> None:
    merged = merge("a = 'x'", 'b = "\\u0000"\n"tags+" = ["x\\u0000"]')
    assert sorted(finding.path for finding in merged.check()) == [("b",), ("tags", 0)]
    assert list(merge('a = "\\u0000"', "a = 'x'").check()) == []


KEYS = st.sampled_from(["after", "after+", "command", "command+", "script", "env", "ready", "retry", "zz"])
VALUES = st.recursive(
    st.sampled_from(["a", 1, True]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "http", "status+", "A+", "unit"]), inner, max_size=3)
    ),
    max_leaves=6,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


def paths(value: object, path: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [path, *(found for key, item in value.items() for found in paths(item, (*path, key)))]
    if isinstance(value, list):
        return [path, *(found for index, item in enumerate(value) for found in paths(item, (*path, index)))]
    return [path]


@given(TABLES, TABLES, st.lists(TABLES, max_size=3))
def test_every_value_is_found_in_the_document_that_said_it(
    common: dict[str, object], own: dict[str, object], drop_ins: list[dict[str, object]]
) -> None:
    merged = Merged("own", "own.toml")
    documents = []
    for values in (common, own, *drop_ins):
        one = Document("x", "x.toml", "")
        one.values = values
        documents.append(one)
    merged.add_own(documents[0], common)
    merged.add_own(documents[1], own)
    for one in documents[2:]:
        merged.add_drop_in(one, one.values)
    for path in paths(merged.values):
        value: object = merged.values
        for step in path:
            value = value[step]  # type: ignore[index]
        source, where = merged.find(path)
        said: object = source.values
        for step in where:
            said = said[step]  # type: ignore[index]
        if not isinstance(value, dict | list):
            assert said == value
        elif path:
            assert isinstance(said, type(value)) or path in (("retry",), ("restart",))
