"""The messages of the sync service as Google's protobuf knows them, written down a second time."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

PACKAGE = "coder.agentsocket.v1"
SCHEMA = {
    "Empty": "",
    "UnitRequest": "unit",
    "SyncWantRequest": "unit depends_on",
    "SyncReadyResponse": "ready?",
    "DependencyInfo": "unit depends_on required_status current_status is_satisfied?",
    "SyncStatusResponse": "status is_ready? dependencies=DependencyInfo",
    "UnitInfo": "unit status is_ready?",
    "SyncListResponse": "units=UnitInfo",
    "UpdateAppStatusRequest": "slug state message uri",
    "SyncFailRequest": "unit reason",
}
"""Each message with its fields, numbered from 1: ``name`` is a string, ``name?`` a bool, ``name=Message`` a list of those."""


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="agentsocket.proto", package=PACKAGE, syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for number, text in enumerate(fields.split(), 1):
            field_name, _, items = text.partition("=")
            field = message.field.add(name=field_name.rstrip("?"), number=number, label=kinds.LABEL_OPTIONAL)
            field.type = kinds.TYPE_BOOL if text.endswith("?") else kinds.TYPE_STRING
            if items:
                field.type, field.label, field.type_name = kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED, f".{PACKAGE}.{items}"
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_describe())

ORACLE: dict[str, type[Message]] = {
    name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in SCHEMA
}
