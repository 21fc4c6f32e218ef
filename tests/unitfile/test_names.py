from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.names import PASS_OVER, judge_directory, judge_file


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("a.toml", "a"),
        ("git-clone.toml", "git-clone"),
        ("port@8080.toml", "port@8080"),
        ("a.b:c_d.toml", "a.b:c_d"),
        ("0.toml", "0"),
    ],
)
def test_files_that_are_units(name: str, segment: str) -> None:
    verdict = judge_file(name)
    assert (verdict.segment, verdict.what) == (segment, "")


@pytest.mark.parametrize(
    "name", [".toml", ".x.toml", "_x.toml", ".#x.toml", "README.md", "x.toml~", "x.toml.bak", "x.yaml", "x", "tml"]
)
def test_files_that_are_passed_over(name: str) -> None:
    assert judge_file(name) == PASS_OVER


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x y.toml", "a unit's name"),
        ("-x.toml", "a unit's name"),
        ("é.toml", "a unit's name"),
        ("x\n.toml", "a unit's name"),
        ("x.TOML", "does not end in .toml"),
        ("x.tml", "does not end in .toml"),
        ("x.toml.txt", "does not end in .toml"),
        ("group.toml", "yet"),
        ("port@.toml", "yet"),
    ],
)
def test_files_that_are_mistakes(name: str, said: str) -> None:
    verdict = judge_file(name)
    assert verdict.segment == ""
    assert said in verdict.what
    assert verdict.hint


@pytest.mark.parametrize(
    ("name", "segment"), [("editor", "editor"), ("a.b", "a.b"), (".git", ""), ("_old", ""), ("__pycache__", "")]
)
def test_directories_that_are_groups_or_passed_over(name: str, segment: str) -> None:
    verdict = judge_directory(name)
    assert (verdict.segment, verdict.what) == (segment, "")


@pytest.mark.parametrize(("name", "said"), [("x.toml", "the directory"), ("x.d", "yet")])
def test_directories_that_are_mistakes(name: str, said: str) -> None:
    verdict = judge_directory(name)
    assert verdict.segment == ""
    assert said in verdict.what


def test_a_bad_name_of_a_directory_matters_only_with_units_below_it() -> None:
    verdict = judge_directory("my tools")
    assert verdict.segment == "my tools"
    assert "a group's name" in verdict.what


@given(st.text(min_size=1))
def test_every_name_has_a_verdict(name: str) -> None:
    for judge in (judge_file, judge_directory):
        verdict = judge(name)
        assert verdict == PASS_OVER or verdict.what or re.fullmatch("[A-Za-z0-9][A-Za-z0-9._@:-]*", verdict.segment)


def test_a_name_that_is_no_utf8_is_told() -> None:
    assert judge_file("\udcff.toml").what == 'cannot make a unit\'s name of "\ufffd"'
    assert judge_directory("\udcff").what == 'cannot make a group\'s name of "\ufffd"'
