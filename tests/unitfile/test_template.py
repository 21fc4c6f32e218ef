from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.convert import Path
from runner.unitfile.template import fill, find_instances, substitute


def found(said: object) -> tuple[list[str], list[tuple[Path, str]]]:
    instances, findings = find_instances("g/port@", {"instances": said})
    assert all(finding.hint for finding in findings)
    return instances, [(finding.path, finding.what) for finding in findings]


def test_the_instances_of_a_template() -> None:
    assert found(["8080", "a"]) == (["8080", "a"], [])


def test_a_template_without_instances() -> None:
    instances, (finding,) = find_instances("g/port@", {})
    assert (instances, finding.path, finding.what) == (
        [],
        (),
        'cannot make units of the template "g/port@": it has no "instances"',
    )
    assert finding.hint == 'write instances = ["NAME"] into it, or into a file in port@.d'
    assert found([]) == ([], [(("instances",), 'cannot make units of the template "g/port@": it names no instance')])


@pytest.mark.parametrize("said", ["8080", 8080, {"a": 1}, True])
def test_instances_that_are_no_list(said: object) -> None:
    instances, ((path, what),) = found(said)
    assert (instances, path) == ([], ("instances",))
    assert what.endswith('for "instances": it must be a list of names')


@pytest.mark.parametrize("said", [8080, True, "a b", "", "a@", ["a"]])
def test_an_instance_that_is_no_name(said: object) -> None:
    instances, ((path, what),) = found(["ok", said])
    assert (instances, path) == (["ok"], ("instances", 1))
    assert what.endswith('in "instances": it must be the name of an instance')


def test_names_of_instances() -> None:
    good = ["8080", "a-b_c", ".x", "::1", "user@host", "-"]
    assert found([*good, "@", "é", "a\n", "a/b"])[0] == good


def test_a_number_is_written_in_quotes() -> None:
    _, (finding, other) = find_instances("port@", {"instances": [8080, True]})
    assert finding.hint == 'write it in quotes: "8080"'
    assert "quotes" not in other.hint


def test_an_instance_that_is_named_twice() -> None:
    instances, (finding,) = find_instances("port@", {"instances": ["a", "b", "a"]})
    assert (instances, finding.path, finding.also) == (["a", "b"], ("instances", 2), (("the first time", ("instances", 0)),))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{instance}", "8080"),
        ("a{instance}b{instance}", "a8080b8080"),
        ("${instance}", "${instance}"),
        ("{{instance}}", "{instance}"),
        ("{{{instance}}}", "{{instance}}"),
        ("${{instance}}", "${instance}"),
        ("$ {instance}", "$ 8080"),
        ("{ instance } {Instance} instance", "{ instance } {Instance} instance"),
    ],
)
def test_what_the_braces_stand_for(text: str, filled: str) -> None:
    assert fill(text, "8080") == filled


@given(st.text(alphabet="{}$instance "), st.text(alphabet="ab8@"))
def test_a_text_without_the_word_stays_as_it_is(text: str, instance: str) -> None:
    if "{instance}" not in text:
        assert fill(text, instance) == text


def test_all_strings_of_the_values_are_filled() -> None:
    text = "{instance}"
    values = {"a": text, "b": [text, {"unit": text}], text: {"A": text, "n": 5}, "deep": [[[[[text]]]]], "t": True}
    assert substitute(values, "1") == {
        "a": "1",
        "b": ["1", {"unit": "1"}],
        text: {"A": "1", "n": 5},
        "deep": [[[[[text]]]]],
        "t": True,
    }
    assert values["a"] == text
