"""What single values mean: durations, sizes, signals, patterns, addresses, accounts, limits.

Pure: text in, values out. Each type is one that ``msgspec.convert`` hands to :func:`parse`; what it cannot use, it refuses with
:class:`Unusable`, which may carry a hint. The sentence "it must be ..." stands once, as the type's ``expected``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from signal import Signals
from typing import ClassVar, Final, Self

from msgspec import json

from ..core.near import nearest
from ..core.unit import UNLIMITED

_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
_DURATION: Final = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?")
_SECONDS: Final = (3600.0, 60.0, 1.0, 0.001)
_LONGEST: Final = 10 * 366 * 86400.0
_SIZE: Final = re.compile(rf"{_NUMBER}(B|[kK]B|MB|GB|KiB|MiB|GiB)")
_BYTES: Final = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_URL: Final = re.compile(r"https?://(?:[^/?#\s@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?:[/?#]\S*)?")
_HOST_PORT: Final = re.compile(r"(?:[^/?#\s@:\[\]]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LONGEST_SOCKET_PATH: Final = 107
_ACCOUNT: Final = re.compile(r"0|[1-9][0-9]{0,9}|(?![0-9]+\Z)[^\s:/,~-][^\s:/,]{0,255}")
_HIGHEST_ID: Final = 2**32 - 2
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
"""Bytes of file names and of the environment that are no UTF-8, as Python keeps them."""
_SIGNAL_NAMES: Final[dict[int, str]] = {member.value: member.name for member in Signals}


class Unusable(ValueError):
    """A value is not what its key needs. Carries a hint where there is one to give."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(hint)
        self.hint = hint


class Duration(float):
    """Seconds, 0 or more."""

    label: ClassVar[str] = "duration"
    expected: ClassVar[str] = 'a duration such as "250ms", "10s", "1h30m" or a number of seconds'

    @classmethod
    def parse(cls, value: object) -> Duration:
        """Read ``"1h30m"``, ``"250ms"`` or a number of seconds, up to ten years."""
        if isinstance(value, str):
            seconds = _parse_duration_text(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value) if abs(value) <= _LONGEST else _LONGEST + 1
        else:
            raise Unusable
        if not seconds >= 0:
            raise Unusable("time does not run backwards")
        if seconds > _LONGEST:
            raise Unusable("it must be shorter than ten years")
        return cls(seconds)


class Interval(Duration):
    """Seconds, more than 0."""

    expected: ClassVar[str] = 'a duration of more than 0, such as "250ms", "10s", "1h30m" or a number of seconds'

    @classmethod
    def parse(cls, value: object) -> Interval:
        """Read a duration and refuse 0."""
        seconds = super().parse(value)
        if not seconds:
            raise Unusable
        return cls(seconds)


class Size(int):
    """Bytes, at least 1 kB."""

    label: ClassVar[str] = "size"
    expected: ClassVar[str] = 'a size of at least 1 kB, such as "64KiB", "10MB" or a number of bytes'

    @classmethod
    def parse(cls, value: object) -> Size:
        """Read ``"64KiB"``, ``"10MB"`` or a number of bytes."""
        if isinstance(value, str):
            count = _parse_size_text(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            count = value
        else:
            raise Unusable
        if not 1000 <= count < 2**63:
            raise Unusable
        return cls(count)


class SignalName(str):
    """The name of a signal that this machine has."""

    __slots__ = ()
    label: ClassVar[str] = "signal"
    expected: ClassVar[str] = 'the name of a signal, such as "SIGTERM"'

    @classmethod
    def parse(cls, value: object) -> SignalName:
        """Read ``"SIGTERM"``. Neither ``"TERM"`` nor ``15``: one spelling for one thing."""
        if isinstance(value, str):
            if value in Signals.__members__:
                return cls(value)
            raise Unusable(did_you_mean("SIG" + value.upper().removeprefix("SIG"), Signals.__members__))
        if isinstance(value, int) and (name := _SIGNAL_NAMES.get(value)):
            raise Unusable(f'write its name: "{name}"')
        raise Unusable


class Pattern(str):
    """A regular expression that compiles."""

    __slots__ = ()
    label: ClassVar[str] = "regular expression"
    expected: ClassVar[str] = "a regular expression of Python"

    @classmethod
    def parse(cls, value: object) -> Pattern:
        """Refuse what ``re`` cannot compile, with its reason as the hint."""
        if not isinstance(value, str) or not value:
            raise Unusable
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise Unusable(f"{error}; in '...' quotes a backslash needs no second one") from None
        return cls(value)


class AccountName(str):
    """The name of a user or of a group, or its number."""

    __slots__ = ()
    label: ClassVar[str] = "name or number"
    expected: ClassVar[str] = 'a name or a number in quotes, such as "postgres" or "1000"'

    @classmethod
    def parse(cls, value: object) -> AccountName:
        """Read ``"postgres"`` or ``"1000"``. 4294967295 is nobody's number: system calls take it for "no change"."""
        if isinstance(value, int) and not isinstance(value, bool):
            raise Unusable(f'write it in quotes: "{value}"')
        if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
            raise Unusable
        if value.isascii() and value.isdecimal() and int(value) > _HIGHEST_ID:
            raise Unusable(f"the highest number is {_HIGHEST_ID}")
        return cls(value)


class Limit:
    """A limit of a resource: one value, or a soft and a hard one. The base of those of the several units of measure."""

    __slots__ = ("hard", "soft")
    label: ClassVar[str]
    expected: ClassVar[str]

    def __init__(self, soft: int | None, hard: int | None) -> None:
        self.soft = soft
        """None: not said. ``UNLIMITED``: no limit."""
        self.hard = hard

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read one value for both, or a table of ``soft`` and ``hard``."""
        if not isinstance(value, dict):
            both = cls._read(value)
            return cls(both, both)
        for key in value:
            if key not in ("soft", "hard"):
                raise Unusable(did_you_mean(key, ("soft", "hard")) or 'the table has the keys "soft" and "hard"')
        if not value:
            raise Unusable('the table has the keys "soft" and "hard"')
        return cls(*(cls._read(value[key]) if key in value else None for key in ("soft", "hard")))

    @classmethod
    def _read(cls, value: object) -> int:
        if value == "unlimited":
            return UNLIMITED
        number = cls.measure(value)
        if not 0 <= number < 2**63:
            raise Unusable
        return number

    @classmethod
    def measure(cls, value: object) -> int:
        """One value in the kernel's own measure."""
        raise NotImplementedError


class CountLimit(Limit):
    """So many of something."""

    __slots__ = ()
    label: ClassVar[str] = 'integer, `"unlimited"` or `{soft, hard}`'
    expected: ClassVar[str] = 'an integer of at least 0, "unlimited" or a table of "soft" and "hard"'

    @classmethod
    def measure(cls, value: object) -> int:
        """A number."""
        if isinstance(value, str) and value.isdecimal():
            raise Unusable(f"write {value} without quotes")
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unusable
        return value


class SizeLimit(Limit):
    """So many bytes."""

    __slots__ = ()
    label: ClassVar[str] = 'size, `"unlimited"` or `{soft, hard}`'
    expected: ClassVar[str] = 'a size such as "64KiB" or 0, "unlimited" or a table of "soft" and "hard"'

    @classmethod
    def measure(cls, value: object) -> int:
        """A size, in bytes."""
        return _parse_size_text(value) if isinstance(value, str) else CountLimit.measure(value)


class TimeLimit(Limit):
    """So much time."""

    __slots__ = ()
    label: ClassVar[str] = 'duration, `"unlimited"` or `{soft, hard}`'
    expected: ClassVar[str] = 'a duration of whole seconds, "unlimited" or a table of "soft" and "hard"'
    parts: ClassVar[int] = 1
    """How many of the kernel's measure a second has."""

    @classmethod
    def measure(cls, value: object) -> int:
        """A duration, in seconds or a part of them. The kernel takes none for the shortest."""
        time = Duration.parse(value) * cls.parts
        if not time or round(time, 3) != round(time):
            raise Unusable
        return round(time)


class ShortTimeLimit(TimeLimit):
    """So much time, in microseconds."""

    __slots__ = ()
    expected: ClassVar[str] = 'a duration of whole microseconds, "unlimited" or a table of "soft" and "hard"'
    parts: ClassVar[int] = 1_000_000


Special = Duration | Size | SignalName | Pattern | AccountName | Limit


def parse(kind: type[Special], value: object) -> Special:
    """The ``dec_hook`` of ``msgspec.convert``: make a value of one of the types above."""
    return kind.parse(value)


def check_url(text: str) -> None:
    """Refuse what is no ``http://`` or ``https://`` address with a host and a possible port."""
    match = _URL.fullmatch(text)
    if not match or (match[1] and not 0 < int(match[1]) < 65536):
        raise Unusable("such as http://localhost:8080/health")


def check_host_port(text: str) -> None:
    """Refuse what is not ``host:port``. An IPv6 address stands in brackets."""
    match = _HOST_PORT.fullmatch(text)
    if not match or not 0 < int(match[1]) < 65536:
        raise Unusable('such as "localhost:5432" or "[::1]:5432"')


def check_socket_path(text: str) -> None:
    """Refuse a path that the kernel has no room for."""
    if not text or len(text.encode(errors="surrogateescape")) > _LONGEST_SOCKET_PATH:
        raise Unusable(f"a socket's path has at most {_LONGEST_SOCKET_PATH} bytes")


def check_path(text: str) -> None:
    """Refuse an empty path."""
    if not text:
        raise Unusable


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known words, or the empty string where none is near."""
    near = nearest(wrong, known)
    return f'did you mean "{near}"?' if near else ""


def quote(value: object) -> str:
    """A value as one would write it in TOML, on one line and not too long."""
    text = _write(value, 3)
    return text if len(text) <= 60 else text[:57] + "..."


def _write(value: object, depth: int) -> str:
    if isinstance(value, str):
        return json.encode(_NO_TEXT.sub("\ufffd", value[:80])).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_write(item, depth - 1) for item in value[:30])}]" if depth else "[...]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {_write(item, depth - 1)}" for key, item in value.items()) if depth else "..."
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return hex(value)
    return repr(value)


def _parse_duration_text(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match and text:
        return sum(float(number) * unit for number, unit in zip(match.groups(), _SECONDS, strict=True) if number)
    if text.isdecimal():
        raise Unusable(f'write "{text}s", or {text} without quotes')
    raise Unusable("the units are h, m, s and ms, in this order and without spaces")


def _parse_size_text(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match:
        return int(min(float(match[1]) * _BYTES[match[2]], 2.0**63))
    if text.isdecimal():
        raise Unusable(f"write {text} without quotes for bytes")
    raise Unusable("the units are B, kB, MB, GB, KiB, MiB and GiB")
