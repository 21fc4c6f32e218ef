from __future__ import annotations

import pytest

from runner.errors import Place, Problem
from runner.unitfile.convert import Finding
from runner.unitfile.document import Document, Source, decode


def document(text: str) -> Document:
    made = decode("a", "units/a.toml", text.encode())
    assert isinstance(made, Document)
    assert made.parse() is None
    return made


def invalid(text: str) -> Problem:
    problem = Document("a", "units/a.toml", text).parse()
    assert problem
    return problem


def findings(text: str) -> list[Finding]:
    return list(document(text).check())


def test_a_document_has_values_and_places() -> None:
    made = document('description = "x"\nready = { http = "y" }\n')
    assert made.values == {"description": "x", "ready": {"http": "y"}}
    assert made.place(("ready", "http")) == Place("units/a.toml", 2, 11, 'ready = { http = "y" }')
    assert made.place(("ready", "http")).text == 'ready = { http = "y" }'


def test_what_is_not_written_is_where_it_would_be() -> None:
    made = document('ready = { http = "y" }\n')
    assert (made.place(("ready", "tcp")).line, made.place(("ready", "tcp")).column) == (1, 1)
    assert made.place(("type",)) == Place("units/a.toml")
    assert made.place(()) == Place("units/a.toml")


def test_a_finding_becomes_a_problem() -> None:
    finding = Finding(("b",), "cannot use it", "leave it", (("the other", ("a",)),), "warning")
    problem = document("a = 1\nb = 2\n").problem(finding)
    assert (problem.what, problem.hint, problem.severity) == ("cannot use it", "leave it", "warning")
    assert (str(problem.where), [(words, str(place)) for words, place in problem.also]) == (
        "units/a.toml:2:1",
        [("the other", "units/a.toml:1:1")],
    )


@pytest.mark.parametrize(
    ("text", "said", "place", "hint"),
    [
        ("a = x\n", "invalid value", (1, 5), "strings stand in quotes"),
        ("a = 1\nb\n", "expected '=' after a key", (2, 2), "a line is"),
        ("a = 'x", 'expected "\'"', (1, 7), ""),
        ('a = "\\d"', "unescaped '\\' in a string", (1, 8), "write \\\\"),
        ("\n\na = [1", "unclosed array", (3, 7), "a closing ]"),
    ],
)
def test_what_is_no_toml(text: str, said: str, place: tuple[int, int], hint: str) -> None:
    problem = invalid(text)
    assert problem.what.startswith(f"cannot read it as TOML: {said}")
    assert (problem.where.line, problem.where.column) == place
    assert problem.where.text == text.split("\n")[place[0] - 1]
    assert problem.hint.startswith(hint)


def test_what_is_too_much_for_the_parser() -> None:
    assert "nested too deeply" in invalid("a = " + "[" * 5000 + "]" * 5000).what
    assert "cannot read it as TOML: exceeds the limit" in invalid("a = " + "9" * 5000).what


def test_a_byte_order_mark_and_windows_lines_mean_nothing() -> None:
    made = document("\ufeffa = 1\r\nb = '''x\r\ny'''\r\n")
    assert made.values == {"a": 1, "b": "x\ny"}
    assert made.place(("b",)) == Place("units/a.toml", 2, 1)
    assert made.place(("b",)).text == "b = '''x"


@pytest.mark.parametrize(
    ("data", "place", "line"),
    [
        (b"a = 1\r\nb = '\xe4\xf6'\r\nc", (2, 6), "b = '\ufffd\ufffd'"),
        ("é = '".encode() + b"\xff", (1, 6), "é = '\ufffd"),
        (b"\xff\xfea\0", (1, 1), "\ufffd\ufffda\0"),
    ],
)
def test_what_is_no_utf8(data: bytes, place: tuple[int, int], line: str) -> None:
    problem = decode("a", "units/a.toml", data)
    assert isinstance(problem, Problem)
    assert problem.what.startswith("cannot read it as UTF-8: byte 0x")
    assert (problem.where.line, problem.where.column, problem.where.text) == (*place, line)


@pytest.mark.parametrize("text", ["", "\n", "# command = 'x'\n", "\ufeff"])
def test_an_empty_file_is_no_unit(text: str) -> None:
    (finding,) = findings(text)
    assert finding.path == ()
    assert "empty file" in finding.what


@pytest.mark.parametrize("escape", ["\\u0000", "\\U00000000"])
def test_no_string_has_a_nul(escape: str) -> None:
    text = f'a = "{escape}"\nb = ["x", "y{escape}"]\nc = {{ d = "{escape}", e = 1 }}\n'
    assert sorted(finding.path for finding in findings(text)) == [("a",), ("b", 1), ("c", "d")]


def test_what_only_looks_like_a_nul() -> None:
    assert findings("a = '\\u0000'\n") == []


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ('"after+" = []', True),
        ('[ready]\n"status+" = []', True),
        ('"after\\u002B" = []', True),
        ('a.b."c+" = []', True),
        ('a.b.c."d+" = []', False),
        ("command = 'chmod +x a'", False),
        ("a = 1", False),
    ],
)
def test_keys_that_add_to_lists(text: str, has: bool) -> None:
    assert document(text).has_appends == has


def test_keys_that_are_nested_by_the_hundred() -> None:
    assert not document(".".join(["a"] * 300) + " = '+'").has_appends


def test_a_document_has_said_all_that_it_says() -> None:
    made = document("a = 1\n")
    assert made.find(("a",)) == (made, ("a",))
    assert made.wrong == set()


def test_a_source_is_a_document_or_made_of_several() -> None:
    source = Source("a", "a.toml")
    with pytest.raises(NotImplementedError):
        source.find(())
    with pytest.raises(NotImplementedError):
        source.check()
