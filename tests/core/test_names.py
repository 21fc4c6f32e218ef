from __future__ import annotations

from runner.core.names import groups_of, nearest_name, select

UNITS = ["app/api", "app/web/page", "db"]


def test_a_unit_is_itself_and_a_group_all_of_its_members() -> None:
    assert select(UNITS, "db") == ["db"]
    assert select(UNITS, "app") == ["app/api", "app/web/page"]
    assert select(UNITS, "app/w") == []


def test_groups_are_told_from_the_outermost() -> None:
    assert groups_of(UNITS) == ["app", "app/web"]


def test_what_was_probably_meant() -> None:
    assert nearest_name("ap", UNITS) == "app"
    assert nearest_name("app/apy", UNITS) == "app/api"
    assert nearest_name("xyz", UNITS) is None


def test_a_group_may_have_been_left_out() -> None:
    assert nearest_name("pages", UNITS) == "app/web/page"
    assert nearest_name("page", [*UNITS, "other/long/page"]) == "app/web/page"
