from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.freshness import (
    BY_HAND,
    NEEDED,
    Content,
    Found,
    Judgement,
    Made,
    Memory,
    could_be_fresh,
    foresee,
    judge,
    keepable,
)
from runner.core.graph import link
from runner.core.mask import Secrets
from runner.core.unit import Conditions, Dependency, Unit

from .world import make_unit

ONE = Content("1")
TWO = Content("2")
GONE = Content("")


def made(command: str = "c", env: str = "e", **inputs: Content) -> Made:
    return Made(command, env, inputs)


def made_from(inputs: dict[str, Content]) -> Made:
    return Made("c", "e", inputs)


def found(*there: str, **fields: Any) -> Found:
    given: dict[str, Any] = {
        "there": frozenset(there),
        "os": "linux",
        "arch": "x86_64",
        "user": "ann",
        "boot": "b",
        "system": "s",
    }
    return Found(**{**given, **fields})


def remembered(made: Made | None = None, **fields: Any) -> Memory:
    return Memory(**{"made": made or Made("c", "e"), "boot": "b", "system": "s", **fields})


# ---------------------------------------------------------------- conditions


def conditioned(**conditions: Any) -> Unit:
    return make_unit("a", conditions=Conditions(**conditions))


@pytest.mark.parametrize(
    ("conditions", "reason", "runs_if"),
    [
        ({"exists": ("/a", "/there")}, '"/a" is not there', '"/a" is there'),
        ({"missing": ("/a", "/there")}, '"/there" is there', '"/there" is not there'),
        ({"env": {"A": "x"}}, 'A is "1", not "x"', 'A is "x"'),
        ({"env": {"A": "!1"}}, 'A is "1"', 'A is not "1"'),
        ({"env": {"A": False}}, "A is set", "A is not set"),
        ({"env": {"NO": True}}, "NO is not set", "NO is set"),
        ({"env": {"EMPTY": True}}, "EMPTY is empty", "EMPTY is set"),
        ({"env": {"NO": "x"}}, "NO is not set", 'NO is "x"'),
        ({"os": ("darwin",)}, "the system is linux, not darwin", "the system is darwin"),
        ({"arch": ("aarch64", "riscv64")}, "the machine is x86_64, not aarch64 or riscv64", "the machine is aarch64 or riscv64"),
        ({"user": ("!ann",)}, "the user is ann", "the user is not ann"),
        ({"exists": ("/a",), "os": ("darwin",)}, '"/a" is not there', '"/a" is there and the system is darwin'),
    ],
)
def test_a_condition_that_does_not_hold(conditions: dict[str, Any], reason: str, runs_if: str) -> None:
    told = judge(conditioned(**conditions), found("/there", environment={"A": "1", "EMPTY": ""}))
    assert told == Judgement("unneeded", reason, (runs_if,))


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"exists": ("/there",), "missing": ("/a",)},
        {"env": {"A": "1", "NO": False, "EMPTY": False, "B": "!x"}},
        {"env": {"A": True, "EMPTY": "", "NO": "!x"}},
        {"os": ("linux", "darwin"), "arch": ("!aarch64",), "user": ("bob", "ann")},
    ],
)
def test_conditions_that_hold(conditions: dict[str, Any]) -> None:
    told = judge(conditioned(**conditions), found("/there", environment={"A": "1", "EMPTY": "", "B": "y"}))
    assert told == NEEDED


def test_nobody_can_force_a_condition() -> None:
    assert judge(conditioned(os=("darwin",)), found(), is_forced=True).verdict == "unneeded"


def test_freshness_is_asked_only_where_the_conditions_hold() -> None:
    unit = make_unit("a", creates=("/there",), conditions=Conditions(exists=("/a",)))
    assert judge(unit, found("/there")).reason == '"/a" is not there'


# ---------------------------------------------------------------- up to date


@pytest.mark.parametrize(
    ("fields", "now", "reason", "runs_if"),
    [
        ({"creates": ("/a",)}, {}, '"/a" is there', '"/a" is not there'),
        ({"creates": ("/a", "/b")}, {}, '"/a" and "/b" are there', '"/a" or "/b" is not there'),
        ({"creates": ("/a", "/b", "/c")}, {}, '"/a" and 2 others are there', '"/a" or one of 2 others is not there'),
        ({"once": "boot"}, {}, "it has succeeded since the machine booted", "the machine boots"),
        (
            {"once": "workspace"},
            {"system": "new", "boot": "new"},
            "it has succeeded in this workspace",
            "the state directory is new",
        ),
    ],
)
def test_what_is_up_to_date(fields: dict[str, Any], now: dict[str, Any], reason: str, runs_if: str) -> None:
    told = judge(make_unit("a", **fields), found("/a", "/b", "/c", memory=remembered(), **now))
    assert told == Judgement("unneeded", reason, (runs_if, BY_HAND))


def test_inputs_that_are_as_they_were() -> None:
    same = made_from({"/x": ONE, "/y": Content("3", (1, 2))})
    told = judge(make_unit("a", inputs=("/*",)), found(memory=remembered(same), made=made_from({"/x": ONE, "/y": Content("3")})))
    assert told == Judgement(
        "unneeded",
        "2 inputs, its command and its environment are as at its last success",
        ('"/x" or "/y" changes', "its command or its environment changes", BY_HAND),
    )


def test_a_glob_that_stands_for_nothing() -> None:
    told = judge(make_unit("a", inputs=("/*.c", "/*.h")), found(memory=remembered(), made=made()))
    assert told.reason == 'no input is there ("/*.c" and "/*.h"), its command and its environment are as at its last success'
    assert told.runs_if[0] == "there is an input: /*.c, /*.h"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"/x": ONE, "/y": GONE, "/z": TWO}, '2 inputs ("/y" is not there)'),
        ({"/x": GONE, "/y": GONE, "/z": ONE}, '1 input ("/x" and "/y" are not there)'),
        ({"/x": GONE}, 'no input is there ("/x")'),
    ],
)
def test_inputs_that_are_not_there_are_told(inputs: dict[str, Content], said: str) -> None:
    told = judge(make_unit("a", inputs=("/*",)), found(memory=remembered(made_from(inputs)), made=made_from(inputs)))
    assert told.reason == f"{said}, its command and its environment are as at its last success"


def test_all_that_speaks_of_it_must_say_so() -> None:
    unit = make_unit("a", creates=("/a",), inputs=("/x",), once="boot")
    now: dict[str, Any] = {"memory": remembered(made_from({"/x": ONE})), "made": made_from({"/x": ONE})}
    fresh = judge(unit, found("/a", **now))
    assert fresh.verdict == "unneeded"
    assert fresh.reason.count(", and ") == 2
    assert judge(unit, found(**now)).reason == '"/a" is not there'
    assert judge(unit, found("/a", boot="later", **now)).reason == "it has not succeeded since the machine booted"
    assert judge(unit, found("/a", **{**now, "made": made_from({"/x": TWO})})).reason == '"/x" has changed'


def test_somebody_may_force_it() -> None:
    assert judge(make_unit("a", creates=("/a",)), found("/a"), is_forced=True) == NEEDED


def test_a_unit_of_which_nothing_is_said_is_needed() -> None:
    assert judge(make_unit("a"), found()) == NEEDED
    assert not could_be_fresh(make_unit("a"))
    assert could_be_fresh(make_unit("a", once="boot"))


# ---------------------------------------------------------------- not up to date


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (made(), made(command="other"), "its command has changed"),
        (made(), made(env="other"), "its environment has changed"),
        (made(x=ONE), made(x=TWO), '"x" has changed'),
        (made(x=Content("")), made(x=ONE), '"x" has changed'),
        (made(x=ONE), made(x=Content("")), '"x" is gone'),
        (made(x=ONE), made(), '"x" is gone'),
        (made(), made(x=ONE), '"x" is new'),
        (made(x=ONE, y=ONE), made(x=TWO, y=TWO), '"x" has changed, and so has 1 other input'),
        (made(x=ONE, y=ONE), made(x=TWO, y=TWO, z=ONE), '"x" has changed, and so have 2 other inputs'),
        (made(y=ONE), made(x=ONE, z=ONE), '"x" is new, and 2 other inputs have changed'),
        (made(), made(x=ONE, z=ONE), '"x" is new, and 1 other input has changed'),
        (made(x=ONE, y=ONE), made(), '"x" is gone, and 1 other input has changed'),
    ],
)
def test_something_that_it_is_made_from_has_changed(before: Made, now: Made, reason: str) -> None:
    told = judge(make_unit("a", inputs=("*",)), found(memory=remembered(before), made=now))
    assert told == Judgement("needed", reason)


@pytest.mark.parametrize("memory", [remembered(), Memory()])
def test_an_input_that_cannot_be_read(memory: Memory) -> None:
    told = judge(make_unit("a", inputs=("/x",)), found(memory=memory, made=None, unreadable='its input "/x" cannot be read'))
    assert told == Judgement("needed", 'its input "/x" cannot be read')


@pytest.mark.parametrize(("fields", "verdict"), [({"inputs": ("*",)}, "needed"), ({"once": "boot"}, "needed"), ({}, "unneeded")])
def test_where_nothing_is_remembered_only_paths_are_believed(fields: dict[str, Any], verdict: str) -> None:
    told = judge(make_unit("a", creates=("/a",), **fields), found("/a", made=made()))
    assert told.verdict == verdict
    assert told.reason == ("no success of it is remembered" if verdict == "needed" else '"/a" is there')


def test_after_an_attempt_in_vain_paths_are_not_believed() -> None:
    assert judge(make_unit("a", creates=("/a",)), found("/a", memory=Memory())).reason == "its last attempt did not succeed"


def test_secrets_are_not_remembered() -> None:
    told = judge(make_unit("a", creates=("/a",)), found("/a", memory=remembered(has_secrets=True)))
    assert told == Judgement("needed", "it hands on what is not kept: a secret, or what is no text")


@pytest.mark.parametrize(
    ("creates", "is_on_volume", "verdict"),
    [((), True, "needed"), (("/a",), False, "needed"), (("/a",), True, "unneeded")],
)
def test_inputs_on_another_system(creates: tuple[str, ...], is_on_volume: bool, verdict: str) -> None:
    """What was made of them may have gone with the old system."""
    now = found("/a", memory=remembered(), made=made(), system="new", is_on_volume=is_on_volume)
    told = judge(make_unit("a", inputs=("*",), creates=creates), now)
    assert told.verdict == verdict
    assert ("the system is not the one" in told.reason) == (verdict == "needed")


# ---------------------------------------------------------------- beforehand

FRESH = Judgement("unneeded", "as it was", (BY_HAND,))


def foreseen(creates: str, inputs: str, maker: Judgement = NEEDED) -> str:
    """What is said of the last in a chain of three, whose first makes something."""
    units = [
        make_unit("last", after=(Dependency(unit="between"),), inputs=(inputs,)),
        make_unit("between", after=(Dependency(unit="maker"),)),
        make_unit("maker", creates=(creates,), inputs=("/src",)),
    ]
    graph, _ = link(units)
    return foresee(graph, {"last": FRESH, "maker": maker})["last"].reason


@pytest.mark.parametrize(
    ("creates", "inputs"),
    [
        ("/out", "/out"),
        ("/out", "/out/a"),
        ("/out/a", "/out"),
        ("/out", "/out/*.o"),
        ("/out/a/b", "/out/**"),
        ("/out", "/out/[ab]"),
    ],
)
def test_what_is_made_from_what_an_earlier_unit_makes(creates: str, inputs: str) -> None:
    assert foreseen(creates, inputs) == "it is made from what maker makes"
    assert foreseen(creates, inputs, FRESH) == "as it was"


@pytest.mark.parametrize(("creates", "inputs"), [("/out", "/output"), ("/out", "/other/*.o"), ("/outer/x", "/out")])
def test_what_is_made_from_something_else(creates: str, inputs: str) -> None:
    assert foreseen(creates, inputs) == "as it was"


def test_what_does_not_depend_on_it_or_has_other_reasons() -> None:
    maker = make_unit("maker", creates=("/out",))
    beside = make_unit("beside", inputs=("/out",))
    absent = make_unit("absent", inputs=("/out",), after=(Dependency(unit="maker"),), conditions=Conditions(os=("darwin",)))
    graph, _ = link([maker, beside, absent])
    judged = {"beside": FRESH, "absent": Judgement("unneeded", "the system is linux", ("the system is darwin",))}
    assert foresee(graph, judged) == judged


# ---------------------------------------------------------------- rules

contents = st.dictionaries(st.sampled_from(["/x", "/y", "/z"]), st.sampled_from([ONE, TWO, Content("")]), max_size=3)
makes = st.builds(Made, st.sampled_from(["c", "d"]), st.sampled_from(["e", "f"]), contents)


@given(makes, makes, st.booleans(), st.sampled_from(["run", "boot", "workspace"]), st.booleans())
def test_a_unit_is_up_to_date_only_if_nothing_has_changed(
    before: Made, now: Made, is_there: bool, once: Any, booted: bool
) -> None:
    unit = make_unit("a", creates=("/a",), inputs=("/*",), once=once)
    there = ("/a",) if is_there else ()
    told = judge(unit, found(*there, memory=remembered(before), made=now, boot="later" if booted else "b"))
    is_same = (before.command, before.env, before.inputs) == (now.command, now.env, now.inputs)
    assert (told.verdict == "unneeded") == (is_same and is_there and not (once == "boot" and booted))
    assert bool(told.reason)


def test_what_a_unit_gave_it_gives_again() -> None:
    unit = make_unit("a", creates=("/a",))
    assert judge(unit, found("/a", memory=remembered(values={"PORT": "1"}))).gives == {"PORT": "1"}
    assert judge(unit, found("/a", memory=None)).gives == {}
    assert judge(unit, found(memory=remembered(values={"PORT": "1"}))).gives == {}


def test_secrets_and_what_is_no_text_are_not_kept() -> None:
    given = {
        "PORT": "1",
        "DB_PASSWORD": "x",
        "token": "x",
        "My_Secret": "x",
        "X_API_KEY": "x",
        "BYTES": "\udcff",
        "\u00e9": "\u00e9",
        "URL": "https://ann:hunter22@db/",
        "DSN": "x",
    }
    unit, secrets = make_unit("a", mask=("DSN",)), Secrets(["hunter22"])
    assert keepable(unit, given, secrets) == {"PORT": "1", "\u00e9": "\u00e9"}
    assert keepable(make_unit("a", mask=()), {"token": "x"}, secrets) == {"token": "x"}
