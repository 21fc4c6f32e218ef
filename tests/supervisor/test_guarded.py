"""Files of a unit of another user, with that user as the one who would have root write elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runner.supervisor.guarded import GuardedLog, find, open_to_read

from .harness import NOBODY, needs_root, no_descriptor_left

pytestmark = needs_root
LINK = "there is a link in a directory that other users can change"
NO_FILE = "it is not an ordinary file of the unit's user"


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    with no_descriptor_left():
        yield


@pytest.fixture
def ours() -> Iterator[Path]:
    """A directory that only root can change, as everything above it."""
    with TemporaryDirectory(prefix="test-", dir="/run") as name:
        yield Path(name)


@pytest.fixture
def theirs(ours: Path) -> Path:
    """A directory of the unit's user in it."""
    (ours / "theirs").mkdir()
    os.chown(ours / "theirs", NOBODY, NOBODY)
    return ours / "theirs"


def give(path: Path, text: str = "theirs") -> Path:
    path.write_text(text)
    os.chown(path, NOBODY, NOBODY)
    return path


def write(path: Path, data: bytes = b"line\n", *, keep: int = 1, max_size: int = 1_000) -> str:
    """Write to a log; why that failed."""
    errors: list[str] = []
    log = GuardedLog(str(path), max_size, keep, errors.append, NOBODY)
    log.write(data)
    log.close()
    assert [log.error] == (errors or [""])
    return log.error.removeprefix(f"cannot write the log '{path}': ")


def read(path: Path) -> str:
    try:
        with open(path, opener=lambda name, _: open_to_read(name, NOBODY)) as file:
            return file.read()
    except OSError as error:
        return str(error.strerror)


class TestOurs:
    def test_a_log_is_made_and_stays_ours(self, ours: Path) -> None:
        log = ours / "deep" / "er" / "a.log"
        assert write(log) == write(log) == ""
        assert log.read_text() == "line\nline\n"
        assert (log.stat().st_uid, log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0, 0o600, 0o700)

    @pytest.mark.parametrize("target", ["../real/x", "{0}/real/x", "./..//real/x"])
    def test_our_links_are_followed(self, ours: Path, target: str) -> None:
        (ours / "real" / "x").mkdir(parents=True)
        (ours / "links").mkdir()
        (ours / "links" / "a").symlink_to(target.format(ours))
        (ours / "b.log").symlink_to("links/a/c.log")
        assert write(ours / "links" / "a" / "c.log") == write(ours / "b.log") == ""
        assert (ours / "real" / "x" / "c.log").read_text() == "line\nline\n"
        assert read(ours / "b.log") == "line\nline\n"

    def test_a_link_in_a_circle(self, ours: Path) -> None:
        (ours / "a").symlink_to("a")
        assert write(ours / "a") == "Too many levels of symbolic links"

    @pytest.mark.parametrize("path", ["/", "/run/..", "/run"])
    def test_what_is_no_file(self, path: str) -> None:
        assert write(Path(path)) == read(Path(path)) == "Is a directory"

    def test_a_file_of_somebody_else_is_read(self, ours: Path) -> None:
        give(ours / "env")
        assert read(ours / "env") == "theirs"


class TestTheirs:
    def test_a_log_is_given_to_the_user(self, theirs: Path) -> None:
        log = theirs / "a.log"
        assert write(log) == write(log) == ""
        assert (log.read_text(), log.stat().st_uid) == ("line\nline\n", NOBODY)

    def test_a_log_that_root_has_made_is_written_to(self, theirs: Path) -> None:
        (theirs / "a.log").touch()
        assert write(theirs / "a.log") == ""
        assert (theirs / "a.log").stat().st_uid == 0

    def test_a_file_is_rotated(self, theirs: Path) -> None:
        log = theirs / "a.log"
        assert write(log, b"x" * 9 + b"\n", max_size=10) == write(log, b"y" * 9 + b"\n", max_size=10) == ""
        assert (log.read_text()[0], (theirs / "a.log.1").read_text()[0]) == ("y", "x")
        assert write(log, b"z" * 9 + b"\n", max_size=10, keep=0) == ""
        assert log.read_text()[0] == "z"

    def test_directories_are_not_made(self, theirs: Path) -> None:
        assert write(theirs / "deep" / "a.log") == "No such file or directory"

    def test_a_link_is_not_followed(self, theirs: Path, ours: Path) -> None:
        victim = ours / "victim"
        victim.write_text("root's")
        (theirs / "a.log").symlink_to(victim)
        assert write(theirs / "a.log") == read(theirs / "a.log") == LINK
        assert victim.read_text() == "root's"

    def test_nor_one_among_its_directories(self, theirs: Path, ours: Path) -> None:
        (ours / "secret").mkdir()
        (theirs / "logs").symlink_to(ours / "secret")
        assert write(theirs / "logs" / "a.log") == read(theirs / "logs" / "a.log") == LINK
        assert list((ours / "secret").iterdir()) == []

    def test_nor_one_that_ours_leads_to(self, theirs: Path, ours: Path) -> None:
        (theirs / "logs").symlink_to("/etc")
        (ours / "logs").symlink_to(theirs / "logs")
        assert read(ours / "logs" / "passwd") == LINK

    def test_what_is_below_is_never_ours_alone(self, theirs: Path) -> None:
        """Root made the directory, but the user can put another in its place."""
        (theirs / "roots").mkdir()
        (theirs / "roots" / "a.log").symlink_to("/etc/passwd")
        assert read(theirs / "roots" / "a.log") == LINK

    def test_another_name_of_a_file_is_none_of_theirs(self, theirs: Path, ours: Path) -> None:
        victim = ours / "victim"
        victim.write_text("root's")
        (theirs / "a.log").hardlink_to(victim)
        assert write(theirs / "a.log") == read(theirs / "a.log") == NO_FILE
        assert victim.read_text() == "root's"

    def test_a_file_of_a_third_user(self, theirs: Path) -> None:
        os.chown(give(theirs / "a.log"), 1, 1)
        assert write(theirs / "a.log") == read(theirs / "a.log") == NO_FILE

    def test_a_pipe_holds_up_nobody(self, theirs: Path) -> None:
        os.mkfifo(theirs / "a.log")
        os.chown(theirs / "a.log", NOBODY, NOBODY)
        assert write(theirs / "a.log") == "No such device or address"
        assert read(theirs / "a.log") == NO_FILE

    def test_their_own_file_is_read(self, theirs: Path) -> None:
        give(theirs / "env")
        os.link(theirs / "env", theirs / "other")
        assert read(theirs / "env") == read(theirs / "other") == "theirs"

    @pytest.mark.parametrize("mode", [0o775, 0o1777])
    def test_a_directory_that_others_can_write_to_is_theirs(self, ours: Path, mode: int) -> None:
        (ours / "shared").mkdir()
        (ours / "shared").chmod(mode)
        (ours / "shared" / "a").symlink_to("/etc/passwd")
        assert read(ours / "shared" / "a") == LINK


def test_a_path_may_be_relative(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ours)
    (ours / "a").write_text("a")
    found = find("./a")
    assert (found.name, found.is_safe, Path(f"/proc/self/fd/{found.directory}").readlink()) == ("a", True, ours)
    os.close(found.directory)
