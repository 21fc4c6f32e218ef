from __future__ import annotations

from runner.core.names import all_groups, hint_for, prefix_of, select

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
    assert hint_for("ap", UNITS, "see all") == 'did you mean "app"?'
    assert hint_for("app/apy", UNITS, "see all") == 'did you mean "app/api"?'
    assert hint_for("xyz", UNITS, "see all") == "see all"


def test_a_group_may_have_been_left_out() -> None:
    assert hint_for("pages", UNITS, "") == 'did you mean "app/web/page"?'
    assert hint_for("page", [*UNITS, "other/long/page"], "") == 'did you mean "app/web/page"?'
