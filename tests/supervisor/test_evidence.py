from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.freshness import Content, Found, Memory
from runner.core.unit import Command, Conditions, Unit
from runner.supervisor.evidence import (
    boot_id,
    look,
    read_inputs,
    remember,
    system_id,
    takes_a_look_at_files,
    user_name,
)
from runner.unitfile import load

OLD = 1_000_000_000


def write(path: Path, text: str = "x", *, old: bool = True) -> Path:
    """A file that was changed long ago, as far as one can say so: the time of the inode is the kernel's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if old:
        os.utime(path, (OLD, OLD))
    return path


def read(directory: Path, *patterns: str, before: Mapping[str, Content] | None = None) -> dict[str, Content]:
    """What inputs contain, by their path from the directory."""
    found = read_inputs(
        [str(directory / pattern) for pattern in patterns],
        {f"{directory}/{path}": content for path, content in (before or {}).items()},
    )
    return {path.removeprefix(f"{directory}/"): content for path, content in found}


def looked(unit: Unit, state: Path, memory: Memory | None = None, **environment: str) -> Found:
    values = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    return look(unit, values, values, memory, str(state), os.geteuid())


def make(**fields: Any) -> Unit:
    return Unit(name="a", kind="oneshot", command=Command(shell="make"), **fields)


# ---------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        (["a.c"], ["a.c"]),
        (["*.c"], ["a.c", "b.c"]),
        (["?.c", "a.*"], ["a.c", "b.c"]),
        (["[a].c"], ["a.c"]),
        (["**/*.c"], ["a.c", "b.c", "src/c.c", "src/deep/d.c"]),
        (["src"], ["src/.hidden", "src/c.c", "src/deep/d.c"]),
        (["s*"], ["src/.hidden", "src/c.c", "src/deep/d.c"]),
        (["src/**"], ["src/c.c", "src/deep/d.c"]),
        (["nowhere"], ["nowhere"]),
        (["*.none"], []),
        (["odd[1].txt"], ["odd[1].txt"]),
        (["empty"], []),
    ],
)
def test_paths_and_globs(tmp_path: Path, patterns: list[str], paths: list[str]) -> None:
    for name in ("a.c", "b.c", "src/c.c", "src/deep/d.c", "src/.hidden", "odd[1].txt"):
        write(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert list(read(tmp_path, *patterns)) == paths


def test_content_counts_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "a", "one")
    before = read(tmp_path, "a")
    os.utime(tmp_path / "a", (5, 5))
    (tmp_path / "a").chmod(0o755)
    assert read(tmp_path, "a")["a"].digest == before["a"].digest
    write(tmp_path / "a", "two")
    assert read(tmp_path, "a")["a"].digest != before["a"].digest
    (tmp_path / "a").unlink()
    assert read(tmp_path, "a") == {"a": Content("")}


def test_what_may_have_changed_is_read_and_nothing_else(tmp_path: Path) -> None:
    """A digest that is kept is believed as long as the stamp beside it is that of the file."""
    write(tmp_path / "a")
    about = (tmp_path / "a").stat()
    stamp = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
    kept = Content("kept", stamp)
    assert read(tmp_path, "a", before={"a": kept}) == {"a": kept}
    assert read(tmp_path, "a", before={"a": Content("kept", (*stamp[:3], 0))})["a"].digest != "kept"


def test_what_has_just_changed_has_no_stamp(tmp_path: Path) -> None:
    write(tmp_path / "a", old=False)
    assert read(tmp_path, "a")["a"].stamp == ()
    for file in (Path(sys.executable).resolve(), Path(os.__file__)):
        ((_, content),) = read_inputs([str(file)], {})
        assert len(content.stamp) == 4


def test_a_large_file_is_read_to_its_end(tmp_path: Path) -> None:
    write(tmp_path / "a", "x" * 3_000_000)
    before = read(tmp_path, "a")["a"].digest
    write(tmp_path / "a", "x" * 2_999_999 + "y")
    assert read(tmp_path, "a")["a"].digest != before


def test_links(tmp_path: Path) -> None:
    """To a file: what is in it. To a directory below an input: where it leads, which may be back. To nothing: it is not there."""
    write(tmp_path / "real" / "x", "one")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").symlink_to("../real/x")
    (tree / "directory").symlink_to("../real")
    (tree / "back").symlink_to(".")
    (tree / "nowhere").symlink_to("nothing")
    before = read(tmp_path, "tree")
    assert list(before) == ["tree/back", "tree/directory", "tree/file", "tree/nowhere"]
    assert before["tree/nowhere"] == Content("")
    write(tmp_path / "real" / "x", "two")
    after = read(tmp_path, "tree")
    assert {path for path in before if before[path].digest != after[path].digest} == {"tree/file"}
    (tree / "directory").unlink()
    (tree / "directory").symlink_to("../real/.")
    assert read(tmp_path, "tree")["tree/directory"].digest != before["tree/directory"].digest


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        found = read(tmp_path, "fifo", "sock")
    assert len({content.digest for content in found.values()}) == 2


@pytest.mark.skipif(os.getuid() != 0, reason="drops its privileges")
def test_what_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path / "secret").chmod(0)
    (tmp_path / "closed").mkdir(0o700)
    tmp_path.chmod(0o755)
    code = (
        "import os, sys; from runner.supervisor.evidence import read_inputs\n"
        "os.setuid(65534)\n"
        "for path in sys.argv[1:]:\n"
        "    try: list(read_inputs([path], {}))\n"
        "    except PermissionError as error: print(error.filename)\n"
    )
    paths = [str(tmp_path / "secret"), str(tmp_path / "closed")]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for directory in tmp_path.parents:  # nobody may pass through what pytest makes
        if directory.stat().st_uid == os.getuid() and str(directory).startswith("/tmp/"):
            directory.chmod(directory.stat().st_mode | 0o011)
    told = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False, env=where)
    if "ModuleNotFoundError" in told.stderr or "PermissionError" in told.stderr:
        pytest.skip("another user may not read this checkout")
    assert (told.stdout.split(), told.stderr) == (paths, "")


names = st.text("ab", min_size=1, max_size=3)


@given(
    st.dictionaries(names, st.text("xy", max_size=3), max_size=5), st.dictionaries(names, st.text("xy", max_size=3), max_size=5)
)
def test_trees_are_told_apart(tmp_path_factory: pytest.TempPathFactory, one: dict[str, str], other: dict[str, str]) -> None:
    found = []
    for files in (one, other):
        root = tmp_path_factory.mktemp("tree")
        for name, text in files.items():
            write(root / name, text)
        found.append({path: content.digest for path, content in read(root, str(root)).items()})
    assert (found[0] == found[1]) == (one == other)


# ---------------------------------------------------------------- the rest of a look


def test_only_what_is_asked_for_is_looked_at(tmp_path: Path) -> None:
    found = looked(make(), tmp_path)
    assert (found.there, found.environment, found.user, found.boot, found.system) == (frozenset(), {}, "", "", "")
    assert found.made is not None
    assert found.made.inputs == {}


def test_paths_are_seen_from_where_the_unit_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "sub" / "a")
    write(
        tmp_path / "units" / "make.toml",
        'command = "make"\ncwd = "sub"\ncreates = ["a", "b"]\ninputs = ["*"]\nif = { exists = "a", missing = "c" }\n',
    )
    monkeypatch.chdir(tmp_path)
    found = looked(load([Path("units")], {"PATH": ""}).graph.units["make"], tmp_path)
    assert found.made is not None
    assert (sorted(found.there), [*found.made.inputs]) == (["sub/a"], ["sub/a"])


def test_variables_and_the_system(tmp_path: Path) -> None:
    unit = make(conditions=Conditions(env={"A": True, "B": True}, user=("root",)))
    found = looked(unit, tmp_path, A="1", C="2")
    assert found.environment == {"A": "1"}
    assert (found.os, found.arch, found.user) == ("linux", os.uname().machine, user_name(os.geteuid()))


def test_what_an_input_that_cannot_be_read_says(tmp_path: Path) -> None:
    found = looked(make(inputs=(f"{tmp_path}/{'x' * 300}",)), tmp_path)
    assert found.made is None
    assert found.unreadable == f'its input "{tmp_path}/{"x" * 300}" cannot be read: file name too long'


def test_an_input_that_can_be_opened_and_not_read(tmp_path: Path) -> None:
    found = looked(make(inputs=("/proc/self/mem",)), tmp_path)
    assert found.unreadable == 'its input "/proc/self/mem" cannot be read: input/output error'


def test_names_and_values_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    path = write(tmp_path / os.fsdecode(b"\xff"))
    unit = make(inputs=(str(tmp_path),), conditions=Conditions(env={"A": True}))
    found = looked(unit, tmp_path, A=os.fsdecode(b"\xfe"))
    assert found.made
    assert list(found.made.inputs) == [rf"{tmp_path}/\xff"]
    assert found.environment == {"A": r"\xfe"}
    path.unlink()
    path.symlink_to(path)
    assert looked(unit, tmp_path).unreadable.startswith(rf'its input "{tmp_path}/\xff" cannot be read: ')


def test_the_digests_of_the_command_and_of_the_environment(tmp_path: Path) -> None:
    def digests(unit: Unit, **environment: str) -> tuple[str, str]:
        made = looked(unit, tmp_path, None, **environment).made
        assert made
        return made.command, made.env

    command, env = digests(make(), A="1")
    assert digests(make(), A="1") == (command, env)
    assert digests(make(description="other", timeout=5.0), A="1") == (command, env)
    assert digests(make(cwd="/"), A="1")[0] != command
    assert digests(Unit(name="a", kind="oneshot", command=Command(argv=("make",))), A="1")[0] != command
    assert digests(make(), A="2")[1] != env
    assert len({digests(make(), **values)[1] for values in ({}, {"A": "BC"}, {"AB": "C"}, {"A": "B", "C": ""})}) == 4


def test_what_is_remembered_is_how_it_was_found(tmp_path: Path) -> None:
    found = looked(make(), tmp_path)
    memory = remember(found, {"PORT": "80"}, has_secrets=True)
    assert (memory.made, memory.boot, memory.system) == (found.made, boot_id(), system_id())
    assert (memory.values, memory.has_secrets) == ({"PORT": "80"}, True)


@pytest.mark.parametrize(
    ("fields", "at_files"),
    [
        ({"once": "boot"}, False),
        ({"conditions": Conditions(env={"A": True}, command=Command(shell="x"))}, False),
        ({"conditions": Conditions(missing=("/a",))}, True),
        ({"creates": ("/a",)}, True),
        ({"inputs": ("/a",)}, True),
    ],
)
def test_which_looks_are_at_files(fields: dict[str, Any], at_files: bool) -> None:
    assert takes_a_look_at_files(make(**fields)) == at_files


# ---------------------------------------------------------------- which machine, which volume


def test_this_machine_is_the_same_all_the_time() -> None:
    assert boot_id() == boot_id() != "."
    assert system_id() == system_id()
    assert user_name(4_000_000_000) == "4000000000"


def test_another_root_is_another_system(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        root.mkdir()
    assert system_id(str(roots[0])) != system_id(str(roots[1]))
    same = system_id(str(roots[0]))
    write(roots[0] / "etc" / "machine-id", "abc")
    system_id.cache_clear()
    assert system_id(str(roots[0])) == f"{same}abc"


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == Path("/tmp").stat().st_dev, reason="one volume"
)
@pytest.mark.parametrize(
    ("creates", "inputs", "is_on_volume"),
    [
        (["{here}/a"], ["{here}/b/*.c"], True),
        (["/dev/shm/a"], ["{here}/b"], False),
        (["{here}/a"], ["/dev/shm/*/b"], False),
        (["{here}/not/yet/there"], ["{here}/**"], True),
    ],
)
def test_what_is_on_the_volume_of_the_state(tmp_path: Path, creates: list[str], inputs: list[str], is_on_volume: bool) -> None:
    paths = [tuple(path.format(here=tmp_path) for path in group) for group in (creates, inputs)]
    unit = make(creates=paths[0], inputs=paths[1])
    assert looked(unit, tmp_path / "state").is_on_volume == is_on_volume
