from __future__ import annotations

from typing import Any

import pytest
import tomli

from runner.unitfile.document import Document
from runner.unitfile.group import check_group, inherit, kind_of, own_keys
from runner.unitfile.keys import GROUP_KEYS, KINDS, UnitFile
from runner.unitfile.merge import Merged


def common(text: str, group: str = "g", *, outer: Merged | None = None) -> Merged:
    """What a group has in common."""
    document = Document(f"{group}/group".lstrip("/"), "group.toml", text)
    document.values = tomli.loads(text)
    merged = Merged(document.name, "group.toml")
    for key in outer.values if outer else ():
        assert outer
        merged.take_over(outer, key)
    merged.add_own(document, document.values)
    return merged


def inherited(text: str | Merged, name: str = "g/a", own: str = "", kind: str = "oneshot") -> dict[str, Any]:
    unit = Merged(name, f"{name}.toml")
    inherit(unit, text if isinstance(text, Merged) else common(text), own_keys([tomli.loads(own)]), kind)
    return unit.values


def findings(text: str, group: str = "g") -> list[tuple[tuple[str | int, ...], str, str]]:
    return [(finding.path, finding.what, finding.hint) for finding in check_group(common(text, group))]


# ---------------------------------------------------------------- keys


def test_the_keys_of_a_group_are_keys_of_units() -> None:
    assert set(GROUP_KEYS) < set(UnitFile.__struct_encode_fields__)
    values = {"after": ["x"], "before": ["*"], "requires": "completion", "env": {"A": "1"}, "cwd": "/"}
    assert set(values) | {"locks", "tags", "enabled"} == set(GROUP_KEYS)
    assert findings("after = ['x']\nbefore = ['*']\nrequires = 'completion'\nenv.A = '1'\ncwd = '/'\nenabled = false\n") == []


@pytest.mark.parametrize("key", ["command", "retry", "instances"])
def test_a_key_that_only_units_have(key: str) -> None:
    ((path, what, hint),) = findings(f"{key} = 1")
    assert (path, what) == ((key,), f'cannot use "{key}" for a group: its units do not inherit it')
    assert hint.startswith("write it into the files of the units; a group has after, before, ")


@pytest.mark.parametrize(("key", "hint"), [("lokcs", 'did you mean "locks"?'), ("zzzz", "a group has after, before, cwd, ")])
def test_a_key_that_there_is_not(key: str, hint: str) -> None:
    ((path, what, said),) = findings(f"{key} = 1")
    assert (path, what) == ((key,), f'cannot use the key "{key}" for a group: there is no such key')
    assert said.startswith(hint)


def test_values_are_checked_whether_anybody_inherits_them_or_not() -> None:
    assert [path for path, _, _ in findings("tags = 5\nenv = { A = 1 }\nafter = ['x', 5]\nbefore = 'x'")] == [
        ("tags",),
        ("env", "A"),
        ("after", 1),
        ("before",),
    ]


@pytest.mark.parametrize("entry", ["g", "g/h", "{ unit = 'g' }"])
def test_a_group_that_waits_for_itself(entry: str) -> None:
    said = entry if entry.startswith("{") else f"'{entry}'"
    ((path, what, hint),) = findings(f"after = ['x', {said}]", "g/h")
    assert (path, hint) == (("after", 1), "name the units that are meant")
    assert what.startswith('cannot let the units of "g/h" wait for "g')
    assert findings(f"before = ['x', {said}]", "g/h")[0][0] == ("before", 1)


def test_a_group_may_wait_for_its_members_and_for_groups_in_it() -> None:
    assert findings("after = ['g/a', 'g/h', { requires = 'success' }, 'gg']")[0][0] == ("after", 2)
    assert findings("after = ['a', 'g']", "") == []


# ---------------------------------------------------------------- inheriting


@pytest.mark.parametrize("kind", ["oneshot", "service", "external", "target", ""])
def test_a_member_inherits_what_means_something_to_its_kind(kind: str) -> None:
    text = "after = ['x']\nbefore = ['y']\nrequires = 'completion'\nenv.A = '1'\ncwd = '/'\n"
    text += "locks = ['l']\ntags = ['t']\nenabled = true\n"
    runs = {key for key in GROUP_KEYS if key in KINDS}
    assert runs == {"env", "cwd", "locks"}
    assert inherited(text, kind=kind).keys() == set(GROUP_KEYS) - (runs if kind in ("external", "target") else set())


def test_nobody_inherits_what_is_no_key_of_a_group() -> None:
    assert inherited("command = 'x'\nzz = 1\ntags = ['t']") == {"tags": ["t"]}


def test_what_is_needed_means_nothing_to_who_waits_for_nobody() -> None:
    text = "requires = 'completion'"
    assert inherited(text) == {}
    assert inherited(text, own="after = []") == {"requires": "completion"}
    assert inherited(text, own="'after+' = ['a']") == {"requires": "completion"}
    assert inherited("after = ['g/a']\n" + text) == {"after": []}
    assert inherited("after = ['b']\n" + text) == {"after": ["b"], "requires": "completion"}


@pytest.mark.parametrize("key", ["after", "before"])
def test_those_that_the_group_waits_for_do_not_wait_for_each_other(key: str) -> None:
    text = f"{key} = ['x', 'g/a', {{ unit = 'g/h' }}, 'g/p@*']"
    assert inherited(text, "g/other")[key] == ["x", "g/a", {"unit": "g/h"}, "g/p@*"]
    for name in ("g/a", "g/h/deep", "g/p@1"):
        assert inherited(text, name)[key] == ["x"]


def test_what_an_outer_group_says_of_others_stays() -> None:
    outer = common("after = ['g/h/a', 'g/b', 'x']")
    inner = common("after = ['g/h/c']", "g/h", outer=outer)
    assert inherited(inner, "g/h/c")["after"] == ["g/h/a", "g/b", "x"]
    assert inherited(inner, "g/h/a")["after"] == ["x", "g/h/c"]
    assert inherited(inner, "g/h/z")["after"] == ["g/h/a", "g/b", "x", "g/h/c"]


def test_what_all_units_have_in_common() -> None:
    everything = common("after = ['a', 'g/b']\nbefore = ['*']", "")
    assert inherited(everything, "a") == {"after": [], "before": ["*"]}
    assert inherited(everything, "c")["after"] == ["a", "g/b"]


def test_entries_that_are_wrong_are_inherited_to_be_told_of() -> None:
    assert inherited("after = [5, { unit = 1 }, {}]\nbefore = 5") == {"after": [5, {"unit": 1}, {}], "before": 5}


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["command = 'x'"], "oneshot"),
        (["script = 'x'"], "oneshot"),
        (["nice = 1", "'command+' = ['x']"], "oneshot"),
        (["after = []"], "target"),
        (["type = 'service'", "command = 'x'"], "service"),
        (["type = 'service'", "type = 'external'"], "external"),
        (["type = 'servce'"], ""),
        (["type = ['service']"], ""),
    ],
)
def test_the_kind_that_several_files_make(texts: list[str], kind: str) -> None:
    assert kind_of(own_keys(map(tomli.loads, texts))) == kind
