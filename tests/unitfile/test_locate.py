from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.locate import Path, locate


def places(text: str) -> dict[Path, tuple[int, int]]:
    tomli.loads(text)
    return locate(text)


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a = 1\nb = 2\n", ("b",), (2, 1)),
        ("# a = 0\n\n  a=1 # b = 2", ("a",), (3, 3)),
        ("ready.http = 'x'", ("ready",), (1, 1)),
        ("ready.http = 'x'", ("ready", "http"), (1, 7)),
        ("ready . \"http\" = 'x'", ("ready", "http"), (1, 9)),
        ('"a\\u0062c" = 1', ("abc",), (1, 1)),
        ("'a.b' = 1", ("a.b",), (1, 1)),
        ("[ ready ]\nhttp = 1", ("ready",), (1, 3)),
        ("[ ready ]\nhttp = 1", ("ready", "http"), (2, 1)),
        ("[a.b]\nc = 1\n[a]\nd = 1", ("a",), (1, 2)),
        ("[a.b]\nc = 1\n[a]\nd = 1", ("a", "d"), (4, 1)),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a",), (1, 3)),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1), (3, 3)),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1, "b"), (4, 1)),
        ("[[a]]\n[[a.b]]\n[a.b.c]\nd = 1", ("a", 0, "b", 0, "c", "d"), (4, 1)),
        ("after = ['a', 'b']", ("after", 1), (1, 15)),
        ("after = [\n  'a', # ]\n  'b',\n]\nx = 1", ("after", 1), (3, 3)),
        ("after = [\n  'a', # ]\n  'b',\n]\nx = 1", ("x",), (5, 1)),
        ("a = [[], [1, [2]]]", ("a", 1, 1, 0), (1, 15)),
        ("a = [{b = 1}, {}, {c.d = [2, 3]}]", ("a", 2, "c", "d", 1), (1, 30)),
        ("a = {}\nb = []\nc = 1", ("c",), (3, 1)),
        ('a = """\nb = 1\n"""\nc = 1', ("c",), (4, 1)),
        ('a = """x\\""" "" y"""""\nc = 1', ("c",), (2, 1)),
        ("a = '''x'' y'''''\nc = 1", ("c",), (2, 1)),
        ("a = '''\\'''\nc = 1", ("c",), (2, 1)),
        ('a = "\\"]" \nc = 1', ("c",), (2, 1)),
        ("a = [1979-05-27 07:32:00, 1e3, true]", ("a", 2), (1, 32)),
    ],
)
def test_where_things_stand(text: str, path: Path, place: tuple[int, int]) -> None:
    assert places(text)[path] == place


def test_an_empty_document_has_no_places() -> None:
    assert places("") == places("# only\n\n") == {}


def test_depth_does_not_matter() -> None:
    text = "a = " + "[" * 390 + "1" + "]" * 390
    assert places(text)["a", *[0] * 390] == (1, 395)


def test_a_multi_line_string_may_hold_anything() -> None:
    inside = "\n[table]\nkey = 'value' # comment\n"
    assert set(places(f"a = \"\"\"{inside}\"\"\"\nb = '''{inside}'''")) == {("a",), ("b",)}


# ---------------------------------------------------------------- rules

letters = st.text(alphabet="ab-_ .#[]{}=,'\"\\é日\n\t", max_size=8)
scalars = st.one_of(letters, st.integers(), st.booleans(), st.floats(), st.datetimes())
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3), max_leaves=12
)
documents = st.dictionaries(letters, values, max_size=5)


class Writer:
    """Writes a document in one of the many ways in which TOML lets one write it."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def table(self, table: dict[str, Any], header: list[str]) -> Iterator[str]:
        """The pairs of a table, then the tables below it."""
        below: list[tuple[str, Any]] = []
        for key, value in table.items():
            if self.has_header(value):
                below.append((key, value))
            else:
                yield from self.pairs([self.key(key)], value)
        for key, value in below:
            name = [*header, self.key(key)]
            brackets = ("[", "]") if isinstance(value, dict) else ("[[ ", "]]")
            for item in [value] if isinstance(value, dict) else value:
                yield f"{brackets[0]}{self.dotted(name)}{brackets[1]}{self.end()}"
                yield from self.table(item, name)

    def has_header(self, value: Any) -> bool:
        could_have = isinstance(value, dict) or (
            isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
        )
        return could_have and self.random.random() < 0.6

    def pairs(self, keys: list[str], value: Any) -> Iterator[str]:
        if isinstance(value, dict) and value and self.random.random() < 0.5:
            for key, item in value.items():
                yield from self.pairs([*keys, self.key(key)], item)
        else:
            yield f"{self.dotted(keys)}{self.space()}={self.space()}{self.value(value)}{self.end()}"

    def value(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.space()}{self.key(key)} = {one_line(item)}" for key, item in value.items()) + "}"
        if isinstance(value, list):
            gap = self.random.choice(["", " ", "\n", " # ], {\n"])
            items = [gap + self.value(item) for item in value]
            return "[" + f"{gap},".join(items) + self.random.choice(["", gap + ","] if items else [""]) + gap + "]"
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, bool):
            return str(value).lower()
        return str(value)

    def string(self, value: str) -> str:
        styles = [one_line(value)]
        if "'" not in value and "\n" not in value:
            styles.append(f"'{value}'")
        if "'''" not in value:
            styles.append(f"'''{value}'''")
        if '"""' not in value and "\\" not in value:
            styles.append(f'"""{value}"""')
        return self.random.choice(styles)

    def key(self, key: str) -> str:
        if re.fullmatch("[A-Za-z0-9_-]+", key) and self.random.random() < 0.7:
            return key
        return f"'{key}'" if "'" not in key and "\n" not in key and self.random.random() < 0.5 else json.dumps(key)

    def dotted(self, keys: list[str]) -> str:
        return self.random.choice([".", " . "]).join(keys)

    def space(self) -> str:
        return self.random.choice(["", " ", "\t"])

    def end(self) -> str:
        return self.random.choice(["", " # x = [1", "\n"]) + "\n"


def one_line(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(one_line, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)


def paths_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, item in inside:
        yield (*path, part), item
        yield from paths_of(item, (*path, part))


def read_key(text: str) -> str:
    """The key with which a text begins."""
    key = re.match(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""", text)
    assert key
    return next(iter(tomli.loads(f"{key[0]} = 0")))


def begins_with_value(text: str, value: Any) -> bool:
    """Whether a text begins with a value, whatever follows."""
    for end in range(1, len(text) + 1):
        try:
            if repr(tomli.loads(f"x = {text[:end]}")["x"]) == repr(value):
                return True
        except tomli.TOMLDecodeError:
            continue
    return False


@given(documents, st.randoms(use_true_random=False))
def test_every_key_and_element_is_where_it_is_said_to_be(document: dict[str, Any], random: Random) -> None:
    text = "".join(Writer(random).table(document, []))
    parsed = tomli.loads(text)
    found = locate(text)
    lines = text.split("\n")
    expected = dict(paths_of(parsed))
    assert set(found) == set(expected)
    for path, (line, column) in found.items():
        here = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        if isinstance(path[-1], str):
            assert read_key(here) == path[-1]
        elif not begins_with_value(here, expected[path]):
            assert lines[line - 1].lstrip().startswith("[[")
            assert read_key(here) == path[-2]
