"""The only module of this folder that touches the machine: finds unit files, reads them, looks for programs and accounts.

What goes wrong here comes back as a :class:`Problem`, never as an exception: an unreadable file is one more mistake to show
beside the others.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from ..core.account import Account
from ..core.words import say_os_error, say_size
from ..errors import Place, Problem
from .names import judge_directory, judge_drop_in, judge_file
from .values import quote

LARGEST: Final = 1_000_000
"""Bytes of a unit file. None that people write comes near, and a wrong link may lead to anything."""

_DEEPEST: Final = 100
"""Directories below a units directory that are entered, one in the other. Nobody groups units so deeply."""

Capability = Literal["CAP_SETGID", "CAP_SETUID", "CAP_SYS_NICE", "CAP_SYS_RESOURCE"]
_CAPABILITIES: Final[dict[Capability, int]] = {"CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SYS_NICE": 23, "CAP_SYS_RESOURCE": 24}
"""Their numbers, as in <linux/capability.h>."""


class Listing(Struct):
    """What a units directory holds. Paths begin as the directory was given; stems are those of :mod:`.names`."""

    files: dict[str, str] = {}
    """By stem the file: of a unit, a template, or what a group has in common."""
    drop_ins: dict[str, list[str]] = {}
    """By stem the files that change that one, in the order of their names."""
    groups: list[str] = []
    unread: list[str] = []
    """Groups whose directory cannot be read: nobody can say whether a unit of theirs is missing."""
    incomplete: list[str] = []
    """Stems whose drop-ins cannot be listed: nobody can say what these change."""
    problems: list[Problem] = []


def list_units(directory: Path) -> Listing:
    """Find the unit files below a directory. What is found does not depend on the order in which the disk has it."""
    listing = Listing()
    _Walk(listing).directory(str(directory), "", ())
    return listing


def read(file: str) -> bytes | Problem:
    """The bytes of a unit file. Never waits, whatever the name leads to: a pipe that nobody writes to, a device."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        return _cannot_read(file, error)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            return _problem(file, f"cannot read the unit file: it is {_say_sort(about.st_mode)}", "a unit is an ordinary file")
        if about.st_size > LARGEST:
            size = say_size(about.st_size)
            return _problem(file, f"cannot read the unit file: it has {size}", f"a unit file has at most {say_size(LARGEST)}")
        return os.read(descriptor, about.st_size + 1)
    except OSError as error:
        return _cannot_read(file, error)
    finally:
        os.close(descriptor)


class Programs:
    """Answers whether a program is on a search path, and asks the disk only once for each."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def has(self, name: str, search_path: str) -> bool:
        """Whether one of the directories of a ``PATH`` holds an executable file of this name."""
        key = name, search_path
        if key not in self._known:
            self._known[key] = any(_is_executable(os.path.join(part, name)) for part in search_path.split(os.pathsep))  # noqa: PTH118
        return self._known[key]


def find_user(name: str) -> Account | None:
    """The account of a user's name or number; None for a name that nobody has. A number needs no account."""
    import pwd  # only where a unit names a user

    number = _number(name)
    try:
        entry = pwd.getpwnam(name) if number is None else pwd.getpwuid(number)
    except KeyError:
        return None if number is None else Account(name=name, uid=number)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, home=entry.pw_dir or "/", shell=entry.pw_shell)


def find_group(name: str) -> int | None:
    """The number of a group; None for a name that none has."""
    import grp

    try:
        return grp.getgrnam(name).gr_gid if (number := _number(name)) is None else number
    except KeyError:
        return None


def _number(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdecimal() else None


class Machine:
    """Whom this machine knows, and what this process may. Each thing is asked once, and only where a unit needs to know."""

    def __init__(self) -> None:
        self._users: dict[str, Account | None] = {}
        self._groups: dict[str, int | None] = {}
        self._capabilities: int | None = None

    @property
    def ids(self) -> tuple[int, int]:
        """The user and the group of this process."""
        return os.geteuid(), os.getegid()

    def user(self, name: str) -> Account | None:
        """The account of a user."""
        if name not in self._users:
            self._users[name] = find_user(name)
        return self._users[name]

    def group(self, name: str) -> int | None:
        """The number of a group."""
        if name not in self._groups:
            self._groups[name] = find_group(name)
        return self._groups[name]

    def user_names(self) -> list[str]:
        """All users."""
        import pwd

        return [entry.pw_name for entry in pwd.getpwall()]

    def group_names(self) -> list[str]:
        """All groups."""
        import grp

        return [entry.gr_name for entry in grp.getgrall()]

    def may(self, capability: Capability) -> bool:
        """Whether this process has a capability (capabilities(7)); root may lack it in a container."""
        if self._capabilities is None:
            self._capabilities = _read_capabilities()
        return bool(self._capabilities >> _CAPABILITIES[capability] & 1)

    def lowest_nice(self) -> int:
        """The niceness below which a process needs CAP_SYS_NICE (getrlimit(2), RLIMIT_NICE)."""
        return min(os.getpriority(os.PRIO_PROCESS, 0), 20 - _limits("nice")[0])

    def hard_limit(self, name: str) -> int:
        """The hard limit of a resource, as this process has it."""
        return _limits(name)[1]


def _limits(name: str) -> tuple[int, int]:
    import resource

    return resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))


def _read_capabilities() -> int:
    with open("/proc/self/status", "rb") as file:  # noqa: PTH123
        return next(int(line.split()[1], 16) for line in file if line.startswith(b"CapEff:"))


class _Walk:
    """Goes down a tree of directories. Links are followed, but never back to where one came from."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing

    def directory(self, path: str, group: str, ancestors: tuple[str, ...]) -> None:
        if len(ancestors) > _DEEPEST:
            self._refuse(path, f"cannot read the directory: it is more than {_DEEPEST} directories deep", "use fewer groups")
            return
        try:
            if ancestors and Path(path).is_symlink() and any(os.path.samefile(path, ancestor) for ancestor in ancestors):  # noqa: PTH121
                self._refuse(path, "cannot follow the link: it leads back to a directory that it is in", "remove the link")
                return
            ordered = _list(path)
        except OSError as error:
            self._cannot_list(path, group, error)
            return
        if group:
            self.listing.groups.append(group)
        prefix = "" if path == "." else path.rstrip("/") + "/"
        for entry in ordered:
            if _is_directory(entry):
                self._subdirectory(entry.name, prefix + entry.name, group, (*ancestors, path))
            else:
                self._file(entry.name, prefix + entry.name, group)

    def _subdirectory(self, name: str, path: str, group: str, ancestors: tuple[str, ...]) -> None:
        verdict = judge_directory(name)
        if verdict.holds_drop_ins:
            self._drop_ins(path, _join(group, verdict.segment), verdict.what, verdict.hint)
        elif verdict.segment and not verdict.what:
            self.directory(path, _join(group, name), ancestors)
        elif verdict.segment:
            inside = Listing()
            _Walk(inside).directory(path, name, ancestors)
            if inside.files or inside.drop_ins:
                self._refuse(path, verdict.what, verdict.hint)
        elif verdict.what:
            self._refuse(path, verdict.what, verdict.hint)

    def _file(self, name: str, path: str, group: str) -> None:
        verdict = judge_file(name)
        if verdict.what:
            self._refuse(path, verdict.what, verdict.hint)
        elif verdict.segment:
            self.listing.files[_join(group, verdict.segment)] = path

    def _drop_ins(self, path: str, stem: str, what: str, hint: str) -> None:
        """The files of ``STEM.d``. ``what`` is wrong with its name, which matters where there are any."""
        try:
            ordered = _list(path)
        except OSError as error:
            self.listing.incomplete.append(stem)
            self._refuse(path, f"cannot read the directory: {say_os_error(error)}")
            return
        found = []
        for entry in ordered:
            verdict, file = judge_drop_in(entry.name), f"{path}/{entry.name}"
            if entry.name[0] not in "._" and _is_directory(entry):
                self._refuse(file, f"cannot use the directory {quote(entry.name)} as a drop-in", "a drop-in is a file")
            elif verdict.what:
                self._refuse(file, verdict.what, verdict.hint)
            elif verdict.segment:
                found.append(file)
        if found and what:
            self._refuse(path, what, hint)
        elif found:
            self.listing.drop_ins[stem] = found

    def _cannot_list(self, path: str, group: str, error: OSError) -> None:
        if group:
            self.listing.unread.append(group)
            self._refuse(path, f"cannot read the directory: {say_os_error(error)}")
        else:
            self._refuse(path, f"cannot read the units directory: {say_os_error(error)}", "name another with --units DIR")

    def _refuse(self, path: str, what: str, hint: str = "") -> None:
        self.listing.problems.append(_problem(path, what, hint))


def _list(path: str) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _join(group: str, segment: str) -> str:
    return f"{group}/{segment}" if group else segment


def _is_directory(entry: os.DirEntry[str]) -> bool:
    """A link that cannot be followed is no directory; as a unit it will be told why it cannot be read."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_executable(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK)  # noqa: PTH116
    except (OSError, ValueError):
        return False


def _say_sort(mode: int) -> str:
    sorts = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for is_sort, name in sorts if is_sort(mode)), "no ordinary file")


def _cannot_read(file: str, error: OSError) -> Problem:
    hints = {
        errno.ENOENT: "it is a link to a file that is not there",
        errno.ELOOP: "it is a link that leads back to itself",
        errno.ENXIO: "it is a socket; a unit is an ordinary file",
    }
    return _problem(file, f"cannot read the unit file: {say_os_error(error)}", hints.get(error.errno or 0, ""))


def _problem(path: str, what: str, hint: str = "") -> Problem:
    return Problem(what, Place(path), hint)
