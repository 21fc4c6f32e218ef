from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from runner.core.mask import Secrets
from runner.core.unit import Command, Unit
from runner.errors import Place, Problem
from runner.unitfile.convert import Finding
from runner.unitfile.document import Document
from runner.unitfile.secrets import find_in_text, find_in_values, find_shown, mask_problem, mask_problems, written_mask


def unit(mask: tuple[str, ...] | None = None, env_file: tuple[str, ...] = (), **env: str) -> Unit:
    return Unit(name="a", kind="oneshot", env=env, env_file=env_file, mask=mask)


@pytest.mark.parametrize(
    ("written", "names"),
    [({}, None), ({"mask": []}, ()), ({"mask": ["A", 1]}, ("A", "1")), ({"mask": "A"}, ("A",)), ({"mask": 1}, None)],
)
def test_mask_as_it_is_written(written: Mapping[str, object], names: tuple[str, ...] | None) -> None:
    assert written_mask(written) == names


def test_secrets_in_the_values_of_a_document() -> None:
    env = {"A_TOKEN": "pre${X}mid$${post", "B_TOKEN": 12345678, "KEY": "key", "C": "c", "D_SECRET": "${Y:-default}"}
    assert {*find_in_values({"env": env, "mask": ["KEY"]})} - {""} == {"pre", "mid", "post", "12345678", "key", "default"}
    assert [*find_in_values({"env": env, "mask": []})] == []
    assert [*find_in_values({"if": {"env": {"A_TOKEN": "!x", "B_TOKEN": True, "C": "c"}}})] == ["x", "True"]
    assert [*find_in_values({"if": "A_TOKEN"})] == []
    assert [*find_in_values({"env": "A_TOKEN=x"})] == []
    assert [*find_in_values({})] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('A_TOKEN = "hunter22" # x', "hunter22"),
        ('"a_token"="hunter22', "hunter22"),
        ("env.API_KEY_2 = 'hunt\"er22', X = 1", 'hunt"er22'),
        ('env = { SECRET = "hun\\"ter22" }', 'hun\\"ter22'),
        ("PASSWORD = 1234567, X = 1", "1234567"),
        ("environment = { PASSWORD: hunter22 }", "hunter22"),
        ('env = ["A_TOKEN=hunter22"]', "hunter22"),
        ('command = "TOKEN=\\"hunter22 x', "hunter22 x"),
        ('KEY_TOKEN = """\none\ntwo\n""" # x', "\none\ntwo\n"),
        ("KEY_TOKEN = '''\none\ntwo\n", "\none\ntwo\n"),
        ('mask = ["X", \'DEPLOY\']\nenv.DEPLOY = "hunter22"', "hunter22"),
        ('A_TOKEN = "${X}hunter22"', "hunter22"),
    ],
)
def test_secrets_in_text_that_nobody_could_read(text: str, found: str) -> None:
    assert [one for one in find_in_text(text) if one] == [found]


@pytest.mark.parametrize("text", ["X = 1", "TOKEN", "A_TOKEN =", 'A_TOKEN = ""', "env.DEPLOY = 'x'"])
def test_text_without_secrets(text: str) -> None:
    assert [one for one in find_in_text(text) if one] == []


def shown(
    one: Unit, environment: Mapping[str, str], names: str = "a", written: Mapping[str, object] | None = None
) -> list[Finding]:
    return [*find_shown(one, {"mask": [*(one.mask or ())]} if written is None else written, environment, names)]


def test_secrets_that_are_too_short() -> None:
    hint = "everybody can read it; if it is no secret: mask = []"
    why = "it has fewer than 6 characters"
    assert shown(unit(A_TOKEN="12345", B_TOKEN="123456", C_TOKEN="", D="1"), {"E_TOKEN": "1"}) == [
        Finding(("env", "A_TOKEN"), f'cannot mask the value of "A_TOKEN": {why}', hint, severity="warning")
    ]
    assert shown(unit((), A_TOKEN="12345"), {}) == []
    assert shown(unit(("X", "Y")), {"X": "123456", "Y": "1234567"}) == []
    assert shown(unit(("X", "E"), X="1"), {"X": "2", "E": "1"}) == [
        Finding(("env", "X"), f'cannot mask the value of "X": {why}', hint, severity="warning"),
        Finding(("mask", 1), f'cannot mask the value of "E": {why}', hint, severity="warning"),
    ]


def test_secrets_that_are_names_of_units() -> None:
    (finding,) = shown(unit(DB_PASSWORD="postgres"), {}, "a\npostgres")
    assert finding.what == 'cannot mask the value of "DB_PASSWORD": it is part of a unit\'s name'


def test_names_that_no_variable_has() -> None:
    what = 'cannot find the variable "DEPLOY_KEY" of "mask": nothing sets it'
    hint = 'it is masked where the environment of the runner, "env" or an "env-file" sets it'
    assert shown(unit(("DEPLOY_KEY",)), {}) == [Finding(("mask", 0), what, hint, severity="warning")]
    (finding,) = shown(
        unit(("OTHER", "DEPLOY_KEY"), DEPLOY_KEYS="x"), {"OTHER": ""}, written={"mask": ["OTHER", 1, "DEPLOY_KEY"]}
    )
    assert finding == Finding(("mask", 2), what, 'did you mean "DEPLOY_KEYS"?', severity="warning")
    assert shown(unit(("DEPLOY_KEY",), ("secrets.env",)), {}) == []
    assert shown(unit(("DEPLOY_KEY",), DEPLOY_KEY=""), {}) == []
    gives = replace(unit(("DEPLOY_KEY",)), command=Command(shell="echo DEPLOY_KEY=x >> $RUNNER_ENV"))
    assert shown(gives, {}) == []


def test_a_problem_without_its_secrets() -> None:
    secrets = Secrets(["hunter22"])
    place = Place("a.toml", 3, 24, 'x = ["hunter22", "y", "hunter22"]')
    problem = Problem('cannot use "hunter...', place, "not hunter22", also=(("the other hunter22", Place("hunter22")),))
    masked = mask_problem(problem, secrets)
    assert masked == Problem('cannot use "***...', place, "not ***", also=(("the other ***", Place("***")),))
    assert masked.where.text == 'x = ["***", "y", "***"]'
    assert masked.where.text[masked.where.column - 1 - masked.where.shift :] == '***"]'
    assert mask_problem(problem, Secrets()).where is place


def test_problems_without_the_secrets_of_the_files_that_they_are_about() -> None:
    documents = [Document(name, f"{name}.toml", text) for name, text in TEXTS.items()]
    assert [document.parse() for document in documents] == [None, None, None]
    problems = [Problem(f"{word} is wrong", Place(f"{file}.toml")) for file, word in WRONG]
    masked = mask_problems(problems, Secrets(["known-secret"]), documents, ['A_TOKEN = "in-no-toml'])
    assert [problem.what.split()[0] for problem in masked] == ["***", "***", "shown-count", "***", "***", "elsewhere-12"]


def test_no_problems_and_no_secrets() -> None:
    assert mask_problems([], Secrets(["known-secret"]), [], []) == []
    problem = Problem("plain", Place("a.toml"))
    assert mask_problems([problem], Secrets(), [], []) == [problem]


TEXTS = {
    "a": 'env = { A_TOKEN = "in-a-value" }\ncommand = "A_TOKEN=\'in-a-text\'"',
    "b": "mask = []\ncommand = \"TOKEN_COUNT='shown-count'\"",
    "c": "command = \"A_TOKEN='elsewhere-12'\"",
}
WRONG = [
    ("a", "in-a-value"),
    ("a", "in-a-text"),
    ("b", "shown-count"),
    ("b", "known-secret"),
    ("b", "in-no-toml"),
    ("b", "elsewhere-12"),
]
"""Of the last nothing is known to be wrong with the file that it is in, so nobody looks for it."""
