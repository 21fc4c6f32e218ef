from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.names import (
    PASS_OVER,
    group_of,
    groups_of,
    is_common,
    is_template,
    judge_directory,
    judge_drop_in,
    judge_file,
    template_of,
)


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("a.toml", "a"),
        ("git-clone.toml", "git-clone"),
        ("port@8080.toml", "port@8080"),
        ("a.b:c_d.toml", "a.b:c_d"),
        ("0.toml", "0"),
        ("group.toml", "group"),
        ("port@.toml", "port@"),
        ("a@b@c.toml", "a@b@c"),
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
        ("@.toml", "a unit's name"),
        ("a@b@.toml", "a template's name"),
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


@pytest.mark.parametrize(("name", "said"), [("x.toml", "the directory"), ("x.toml.d", "which unit")])
def test_directories_that_are_mistakes(name: str, said: str) -> None:
    verdict = judge_directory(name)
    assert verdict.segment == ""
    assert said in verdict.what


@pytest.mark.parametrize("name", ["web", "port@", "port@8080", "group", "a.d"])
def test_directories_of_drop_ins(name: str) -> None:
    verdict = judge_directory(f"{name}.d")
    assert (verdict.segment, verdict.what, verdict.holds_drop_ins) == (name, "", True)


@pytest.mark.parametrize("name", ["my tools", "a@b@"])
def test_a_bad_name_of_a_directory_of_drop_ins_matters_only_with_files_in_it(name: str) -> None:
    verdict = judge_directory(f"{name}.d")
    assert (verdict.segment, verdict.holds_drop_ins) == (name, True)
    assert "name of" in verdict.what


@pytest.mark.parametrize(
    ("name", "segment", "said"),
    [
        ("10 my own.toml", "10 my own.toml", ""),
        ("group.toml", "group.toml", ""),
        (".x.toml", "", ""),
        ("_x.toml", "", ""),
        ("README", "", ""),
        ("x.TOML", "", "a drop-in"),
    ],
)
def test_files_in_a_directory_of_drop_ins(name: str, segment: str, said: str) -> None:
    verdict = judge_drop_in(name)
    assert verdict.segment == segment
    assert said in verdict.what
    assert bool(verdict.what) == bool(said)


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


def test_stems_say_what_a_file_is() -> None:
    stems = ["a", "g/a", "g/group", "group", "port@", "g/port@", "g/port@1", "g@/a", "groups"]
    assert [stem for stem in stems if is_common(stem)] == ["g/group", "group"]
    assert [stem for stem in stems if is_template(stem)] == ["port@", "g/port@"]
    assert [group_of(stem) for stem in stems[:4]] == ["", "g", "g", ""]
    assert groups_of("a/b/c") == ["a/b", "a"]
    assert groups_of("a") == []


@pytest.mark.parametrize(
    ("name", "template"),
    [("g/port@8080", "g/port@"), ("port@a@b", "port@"), ("port", ""), ("port@", ""), ("g@1/port", ""), ("port@.d", "port@")],
)
def test_the_template_of_a_unit(name: str, template: str) -> None:
    assert template_of(name) == template
