from __future__ import annotations

from collections.abc import Iterable

import pytest

from runner.core.graph import Fault, Origin, link
from runner.core.unit import Dependency, Requires, Unit
from runner.errors import Place, Problem
from runner.unitfile.faults import say_faults


def unit(
    name: str,
    *after: str | tuple[str, Requires],
    before: Iterable[str] = (),
    handlers: tuple[str, ...] = (),
    ok: tuple[str, ...] = (),
) -> Unit:
    entries = [
        Dependency(unit=entry) if isinstance(entry, str) else Dependency(unit=entry[0], requires=entry[1]) for entry in after
    ]
    return Unit(
        name=name,
        kind="target",
        after=tuple(entries),
        before=tuple(Dependency(unit=entry) for entry in before),
        on_failure=handlers,
        on_success=ok,
    )


def place(origin: Origin) -> Place:
    """A file for each unit, a line for each key, a column for each entry."""
    return Place(f"{origin.unit}.toml", ("after", "before", "on-success", "on-failure").index(origin.key) + 1, origin.index + 1)


def say(*units: Unit, groups: Iterable[str] = (), disabled: Iterable[str] = ()) -> list[Problem]:
    graph, faults = link(units, groups=groups, disabled=disabled)
    return say_faults(faults, graph, groups, place)


def only(problems: list[Problem]) -> tuple[str, str, str]:
    (problem,) = problems
    return problem.what, str(problem.where), problem.hint


@pytest.mark.parametrize(
    ("units", "groups", "said"),
    [
        (
            [unit("a", "clnoe"), unit("clone")],
            (),
            ('cannot find the unit "clnoe" that "a" is to wait for', "a.toml:1:1", 'did you mean "clone"?'),
        ),
        (
            [unit("g/a", "b"), unit("g/b")],
            (),
            ('cannot find the unit "b" that "g/a" is to wait for', "g/a.toml:1:1", 'did you mean "g/b"?'),
        ),
        (
            [unit("a", "instal"), unit("g/install")],
            (),
            ('cannot find the unit "instal" that "a" is to wait for', "a.toml:1:1", 'did you mean "g/install"?'),
        ),
        (
            [unit("a", before=["editr"])],
            ["editor"],
            ('cannot find the unit "editr" that is to wait for "a"', "a.toml:2:1", 'did you mean "editor"?'),
        ),
        (
            [unit("a", ok=("g",)), unit("g/b")],
            ["g"],
            ('cannot find the unit "g" that "a" is to start', "a.toml:3:1", "it is a group: name its units"),
        ),
        (
            [unit("a", "port@"), unit("port@1")],
            (),
            (
                'cannot find the unit "port@" that "a" is to wait for',
                "a.toml:1:1",
                'it is a template: write "port@*" for all of its instances, or the name of one',
            ),
        ),
        (
            [unit("a", "prot@*"), unit("port@1")],
            (),
            ('cannot find an instance "prot@*" that "a" is to wait for', "a.toml:1:1", 'did you mean "port@*"?'),
        ),
        (
            [unit("a", ok=("port@*",))],
            (),
            ('cannot find an instance "port@*" that "a" is to start', "a.toml:3:1", "write port@.toml, with its instances"),
        ),
        (
            [unit("p@1", before=["p@*"]), unit("p@2")],
            (),
            ('cannot let "p@*" wait for "p@1": all instances and one of them', "p@1.toml:2:1", "name the units that are meant"),
        ),
        (
            [unit("a", ok=("h@1",)), unit("h@1"), unit("b", "h@*")],
            (),
            (
                'cannot find a unit among the instances "h@*" that "b" is to wait for',
                "b.toml:1:1",
                "units that only on-success or on-failure starts do not count",
            ),
        ),
        ([unit("a", "a")], (), ('cannot let "a" wait for itself', "a.toml:1:1", "remove the entry")),
        (
            [unit("g/a", "g")],
            (),
            ('cannot let "g/a" wait for "g": a group and its member', "g/a.toml:1:1", "name the units that are meant"),
        ),
        (
            [unit("g/a", before=["g"])],
            (),
            ('cannot let "g" wait for "g/a": a group and its member', "g/a.toml:2:1", "name the units that are meant"),
        ),
        (
            [unit("a", handlers=("a",))],
            (),
            ('cannot let "a" start itself', "a.toml:4:1", 'to run it again, see "retry" and "restart"'),
        ),
        (
            [unit("a", "g")],
            ["g"],
            (
                'cannot find a unit in the group "g" that "a" is to wait for',
                "a.toml:1:1",
                "units that only on-success or on-failure starts do not count",
            ),
        ),
    ],
)
def test_what_is_said(units: list[Unit], groups: Iterable[str], said: tuple[str, str, str]) -> None:
    assert only(say(*units, groups=groups)) == said


def test_a_name_that_nothing_is_near_may_be_one_that_a_script_brings() -> None:
    what, _, hint = only(say(unit("a", "zzzzz")))
    assert what == 'cannot find the unit "zzzzz" that "a" is to wait for'
    assert hint.startswith("write zzzzz.toml;")
    assert 'type = "external"' in hint


def test_a_disabled_unit_is_a_warning() -> None:
    (problem,) = say(unit("a", "off"), disabled=["off"])
    assert problem.severity == "warning"
    assert problem.what == 'cannot use "off" in "after" of "a": it is disabled, so this entry has no effect'


def test_two_requires_have_both_places() -> None:
    (problem,) = say(unit("a", "b", ("b", "completion")), unit("b"))
    assert problem.what == 'cannot tell what "a" needs of "b": "success" or "completion"'
    assert (str(problem.where), [(words, str(place)) for words, place in problem.also]) == (
        "a.toml:1:2",
        [('"success" is asked here', "a.toml:1:1")],
    )


def test_a_handler_is_told_with_those_who_start_it() -> None:
    problems = say(unit("a", "h"), unit("b", handlers=("c", "h"), ok=("c", "h")), unit("c"), unit("h"))
    (problem,) = problems
    assert problem.what == 'cannot let "a" wait for "h": it starts only when another unit has ended'
    assert [(words, str(place)) for words, place in problem.also] == [
        ('"b" starts it', "b.toml:3:2"),
        ('"b" starts it', "b.toml:4:2"),
    ]


@pytest.mark.parametrize(("name", "who"), [("a", '"a"'), ("*", "every unit")])
def test_nobody_can_wait_for_a_handler_because_it_says_so(name: str, who: str) -> None:
    what, where, _ = only(say(unit("a", handlers=("h",)), unit("h", before=[name])))
    assert what == f'cannot let {who} wait for "h": it starts only when another unit has ended'
    assert where == "h.toml:2:1"


def test_a_cycle_is_told_whole() -> None:
    (problem,) = say(unit("a", "b"), unit("b"), unit("c", "a", before=["b"]))
    assert problem.what == "cannot order the units: dependency cycle: a -> b -> c -> a"
    assert str(problem.where) == "a.toml:1:1"
    assert [(words, str(place)) for words, place in problem.also] == [
        ('"b" waits for "c"', "c.toml:2:1"),
        ('"c" waits for "a"', "c.toml:1:1"),
    ]


def test_every_fault_has_its_words() -> None:
    """A kind of fault that nobody has written a sentence for is a bug, and is not passed over."""
    graph, _ = link([])
    with pytest.raises(AssertionError):
        say_faults([Fault()], graph, [], place)


def test_similar_names_are_looked_for_once_a_name_and_not_without_end() -> None:
    many = [unit(f"a{number}", f"{chr(0x4E00 + number) * 8}x") for number in range(50)]
    told = say(unit("clone"), unit("a", "clnoe"), unit("b", "clnoe"), *many, unit("c", "cloen"), unit("d", "clnoe"))
    hints = {str(problem.where): problem.hint for problem in told}
    assert hints["a.toml:1:1"] == hints["b.toml:1:1"] == hints["d.toml:1:1"] == 'did you mean "clone"?'
    assert hints["c.toml:1:1"].startswith("write cloen.toml;")


def test_an_entry_that_many_units_have_is_told_once() -> None:
    """Their group's, or their template's."""
    units = [unit(name, "nowhere", "elsewhere", ("b", "completion"), "b") for name in ("p@1", "p@2", "p@3")]
    graph, faults = link([*units, unit("b"), unit("x", "y"), unit("y", "x"), unit("z", "w"), unit("w", "z")])
    same = say_faults(faults, graph, [], lambda origin: Place("p@.toml", 1, origin.index))
    assert [(problem.what.partition(";")[2], problem.where.column) for problem in same] == [
        (" the same goes for 2 more units", 0),
        (" the same goes for 2 more units", 1),
        (" the same goes for 2 more units", 3),
        ("", 0),
        ("", 0),
    ]
