from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runner.unitfile.document import Document
from runner.unitfile.merge import Merged
from runner.unitfile.sources import Gathered, gather

RUN = 'command = ["true"]\n'
OFF = "enabled = false\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def gathered(files: Mapping[str, str]) -> Gathered:
    """What files make whose first directory is their layer."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    return gather(sorted({Path(name.partition("/")[0]) for name in files}))


def whats(result: Gathered) -> list[str]:
    return sorted(f"{problem.where}: {problem.what.partition(':')[0]}" for problem in result.problems)


def test_a_unit_with_nothing_to_merge_is_its_document() -> None:
    result = gathered({"a/web.toml": RUN, "a/g/db.toml": RUN, "b/web.toml": RUN})
    assert all(isinstance(source, Document) for source in result.sources.values())
    assert [*result.sources] == ["g/db", "web"]
    assert result.files == {"g/db": "a/g/db.toml", "web": "b/web.toml"}
    assert result.problems == []


def test_a_unit_is_merged_from_its_group_its_file_and_its_drop_ins() -> None:
    files = {
        "a/group.toml": 'tags = ["all"]\n',
        "a/g/group.toml": 'tags = ["g"]\n',
        "b/g/group.d/x.toml": '"tags+" = ["more"]\n',
        "a/g/web.toml": RUN + '"tags+" = ["own"]\n',
        "b/g/web.d/x.toml": '"tags+" = ["mine"]\n',
        "a/g/h/deep.toml": RUN,
    }
    result = gathered(files)
    web = result.sources["g/web"]
    assert isinstance(web, Merged)
    assert [document.file for document in web.documents] == [
        "a/group.toml",
        "a/g/group.toml",
        "b/g/group.d/x.toml",
        "a/g/web.toml",
        "b/g/web.d/x.toml",
    ]
    assert web.values["tags"] == ["all", "g", "more", "own", "mine"]
    assert result.sources["g/h/deep"].values["tags"] == ["all", "g", "more"]
    assert result.problems == []


def test_a_template_makes_a_unit_of_each_instance() -> None:
    files = {
        "a/g/p@.toml": 'instances = ["2", "1"]\n' + RUN + 'icon = "{instance}"\n',
        "b/g/p@.d/x.toml": '"instances+" = ["3"]\ntags = ["{instance}"]\n',
        "b/g/p@2.d/x.toml": '"tags+" = ["only {instance}"]\n',
        "b/g/p@3.toml": 'icon = "own {instance}"\n',
        "b/g/p@4.toml": "nice = 1\n",
    }
    result = gathered(files)
    assert result.problems == []
    assert {name: source.values for name, source in result.sources.items()} == {
        "g/p@1": {"command": ["true"], "icon": "1", "tags": ["1"]},
        "g/p@2": {"command": ["true"], "icon": "2", "tags": ["2", "only 2"]},
        "g/p@3": {"icon": "own 3", "tags": ["3"]},
        "g/p@4": {"nice": 1, "tags": ["4"]},
    }
    assert result.files["g/p@1"] == "a/g/p@.toml"
    assert result.files["g/p@3"] == "b/g/p@3.toml"


def test_an_instance_without_a_template_is_a_unit_like_others() -> None:
    result = gathered({"a/p@1.toml": RUN + 'icon = "{instance}"\n'})
    assert result.sources["p@1"].values["icon"] == "{instance}"


def test_a_mask_takes_no_notice_of_anything() -> None:
    files = {
        "a/group.toml": 'tags = ["x"]\n',
        "a/web.toml": RUN,
        "a/web.d/x.toml": "= 1\n",
        "b/web.toml": "enabled = false\n",
        "c/web.d/y.toml": "nice = 1\n",
        "c/web.d/z.toml": "= 1\n",
        "c/other.toml": RUN,
    }
    result = gathered(files)
    assert result.sources["web"].values == {"enabled": False}
    assert whats(result) == [
        'c/web.d/y.toml: cannot change "web" by a drop-in',
        "c/web.d/z.toml:1:1: cannot read it as TOML",
    ]
    assert {problem.severity for problem in result.problems} == {"warning", "error"}


@pytest.mark.parametrize("text", ["enabled = 0\n", "enabled = true\n", 'enabled = false\nicon = "x"\n'])
def test_what_is_no_mask(text: str) -> None:
    assert gathered({"a/web.toml": text, "a/web.d/x.toml": "nice = 1\n"}).sources["web"].values["nice"] == 1


def test_a_mask_of_nothing_is_told() -> None:
    files = {
        "a/web.toml": RUN,
        "a/g/db.toml": RUN,
        "a/stub.toml": OFF,
        "a/p@.toml": f'instances = ["1"]\n{RUN}',
        "a/q@.toml": f"instances = 1\n{RUN}",
        "b/wbe.toml": OFF,
        "b/web.toml": OFF,
        "b/other.toml": OFF,
        "b/p@1.toml": OFF,
        "b/p@2.toml": OFF,
        "b/q@2.toml": OFF,
        "b/o@.toml": OFF,
    }
    result = gathered(files)
    told = {str(problem.where): (problem.what, problem.hint) for problem in result.problems if problem.severity == "warning"}
    hint = "it has no effect: no earlier directory declares it"
    assert told == {
        "b/o@.toml:1:1": ('cannot find the template "o@" that this masks', hint),
        "b/other.toml:1:1": ('cannot find the unit "other" that this masks', hint),
        "b/p@2.toml:1:1": ('cannot find the unit "p@2" that this masks', 'did you mean "p@"?'),
        "b/wbe.toml:1:1": ('cannot find the unit "wbe" that this masks', 'did you mean "web"?'),
    }


def test_a_mask_of_what_cannot_be_read_is_believed(forbid: Callable[[str], None]) -> None:
    files = {"a/g/db.toml": RUN, "a/x.toml": RUN, "b/g/db.toml": OFF}
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    forbid("a/g")
    assert "that this masks" not in str(gather([Path("a"), Path("b")]).problems)


def test_a_template_that_is_masked() -> None:
    files = {
        "a/p@.toml": "= 1\n",
        "a/p@.d/x.toml": "= 1\n",
        "a/p@1.d/x.toml": "= 1\n",
        "b/p@.toml": "enabled = false\n",
        "b/p@.d/y.toml": "nice = 1\n",
        "c/p@1.d/y.toml": "nice = 1\n",
        "c/p@2.d/y.toml": "nice = 1\n",
        "c/p@2.toml": RUN,
    }
    result = gathered(files)
    assert result.masked == {"p@"}
    assert [*result.sources] == ["p@2"]
    assert whats(result) == [
        'b/p@.d/y.toml: cannot change "p@" by a drop-in',
        'c/p@1.d/y.toml: cannot change "p@1" by a drop-in',
    ]


def test_wrong_instances_are_told_and_the_others_made() -> None:
    result = gathered({"a/p@.toml": 'instances = ["1", "a b"]\n' + RUN, "a/q@.toml": RUN, "a/r@.toml": '"instances+" = ["1"]\n'})
    assert [*result.sources] == ["p@1"]
    assert result.unsure == {"p@", "q@", "r@"}
    assert whats(result) == [
        'a/p@.toml:1:19: cannot use "a b" in "instances"',
        'a/q@.toml: cannot make units of the template "q@"',
        'a/r@.toml: cannot make units of the template "r@"',
        'a/r@.toml:1:1: cannot add to "instances"',
    ]


def test_an_error_in_a_file_that_many_share_is_told_once() -> None:
    files = {"a/g/group.toml": "= 1\n", "a/g/p@.toml": 'instances = ["1", "2"]\n' + RUN, "a/g/p@.d/x.toml": '"timeout+" = [1]\n'}
    result = gathered(files)
    assert whats(result) == [
        "a/g/group.toml:1:1: cannot read it as TOML",
        'a/g/p@.d/x.toml:1:1: cannot add to "timeout"',
    ]


def test_what_cannot_be_read_makes_units_incomplete_or_unread() -> None:
    files = {
        "a/web.toml": "= 1\n",
        "a/web.d/x.toml": "= 1\n",
        "a/db.toml": RUN,
        "a/db.d/x.toml": "= 1\n",
        "a/g/group.toml": "= 1\n",
        "a/g/x.toml": RUN,
        "a/h/group.toml": "tags = []\n",
        "a/h/group.d/x.toml": "= 1\n",
        "a/h/i/x.toml": RUN,
        "a/p@.toml": 'instances = ["1"]\n' + RUN,
        "a/p@.d/x.toml": "= 1\n",
        "a/p@7.d/x.toml": "nice = 1\n",
        "a/q@.toml": "= 1\n",
        "a/q@1.toml": RUN,
        "a/ok.toml": RUN,
    }
    result = gathered(files)
    assert all(what.endswith("cannot read it as TOML") for what in whats(result))
    assert len(result.problems) == 7
    assert result.unread == {"web"}
    assert result.unsure == {"p@", "q@"}
    assert result.incomplete == {"db", "g/x", "h/i/x", "p@1"}
    assert result.files["web"] == "a/web.toml"


def test_a_group_for_all_units_that_cannot_be_read() -> None:
    assert gathered({"a/group.toml": "= 1\n", "a/x.toml": RUN}).incomplete == {"x"}


def test_drop_ins_that_may_not_be_read_make_a_unit_incomplete(forbid: Callable[[str], None]) -> None:
    Path("a/web.d").mkdir(parents=True)
    Path("a/web.toml").write_text(RUN)
    forbid("a/web.d")
    assert gather([Path("a")]).incomplete == {"web"}


def test_a_file_that_cannot_be_opened_or_decoded() -> None:
    Path("a").mkdir()
    Path("a/loop.toml").symlink_to("loop.toml")
    Path("a/bad.toml").write_bytes(b"\xff")
    assert whats(gathered({"a/x.toml": RUN})) == [
        "a/bad.toml:1:1: cannot read it as UTF-8",
        "a/loop.toml: cannot read the unit file",
    ]


@pytest.mark.parametrize(
    ("stem", "what", "hint"),
    [
        ("wbe", 'the unit "wbe"', 'did you mean "web"?'),
        ("zzzzz", 'the unit "zzzzz"', "write zzzzz.toml"),
        ("p@2", 'the unit "p@2"', 'add "2" to the "instances" of "p@"'),
        ("q@2", 'the unit "q@2"', "write q@2.toml"),
        ("qq@", 'the template "qq@"', "write qq@.toml"),
        ("pp@", 'the template "pp@"', 'did you mean "p@"?'),
        ("g/group", "the group.toml", "write the keys into a group.toml beside it"),
    ],
)
def test_drop_ins_without_their_file(stem: str, what: str, hint: str) -> None:
    files = {"a/web.toml": RUN, "a/p@.toml": 'instances = ["1"]\n' + RUN, "a/g/x.toml": RUN, f"b/{stem}.d/x.toml": "nice = 1\n"}
    (problem,) = gathered({**files, f"b/{stem}.d/y.toml": "nice = 2\n"}).problems
    assert problem.what == f"cannot find {what} that these drop-ins are for"
    assert (str(problem.where), problem.hint) == (f"b/{stem}.d", hint)


def test_what_a_group_without_units_has_in_common() -> None:
    files = {"a/editor/deep/x.toml": RUN, "b/editor/group.toml": "", "b/editr/group.toml": "", "b/zzzzzzz/group.toml": ""}
    problems = gathered(files).problems
    assert [(str(problem.where), problem.hint) for problem in problems] == [
        ("b/editr/group.toml", 'did you mean "editor"?'),
        ("b/zzzzzzz/group.toml", "write one, or remove the file"),
    ]


def test_nothing_is_missed_in_a_directory_that_cannot_be_read() -> None:
    """Its path is longer than the kernel takes."""
    gathered({"a/x.toml": RUN})
    here, deep = os.open("a", os.O_RDONLY), "x" * 250
    Path("b").mkdir()
    Path("b", deep).mkdir()
    Path("b", deep, "group.toml").write_text("")
    for _ in range(17):
        os.mkdir(deep, dir_fd=here)
        inner = os.open(deep, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    result = gather([Path("a"), Path("b")])
    assert [problem.what for problem in result.problems] == ["cannot read the directory: file name too long"]


def test_drop_ins_are_not_missed_either(forbid: Callable[[str], None]) -> None:
    for file in ("a/g/web.toml", "a/x.toml", "b/g/web.d/x.toml", "b/g/h/web.d/x.toml"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(RUN)
    Path("b").chmod(0o755)
    forbid("a/g")
    assert whats(gather([Path("a"), Path("b")])) == ["a/g: cannot read the directory"]
