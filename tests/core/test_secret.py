from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.secret import find_secrets, forms, is_secret, looks_secret, secrets_of, why_shown
from runner.core.unit import Conditions, Unit

KEY = """
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9u
ZQAAAAAAAAABAAAAMwAAAAtzc2gtZW/yNTUxOQAA

AA==
-----END OPENSSH PRIVATE KEY-----
"""


def unit(mask: tuple[str, ...] | None = None, **env: str) -> Unit:
    return Unit(name="a", kind="oneshot", env=env, mask=mask)


@pytest.mark.parametrize("name", ["TOKEN", "GITHUB_TOKEN", "my_secret", "DbPassword", "OPENAI_API_KEY", "TOKEN_COUNT"])
def test_names_that_look_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["PATH", "APIKEY", "KEY", "TOKE", ""])
def test_names_that_do_not(name: str) -> None:
    assert not looks_secret(name)


def test_names_in_mask_are_added_to_those_that_look_secret() -> None:
    assert is_secret("A_TOKEN", None)
    assert not is_secret("DEPLOY", None)
    assert is_secret("A_TOKEN", ("DEPLOY",))
    assert is_secret("DEPLOY", ("DEPLOY",))
    assert not is_secret("deploy", ("DEPLOY",))


def test_an_empty_mask_takes_a_units_own_variables_out() -> None:
    assert not is_secret("A_TOKEN", ())
    assert [*secrets_of(unit(()), {"A_TOKEN": "1"})] == []


def test_what_is_secret_in_the_environment_and_in_units() -> None:
    environment = {"HOME": "home", "GIT_TOKEN": "git", "DEPLOY": "deploy", "OTHER": "other"}
    units = [unit(("DEPLOY",), A="a", B_SECRET="b"), unit((), C_SECRET="c"), unit(OTHER="d", D_SECRET="e"), unit()]
    assert {*find_secrets(units, environment)} == {"git", "deploy", "b", "e"}
    assert [*find_secrets([], environment)] == ["git"]


def test_what_a_secret_is_compared_with_is_secret() -> None:
    conditions = Conditions(env={"A_TOKEN": "!one", "B_TOKEN": "two", "C_TOKEN": True, "D": "three"})
    assert [*find_secrets([Unit(name="a", kind="target", conditions=conditions)], {})] == ["one", "two"]
    assert [*find_secrets([Unit(name="a", kind="target", conditions=Conditions())], {})] == []


def test_what_cannot_be_masked() -> None:
    assert why_shown(" 12345\n", "") == "it has fewer than 6 characters"
    assert why_shown("123456", "") == ""
    assert why_shown("postgres", "db\npostgres-init") == "it is part of a unit's name"
    assert forms(" 12345\n") == set()
    assert forms("postgres", "db\npostgres-init") == set()


def test_most_secrets_have_one_form() -> None:
    assert forms("ghp_aB3-dE5.fG7~") == {"ghp_aB3-dE5.fG7~"}


def test_white_space_around_it_does_not_count() -> None:
    assert forms(" hunter22\n") == {"hunter22"}


def test_each_line_of_a_key_is_secret_and_its_marks_are_not() -> None:
    found = forms(KEY)
    assert KEY.strip() in found
    assert json.dumps(KEY.strip())[1:-1] in found
    _, _, first, second, _, last, *_ = KEY.split("\n")
    assert {first, second, second.replace("/", "\\/")} <= found
    assert last not in found
    assert not any(form.startswith("-----") and "\n" not in form and "b3Blb" not in form for form in found)
    assert first in forms(KEY.replace("\n", "\r\n"))
    assert {"hunter22", "hunter23"} <= forms("hunter22\n  hunter23 \n")
    assert "postgres" not in forms("hunter22\npostgres", "postgres")


def test_forms_in_json() -> None:
    found = forms('é"\\/<\x01😀')
    for form in (
        'é\\"\\\\/<\\u0001😀',
        'é\\"\\\\\\/<\\u0001😀',
        '\\u00e9\\"\\\\/<\\u0001\\ud83d\\ude00',
        '\\u00E9\\"\\\\\\/<\\u0001\\uD83D\\uDE00',
        'é\\"\\\\/\\u003c\\u0001😀',
    ):
        assert form in found


def test_forms_in_urls() -> None:
    assert {"a%2Fb%2Bc%20d%3D%C3%A9", "a/b%2Bc%20d%3D%C3%A9", "a%2fb%2bc+d%3d%c3%a9"} <= forms("a/b+c d=é")
    assert "it's%20me!" in forms("it's me!")


def test_forms_in_a_shell_and_on_a_screen() -> None:
    assert "it'\\''s me" in forms("it's me")
    assert 'a"b\\ncdef' in forms('a"b\ncdef')
    assert "caf\udcff\udcff\udcff" in forms("caf\udcff\udcff\udcff")
    assert "caf\ufffd\ufffd\ufffd" in forms("caf\udcff\udcff\udcff")
    assert "caf%FF%FF%FF" in forms("caf\udcff\udcff\udcff")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=20).filter(lambda text: len(text.strip()) >= 6))
def test_what_others_write_is_among_the_forms(value: str) -> None:
    found, secret = forms(value), value.strip()
    for written in (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret).replace("/", "\\/")[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    ):
        assert written in found
