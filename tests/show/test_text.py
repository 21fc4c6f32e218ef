from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.show.text import chain, cut_name, listed, printable


@given(st.text(st.characters(codec=None)))
def test_printable_text_can_be_encoded_and_controls_nothing(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not [character for character in shown if unicodedata.category(character) == "Cc" and character != "\t"]
    assert shown.splitlines() == [shown] * bool(shown)


def test_printable_leaves_text_alone() -> None:
    assert printable("naïve 👩‍💻\tend") == "naïve 👩‍💻\tend"


def test_printable_shows_what_it_found() -> None:
    assert printable("\x1b[2J\u202e\udcff\n") == r"\x1b[2J\u202e\udcff\n"


@pytest.mark.parametrize(("count", "text"), [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b, c, d"), (5, "a, b, c and 2 more")])
def test_listed(count: int, text: str) -> None:
    assert listed("abcde"[:count], 3) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, ""), (1, "a"), (4, "a -> b -> c -> d"), (5, "a -> b -> (2 more) -> e"), (6, "a -> b -> (3 more) -> f")],
)
def test_chain(count: int, text: str) -> None:
    assert chain("abcdef"[:count], 3) == text


def test_of_a_long_name_the_end_is_kept_and_all_of_it_is_safe() -> None:
    assert cut_name("data/postgres", 13) == "data/postgres"
    assert cut_name("data/postgres", 9) == "…postgres"
    assert cut_name("a\x1b[1m", 20) == "a\\x1b[1m"
