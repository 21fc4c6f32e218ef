from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest

from runner.supervisor.cgroup import ControlGroup, ControlGroups, clear_home, find_home, kill_group, locate, pids_in, remove_group

from .harness import deadline, needs_groups, no_descriptor_left

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 master:1 - cgroup2 cgroup2 rw
"""
PART = "9 1 0:38 /docker/7 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n"
SPACE = "9 1 0:38 / /mnt/a\\040b\\134c rw - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("mounts", "membership", "home"),
    [
        (HYBRID, "4:memory:/x\n0::/\n", "/sys/fs/cgroup/unified"),
        (HYBRID, "4:memory:/x\n0::/user.slice/a b\n", "/sys/fs/cgroup/unified/user.slice/a b"),
        (HYBRID, "4:memory:/x\n", ""),
        (HYBRID, "0::/../../other\n", ""),
        (PART, "0::/docker/7/init\n", "/sys/fs/cgroup/init"),
        (PART, "0::/docker/77\n", ""),
        (PART + HYBRID, "0::/docker/77\n", "/sys/fs/cgroup/unified/docker/77"),
        (SPACE, "0::/x\n", "/mnt/a b\\c/x"),
        ("31 23 0:28 / / rw - overlay overlay rw\n", "0::/\n", ""),
    ],
)
def test_where_our_own_group_is(mounts: str, membership: str, home: str) -> None:
    assert locate(mounts, membership) == home


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with deadline(), no_descriptor_left():
        yield


@pytest.fixture
def home(_everything_is_closed: None) -> Iterator[str]:
    """A group for this process that others may be made in: nested, as in a container."""
    outside = find_home()
    path = f"{outside}/test-{os.getpid()}"
    Path(path).mkdir()
    Path(path, "cgroup.procs").write_text("0")
    try:
        assert find_home() == path
        yield path
    finally:
        Path(outside, "cgroup.procs").write_text("0")
        remove_group(path)
        assert not Path(path).exists()


@pytest.fixture
def groups(home: str) -> Iterator[ControlGroups]:
    made = ControlGroups("run")
    made.get_ready()
    yield made
    made.close()
    assert not [path for path in Path(home).iterdir() if path.is_dir()]


def make(groups: ControlGroups, name: str) -> ControlGroup:
    """A group that there must be."""
    group = groups.make(name)
    assert group
    return group


def is_ready(groups: ControlGroups) -> bool:
    """Whether they are ready now; they may not be the next moment."""
    return groups.is_ready


def spawn(line: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A program in a session of its own, and the pids that it says in its first line."""
    process = subprocess.Popen(["sh", "-c", line], start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, [int(word) for word in process.stdout.readline().split()]


def end(*pids: int) -> None:
    """Kill these and wait for each, whoever's child it is."""
    for pid in pids:
        fd = os.pidfd_open(pid)
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        select.select([fd], [], [])
        os.close(fd)


DAEMON = "env -i setsid sh -c 'echo $$; exec sleep 600 >&-' & exit"


@needs_groups
class TestGroups:
    def test_who_is_spawned_in_it_is_born_in_it(self, groups: ControlGroups, home: str) -> None:
        group, other = make(groups, "run.1"), make(groups, "run.2")
        with group.entered():
            process, [daemon] = spawn(DAEMON)
        with other.entered():
            bystander, [stranger] = spawn("echo $$; exec sleep 600")
        assert find_home() == home
        with process, bystander:
            process.wait()
            assert group.pids() == {daemon}
            assert groups.members() == {"run.1": {daemon}, "run.2": {stranger}}
            group.remove()
            assert group.pids() == {daemon}
            fd = os.pidfd_open(daemon)
            group.kill()
            select.select([fd], [], [])
            os.close(fd)
            assert other.pids() == {stranger}
            end(stranger)

    def test_nobody_is_in_the_group_of_what_cannot_be_spawned(self, groups: ControlGroups, home: str) -> None:
        group = make(groups, "run.1")
        with pytest.raises(FileNotFoundError), group.entered():
            subprocess.Popen(["/no/such"])
        assert find_home() == home
        assert not Path(home, "runner-run", "run.1").exists()

    def test_who_was_born_elsewhere_is_taken_with_all_below_it(self, groups: ControlGroups) -> None:
        process, pids = spawn("sh -c 'sleep 600 & echo $PPID $$ $!; wait' & wait")
        group = make(groups, "run.1")
        with process:
            group.take(process.pid)
            assert group.pids() == set(pids)
            end(*pids)
            process.wait()
            group.take(process.pid)
            assert group.pids() == set()

    def test_a_group_below_it_is_of_it(self, groups: ControlGroups, home: str) -> None:
        group = make(groups, "run.1")
        inner = Path(home, "runner-run", "run.1", "inner")
        inner.mkdir()
        process, _ = spawn("echo; exec sleep 600")
        with process:
            (inner / "cgroup.procs").write_text(str(process.pid))
            assert group.pids() == {process.pid}
            group.kill()
            process.wait()
        group.remove()
        assert not inner.parent.exists()

    def test_we_are_never_killed(self, groups: ControlGroups) -> None:
        group = make(groups, "run.1")
        with group.entered():
            assert group.pids() == set()
            group.kill()

    def test_all_of_a_run_are_killed_at_once(self, groups: ControlGroups) -> None:
        processes = []
        for name in ("run.1", "run.2"):
            with make(groups, name).entered():
                processes.append(spawn("echo; exec sleep 600")[0])
        groups.kill()
        for process in processes:
            with process:
                assert process.wait() == -signal.SIGKILL

    def test_it_is_ready_for_a_moment(self, groups: ControlGroups) -> None:
        groups._moved_at = inf
        groups.get_ready()
        assert (groups.is_ready, groups._moved_at) == (True, inf)
        groups._moved_at = -inf
        assert not is_ready(groups)
        groups.get_ready()
        assert groups._moved_at > 0

    def test_a_name_that_is_taken(self, groups: ControlGroups) -> None:
        make(groups, "run.1")
        assert groups.make("run.1") is None

    def test_a_run_removes_what_runs_before_it_have_left(self, groups: ControlGroups, home: str) -> None:
        killed = Path(home, "runner-killed")
        for path in (killed / "1", killed / "2", Path(home, "runner-other"), Path(home, "others")):
            path.mkdir(parents=True)
        process, _ = spawn("echo; exec sleep 600")
        with process:
            (killed / "2" / "cgroup.procs").write_text(str(process.pid))
            clear_home(home)
            assert sorted(path.name for path in Path(home).iterdir() if path.is_dir()) == [
                "others",
                "runner-killed",
                "runner-run",
            ]
            assert pids_in(str(killed)) == {process.pid}
            process.kill()
        clear_home(home)
        assert not killed.exists()
        Path(home, "others").rmdir()

    def test_the_groups_of_a_run_that_goes_on_stay(self, groups: ControlGroups, home: str) -> None:
        other = ControlGroups("other")
        other.get_ready()
        make(other, "other.1")
        clear_home(home)
        assert Path(home, "runner-other", "other.1").exists()
        other.close()
        other.get_ready()
        assert other.make("other.2") is None
        assert other.members() == {}
        other.kill()
        other.close()

    def test_one_that_has_its_name(self, groups: ControlGroups) -> None:
        again = ControlGroups("run")
        again.get_ready()
        assert "cannot make any" in again.why_not
        assert again.is_ready
        again.close()

    def test_a_group_that_is_gone_holds_nobody(self, groups: ControlGroups, home: str) -> None:
        group = make(groups, "run.1")
        group.remove()
        with group.entered():
            assert find_home() == home
        group.kill()
        assert group.pids() == set()
        group.remove()


class TestNone:
    def test_where_none_can_be_seen(self) -> None:
        groups = ControlGroups("run", "")
        assert groups.why_not == "no control groups of version 2 can be seen"
        assert groups.is_ready
        groups.get_ready()
        assert groups.make("run.1") is None
        assert groups.members() == {}
        groups.close()

    def test_where_there_are_none(self, tmp_path: Path) -> None:
        groups = ControlGroups("run", str(tmp_path))
        groups.get_ready()
        assert groups.why_not == f"cannot make any below {tmp_path}: No such file or directory"
        assert list(tmp_path.iterdir()) == []
        groups.close()

    def test_where_we_cannot_return(self, tmp_path: Path) -> None:
        groups = ControlGroups("run", str(tmp_path))
        groups.come_home()
        assert groups.why_not.startswith(f"cannot return to {tmp_path}: ")

    def test_a_directory_that_is_not_there(self, tmp_path: Path) -> None:
        clear_home(str(tmp_path / "a"))
        kill_group(str(tmp_path / "a"))
        assert pids_in(str(tmp_path / "a")) == set()
