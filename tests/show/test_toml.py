from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from runner.show.toml import show_element, show_key, show_path, show_value

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab'\"\\\n\t{}", max_size=9)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_is_what_was_written(value: object) -> None:
    assert tomli.loads(f"a = {show_value(value)}") == {"a": value}
    element = show_element(value)
    assert "\n" not in element
    assert tomli.loads(f"a = {element}") == {"a": value}


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_key_is_what_was_written(keys: list[str]) -> None:
    found: object = tomli.loads(f"{show_path((*keys,))} = 1")
    for key in keys:
        assert isinstance(found, dict)
        found = found[key]
    assert found == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'),
        ('é\t"\\', '"é\\t\\"\\\\"'),
        ("a\nb\n", "'''\na\nb\n'''"),
        ("a\n'''", "\"a\\n'''\""),
        ("a\nb'", '"a\\nb\'"'),
        ("a\n\x1b", '"a\\n\\u001b"'),
        ("\u202e\x7f", '"\\u202e\\u007f"'),
        (True, "true"),
        (5, "5"),
        (2.5, "2.5"),
        (float("inf"), "inf"),
        ([], "[]"),
        ({}, "{}"),
        ([1, "a\nb"], '[1, "a\\nb"]'),
        ({"unit": "a", "b c": [1]}, '{ unit = "a", "b c" = [1] }'),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (time(3, 4), "03:04:00"),
    ],
)
def test_values(value: object, shown: str) -> None:
    assert show_value(value) == shown


def test_what_has_no_text_at_all_is_shown_as_an_escape() -> None:
    assert show_value("\udcff") == '"\\udcff"'
    assert show_key("\udcff") == '"\\udcff"'
