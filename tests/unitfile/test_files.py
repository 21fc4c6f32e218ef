from __future__ import annotations

import grp
import os
import pwd
import resource
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.core.account import Account
from runner.errors import Place, Problem
from runner.unitfile.files import LARGEST, Capability, Listing, Machine, Programs, find_group, find_user, list_units, read

Forbid = Callable[[str], None]
NOBODY = 65534
NO_ID = 3_999_999_999


def make(root: Path, *files: str) -> Path:
    for name in files:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('command = ["true"]\n')
    return root


def units(listing: Listing) -> list[str]:
    return [*listing.files]


def told(listing: Listing) -> list[tuple[str, str]]:
    return [(Path(problem.where.file).name, problem.what) for problem in listing.problems]


def problem_of(file: Path) -> Problem:
    problem = read(str(file))
    assert isinstance(problem, Problem)
    assert problem.where.file == str(file)
    return problem


# ---------------------------------------------------------------- listing


def test_files_are_found_in_the_order_of_their_names(tmp_path: Path) -> None:
    listing = list_units(make(tmp_path, "b.toml", "a/z.toml", "a/deep/y.toml", "a/group.toml", "c@.toml", "README.md"))
    assert units(listing) == ["a/deep/y", "a/group", "a/z", "b", "c@"]
    assert sorted(listing.groups) == ["a", "a/deep"]
    assert listing.files["a/deep/y"] == f"{tmp_path}/a/deep/y.toml"
    assert listing.problems == []


def test_paths_begin_as_the_directory_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "units/g/a.toml")
    monkeypatch.chdir(tmp_path)
    assert list_units(Path("units")).files == {"g/a": "units/g/a.toml"}
    monkeypatch.chdir(tmp_path / "units")
    assert list_units(Path()).files == {"g/a": "g/a.toml"}
    assert list_units(Path("../units")).files == {"g/a": "../units/g/a.toml"}


def test_a_directory_without_units(tmp_path: Path) -> None:
    assert list_units(tmp_path) == Listing()


def test_drop_ins_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = ["g/web.d/20.toml", "g/web.d/10 x.toml", "g/web.d/README", "g/web.d/.x.toml", "none.d/README", "g/group.d/a.toml"]
    listing = list_units(make(tmp_path, *files))
    assert listing.drop_ins == {
        "g/group": [f"{tmp_path}/g/group.d/a.toml"],
        "g/web": [f"{tmp_path}/g/web.d/10 x.toml", f"{tmp_path}/g/web.d/20.toml"],
    }
    assert (listing.files, listing.groups, listing.problems) == ({}, ["g"], [])


def test_bad_names_among_drop_ins(tmp_path: Path) -> None:
    files = ["web.d/deep/x.toml", "web.d/_deep/x.toml", "web.d/x.tml", "a b.d/x.toml", "c d.d/README", "my tools/web.d/x.toml"]
    listing = list_units(make(tmp_path, *files))
    assert listing.drop_ins == {}
    assert [name for name, _ in told(listing)] == ["a b.d", "my tools", "deep", "x.tml"]


def test_drop_ins_that_may_not_be_read(forbid: Forbid) -> None:
    make(Path(), "web.toml", "web.d/x.toml")
    forbid("web.d")
    listing = list_units(Path())
    assert (units(listing), listing.drop_ins, listing.incomplete) == (["web"], {}, ["web"])
    assert told(listing) == [("web.d", "cannot read the directory: permission denied")]


@pytest.mark.parametrize(("name", "said"), [("missing", "no such file or directory"), ("file", "not a directory")])
def test_a_units_directory_that_is_none(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    assert told(list_units(tmp_path / name)) == [(name, f"cannot read the units directory: {said}")]


def test_hidden_and_private_entries_are_passed_over(tmp_path: Path) -> None:
    listing = list_units(make(tmp_path, "a.toml", ".git/b.toml", "_old/c.toml", "_d.toml"))
    assert (units(listing), listing.problems) == (["a"], [])


def test_bad_names(tmp_path: Path) -> None:
    listing = list_units(make(tmp_path, "a.toml", "b c.toml", "d.toml/e.toml", "my tools/f.toml", "your tools/README"))
    assert units(listing) == ["a"]
    assert [name for name, _ in told(listing)] == ["b c.toml", "d.toml", "my tools"]


def test_links_are_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/a.toml", "units/b.toml")
    (tmp_path / "units" / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "units" / "c.toml").symlink_to(tmp_path / "real" / "a.toml")
    assert units(list_units(tmp_path / "units")) == ["b", "c", "linked/a"]


def test_nobody_goes_down_for_ever(tmp_path: Path) -> None:
    make(tmp_path, "g/" * 100 + "a.toml", "h/" * 101 + "b.toml")
    listing = list_units(tmp_path)
    assert units(listing) == ["g/" * 100 + "a"]
    what = "cannot read the directory: it is more than 100 directories deep"
    assert listing.problems == [Problem(what, Place(f"{tmp_path}" + "/h" * 101), "use fewer groups")]


def test_a_link_that_leads_back_is_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "a/b.toml", "c/d.toml")
    (tmp_path / "a" / "to-c").symlink_to(tmp_path / "c")
    (tmp_path / "c" / "to-a").symlink_to(tmp_path / "a")
    listing = list_units(tmp_path)
    assert units(listing) == ["a/b", "a/to-c/d", "c/d", "c/to-a/b"]
    what = "cannot follow the link: it leads back to a directory that it is in"
    assert told(listing) == [("to-a", what), ("to-c", what)]


def test_a_link_to_itself_is_no_directory(tmp_path: Path) -> None:
    make(tmp_path, "a.toml")
    (tmp_path / "b.toml").symlink_to("b.toml")
    (tmp_path / "c").symlink_to("c")
    listing = list_units(tmp_path)
    assert (units(listing), listing.problems) == (["a", "b"], [])


def test_a_group_that_may_not_be_read(forbid: Forbid) -> None:
    make(Path(), "a.toml", "secret/b.toml")
    forbid("secret")
    listing = list_units(Path())
    assert (units(listing), listing.unread) == (["a"], ["secret"])
    assert told(listing) == [("secret", "cannot read the directory: permission denied")]


# ---------------------------------------------------------------- reading


def test_reading(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xff\n")
    assert read(str(file)) == b"\xff\n"
    file.write_bytes(b"")
    assert read(str(file)) == b""


def test_a_file_that_may_not_be_read(forbid: Forbid) -> None:
    file = Path("a.toml")
    file.touch()
    forbid("a.toml")
    assert problem_of(file).what == "cannot read the unit file: permission denied"


@pytest.mark.parametrize(
    ("target", "what", "hint"),
    [
        ("a.toml", "cannot read the unit file: too many levels of symbolic links", "it is a link that leads back to itself"),
        ("nowhere", "cannot read the unit file: no such file or directory", "it is a link to a file that is not there"),
        ("/dev/zero", "cannot read the unit file: it is a device", "a unit is an ordinary file"),
        ("/", "cannot read the unit file: it is a directory", "a unit is an ordinary file"),
    ],
)
def test_links_to_what_is_no_file(tmp_path: Path, target: str, what: str, hint: str) -> None:
    file = tmp_path / "a.toml"
    file.symlink_to(target)
    problem = problem_of(file)
    assert (problem.what, problem.hint) == (what, hint)


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    assert problem_of(tmp_path / "a.toml").what == "cannot read the unit file: it is a named pipe"


def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.toml")
        assert problem_of(Path("a.toml")).hint == "it is a socket; a unit is an ordinary file"


def test_what_cannot_be_read_though_it_was_opened() -> None:
    assert problem_of(Path("/proc/self/mem")).what.startswith("cannot read the unit file: ")


def test_a_large_file(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.touch()
    os.truncate(file, LARGEST + 1)
    assert problem_of(file).what == "cannot read the unit file: it has 1 MB"
    os.truncate(file, LARGEST)
    assert read(str(file)) == b"\0" * LARGEST


# ---------------------------------------------------------------- programs


def test_programs(tmp_path: Path) -> None:
    for name, mode in (("run", 0o755), ("data", 0o644)):
        (tmp_path / name).touch(mode)
    (tmp_path / "directory").mkdir()
    programs, path = Programs(), f"/nowhere:{tmp_path}"
    assert programs.has("run", path)
    assert not programs.has("run", "/nowhere")
    assert not any(programs.has(name, path) for name in ("data", "directory", "missing", "with\0nul"))


def test_a_program_is_looked_up_only_once(tmp_path: Path) -> None:
    programs = Programs()
    assert not programs.has("run", str(tmp_path))
    (tmp_path / "run").touch(0o755)
    assert not programs.has("run", str(tmp_path))
    assert Programs().has("run", str(tmp_path))


# ---------------------------------------------------------------- accounts and rights


def test_users() -> None:
    entry = pwd.getpwuid(0)
    root = Account(name=entry.pw_name, uid=0, gid=entry.pw_gid, home=entry.pw_dir, shell=entry.pw_shell)
    assert find_user(entry.pw_name) == find_user("0") == root
    assert find_user("no-such-user") is None
    assert find_user(str(NO_ID)) == Account(name=str(NO_ID), uid=NO_ID)


def test_groups() -> None:
    entry = grp.getgrgid(0)
    assert find_group(entry.gr_name) == find_group("0") == 0
    assert find_group("no-such-group") is None
    assert find_group(str(NO_ID)) == NO_ID


def test_the_machine_is_asked_once() -> None:
    machine = Machine()
    assert machine.user("0") is machine.user("0")
    assert machine.user("no-such-user") is machine.user("no-such-user") is None
    assert [machine.group("0"), machine.group("0"), machine.group("no-such-group")] == [0, 0, None]
    assert pwd.getpwuid(0).pw_name in machine.user_names()
    assert grp.getgrgid(0).gr_name in machine.group_names()


@pytest.mark.parametrize(("capability", "number"), [("CAP_SETUID", 7), ("CAP_SETGID", 6), ("CAP_SYS_NICE", 23)])
def test_what_this_process_may(capability: Capability, number: int) -> None:
    status = Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    machine = Machine()
    assert machine.may(capability) is machine.may(capability) is bool(effective & 1 << number)
    assert machine.ids == (os.geteuid(), os.getegid())


def test_what_this_process_has() -> None:
    machine = Machine()
    assert machine.hard_limit("nofile") == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert machine.lowest_nice() <= os.getpriority(os.PRIO_PROCESS, 0)
