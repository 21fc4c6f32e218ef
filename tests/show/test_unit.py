from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from runner.errors import Place
from runner.show.terminal import make_paint
from runner.show.unit import EffectiveUnit, render_json, render_text
from tests.snapshot import assert_snapshot

SNAPSHOTS = Path(__file__).parent / "snapshots" / "unit"


class Part(NamedTuple):
    written: object
    value: object
    place: Place | None


class Entry(NamedTuple):
    key: tuple[str, ...]
    part: Part
    elements: tuple[Part, ...] = ()


class File(NamedTuple):
    path: str
    replaces: tuple[str, ...] = ()


def part(value: object, place: str, meant: object = None) -> Part:
    file, _, line = place.partition(":")
    return Part(value, value if meant is None else meant, Place(file, int(line or 0)) if place else None)


def entry(key: str, value: object, place: str, meant: object = None) -> Entry:
    return Entry(tuple(key.split(".")), part(value, place, meant))


def listed(key: str, *elements: Part) -> Entry:
    written, meant = [one.written for one in elements], [one.value for one in elements]
    return Entry(tuple(key.split(".")), Part(written, meant, elements[0].place), elements)


BASE, MINE = "/etc/runner/units/g/web@.toml", "units/g/web@1.d/mine.toml"
UNIT = EffectiveUnit(
    "g/web@1",
    "service",
    is_enabled=True,
    template="g/web@",
    files=[File("units/g/group.toml"), File(BASE, ("/usr/a.toml", "/opt/b.toml")), File(MINE)],
    entries=[
        entry("description", "port {instance}", f"{BASE}:1", "port 1"),
        entry("type", "service", f"{BASE}:2"),
        listed("command", part("serve", f"{BASE}:3"), part("--port={instance}", f"{BASE}:3", "--port=1")),
        listed("after", part("net", "units/g/group.toml:1"), part({"unit": "db", "requires": "completion"}, f"{MINE}:4")),
        listed("before", part("x", f"{BASE}:5"), part("y", f"{BASE}:5")),
        listed("on-success", part("x", f"{BASE}:7"), part("y", f"{BASE}:8")),
        entry("ready.http", "http://localhost:1/a/rather/long/path/that/pushes/away/its/comment", f"{BASE}:9"),
        entry("stop.timeout", "10s", ""),
        entry("env.A", "~", f"{MINE}:1", "/home/ann"),
        Entry(("env", "not bare"), part("\x1b[2J", f"{MINE}:2")),
        entry("env-file", [], f"{MINE}:3"),
        entry("tags", [], ""),
    ],
)
SCRIPT = "cd {instance}\nmake\n"


def test_every_value_with_its_place() -> None:
    assert_snapshot(render_text(UNIT), SNAPSHOTS / "instance.txt")


def test_a_script_has_its_lines() -> None:
    entries = [entry("script", SCRIPT, "a.toml:1", SCRIPT.replace("{instance}", "1")), entry("nice", 1, "a.toml:5")]
    unit = EffectiveUnit("a@1", "oneshot", is_enabled=True, template="", files=[File("a.toml")], entries=entries)
    assert_snapshot(render_text(unit), SNAPSHOTS / "script.txt")
    unit = unit._replace(kind="external", entries=[entry("script", SCRIPT, "a.toml:1")])
    assert render_text(unit).startswith("# a@1: an external unit\n")
    assert "filled in" not in render_text(unit)


def test_who_disabled_it() -> None:
    off = entry("enabled", False, "user/a.toml:1")
    masked = EffectiveUnit(
        "a", "target", is_enabled=False, template="", files=[File("user/a.toml", ("b/a.toml",))], entries=[off]
    )
    assert_snapshot(render_text(masked), SNAPSHOTS / "masked.txt")
    disabled = masked._replace(entries=[entry("nice", 1, "x.toml:1"), off])
    assert render_text(disabled).startswith("# a: a target, disabled by user/a.toml:1\n#   user/a.toml, in place of b/a.toml\n")
    assert render_text(masked._replace(entries=[off, entry("nice", 1, "")])).startswith("# a: masked by user/a.toml:1\n")


def test_comments_are_dim_where_that_can_be_seen() -> None:
    assert render_text(UNIT, make_paint(False, {}, "never")) == render_text(UNIT)
    painted = render_text(UNIT, make_paint(True, {"TERM": "xterm"}))
    assert "\x1b[2m# units/g/group.toml:1\x1b[0m\n" in painted
    assert '\ntype = "service"  ' in painted


def test_as_data() -> None:
    data = json.loads(render_json(UNIT))
    assert (data["unit"], data["kind"], data["enabled"], data["template"]) == ("g/web@1", "service", True, "g/web@")
    assert data["files"][1] == {"file": BASE, "replaces": ["/usr/a.toml", "/opt/b.toml"]}
    values = {one["key"]: one for one in data["values"]}
    assert values["env.A"] == {"key": "env.A", "value": "/home/ann", "written": "~", "file": MINE, "line": 1}
    assert values["stop.timeout"] == {"key": "stop.timeout", "value": "10s", "written": "10s", "file": None, "line": None}
    assert values["after"]["value"] == ["net", {"unit": "db", "requires": "completion"}]
    assert [(one["file"], one["line"]) for one in values["after"]["elements"]] == [("units/g/group.toml", 1), (MINE, 4)]
    assert 'env."not bare"' in values
    assert "elements" not in values["tags"]


def test_names_that_are_no_text() -> None:
    unit = EffectiveUnit("a", "target", is_enabled=True, template="", files=[File("\udcff.toml")], entries=[])
    assert json.loads(render_json(unit))["files"][0]["file"] == "\udcff.toml"
    assert render_text(unit) == "# a: a target\n#   \\udcff.toml\n\n"
