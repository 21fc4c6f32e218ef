from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor

from runner.rpc import messages
from runner.rpc.proto import BOOL, Message

from .oracle import ORACLE


def test_all_messages_have_the_numbers_and_kinds_of_the_service() -> None:
    ours = {name: kind for name, kind in vars(messages).items() if isinstance(kind, type) and issubclass(kind, Message)}
    assert ours.keys() - {"Message"} == ORACLE.keys()
    for name, other in ORACLE.items():
        expected = {field.number: (field.name, field.type) for field in other.DESCRIPTOR.fields}
        assert {number: (field, kind_of(kind)) for number, (field, kind) in ours[name].FIELDS.items()} == expected
        names = tuple(field for field, _ in ours[name].FIELDS.values())
        assert names == ours[name].NAMES


def kind_of(kind: object) -> int:
    if isinstance(kind, str):
        return FieldDescriptor.TYPE_BOOL if kind == BOOL else FieldDescriptor.TYPE_STRING
    return FieldDescriptor.TYPE_MESSAGE
