from __future__ import annotations

from typing import Any, ClassVar

import pytest

from runner.rpc.record import Record


class Point(Record):
    LIMIT: ClassVar[int] = 3
    x: int
    y: int = 0


class Point3(Point):
    z: int = 5


class Other(Record):
    x: int
    y: int = 0


def test_fields_are_given_by_place_or_by_name_and_have_defaults() -> None:
    assert Point(1, 2) == Point(1, y=2) == Point(y=2, x=1)
    assert Point(1).y == 0
    assert (Point3(1).x, Point3(1).z, Point3(1, 2, 3).z) == (1, 5, 3)
    assert Point.NAMES == ("x", "y")
    assert Point3.NAMES == ("x", "y", "z")


def test_values_are_equal_where_class_and_fields_are() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Other(1, 2)
    assert len({Point(1, 2), Point(1, 2), Point(1, 3), Other(1, 2)}) == 3


def test_fields_are_matched_by_place() -> None:
    match Point3(1, 2, 3):
        case Point3(x, _, z):
            assert (x, z) == (1, 3)


def test_a_value_says_what_it_is() -> None:
    assert repr(Point(1, 2)) == "Point(x=1, y=2)"


def test_no_field_is_set_anew() -> None:
    point: Any = Point(1)
    with pytest.raises(AttributeError, match="Point is frozen"):
        point.x = 2
    assert point.x == 1


@pytest.mark.parametrize(("values", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"q": 1}), ((), {"y": 1})])
def test_fields_that_lack_or_do_not_exist_are_no_value(values: tuple[int, ...], named: dict[str, int]) -> None:
    point: Any = Point
    with pytest.raises(TypeError, match="Point has the fields x, y"):
        point(*values, **named)
