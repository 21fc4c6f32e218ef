from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.expand import CannotExpand, expand, expand_variable

VARIABLES = {"HOME": "/home/ann", "PORT": "8080", "EMPTY": "", "TILDE": "~", "DOLLAR": "${PORT}"}
NONE: dict[str, str] = {}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$PORT {x} }", "$PORT {x} }"),
        ("${PORT}", "8080"),
        ("localhost:${PORT}/x", "localhost:8080/x"),
        ("${PORT}${PORT}", "80808080"),
        ("${PORT}}", "8080}"),
        ("$${PORT}", "${PORT}"),
        ("${NONE:-x}", "x"),
        ("${NONE:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", "x"),
        ("${PORT:-x}", "8080"),
        ("${NONE:-${PORT}}", "8080"),
        ("${NONE:-a${NONE:-b}c}d", "abcd"),
        ("${PORT:-${NONE}}", "8080"),
        ("${NONE:-$${x}y", "${xy"),
        ("~", "/home/ann"),
        ("~/bin", "/home/ann/bin"),
        ("~ann/bin", "~ann/bin"),
        ("a~", "a~"),
        ("${TILDE}/bin", "~/bin"),
        ("${DOLLAR}", "${PORT}"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, VARIABLES.get) == expanded
    assert expand_variable(text, VARIABLES.get) == expanded


def test_only_in_a_variable_a_tilde_may_follow_a_colon() -> None:
    assert expand("/bin:~/bin:~", VARIABLES.get) == "/bin:~/bin:~"
    assert expand_variable("/bin:~/bin:~", VARIABLES.get) == "/bin:/home/ann/bin:/home/ann"
    assert expand_variable("~:x~:~x", VARIABLES.get) == "/home/ann:x~:~x"


@pytest.mark.parametrize(
    ("text", "variable"),
    [("${NONE}", "NONE"), ("${NONE:-${ALSO}}", "ALSO"), ("${}", ""), ("${1}", ""), ("${A B}", ""), ("${", ""), ("${NONE:-x", "")],
)
def test_what_cannot_be_expanded(text: str, variable: str) -> None:
    with pytest.raises(CannotExpand) as caught:
        expand(text, VARIABLES.get)
    assert caught.value.variable == variable


def test_a_tilde_needs_a_home() -> None:
    with pytest.raises(CannotExpand) as caught:
        expand("~/x", NONE.get)
    assert (str(caught.value), caught.value.variable) == ("HOME is not set", "HOME")


def test_defaults_do_not_nest_without_end() -> None:
    with pytest.raises(CannotExpand):
        expand("${A:-" * 5000 + "}" * 5000, NONE.get)


@given(st.text())
def test_every_text_is_expanded_or_refused(text: str) -> None:
    with suppress(CannotExpand):
        assert isinstance(expand(text, VARIABLES.get), str)


@given(st.text().filter(lambda text: "$" not in text and "~" not in text))
def test_a_text_that_asks_for_nothing_stays(text: str) -> None:
    assert expand_variable(text, VARIABLES.get) == text
