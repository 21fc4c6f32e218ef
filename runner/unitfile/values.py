"""What single values mean: durations, sizes, signals, patterns, addresses.

Pure: text in, values out. Each type is one that ``msgspec.convert`` hands to :func:`parse`; what it cannot use, it refuses with
:class:`Unusable`, which may carry a hint. The sentence "it must be ..." stands once, as the type's ``expected``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from signal import Signals
from typing import ClassVar, Final

from msgspec import json

from ..core.near import nearest

_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
_DURATION: Final = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?")
_SECONDS: Final = (3600.0, 60.0, 1.0, 0.001)
_LONGEST: Final = 10 * 366 * 86400.0
_SIZE: Final = re.compile(rf"{_NUMBER}(B|[kK]B|MB|GB|KiB|MiB|GiB)")
_BYTES: Final = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_URL: Final = re.compile(r"https?://(?:[^/?#\s@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?:[/?#]\S*)?")
_HOST_PORT: Final = re.compile(r"(?:[^/?#\s@:\[\]]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LONGEST_SOCKET_PATH: Final = 107
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


Special = Duration | Size | SignalName | Pattern


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
