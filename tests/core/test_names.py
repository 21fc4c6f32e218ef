from __future__ import annotations

from runner.core.names import all_groups, nearest_name, prefix_of, select

UNITS = ["app/api", "app/web/page", "db"]


def test_a_unit_is_itself_and_a_group_all_of_its_members() -> None:
    assert select(UNITS, "db") == ["db"]
    assert select(UNITS, "app") == ["app/api", "app/web/page"]
    assert select(UNITS, "app/w") == []


def test_a_pattern_stands_for_all_instances() -> None:
    units = ["net/port@1", "net/port@2", "net/portal", "port@1"]
    assert select(units, "net/port@*") == ["net/port@1", "net/port@2"]
    assert select(units, "port@*") == ["port@1"]
    assert (prefix_of("net"), prefix_of("net/port@*"), prefix_of("*")) == ("net/", "net/port@", "*/")


def test_groups_are_told_from_the_outermost() -> None:
    assert all_groups(UNITS) == ["app", "app/web"]


def test_what_was_probably_meant() -> None:
    assert nearest_name("ap", UNITS) == "app"
    assert nearest_name("app/apy", UNITS) == "app/api"
    assert nearest_name("xyz", UNITS) is None


def test_a_group_may_have_been_left_out() -> None:
    assert nearest_name("pages", UNITS) == "app/web/page"
    assert nearest_name("page", [*UNITS, "other/long/page"]) == "app/web/page"
