from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as GoogleMessage
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.rpc import messages
from runner.rpc.messages import (
    DependencyInfo,
    Empty,
    SyncListResponse,
    SyncReadyResponse,
    SyncStatusResponse,
    SyncWantRequest,
    UnitInfo,
    UnitRequest,
)
from runner.rpc.proto import BOOL, INVALID_TEXT, MALFORMED, STRING, Message, ProtoError, parse_message

from .oracle import ORACLE

GROUP = 3
"""The wire type of what is no longer written."""
KINDS: dict[str, type[Message]] = {name: getattr(messages, name) for name in ORACLE}


def values_of(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any message of a class."""
    fields: dict[str, st.SearchStrategy[object]] = {}
    for name, field in kind.FIELDS.values():
        if isinstance(field, str):
            fields[name] = st.booleans() if field == BOOL else st.text(max_size=200)
        else:
            fields[name] = st.lists(values_of(field), max_size=3).map(tuple)
    return st.builds(kind, **fields)


MESSAGES = st.sampled_from(list(KINDS.values())).flatmap(values_of)


def to_google(message: Message) -> GoogleMessage:
    """The same message of Google's."""
    other = ORACLE[type(message).__name__]()
    for name, field in message.FIELDS.values():
        if isinstance(field, str):
            setattr(other, name, getattr(message, name))
        else:
            getattr(other, name).extend(map(to_google, getattr(message, name)))
    return other


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """Bytes that are nearly a message: fields of any number and wire type, some with bytes lost or changed."""
    data = bytearray()
    for _ in range(draw(st.integers(0, 5))):
        number, wire_type = draw(st.integers(1, 7)), draw(st.sampled_from([0, 0, 1, 2, 2, 2, 3, 4, 5, 6]))
        data.append(number << 3 | wire_type)
        content = draw(st.binary(max_size=12) | st.text(max_size=4).map(str.encode))
        data += {0: b"\x01", 1: bytes(8), 2: bytes([len(content)]) + content, 5: bytes(4)}.get(wire_type, b"")
    if data and draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


@given(message=MESSAGES)
def test_a_message_is_written_as_google_writes_it(message: Message) -> None:
    assert bytes(message) == to_google(message).SerializeToString(deterministic=True)


@given(message=MESSAGES)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert parse_message(type(message), bytes(message)) == message


@given(kind=st.sampled_from(sorted(KINDS)), data=st.binary(max_size=30) | wires())
def test_any_bytes_are_read_as_google_reads_them_or_refused_as_google_does(kind: str, data: bytes) -> None:
    try:
        expected = ORACLE[kind].FromString(data)
    except DecodeError:
        with pytest.raises(ProtoError):
            parse_message(KINDS[kind], data)
    else:
        assume(not has_field_0(expected))
        expected.DiscardUnknownFields()
        assert to_google(parse_message(KINDS[kind], data)) == expected


def has_field_0(message: GoogleMessage) -> bool:
    """Whether something in a message has the number that no field can have: Go refuses it, this library of Google's does not."""
    items = (item for _, value in message.ListFields() if not isinstance(value, str | bool) for item in value)
    return unknown_has_field_0(UnknownFieldSet(message)) or any(map(has_field_0, items))


def unknown_has_field_0(unknown: UnknownFieldSet) -> bool:
    fields = [unknown[place] for place in range(len(unknown))]
    groups = [field.data for field in fields if field.wire_type == GROUP]
    return any(field.field_number == 0 for field in fields) or any(map(unknown_has_field_0, groups))


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (Empty(), ""),
        (SyncWantRequest("foo", "bar"), "0a03666f6f1203626172"),
        (SyncReadyResponse(ready=True), "0801"),
        (SyncReadyResponse(ready=False), ""),
        (SyncStatusResponse("", is_ready=True), "1001"),
        (SyncListResponse((UnitInfo(), UnitInfo("b", "started", is_ready=True))), "0a000a0e0a0162120773746172746564" + "1801"),
        (SyncStatusResponse(dependencies=(DependencyInfo("a", "b"),)), "1a060a0161120162"),
        (UnitRequest("x" * 128), "0a8001" + "78" * 128),
    ],
)
def test_messages_and_their_bytes(message: Message, data: str) -> None:
    assert bytes(message).hex() == data
    assert parse_message(type(message), bytes.fromhex(data)) == message


@pytest.mark.parametrize(
    "data",
    [
        "5001",  # a varint
        "51" + "00" * 8,  # 64 bits
        "55" + "00" * 4,  # 32 bits
        "5203616263",  # bytes
        "53" + "0801" + "5b" + "5c" + "54",  # a group with a field and a group in it
        "0801",  # our own field, of another wire type
        "0d00000000",
        "52" + "00" + "0a0161" + "0a00",  # one that was given before
    ],
)
def test_what_is_not_known_is_passed_over(data: str) -> None:
    assert parse_message(UnitRequest, bytes.fromhex(data + "0a0162" + data)).unit in ("b", "")
    assert parse_message(UnitRequest, bytes.fromhex(data + "0a0162")) == UnitRequest("b")


def test_the_last_of_several_wins() -> None:
    assert parse_message(UnitRequest, bytes.fromhex("0a01610a0162")) == UnitRequest("b")
    assert parse_message(SyncReadyResponse, bytes.fromhex("08010800")) == SyncReadyResponse(ready=False)


@pytest.mark.parametrize("data", ["08ffffffffffffffffff01", "0880808080808080808001", "088100"])
def test_any_number_but_0_is_true(data: str) -> None:
    assert parse_message(SyncReadyResponse, bytes.fromhex(data)).ready


@pytest.mark.parametrize(
    "data",
    [
        "0a056162",  # shorter than it says
        "0a",
        "0a80",
        "80",
        "08",
        "00",  # field 0
        "8080808010" + "00",  # field 2**29
        "5500",
        "51" + "00" * 7,
        "56",  # wire types that do not exist
        "57",
        "54",  # a group that ends without having begun
        "53",  # one that does not end
        "535c",  # one that ends as another
        "53560054",
        "53" * 10_001 + "54" * 10_001,
        "08" + "80" * 10 + "01",
    ],
)
def test_what_cannot_be_read_is_refused_in_the_words_of_the_reference(data: str) -> None:
    with pytest.raises(ProtoError) as error:
        parse_message(SyncReadyResponse if data.startswith("08") else UnitRequest, bytes.fromhex(data))
    assert str(error.value) == MALFORMED == "proto: cannot parse invalid wire-format data"


def test_groups_may_be_deep() -> None:
    assert parse_message(UnitRequest, bytes.fromhex("53" * 10_000 + "54" * 10_000)) == UnitRequest()


@pytest.mark.parametrize("text", ["ff", "c3", "eda080", "c080", "f4908080"])
def test_text_is_utf_8_or_refused(text: str) -> None:
    data = bytes.fromhex(text)
    with pytest.raises(ProtoError) as error:
        parse_message(UnitRequest, b"\x0a" + bytes([len(data)]) + data)
    assert str(error.value) == INVALID_TEXT == "string field contains invalid UTF-8"
    with pytest.raises(ProtoError, match=INVALID_TEXT):
        bytes(UnitRequest(data.decode(errors="surrogateescape")))


def test_a_message_tells_what_is_its_own() -> None:
    class Mine(Message):
        FIELDS = {1: ("name", STRING)}
        name: str = ""

    assert repr(Mine("a")) == "Mine(name='a')"
    assert bytes(Mine("a")).hex() == "0a0161"


@pytest.mark.parametrize(
    ("data", "fields"),
    [("5001" * 7 + "0a0162", 8), ("53" + "0801" * 5 + "54", 7), ("0a0161" * 9, 9), ("", 0)],
    ids=["unknown", "in a group", "known", "none"],
)
def test_fields_are_counted_where_there_may_be_only_so_many(data: str, fields: int) -> None:
    message = bytes.fromhex(data)
    assert parse_message(UnitRequest, message, most_fields=fields) == parse_message(UnitRequest, message)
    if fields:
        with pytest.raises(ProtoError, match=MALFORMED):
            parse_message(UnitRequest, message, most_fields=fields - 1)


def test_fields_of_inner_messages_count() -> None:
    message = bytes(SyncListResponse((UnitInfo("a", "b"), UnitInfo("c", "d"))))
    assert parse_message(SyncListResponse, message, most_fields=6).units
    with pytest.raises(ProtoError, match=MALFORMED):
        parse_message(SyncListResponse, message, most_fields=5)
