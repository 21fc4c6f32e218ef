from __future__ import annotations

import pytest

from runner.core.unit import UNLIMITED, Command, Conditions, Unit, is_above, say_limit


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (Command(argv=("git", "clone", "x")), "git clone x"),
        (Command(shell="make && make install"), "make && make install"),
        (Command(script="#!/bin/sh\n\necho one\necho two\n"), "echo one"),
        (Command(script="# nothing\n"), "script"),
    ],
)
def test_a_command_is_said_in_one_line(command: Command, said: str) -> None:
    assert str(command) == said


@pytest.mark.parametrize(("name", "group"), [("a", ""), ("g/a", "g"), ("g/h/a", "g/h")])
def test_a_unit_knows_its_innermost_group(name: str, group: str) -> None:
    assert Unit(name=name, kind="target").group == group


def test_units_compare_by_content() -> None:
    assert Unit(name="a", kind="target") == Unit(name="a", kind="target")
    assert Unit(name="a", kind="target") != Unit(name="a", kind="target", optional=True)


def test_a_unit_knows_what_says_whether_it_need_run() -> None:
    assert Unit(name="a", kind="target").checks == ()
    everything = Unit(name="a", kind="oneshot", conditions=Conditions(), creates=("/a",), inputs=("/b",), once="boot")
    assert everything.checks == ("if", "creates", "inputs", "once")


def test_no_limit_is_above_every_other() -> None:
    assert is_above(2, 1)
    assert is_above(UNLIMITED, 1)
    assert not is_above(1, 1)
    assert not is_above(1, 2)
    assert not is_above(1, UNLIMITED)
    assert not is_above(UNLIMITED, UNLIMITED)
    assert (say_limit(7), say_limit(UNLIMITED)) == ("7", "unlimited")
