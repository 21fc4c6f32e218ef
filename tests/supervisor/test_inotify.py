from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trio
import trio.testing

from runner.supervisor import inotify
from runner.supervisor.inotify import PathWatch

PATIENCE = 5.0
"""Seconds after which a test that waits for the kernel has failed; it answers in less than a millisecond."""


async def wakes(watch: PathWatch) -> bool:
    with trio.move_on_after(PATIENCE):
        await watch.wait()
        return True
    return False


async def stays_asleep(watch: PathWatch, directory: Path) -> bool:
    """Events come in order: when a second watch has heard of a later one, the first has heard of all before."""
    with PathWatch(str(directory / "marker")) as marker:
        assert marker.arm()
        (directory / "marker").touch()
        assert await wakes(marker)
    with trio.move_on_after(0) as scope:
        await watch.wait()
    return scope.cancelled_caught


def watched() -> int:
    return len(inotify._instance.get().watchers)


async def test_wakes_when_the_path_appears(tmp_path: Path) -> None:
    with PathWatch(str(tmp_path / "file")) as watch:
        assert watch.arm()
        (tmp_path / "file").touch()
        assert await wakes(watch)


async def test_wakes_when_the_path_is_moved_into_place(tmp_path: Path) -> None:
    (tmp_path / "temporary").touch()
    with PathWatch(str(tmp_path / "file")) as watch:
        assert watch.arm()
        (tmp_path / "temporary").rename(tmp_path / "file")
        assert await wakes(watch)


async def test_sleeps_through_what_happens_to_others(tmp_path: Path) -> None:
    with PathWatch(str(tmp_path / "file")) as watch:
        assert watch.arm()
        (tmp_path / "other").touch()
        (tmp_path / "file.tmp").touch()
        assert await stays_asleep(watch, tmp_path)


async def test_follows_directories_as_they_appear(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "file"
    with PathWatch(str(path)) as watch:
        for step in (path.parent.parent, path.parent):
            assert watch.arm()
            step.mkdir()
            assert await wakes(watch)
            assert watched() == 1
        assert watch.arm()
        path.touch()
        assert await wakes(watch)


async def test_wakes_when_the_directory_goes(tmp_path: Path) -> None:
    path = tmp_path / "one" / "file"
    path.parent.mkdir()
    with PathWatch(str(path)) as watch:
        for end in (lambda: shutil.rmtree(path.parent), lambda: path.parent.rename(tmp_path / "moved")):
            assert watch.arm()
            end()
            assert await wakes(watch)
            path.parent.mkdir()


async def test_watches_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target" / "file")
    with PathWatch(str(tmp_path / "link")) as watch:
        assert watch.arm()
        (tmp_path / "target" / "file").touch()
        assert await wakes(watch)
        assert watch.arm()
        (tmp_path / "link").rename(tmp_path / "old")
        (tmp_path / "link").symlink_to("elsewhere")
        assert await wakes(watch)


async def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with PathWatch("file") as watch:
        assert watch.arm()
        (tmp_path / "file").touch()
        assert await wakes(watch)


async def test_many_share_the_watch_of_a_directory(tmp_path: Path) -> None:
    with PathWatch(str(tmp_path / "file")) as one:
        assert one.arm()
        with PathWatch(str(tmp_path / "file")) as two, PathWatch(str(tmp_path / "other")) as three:
            assert two.arm()
            assert three.arm()
            assert watched() == 1
            (tmp_path / "file").touch()
            assert await wakes(one)
            assert await wakes(two)
            assert await stays_asleep(three, tmp_path)
        assert watched() == 1
        assert one.arm()
        (tmp_path / "file").unlink()
        (tmp_path / "file").touch()
        assert await wakes(one)
    assert watched() == 0


async def test_an_overflow_wakes_everybody(tmp_path: Path) -> None:
    """The kernel keeps so many events in a queue; what came after that is not told, only that it came."""
    longest = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if longest > 100_000:
        pytest.skip("the queue is too long to fill quickly")
    (tmp_path / "busy").mkdir()
    one, two = tmp_path / "busy" / "one", tmp_path / "busy" / "two"
    one.touch()
    with PathWatch(str(tmp_path / "busy" / "x")) as busy, PathWatch(str(tmp_path / "file")) as watch:
        assert busy.arm()
        assert watch.arm()
        for _ in range(longest // 2 + 1):
            one.rename(two)
            two.rename(one)
        assert await wakes(watch)


@pytest.mark.parametrize("path", ["/proc/self/\0", "x" * 5_000])
async def test_what_cannot_be_watched_is_not_armed_or_sleeps(path: str) -> None:
    with PathWatch(path) as watch:
        watch.arm()
    assert watched() == 0


async def test_too_many_instances(tmp_path: Path) -> None:
    """One loop that cannot have an instance; the next watch tries anew."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with PathWatch(str(tmp_path / "file")) as watch:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            assert not watch.arm()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert watch.arm()


def test_the_end_of_the_loop_closes_the_instance(tmp_path: Path) -> None:
    async def main() -> int:
        with PathWatch(str(tmp_path / "file")) as watch:
            assert watch.arm()
            await trio.testing.wait_all_tasks_blocked()
            assert len(inotify_descriptors()) == before + 1
        return len(inotify_descriptors())

    before = len(inotify_descriptors())
    assert trio.run(main) == before + 1  # kept for the next
    assert len(inotify_descriptors()) == before


def inotify_descriptors() -> list[str]:
    links = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return [link.name for link in links if str(link.readlink()) == "anon_inode:inotify"]
