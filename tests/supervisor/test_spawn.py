from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import runner
from runner.core.observed import Stage
from runner.core.unit import Command
from runner.supervisor.spawn import Setting, SpawnError, spawn

from .harness import deadline, needs_root, no_descriptor_left

ENVIRONMENT = {b"PATH": os.fsencode(os.environ["PATH"]), b"GREETING": b"hello"}
PACKAGE = Path(runner.__file__).parents[1]


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


def run(command: Command, setting: Setting | None = None) -> tuple[str, int]:
    """What a command writes, and its exit status."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    with os.fdopen(reader, "rb") as output:
        try:
            process = spawn(command, setting or Setting(ENVIRONMENT), writer)
        finally:
            os.close(writer)
        return output.read().decode().rstrip("\n"), process.wait()


def argv(*words: str) -> Command:
    return Command(argv=words)


def shell(line: str) -> Command:
    return Command(shell=line)


def script(text: str) -> Command:
    return Command(script=text)


class TestCommands:
    def test_a_list_is_executed_without_a_shell(self) -> None:
        assert run(argv("echo", "$GREETING", "*", "a b")) == ("$GREETING * a b", 0)

    def test_a_line_is_executed_by_the_shell(self) -> None:
        assert run(shell("echo $GREETING; exit 3")) == ("hello", 3)

    def test_a_script_stops_at_the_first_failure(self) -> None:
        assert run(script("echo one\nfalse\necho two\n")) == ("one", 1)

    def test_a_script_is_run_by_bash_where_there_is_one(self) -> None:
        assert run(script('false | true\necho "${BASH_VERSION:+two}"')) == ("", 1)
        assert run(script('echo "${BASH_VERSION:+bash}"')) == ("bash", 0)

    def test_a_script_is_run_by_sh_where_there_is_no_bash(self, tmp_path: Path) -> None:
        (tmp_path / "sh").symlink_to("/bin/sh")
        setting = Setting({b"PATH": bytes(tmp_path)})
        assert run(script('echo "$0"; (exit 4); echo two'), setting) == ("sh", 4)

    @pytest.mark.parametrize("line", ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!/bin/sh\t-e "])
    def test_a_script_may_name_its_interpreter(self, line: str) -> None:
        assert run(script(f'{line}\necho "$GREETING"\n')) == ("hello", 0)

    def test_an_interpreter_takes_one_argument(self) -> None:
        assert set(run(script("#!/usr/bin/env -S sh -e -u\necho $-"))[0]) >= {"e", "u"}

    def test_a_python_script(self) -> None:
        code = f"#!{sys.executable} -S\nimport sys\nfor line in open(sys.argv[0]): pass\nprint('é', __name__)\n"
        assert run(script(code)) == ("é __main__", 0)

    @pytest.mark.parametrize("first", ["", "#!/bin/sh\n", "#!/bin/bash\n"])
    def test_a_script_may_be_longer_than_an_argument(self, first: str) -> None:
        assert run(script(first + "# " + "x" * 200_000 + "\necho end")) == ("end", 0)

    def test_the_length_of_a_script_is_that_of_its_bytes(self) -> None:
        assert run(script("# " + "\N{EURO SIGN}" * 60_000 + "\necho end")) == ("end", 0)

    @pytest.mark.parametrize("first", ["#!", "#!  "])
    def test_a_line_that_names_no_interpreter_is_a_comment(self, first: str) -> None:
        assert run(script(f"{first}\necho end")) == ("end", 0)

    def test_output_and_errors_go_the_same_way(self) -> None:
        assert run(shell("echo one; echo two >&2; echo three")) == ("one\ntwo\nthree", 0)

    def test_nothing_is_to_be_read(self) -> None:
        assert run(shell("cat; readlink /proc/self/fd/0")) == ("/dev/null", 0)


class TestSettings:
    def test_the_environment_is_what_was_given(self) -> None:
        assert run(argv("env"), Setting(ENVIRONMENT))[0].splitlines() == [f"PATH={os.environ['PATH']}", "GREETING=hello"]

    def test_programs_are_looked_for_on_the_path_of_the_unit(self, tmp_path: Path) -> None:
        (tmp_path / "greet").write_text("#!/bin/sh\necho hi")
        (tmp_path / "greet").chmod(0o755)
        assert run(argv("greet"), Setting({b"PATH": bytes(tmp_path)})) == ("hi", 0)

    def test_directory(self, tmp_path: Path) -> None:
        assert run(argv("pwd"), Setting(ENVIRONMENT, cwd=str(tmp_path))) == (str(tmp_path), 0)

    def test_umask(self) -> None:
        assert run(shell("umask"), Setting(ENVIRONMENT, umask=0o027)) == ("0027", 0)
        assert run(shell("umask"), Setting(ENVIRONMENT, umask=0)) == ("0000", 0)

    def test_nice(self) -> None:
        assert run(argv("nice"), Setting(ENVIRONMENT, nice=os.nice(0) + 3)) == (str(os.nice(0) + 3), 0)

    def test_a_session_of_its_own(self) -> None:
        said, _ = run(shell("echo $$ $(cut -d' ' -f 5,6 /proc/$$/stat)"))
        assert len(set(said.split())) == 1

    def test_no_descriptor_but_the_three(self) -> None:
        """The descriptors that this process inherited are another matter: see mind_descriptors."""
        with Path("/dev/null").open("rb") as ours:
            said, _ = run(shell("ls /proc/$$/fd"))
            assert str(ours.fileno()) not in said.split()

    def test_signals_that_python_ignores_are_as_ever(self) -> None:
        said, _ = run(shell("grep SigIgn /proc/self/status"))
        assert int(said.split()[1], 16) & (1 << 12 | 1 << 24) == 0  # SIGPIPE, SIGXFSZ


def failure(command: Command, setting: Setting | None = None) -> tuple[Stage, str]:
    with pytest.raises(SpawnError) as caught:
        run(command, setting)
    assert str(caught.value) == caught.value.reason
    return caught.value.stage, caught.value.reason


class TestFailures:
    @pytest.fixture(autouse=True)
    def _files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = {
            "plain": ("echo hi", 0o644),
            "lost": ("#!/no/such/interpreter\n", 0o755),
            "bad": ("\x7fELF but not really", 0o755),
            "text": ("echo hi", 0o755),
        }
        for name, (text, mode) in files.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(mode)
        monkeypatch.chdir(tmp_path)

    @pytest.mark.parametrize(
        ("program", "stage", "why"),
        [
            ("nowhere", "program not found", "program not found on PATH"),
            ("./nowhere", "program not found", "program not found"),
            ("./plain/x", "program not found", "program not found"),
            ("./lost", "program not found", "the interpreter that its first line names was not found"),
            ("lost", "program not found", "the interpreter that its first line names was not found"),
            ("./plain", "not executable", "permission denied"),
            ("plain", "not executable", "permission denied"),
            (".", "not executable", "permission denied"),
            ("./bad", "not executable", "exec format error"),
            ("./text", "not executable", "exec format error"),
        ],
    )
    def test_programs(self, program: str, stage: Stage, why: str, tmp_path: Path) -> None:
        setting = Setting({b"PATH": bytes(tmp_path)})
        assert failure(argv(program), setting) == (stage, f'cannot execute "{program}": {why}')

    def test_a_program_is_looked_for_in_the_directory_of_the_unit(self, tmp_path: Path) -> None:
        (tmp_path / "inner").mkdir()
        (tmp_path / "inner" / "mine").write_text("#!/no/such/interpreter\n")
        (tmp_path / "inner" / "mine").chmod(0o755)
        setting = Setting(ENVIRONMENT, cwd="inner")
        assert failure(argv("./mine"), setting)[1].endswith("the interpreter that its first line names was not found")
        assert failure(argv("./lost"), setting)[1].endswith("program not found")

    def test_an_interpreter_of_a_script(self) -> None:
        assert failure(script("#!/no/such\n")) == ("program not found", 'cannot execute "/no/such": program not found')

    @pytest.mark.parametrize(
        ("cwd", "why"),
        [("nowhere", "no such file or directory"), ("plain", "not a directory"), ("x" * 300, "file name too long")],
    )
    @pytest.mark.parametrize("nice", [None, 1])
    def test_directories(self, cwd: str, why: str, nice: int | None) -> None:
        setting = Setting(ENVIRONMENT, cwd=cwd, nice=nice)
        assert failure(argv("/bin/true"), setting) == ("cwd", f'cannot enter the directory "{cwd}": {why}')

    @pytest.mark.parametrize("command", [argv("echo", "a\0b"), shell("echo a\0b"), script("echo a\0b")])
    def test_a_null_byte(self, command: Command) -> None:
        stage, reason = failure(command)
        assert stage == "spawn"
        assert "null byte" in reason
        assert "\0" not in reason

    def test_a_null_byte_in_the_environment(self) -> None:
        assert failure(argv("true"), Setting({**ENVIRONMENT, b"A": b"\0"}))[0] == "spawn"

    def test_too_long_an_argument(self) -> None:
        assert failure(argv("/bin/true", "x" * 200_000)) == ("spawn", 'cannot execute "/bin/true": argument list too long')

    def test_too_many_files(self) -> None:
        run(argv("/bin/true"))
        with room_for_files(1):
            assert failure_without_pipe(argv("/bin/true")) == ("limits", 'cannot execute "/bin/true": too many open files')

    def test_too_many_files_for_a_script(self) -> None:
        run(argv("/bin/true"))
        with room_for_files(0):
            assert failure_without_pipe(script("#!/bin/sh\n")) == ("limits", 'cannot execute "/bin/sh": too many open files')


@contextmanager
def room_for_files(count: int) -> Iterator[None]:
    """Only so many more files can be opened in here, below the lowest number that is not free."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.dup(0) for _ in range(count + 1)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free), limits[1]))
    for fd in free:
        os.close(fd)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def failure_without_pipe(command: Command) -> tuple[Stage, str]:
    with pytest.raises(SpawnError) as caught:
        spawn(command, Setting(ENVIRONMENT), 2)
    return caught.value.stage, caught.value.reason


def python(code: str, *, as_somebody: bool = False) -> str:
    """What Python code says that runs in a process of its own, perhaps as somebody else than root."""
    change = "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n" if as_somebody else ""
    program = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PACKAGE)!r})\n{PRELUDE}{change}{code}"]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert done.stderr == ""
    return done.stdout.rstrip("\n")


PRELUDE = """
import os, resource
from runner.core.unit import Command
from runner.supervisor.prepare import Preparation  # which somebody else may not be able to read
from runner.supervisor.spawn import Setting, SpawnError, mind_descriptors, spawn

def run(command, **setting):
    sys.stdout.flush()
    try:
        return spawn(command, Setting(dict(os.environb), **setting), 1).wait()
    except SpawnError as error:
        return f"{error.stage}: {error.reason}"

"""


@needs_root
class TestAsSomebodyElse:
    def test_a_nice_value_that_is_not_permitted(self) -> None:
        said = python("print(run(Command(argv=('true',)), nice=-5))", as_somebody=True)
        assert said == "limits: cannot set the nice value -5: permission denied"

    def test_a_program_that_runs_as_its_owner(self) -> None:
        """Such as sudo: whoever starts it may not change its limits."""
        code = "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200)); mind_descriptors()\n"
        assert python(code + "print(run(Command(argv=('su', '--version'))))", as_somebody=True).endswith("\n0")

    def test_a_directory_that_is_shut(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        said = python(f"print(run(Command(argv=('true',)), cwd={str(tmp_path)!r}))", as_somebody=True)
        assert said == f'cwd: cannot enter the directory "{tmp_path}": permission denied'

    def test_too_many_processes(self) -> None:
        code = "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0)); print(run(Command(argv=('true',))))"
        said = python(code, as_somebody=True)
        assert said.startswith('limits: cannot execute "true": no more processes are allowed (')


class TestMindDescriptors:
    def test_units_inherit_nothing(self) -> None:
        code = "fd = os.dup(0); os.set_inheritable(fd, True); mind_descriptors()\nprint(run(Command(shell='ls /proc/self/fd')))"
        assert python(code).split() == ["0", "1", "2", "3", "0"]  # 3: the directory that ls reads

    def test_the_limit_is_ours_alone(self) -> None:
        code = (
            "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200)); mind_descriptors()\n"
            "print(resource.getrlimit(resource.RLIMIT_NOFILE)); print(run(Command(shell='ulimit -S -n; ulimit -H -n')))"
        )
        assert python(code).splitlines() == ["(200, 200)", "100", "200", "0"]

    def test_the_limit_is_ours_alone_also_where_all_numbers_below_it_are_taken(self) -> None:
        code = (
            "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200)); mind_descriptors()\n"
            "taken = [os.dup(0) for _ in range(110)]\n"
            "print(run(Command(shell='ulimit -S -n; ulimit -H -n'), nice=os.nice(0))); print(run(Command(shell='ulimit -S -n')))"
        )
        assert python(code).splitlines() == ["100", "200", "0", "100", "0"]

    def test_a_limit_that_is_as_high_as_it_goes_stays(self) -> None:
        code = (
            "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)); mind_descriptors()\n"
            "print(run(Command(shell='ulimit -S -n; ulimit -H -n')))"
        )
        assert python(code).splitlines() == ["200", "200", "0"]

    @pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
    def test_nothing_takes_the_place_of_a_closed_standard_stream(self, closed: tuple[int, ...]) -> None:
        code = (
            f"keep = os.dup(1)\nfor fd in {closed}: os.close(fd)\nmind_descriptors()\n"
            "os.write(keep, repr([os.readlink(f'/proc/self/fd/{fd}') for fd in range(3)]).encode()); os._exit(0)"
        )
        streams = eval(python(code))
        assert [fd for fd in range(3) if streams[fd] == "/dev/null" and fd in closed] == list(closed)
