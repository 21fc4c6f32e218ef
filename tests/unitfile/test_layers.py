from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.graph import link
from runner.unitfile import load
from runner.unitfile.layers import Stack, stack

RUN = 'command = ["true"]\n'


def make(root: Path, *names: str) -> Path:
    root.mkdir(exist_ok=True)
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(RUN)
    return root


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def laid(*directories: str) -> Stack:
    return stack([Path(directory) for directory in directories])


@pytest.mark.usefixtures("here")
def test_a_file_takes_the_place_of_those_before_it() -> None:
    make(Path("a"), "x.toml", "y.toml", "g/group.toml", "p@.toml")
    make(Path("b"), "x.toml", "g/z.toml")
    make(Path("c"), "x.toml", "g/group.toml", "p@.toml")
    result = laid("a", "b", "c")
    assert {stem: found.path for stem, found in result.files.items()} == {
        "g/group": "c/g/group.toml",
        "g/z": "b/g/z.toml",
        "p@": "c/p@.toml",
        "x": "c/x.toml",
        "y": "a/y.toml",
    }
    assert list(result.files) == sorted(result.files)
    assert result.files["x"].layer == 2
    assert result.replaced == {
        "c/x.toml": ["a/x.toml", "b/x.toml"],
        "c/g/group.toml": ["a/g/group.toml"],
        "c/p@.toml": ["a/p@.toml"],
    }
    assert (result.groups, result.problems) == ({"g"}, [])


@pytest.mark.usefixtures("here")
def test_drop_ins_come_from_all_directories_in_their_order() -> None:
    make(Path("a"), "x.toml", "x.d/20.toml", "x.d/10.toml", "x.d/30.toml")
    make(Path("b"), "x.d/15.toml", "x.d/20.toml", "x.d/05.toml")
    result = laid("a", "b")
    assert [found.path for found in result.drop_ins["x"]] == [
        "a/x.d/10.toml",
        "a/x.d/30.toml",
        "b/x.d/05.toml",
        "b/x.d/15.toml",
        "b/x.d/20.toml",
    ]
    assert result.replaced == {"b/x.d/20.toml": ["a/x.d/20.toml"]}


@pytest.mark.usefixtures("here")
def test_a_directory_twice_replaces_nothing() -> None:
    make(Path("a"), "x.toml", "x.d/y.toml")
    result = laid("a", "a")
    assert (result.replaced, len(result.drop_ins["x"])) == ({}, 1)


@pytest.mark.usefixtures("here")
def test_what_is_wrong_in_any_of_them_is_told() -> None:
    make(Path("a"), "x y.toml")
    (make(Path("b")) / "up").symlink_to("..")
    assert [str(problem.where) for problem in laid("a", "b", "c").problems if "b" not in problem.where.file] == [
        "a/x y.toml",
        "c",
    ]


@pytest.mark.usefixtures("here")
def test_no_unit_at_all() -> None:
    make(Path("a"))
    make(Path("b"), "group.toml")
    (problem,) = laid("a").problems
    assert (problem.what, problem.also) == ("cannot find a unit: the directory has none", ())
    (problem,) = laid("a", "b").problems
    assert (problem.what, [str(place) for _, place in problem.also]) == (
        "cannot find a unit: none of the directories has one",
        ["b"],
    )
    assert laid() == Stack()


STEMS = ("a", "b", "g/a", "g/b", "p@", "p@1", "g/group", "group")
FILES = [*(f"{stem}.toml" for stem in STEMS), *(f"{stem}.d/{name}.toml" for stem in STEMS for name in ("1", "2"))]
TEXTS = [
    RUN,
    "enabled = false\n",
    'tags = ["x"]\n',
    '"tags+" = ["y"]\n',
    'after = ["a", "p@*"]\n',
    'instances = ["1", "2"]\n',
    "= 1\n",
]


@given(st.lists(st.dictionaries(st.sampled_from(FILES), st.sampled_from(TEXTS), max_size=6), max_size=3), st.randoms())
def test_the_order_in_which_the_disk_has_files_does_not_matter(layers: list[dict[str, str]], random: Random) -> None:
    """Neither for what the units are nor for what is wrong with them."""

    class Shuffled:
        """What ``os.scandir`` returns, in any order."""

        def __init__(self, path: str) -> None:
            with scandir(path) as entries:
                self.entries = list(entries)
            random.shuffle(self.entries)

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self.entries)

        def __exit__(self, *_: object) -> None:
            pass

    scandir = os.scandir
    with TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        directories = [Path(root, str(number)) for number in range(len(layers))]
        for directory, files in zip(directories, layers, strict=True):
            directory.mkdir()
            for name, text in files.items():
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                (directory / name).write_text(text)
        first = load(directories, {})
        patch.setattr(os, "scandir", Shuffled)
        again = load(directories, {})
    assert again.problems == first.problems
    assert again.files == first.files
    assert list(again.graph.units.values()) == list(first.graph.units.values())
    assert again.graph.after == first.graph.after
    if not first.errors:
        assert link(first.graph.units.values())[1] == []  # as a reload does, which knows nothing of what is disabled
