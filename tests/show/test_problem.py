from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Place, Problem
from runner.show.problem import WIDEST, render_github, render_json, render_text

PLAIN = Problem("cannot use 5", Place("units/a.toml", 12, 9, "retry = 5"), "write 6")
CYCLE = Problem(
    "cannot order the units: dependency cycle: a -> b -> a",
    Place("a.toml", 1, 10, 'after = ["b"]'),
    also=(('"b" waits for "a"', Place("b.toml", 100, 10, 'after = ["a"]')),),
)
WHOLE_FILE = Problem("cannot read the unit file", Place("a.toml"), severity="warning")


def text_of(line: str, column: int) -> list[str]:
    return render_text([Problem("cannot", Place("a.toml", 1, column, line))]).splitlines()[3:]


def test_text() -> None:
    assert render_text([PLAIN, CYCLE, WHOLE_FILE]) == (
        "error: cannot use 5\n"
        "  --> units/a.toml:12:9\n"
        "   |\n"
        "12 | retry = 5\n"
        "   |         ^\n"
        "hint: write 6\n"
        "\n"
        "error: cannot order the units: dependency cycle: a -> b -> a\n"
        " --> a.toml:1:10\n"
        "  |\n"
        '1 | after = ["b"]\n'
        "  |          ^\n"
        '   --> b.toml:100:10: "b" waits for "a"\n'
        "    |\n"
        '100 | after = ["a"]\n'
        "    |          ^\n"
        "\n"
        "warning: cannot read the unit file\n"
        " --> a.toml\n"
    )


def test_the_mark_stands_where_the_place_is_in_a_line_with_masked_secrets() -> None:
    shifted = Problem("cannot", Place("a.toml", 1, 16, "x = [***, y]", shift=6))
    assert render_text([shifted]).splitlines()[1:] == [" --> a.toml:1:16", "  |", "1 | x = [***, y]", "  |          ^"]
    assert json.loads(render_json([shifted]))[0]["column"] == 16


def test_nothing_is_nothing() -> None:
    assert render_text([]) == render_github([]) == ""
    assert json.loads(render_json([])) == []


@pytest.mark.parametrize(
    ("line", "column", "shown"),
    [
        ("", 1, ["1 |", "  | ^"]),
        ("\tx = 1", 2, ["1 |     x = 1", "  |     ^"]),
        ("日本 = 1", 4, ["1 | 日本 = 1", "  |      ^"]),
        ("e\u0301 = 1", 4, ["1 | e\u0301 = 1", "  |   ^"]),
        ("x = '\x1b[31m'", 7, ["1 | x = '\\x1b[31m'", "  |          ^"]),
        ("x = 1", 6, ["1 | x = 1", "  |      ^"]),
    ],
)
def test_the_caret_is_below_its_place(line: str, column: int, shown: list[str]) -> None:
    assert text_of(line, column) == shown


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    line = "a" * 300 + "!" + "b" * 300
    shown, caret = text_of(line, 301)
    assert shown == f"1 | ...{'a' * 60}!{'b' * 59}..."
    assert caret.index("^") == shown.index("!")
    assert text_of("!" + "b" * 300, 1)[0] == f"1 | !{'b' * 119}..."
    assert text_of("a" * 300 + "!", 301)[0] == f"1 | ...{'a' * 119}!"
    assert text_of("a" * WIDEST, 1)[0] == "1 | " + "a" * WIDEST


@given(st.text(alphabet="ab\t日\u0301\x1b\ud800", max_size=300), st.data())
def test_every_place_can_be_shown(line: str, data: st.DataObject) -> None:
    column = data.draw(st.integers(1, len(line) + 1))
    text = render_text([Problem("cannot", Place("a.toml", 1, column, line))])
    text.encode()
    assert "\x1b" not in text
    assert text.splitlines()[-1].endswith("^")


def test_json() -> None:
    first, second, third = json.loads(render_json([PLAIN, CYCLE, WHOLE_FILE]))
    assert first == {
        "severity": "error",
        "what": "cannot use 5",
        "file": "units/a.toml",
        "line": 12,
        "column": 9,
        "text": "retry = 5",
        "hint": "write 6",
        "also": [],
    }
    assert second["also"] == [{"what": '"b" waits for "a"', "file": "b.toml", "line": 100, "column": 10, "text": 'after = ["a"]'}]
    assert (third["severity"], third["line"], third["column"], third["hint"]) == ("warning", 0, 0, "")


def test_json_takes_what_no_encoding_knows() -> None:
    text = render_json([Problem("cannot \udcff\x1b", Place("é\udcff"))])
    text.encode()
    assert "\x1b" not in text
    assert json.loads(text)[0]["file"] == "é\udcff"


def test_github() -> None:
    assert render_github([PLAIN, CYCLE, WHOLE_FILE]) == (
        "::error file=units/a.toml,line=12,col=9::cannot use 5%0Ahint: write 6\n"
        "::error file=a.toml,line=1,col=10::cannot order the units: dependency cycle: a -> b -> a"
        '%0Ab.toml:100:10: "b" waits for "a"\n'
        "::warning file=a.toml::cannot read the unit file\n"
    )


def test_github_escapes_what_it_would_take_for_its_own() -> None:
    text = render_github([Problem("100%\r\n::stop, x:y\x1b\udcff", Place("a,b:c%.toml", 1))])
    assert text == "::error file=a%2Cb%3Ac%25.toml,line=1::100%25\\r%0A::stop, x:y\\x1b\\udcff\n"
