from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.cli.examine.workspace import examine_state, examine_units
from runner.unitfile import load

UNPRIVILEGED = pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")


def units(directory: Path, **files: str) -> list[Path]:
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text)
    return [directory]


def test_sound_units(tmp_path: Path) -> None:
    where = units(tmp_path, a='command = "true"', b='command = "true"')
    found = examine_units(load(where, os.environ), where)
    assert (found.verdict, found.what) == ("ok", f"2 units in {tmp_path}")


def test_units_with_warnings(tmp_path: Path) -> None:
    where = units(tmp_path, a='command = ["no-such-program-anywhere"]')
    found = examine_units(load(where, os.environ), where)
    assert (found.verdict, found.what) == ("note", f"1 unit in {tmp_path}, 1 warning")


def test_invalid_units(tmp_path: Path) -> None:
    where = units(tmp_path, a="quux = 1\ncommand = 3")
    found = examine_units(load(where, os.environ), where)
    assert (found.verdict, found.what) == ("problem", f"2 errors in {tmp_path}")
    assert found.hint == f'see them: "runner check --units {tmp_path}"'


def mounts(*places: tuple[Path, str]) -> str:
    return "".join(f"36 35 98:0 / {place} rw shared:1 - {kind} source rw\n" for place, kind in places)


def test_a_state_directory_that_is_yet_to_be_made(tmp_path: Path) -> None:
    found = examine_state(str(tmp_path / "a" / "b"), mounts((Path("/"), "ext4")))
    assert found.verdict == "ok"
    assert found.what.startswith(f"{tmp_path}/a/b on ext4, ")


def test_the_nearest_mount_counts(tmp_path: Path) -> None:
    beside = tmp_path.with_name(tmp_path.name[:-1])
    table = mounts((tmp_path, "overlay"), (tmp_path, "tmpfs"), (Path("/"), "ext4"), (beside, "nfs"))
    found = examine_state(str(tmp_path), table)
    assert found.verdict == "note"
    assert found.hint.startswith("history does not outlast")


def test_a_mount_with_a_space_in_its_name(tmp_path: Path) -> None:
    place = tmp_path / "a b"
    place.mkdir()
    table = mounts((tmp_path / r"a\040b", "nfs4"))
    assert " on nfs4, " in examine_state(str(place), table).what


def test_the_mounts_of_this_machine(tmp_path: Path) -> None:
    assert " on " in examine_state(str(tmp_path)).what


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    found = examine_state(str(tmp_path / "a" / "b"), "")
    assert found.verdict == "problem"
    assert found.what == f"{tmp_path}/a/b: {tmp_path}/a is no directory"


@UNPRIVILEGED
def test_a_directory_of_somebody_else() -> None:
    assert examine_state("/no-such-place", "").what == "/no-such-place: / cannot be written"


def test_a_place_where_nobody_can_write() -> None:
    assert examine_state("/proc/no-such-place").verdict == "problem"
