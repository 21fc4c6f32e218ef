from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from runner.unitfile.describe import Branch, branches, expected, join_words, label
from runner.unitfile.keys import AfterTable, Name, Natural, Text
from runner.unitfile.values import Duration


@pytest.mark.parametrize(
    ("annotation", "sentence", "column"),
    [
        (str, "a string", "string"),
        (bool, "true or false", "boolean"),
        (int, "an integer", "integer"),
        (float | None, "a number", "number"),
        (Annotated[int, Meta(ge=1)], "an integer of at least 1", "integer of at least 1"),
        (Annotated[float, Meta(description="x"), Meta(ge=0, le=1)] | None, "a number from 0 to 1", "number from 0 to 1"),
        (Literal["a", "b"], '"a" or "b"', '`"a"` or `"b"`'),
        (list[str], "a list of strings", "list of strings"),
        (list[Name | AfterTable], "a list of names or tables", "list of names or tables"),
        (list[Natural], "a list of integers from 1 to 1000000", "list of integers from 1 to 1000000"),
        (dict[str, str], "a table of strings", "table of strings"),
        (AfterTable | None, "a table", "table"),
        (Duration, Duration.expected, "duration"),
        (
            Text | list[str] | bool,
            "a string that is not empty, a list of strings or true or false",
            "string, list of strings or boolean",
        ),
        (Annotated[Text | int, Meta(description="x")], "a string that is not empty or an integer", "string or integer"),
        (Name, 'a name of letters, digits and ._@:- (such as "editor/server")', "name"),
    ],
)
def test_types_in_words(annotation: Any, sentence: str, column: str) -> None:
    assert expected(annotation) == sentence
    assert label(annotation) == column


def test_branches() -> None:
    natural = Meta(ge=1, le=1_000_000)
    assert branches(Annotated[Natural | AfterTable | None, Meta(description="x")]) == [
        Branch(int, (natural,)),
        Branch(AfterTable),
    ]
    text, table, names = branches(str | AfterTable | list[Name])
    assert (text.is_table, table.is_table, names.is_table) == (False, True, False)
    assert (text.origin, table.origin, names.origin) == (str, AfterTable, list)
    assert names.item == Name
    assert text.whole is str
    assert branches(Natural)[0].whole == Natural


def test_joined_words() -> None:
    assert [join_words(list("abc")[:count]) for count in (1, 2, 3)] == ["a", "a or b", "a, b or c"]
