from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import FieldInfo, fields

from runner.core import unit as meaning
from runner.unitfile import keys
from runner.unitfile.describe import branches, label
from runner.unitfile.keys import KINDS, UnitFile
from runner.unitfile.table import Table

TABLES = [value for value in vars(keys).values() if isinstance(value, type) and issubclass(value, Table) and value is not Table]
FIELDS = [(table, field) for table in TABLES for field in fields(table)]


def default_of(field: FieldInfo) -> Any:
    return (
        field.default if field.default is not NODEFAULT else field.default_factory() if callable(field.default_factory) else None
    )


@pytest.mark.parametrize(
    ("table", "field"), FIELDS, ids=lambda value: getattr(value, "encode_name", getattr(value, "__name__", ""))
)
def test_every_key_says_what_it_means(table: type[Table], field: FieldInfo) -> None:
    (description,) = [part.description for part in field.type.__metadata__ if isinstance(part, Meta) and part.description]
    assert description.endswith(".")
    assert label(field.type)
    assert table.__doc__


@pytest.mark.parametrize(
    ("table", "struct", "required"),
    [
        (keys.RetryTable, meaning.Retry, {}),
        (keys.RestartTable, meaning.Restart, {"when": "never"}),
        (keys.StopTable, meaning.Stop, {}),
        (keys.ReloadTable, meaning.Reload, {}),
        (keys.LogTable, meaning.Log, {}),
        (keys.HealthTable, meaning.Health, {"probe": meaning.Probe(by="tcp")}),
        (keys.ReadyTable, meaning.Ready, {}),
    ],
)
def test_defaults_are_those_of_the_unit(table: type[Table], struct: type[Struct], required: dict[str, Any]) -> None:
    value = struct(**required)
    written = {field.name: default_of(field) for field in fields(table) if not field.required}
    shared = {name: default for name, default in written.items() if hasattr(value, name)}
    assert shared
    assert {name: default or "" for name, default in shared.items()} == {name: getattr(value, name) or "" for name in shared}


def test_the_interval_of_a_ready_probe_is_that_of_probes() -> None:
    assert keys.ReadyTable().interval == meaning.Probe(by="tcp").interval


def test_every_field_of_a_unit_has_its_key() -> None:
    made_of_others = {"name", "kind", "user_group"}
    assert {field.name for field in fields(meaning.Unit)} - made_of_others <= {field.name for field in fields(UnitFile)}


def test_kinds_are_told_of_keys_that_there_are() -> None:
    assert set(KINDS) <= set(UnitFile.__struct_encode_fields__)


def parts_of(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from parts_of(part)


def test_no_pattern_shares_a_union_with_a_list() -> None:
    """``msgspec`` frees such a pattern as what it is not, and then the interpreter crashes when it ends."""
    for _, field in FIELDS:
        for annotation in parts_of(field.type):
            together = branches(annotation)
            if any(branch.origin in (list, dict) for branch in together):
                assert not any(meta.pattern for branch in together for meta in branch.meta)
