from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.graph import link
from runner.unitfile import Loaded, load

RUN = 'command = ["true"]\n'


def load_files(root: Path, files: Mapping[str, str | bytes]) -> Loaded:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    program = root.parent / "bin" / "true"
    program.parent.mkdir(exist_ok=True)
    program.touch(0o755)
    return load([root], {"PATH": str(program.parent), "HOME": "/home/ann"})


def whats(loaded: Loaded) -> list[str]:
    return [f"{Path(problem.where.file).name}: {problem.what}" for problem in loaded.problems]


def test_units_become_a_graph(tmp_path: Path) -> None:
    loaded = load_files(tmp_path / "units", {"b.toml": RUN + 'after = ["g"]\n', "g/a.toml": RUN, "README.md": ""})
    assert loaded.problems == []
    assert list(loaded.graph.units) == ["b", "g/a"]
    assert list(loaded.graph.after["b"]) == ["g/a"]
    assert loaded.source("g/a") == f"{tmp_path}/units/g/a.toml"
    with pytest.raises(KeyError):
        loaded.source("x")


def test_the_environment_is_what_was_handed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", "x")
    loaded = load_files(tmp_path / "units", {"a.toml": RUN + 'cwd = "~"\nenv = { A = "${OUTSIDE}" }\n'})
    assert whats(loaded) == ['a.toml: cannot expand "${OUTSIDE}" for "env.A": OUTSIDE is not set']
    assert loaded.graph.units["a"].cwd == "/home/ann"


def test_what_is_asked_of_the_machine_matters_only_where_units_are_to_run(tmp_path: Path) -> None:
    files = {"a.toml": RUN + 'user = "no-such-user"\n', "b.toml": RUN + 'user = "no-such-user"\nenabled = false\n'}
    (problem,) = load_files(tmp_path / "units", files).problems
    assert '"no-such-user"' in problem.what
    assert problem.where.line == 2
    assert load([tmp_path / "units"], {"PATH": str(tmp_path / "bin")}, to_run=False).problems == []


def test_home_is_that_of_the_units_user(tmp_path: Path) -> None:
    loaded = load_files(tmp_path / "units", {"a.toml": RUN + 'user = "0"\ncwd = "~"\nenv = { WHO = "${USER}" }\n'})
    root = pwd.getpwuid(0)
    assert (loaded.graph.units["a"].cwd, loaded.graph.units["a"].env) == (root.pw_dir, {"WHO": root.pw_name})


def test_errors_and_warnings_are_told_apart(tmp_path: Path) -> None:
    loaded = load_files(tmp_path / "units", {"a.toml": 'command = ["none"]\n', "b.toml": RUN + "x = 1\n"})
    assert [problem.where.file for problem in loaded.errors] == [f"{tmp_path}/units/b.toml"]
    assert [problem.where.file for problem in loaded.warnings] == [f"{tmp_path}/units/a.toml"]


def test_problems_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    files = {"b.toml": RUN + 'after = ["x"]\nzz = 1\n', "a.toml": "?", "c/d.toml": RUN + "nice = 99\n"}
    problems = load_files(tmp_path / "units", files).problems
    assert [(Path(problem.where.file).name, problem.where.line) for problem in problems] == [
        ("a.toml", 1),
        ("b.toml", 2),
        ("b.toml", 3),
        ("d.toml", 2),
    ]


def test_a_disabled_unit_is_checked_but_not_in_the_graph(tmp_path: Path) -> None:
    files = {
        "off.toml": 'enabled = false\ncommand = ["none"]\nnice = 99\nafter = ["nowhere"]\n',
        "g/off.toml": "enabled = false\n",
        "a.toml": RUN + 'after = ["off", "g"]\non-failure = ["off"]\n',
    }
    loaded = load_files(tmp_path / "units", files)
    assert list(loaded.graph.units) == ["a"]
    assert loaded.source("off").endswith("off.toml")
    assert [problem.severity for problem in loaded.problems] == ["warning", "warning", "warning", "error"]


def test_what_cannot_be_read_is_not_missed(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "bad.toml": "= 1\n",
        "utf.toml": b"\xff",
        "g/bad.toml": "= 1\n",
        "a.toml": RUN + 'after = ["bad", "utf", "g", "g/bad"]\non-success = ["bad"]\n',
    }
    loaded = load_files(tmp_path / "units", files)
    assert [Path(problem.where.file).name for problem in loaded.problems] == ["bad.toml", "bad.toml", "utf.toml"]
    assert list(loaded.graph.units) == ["a"]


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "loop.toml").symlink_to("loop.toml")
    os.mkfifo(tmp_path / "units" / "pipe.toml")
    loaded = load_files(tmp_path / "units", {"a.toml": RUN + 'after = ["loop", "pipe"]\n'})
    assert whats(loaded) == [
        "loop.toml: cannot read the unit file: too many levels of symbolic links",
        "pipe.toml: cannot read the unit file: it is a named pipe",
    ]


def test_a_unit_of_a_group_that_cannot_be_read_is_not_missed(tmp_path: Path) -> None:
    """Its directory's path is longer than the kernel takes."""
    loaded = load_files(tmp_path / "units", {"a.toml": RUN})
    assert loaded.problems == []
    here, deep = os.open(tmp_path / "units", os.O_RDONLY), "x" * 250
    for _ in range(17):
        os.mkdir(deep, dir_fd=here)
        inner = os.open(deep, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    inside = "/".join([deep] * 17) + "/y"
    loaded = load_files(tmp_path / "units", {"a.toml": RUN + f'after = ["{inside}"]\n'})
    assert [problem.what for problem in loaded.problems] == ["cannot read the directory: file name too long"]


def test_the_place_of_an_entry_counts_those_that_were_left_out(tmp_path: Path) -> None:
    loaded = load_files(
        tmp_path / "units", {"a.toml": RUN + 'after = [5, "b", { unit = "b", x = 1 }, "nowhere"]\n', "b.toml": RUN}
    )
    assert [(problem.where.column, problem.what.split(":")[0]) for problem in loaded.problems] == [
        (10, 'cannot use 5 in "after"'),
        (32, 'cannot use the key "x" in "after"'),
        (41, 'cannot find the unit "nowhere" that "a" is to wait for'),
    ]


def test_a_cycle_has_a_place_for_each_edge(tmp_path: Path) -> None:
    loaded = load_files(
        tmp_path / "units",
        {
            "a.toml": RUN + 'after = ["b"]\n',
            "b.toml": RUN + '\nbefore = [{ unit = "c" }]\n',
            "c.toml": RUN + 'before = ["a", "b"]',
        },
    )
    (problem,) = loaded.problems
    assert problem.what == "cannot order the units: dependency cycle: b -> c -> b"
    assert [str(place).rpartition("/")[2] for place in (problem.where, problem.also[0][1])] == ["c.toml:2:16", "b.toml:3:11"]


def test_a_unit_with_mistakes_is_not_looked_at_for_warnings(tmp_path: Path) -> None:
    loaded = load_files(tmp_path / "units", {"a.toml": 'command = "none; apt-get install x"\nlocks = "apt"\n'})
    assert len(loaded.problems) == 1


def test_a_name_is_a_unit_or_a_group(tmp_path: Path) -> None:
    loaded = load_files(tmp_path / "units", {"g.toml": RUN, "g/a.toml": RUN, "h.toml": RUN, "h/README": ""})
    assert whats(loaded) == ['g.toml: cannot use the name "g" for a unit: a directory with units has it, as a group']


def test_later_directories_lie_upon_earlier_ones(tmp_path: Path) -> None:
    image = load_files(tmp_path / "image", {"web.toml": RUN, "db.toml": RUN, "log.toml": RUN})
    assert image.problems == []
    user = {"web.toml": RUN + 'after = ["db", "log"]\n', "db.d/mine.toml": "nice = 1\n", "log.toml": "enabled = false\n"}
    load_files(tmp_path / "user", user)
    loaded = load([tmp_path / "image", tmp_path / "user"], {"PATH": str(tmp_path / "bin")})
    assert whats(loaded) == ['web.toml: cannot use "log" in "after" of "web": it is disabled, so this entry has no effect']
    assert {name: Path(file).parent.name for name, file in loaded.files.items()} == {"db": "image", "log": "user", "web": "user"}
    assert loaded.graph.units["db"].nice == 1


def test_what_has_no_effect_is_left_out_of_the_units(tmp_path: Path) -> None:
    """Else whoever links the units again would take it for an unknown name."""
    files = {
        "off.toml": "enabled = false\n",
        "p@.toml": "enabled = false\n",
        "h.toml": RUN,
        "a.toml": RUN + 'after = ["off", "b"]\nbefore = ["p@*"]\non-success = ["off", "h"]\non-failure = ["h", "p@1"]\n',
        "b.toml": RUN,
    }
    graph = load_files(tmp_path / "units", files).graph
    unit = graph.units["a"]
    assert ([entry.unit for entry in unit.after], unit.before, unit.on_success, unit.on_failure) == (["b"], (), ("h",), ("h",))
    assert graph.handlers == {"h"}
    assert link(graph.units.values())[1] == []


def test_patterns_in_handlers_become_names(tmp_path: Path) -> None:
    files = {
        "p@.toml": 'instances = ["1", "2"]\n' + RUN,
        "h.toml": RUN,
        "a.toml": RUN + 'on-success = [5, "h", "p@*", "nowhere"]\n',
        "b.toml": RUN + 'after = ["p@1"]\n',
    }
    loaded = load_files(tmp_path / "units", files)
    assert loaded.graph.units["a"].on_success == ("h", "p@1", "p@2", "nowhere")
    places = {
        problem.what.split(":")[0]: (problem.where.column, problem.also[0][1].column if problem.also else 0)
        for problem in loaded.errors
    }
    assert places == {
        'cannot use 5 in "on-success"': (15, 0),
        'cannot find the unit "nowhere" that "a" is to start': (30, 0),
        'cannot let "b" wait for "p@1"': (10, 23),
    }


def test_what_is_known_only_in_part_is_not_blamed_for_what_may_be_missing(tmp_path: Path) -> None:
    files = {
        "a.toml": 'restart = "always"\nenv = { A = "${NOWHERE}" }\nretry = 0\ncommand = ["none"]\n',
        "a.d/x.toml": "= 1\n",
        "p@.toml": "= 1\n",
        "b.toml": RUN + 'after = ["p@1", "p@*", "nowhere"]\n',
    }
    told = whats(load_files(tmp_path / "units", files))
    assert [what.split(":")[0] + ":" + what.split(":")[1] for what in told] == [
        "x.toml: cannot read it as TOML",
        'a.toml: cannot use 0 for "retry"',
        'b.toml: cannot find the unit "nowhere" that "b" is to wait for',
        "p@.toml: cannot read it as TOML",
    ]


def test_what_could_not_be_added_is_not_blamed_on_its_key(tmp_path: Path) -> None:
    files = {"a.toml": RUN, "a.d/x.toml": '[ready]\n"file+" = []\n'}
    assert whats(load_files(tmp_path / "units", files)) == ['x.toml: cannot add to "ready.file": it is no list']


def test_a_mistake_of_a_template_is_told_once(tmp_path: Path) -> None:
    files = {"p@.toml": 'instances = ["1", "2", "3"]\ncolour = "red"\nafter = ["nowhere"]\n' + RUN}
    assert whats(load_files(tmp_path / "units", files)) == [
        'p@.toml: cannot use the key "colour": there is no such key',
        'p@.toml: cannot find the unit "nowhere" that "p@1" is to wait for; the same goes for 2 more units',
    ]


def test_no_directory_at_all() -> None:
    loaded = load([], {})
    assert (loaded.problems, loaded.graph.units) == ([], {})


def test_a_thousand_units(tmp_path: Path) -> None:
    files = {f"u{number}.toml": RUN + (f'after = ["u{number - 1}"]\n' if number else "") for number in range(1000)}
    loaded = load_files(tmp_path / "units", files)
    assert (len(loaded.graph.order()), loaded.problems) == (1000, [])


LINES = [
    b'command = "x"',
    b'after = ["a"]',
    b"before = ['*']",
    b"[ready]",
    b"http = 'http://x'",
    b"[env]",
    b'A = "${A}"',
    b"x = [1,",
    b"]",
    b"{",
    b'"""',
    b"\xff",
]


@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=9), max_size=6))
def test_no_text_is_more_than_a_problem(lines: list[bytes]) -> None:
    with TemporaryDirectory() as directory:
        Path(directory, "a.toml").write_bytes(b"\n".join(lines))
        loaded = load([Path(directory)], {})
    for problem in loaded.problems:
        assert problem.what.startswith("cannot ")
        assert 0 <= problem.where.column <= len(problem.where.text) + 1


def test_secrets_are_those_of_all_units_and_of_the_environment(tmp_path: Path) -> None:
    root = tmp_path / "units"
    root.mkdir()
    (root / "a.toml").write_text('command = "true"\nmask = ["KEY"]\nenv = { A_TOKEN = "${GIT_TOKEN}-own" }\n')
    (root / "b.toml").write_text(
        'command = "true"\nmask = []\nenabled = false\nenv = { TOKENS = "1000000", B_SECRET = "a-secret" }\n'
    )
    loaded = load([root], {"PATH": "/bin:/usr/bin", "GIT_TOKEN": "hunter22", "KEY": "hunter23"})
    assert loaded.problems == []
    text = "hunter22-own hunter22 hunter23 1000000 a-secret"
    assert loaded.secrets.mask_text(text) == "*** *** *** 1000000 a-secret"


def test_problems_quote_no_secrets(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.toml": RUN + 'env = { A_TOKEN = "hunter22${X}" }\ncwd = 22\n',
        "b.toml": RUN + 'cwd = "${hunter22}"\nenv.B_TOKEN = "hunter23"\n',
        "c.toml": 'env.C_TOKEN = "hunter24\n',
        "d.toml": 'env.D_TOKEN = "hunter25" # \xff'.encode("latin-1"),
        "e.toml": RUN + 'mask = []\nenv = { E_TOKEN = "hunter26", X = 1 }\n',
        "g/f.toml": RUN + 'env = { PASSWORD = "1234", F_TOKEN = "g" }\n',
    }
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "link.toml").symlink_to("nowhere")
    problems = load_files(tmp_path / "units", files).problems
    quoted = " ".join(f"{problem.what} {problem.where.text}" for problem in problems)
    assert {word for word in ("hunter22", "hunter23", "hunter24", "hunter25", "hunter26") if word in quoted} == {"hunter26"}
    assert [problem.what for problem in problems if problem.severity == "warning"] == [
        f'cannot mask the value of "{name}": it has fewer than 6 characters' for name in ("PASSWORD", "F_TOKEN")
    ]


def test_without_secrets_problems_are_as_they_were(tmp_path: Path) -> None:
    (problem,) = load_files(tmp_path / "units", {"a.toml": RUN + "cwd = 22\n"}).problems
    assert problem.where.text == "cwd = 22"
