"""What a child does before its program: what a program finds of it, and how each step fails."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.core.unit import UNLIMITED, Command, Limit
from runner.supervisor.prepare import Preparation
from runner.supervisor.spawn import Identity, Setting

from .harness import NOBODY, deadline, needs_root, no_descriptor_left
from .test_spawn import failure, python, run

ENVIRONMENT = {b"PATH": os.environb[b"PATH"]}
FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
AS_NOBODY = Identity(NOBODY, NOBODY, (NOBODY, 50))


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


def shell(line: str, **setting: Any) -> str:
    said, status = run(Command(shell=line), Setting(ENVIRONMENT, **setting))
    assert status == 0, said
    return said


def fails(**setting: Any) -> tuple[str, str]:
    return failure(Command(argv=("true",)), Setting(ENVIRONMENT, **setting))


class TestLimits:
    @pytest.mark.parametrize(
        ("limit", "soft", "hard"),
        [
            (Limit(soft=100, hard=200), "100", "200"),
            (Limit(soft=100), "100", str(FILES[1])),
            (Limit(hard=64), "64", "64"),
            (Limit(hard=FILES[0]), str(FILES[0]), str(FILES[0])),
        ],
    )
    def test_what_is_not_said_stays_as_far_as_it_can(self, limit: Limit, soft: str, hard: str) -> None:
        assert shell("ulimit -S -n; ulimit -H -n", limits={"nofile": limit}).split() == [soft, hard]

    def test_several(self) -> None:
        limits = {
            "core": Limit(soft=0, hard=0),
            "cpu": Limit(soft=60, hard=90),
            "fsize": Limit(soft=512_000),
        }
        assert shell("ulimit -c; ulimit -S -t; ulimit -H -t; ulimit -f", limits=limits).split() == ["0", "60", "90", "1000"]

    def test_unlimited(self) -> None:
        was = resource.getrlimit(resource.RLIMIT_CPU)
        assert was[1] == UNLIMITED, "nobody limits the time of the tests"
        assert shell("ulimit -t", limits={"cpu": Limit(soft=UNLIMITED, hard=UNLIMITED)}) == "unlimited"
        assert shell("ulimit -S -t", limits={"cpu": Limit(hard=50)}) == "50"

    def test_those_of_files_are_the_ones_before_ours_was_raised(self) -> None:
        code = (
            "from runner.core.unit import Limit\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200)); mind_descriptors()\n"
            "show = Command(shell='ulimit -S -n; ulimit -H -n')\n"
            "print(run(show, limits={'core': Limit(soft=0)})); print(run(show, limits={'nofile': Limit(soft=150)}))\n"
            "print(run(show, limits={'nofile': Limit(hard=150)}))\n"
        )
        assert python(code).split() == ["100", "200", "0", "150", "200", "0", "100", "150", "0"]

    def test_the_supervisor_keeps_its_own(self) -> None:
        shell("true", limits={"nofile": Limit(soft=50, hard=50), "core": Limit(soft=0, hard=0)})
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == FILES


class TestFailures:
    def test_a_limit_that_cannot_be(self) -> None:
        stage, reason = fails(limits={"core": Limit(soft=0, hard=0), "nofile": Limit(soft=10, hard=5)})
        assert (stage, reason) == ("limits", 'cannot set the limit "nofile" to 10 (hard: 5): invalid argument')

    def test_limits_that_leave_no_room(self) -> None:
        """The child could not even tell why."""
        with Preparation(Setting(ENVIRONMENT, limits={"as": Limit(soft=0)}), None) as preparation:
            error = preparation.explain()
        assert (error.stage, error.reason) == ("limits", "cannot prepare the process: its limits leave no room for that")

    @needs_root
    @pytest.mark.parametrize(
        ("identity", "reason"),
        [
            ("1, 1, (1, 2)", "cannot take on the groups 1 2"),
            ("1, 1", "cannot take on the group 1"),
            ("1, 65534", "cannot become the user 1"),
        ],
    )
    def test_somebody_who_may_not(self, identity: str, reason: str) -> None:
        code = f"from runner.supervisor.spawn import Identity\nprint(run(Command(argv=('true',)), identity=Identity({identity})))"
        assert python(code, as_somebody=True) == f"user: {reason}: operation not permitted"

    @needs_root
    def test_a_limit_that_may_not_be_raised(self) -> None:
        code = "from runner.core.unit import Limit\nresource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))\n"
        code += "print(run(Command(argv=('true',)), limits={'nofile': Limit(soft=300, hard=300)}))"
        assert python(code, as_somebody=True) == 'limits: cannot set the limit "nofile" to 300: operation not permitted'

    @needs_root
    def test_a_directory_that_is_shut_to_that_user(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        said = fails(identity=AS_NOBODY, cwd=str(tmp_path))
        assert said == ("cwd", f'cannot enter the directory "{tmp_path}": permission denied')

    @needs_root
    def test_a_program_that_is_shut_to_that_user(self, tmp_path: Path) -> None:
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o700)
        said = failure(Command(argv=(str(program),)), Setting(ENVIRONMENT, identity=AS_NOBODY))
        assert said == ("not executable", f'cannot execute "{program}": permission denied')


@needs_root
class TestAsAnotherUser:
    def test_all_ids_are_that_user_s_and_nothing_is_left_of_root(self) -> None:
        said = shell("grep -E '^(Uid|Gid|Groups|CapPrm|CapEff|CapAmb):' /proc/self/status", identity=AS_NOBODY)
        about = {name: value.split() for name, _, value in (line.partition(":") for line in said.splitlines())}
        assert about["Uid"] == about["Gid"] == [str(NOBODY)] * 4
        assert about["Groups"] == ["50", str(NOBODY)]
        assert {int(about[name][0], 16) for name in ("CapPrm", "CapEff", "CapAmb")} == {0}

    def test_what_takes_root_is_done_before(self) -> None:
        limits = {"nproc": Limit(soft=10_000, hard=10_000)}
        said = shell("nice; umask; pwd; ulimit -c", identity=AS_NOBODY, nice=-1, umask=0o77, cwd="/tmp", limits=limits)
        assert said.splitlines()[:3] == ["-1", "0077", "/tmp"]

    def test_a_group_alone(self) -> None:
        assert shell("id -u; id -g", identity=Identity(os.getuid(), 50)).split() == [str(os.getuid()), "50"]

    @pytest.mark.parametrize("text", ["#!/bin/sh\nid -u", "#!/bin/sh\n# " + "x" * 200_000 + "\nid -u", "id -u"])
    def test_a_script_can_be_read(self, text: str) -> None:
        assert run(Command(script=text), Setting(ENVIRONMENT, identity=AS_NOBODY)) == (str(NOBODY), 0)

    def test_nothing_of_ours_is_inherited(self) -> None:
        with Path("/dev/null").open("rb") as ours:
            assert str(ours.fileno()) not in shell("ls /proc/$$/fd", identity=AS_NOBODY).split()
