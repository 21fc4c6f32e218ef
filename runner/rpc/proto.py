"""Messages as bytes and back: as much of proto3 as the sync service needs, which is strings, booleans and lists of messages.

Fields are written in the order of their numbers, and those that hold their default are not. When read, the last of several
wins, a field that is not known or has another wire type is passed over, and what cannot be read is an error with the text
that Go's library has for it, for that text is what the reference answers.
"""

from __future__ import annotations

from .record import Record
from .varint import append_varint, parse_varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import ClassVar, TypeAlias, TypeVar

    M = TypeVar("M", bound="Message")

STRING = "string"
BOOL = "bool"
FieldKind: TypeAlias = "str | type[Message]"
"""``STRING``, ``BOOL``, or the class of the messages in a list."""

MALFORMED = "proto: cannot parse invalid wire-format data"
INVALID_TEXT = "string field contains invalid UTF-8"
ANY_NUMBER = 2**31
"""As many fields as a message can have."""

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_WIRE_TYPES: dict[FieldKind, int] = {BOOL: _VARINT}
"""Of the kinds that are not written as bytes with a length."""
_LARGEST_FIELD = 2**29 - 1
_DEEPEST_GROUP = 10_000


class ProtoError(Exception):
    """A message cannot be read or written. Its text is what the reference answers."""


class Message(Record):
    """A proto3 message. Its class says in ``FIELDS`` what stands where; its attributes are the values, with proto3's defaults."""

    FIELDS: ClassVar[dict[int, tuple[str, FieldKind]]] = {}
    """For each number in order, the name and the kind of the field."""

    def __bytes__(self) -> bytes:
        """The message on the wire. Raises :class:`ProtoError` for text that is no UTF-8."""
        buffer = bytearray()
        for number, (name, kind) in self.FIELDS.items():
            _append_field(buffer, number, kind, getattr(self, name))
        return bytes(buffer)


def parse_message(message: type[M], data: bytes, *, most_fields: int = ANY_NUMBER) -> M:
    """The message of a class that some bytes are. Raises :class:`ProtoError`, also where they are more fields than may be."""
    return _parse_message(message, data, iter(range(most_fields)))


def _parse_message(message: type[M], data: bytes, budget: Iterator[int]) -> M:
    """``budget`` has an item for each field that may still come."""
    values: dict[str, object] = {}
    lists: dict[str, list[Message]] = {}
    at = 0
    while at < len(data):
        number, wire_type, at = _parse_tag(data, at, budget)
        name, kind = message.FIELDS.get(number, ("", None))
        if kind is None or wire_type != _WIRE_TYPES.get(kind, _BYTES):
            at = _skip_field(data, at, number, wire_type, budget)
        elif kind == BOOL:
            flag, at = _parse_number(data, at)
            values[name] = flag != 0
        else:
            start, at = _parse_length(data, at)
            if isinstance(kind, str):
                values[name] = _parse_text(data[start:at])
            else:
                lists.setdefault(name, []).append(_parse_message(kind, data[start:at], budget))
    return message(**values, **{name: tuple(items) for name, items in lists.items()})


def _append_field(buffer: bytearray, number: int, kind: FieldKind, value: object) -> None:
    if kind == BOOL:
        if value:
            buffer += bytes((number << 3 | _VARINT, 1))
    elif isinstance(value, str):
        if value:
            _append_bytes(buffer, number, _text_bytes(value))
    else:
        assert isinstance(value, tuple)
        for item in value:
            _append_bytes(buffer, number, bytes(item))


def _append_bytes(buffer: bytearray, number: int, data: bytes) -> None:
    append_varint(buffer, number << 3 | _BYTES)
    append_varint(buffer, len(data))
    buffer += data


def _text_bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # an argument of the command line that is no UTF-8
        raise ProtoError(INVALID_TEXT) from None


def _parse_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ProtoError(INVALID_TEXT) from None


def _parse_number(data: bytes, at: int) -> tuple[int, int]:
    try:
        parsed = parse_varint(data, at)
    except ValueError:
        parsed = None
    if parsed is None:
        raise ProtoError(MALFORMED)
    return parsed


def _parse_tag(data: bytes, at: int, budget: Iterator[int]) -> tuple[int, int, int]:
    """The number and the wire type of the field at an offset, and the offset of its value."""
    tag, at = _parse_number(data, at)
    if not 1 <= tag >> 3 <= _LARGEST_FIELD or next(budget, None) is None:
        raise ProtoError(MALFORMED)
    return tag >> 3, tag & 7, at


def _parse_length(data: bytes, at: int) -> tuple[int, int]:
    """Where the bytes of a field begin and end whose length stands at an offset."""
    length, start = _parse_number(data, at)
    return start, _within(data, start + length)


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise ProtoError(MALFORMED)
    return end


def _skip_field(data: bytes, at: int, number: int, wire_type: int, budget: Iterator[int]) -> int:
    """The offset behind the value at an offset, which may be a group with fields and groups inside."""
    groups: list[int] = []
    while True:
        if wire_type == _VARINT:
            _, at = _parse_number(data, at)
        elif wire_type in _FIXED_SIZES:
            at = _within(data, at + _FIXED_SIZES[wire_type])
        elif wire_type == _BYTES:
            _, at = _parse_length(data, at)
        elif wire_type == _GROUP and len(groups) < _DEEPEST_GROUP:
            groups.append(number)
        elif wire_type != _END_GROUP or not groups or groups.pop() != number:
            raise ProtoError(MALFORMED)
        if not groups:
            return at
        number, wire_type, at = _parse_tag(data, at, budget)
