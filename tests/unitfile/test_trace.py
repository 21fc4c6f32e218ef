from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from runner.unitfile.trace import Entry, File, Traces

RUN = 'command = ["true"]\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def traced(files: Mapping[str, str]) -> Traces:
    """What files make whose first directory is their layer."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    return Traces(sorted({Path(name.partition("/")[0]) for name in files}), {"HOME": "/home/ann", "PATH": ""})


def said(entries: list[Entry]) -> Iterator[tuple[str, object, object, str]]:
    """Each value, or element of a list, with its meaning and its place."""
    for entry in entries:
        for part in entry.elements or (entry.part,):
            place = f"{part.place.file}:{part.place.line}" if part.place else ""
            yield ".".join(entry.key), part.written, part.value, place


def test_every_value_has_its_place() -> None:
    files = {
        "a/g/group.toml": 'cwd = "~"\ntags = ["g"]\n',
        "a/g/web@.toml": 'instances = ["1"]\ncommand = [\n  "serve",\n  "{instance}",\n]\n',
        "b/g/web@1.d/mine.toml": '"tags+" = ["mine"]\ntimeout = "5s"\n[env]\nPORT = "{instance}"\n',
    }
    traces = traced(files)
    assert list(said(traces.entries("g/web@1"))) == [
        ("command", "serve", "serve", "a/g/web@.toml:3"),
        ("command", "{instance}", "1", "a/g/web@.toml:4"),
        ("timeout", "5s", "5s", "b/g/web@1.d/mine.toml:2"),
        ("env.PORT", "{instance}", "1", "b/g/web@1.d/mine.toml:4"),
        ("cwd", "~", "/home/ann", "a/g/group.toml:1"),
        ("tags", "g", "g", "a/g/group.toml:2"),
        ("tags", "mine", "mine", "b/g/web@1.d/mine.toml:1"),
    ]
    whole = traces.entries("g/web@1")[0].part
    assert (whole.written, whole.value) == (["serve", "{instance}"], ["serve", "1"])
    assert whole.place
    assert whole.place.line == 2
    assert traces.template("g/web@1") == "g/web@"


def test_the_files_of_a_unit_and_what_they_replace() -> None:
    files = {
        "a/web.toml": RUN,
        "b/web.toml": RUN,
        "c/web.toml": RUN,
        "a/web.d/x.toml": "nice = 1\n",
        "b/web.d/x.toml": "nice = 2\n",
    }
    traces = traced({**files, "a/db.toml": RUN, "a/db@1.toml": RUN})
    assert traces.files("web") == [File("c/web.toml", ("a/web.toml", "b/web.toml")), File("b/web.d/x.toml", ("a/web.d/x.toml",))]
    assert traces.files("db") == [File("a/db.toml", ())]
    assert (traces.template("db"), traces.template("db@1")) == ("", "")


def test_what_expanded_strings_mean() -> None:
    text = """
type = "service"
command = "x"
env = { A = "${HOME}/a", B = "plain" }
cwd = "${A}"
env-file = ["b", "-~/c"]
log.file = "log"
ready = { http = "http://localhost${NONE:-/}" }
health = { unix = "~/s", interval = "1s" }
if = { exists = "~/e", missing = ["~/m", "m"], os = "linux" }
"""
    meant = {
        (key, written): value for key, written, value, _ in said(traced({"a/web.toml": text}).entries("web")) if written != value
    }
    assert meant == {
        ("env.A", "${HOME}/a"): "/home/ann/a",
        ("cwd", "${A}"): "/home/ann/a",
        ("env-file", "b"): "/home/ann/a/b",
        ("env-file", "-~/c"): "-/home/ann/c",
        ("log.file", "log"): "/home/ann/a/log",
        ("ready.http", "http://localhost${NONE:-/}"): "http://localhost/",
        ("health.unix", "~/s"): "/home/ann/s",
        ("if.exists", "~/e"): "/home/ann/e",
        ("if.missing", "~/m"): "/home/ann/m",
        ("if.missing", "m"): "/home/ann/a/m",
    }
    job = 'command = "x"\ncreates = ["~/c"]\ninputs = ["~/*.c", "/d"]\nif = 5\n'
    entries = traced({"b/job.toml": job}).entries("job")
    assert {(key, written): value for key, written, value, _ in said(entries) if written != value} == {
        ("creates", "~/c"): "/home/ann/c",
        ("inputs", "~/*.c"): "/home/ann/*.c",
    }


def test_what_cannot_be_used_is_shown_as_it_is_written() -> None:
    text = 'if = { exists = "~", no = 1 }\ncommand = 5\ncwd = "${NOWHERE}"\nzz = { a = 1, b = [] }\nenv-file = [5, "x"]\n'
    text += 'ready = { tcp = "a", http = "b", no = 1 }\nenv = 5\n'
    traces = traced({"a/web.toml": text})
    assert traces.loaded.errors
    assert [(key, written, value) for key, written, value, _ in said(traces.entries("web"))] == [
        ("command", 5, 5),
        ("ready.http", "b", "b"),
        ("ready.tcp", "a", "a"),
        ("ready.no", 1, 1),
        ("if.exists", "~", "/home/ann"),
        ("if.no", 1, 1),
        ("env", 5, 5),
        ("env-file", 5, 5),
        ("env-file", "x", "x"),
        ("cwd", "${NOWHERE}", "${NOWHERE}"),
        ("zz.a", 1, 1),
        ("zz.b", [], []),
    ]


def test_disabled_units_are_there() -> None:
    traces = traced({"a/web.toml": RUN, "b/web.toml": "enabled = false\n", "b/db.toml": RUN})
    assert list(said(traces.entries("web"))) == [("enabled", False, False, "b/web.toml:1")]
    assert list(traces.units) == ["db", "web"]
    assert list(traces.loaded.graph.units) == ["db"]


def test_why_nothing_is_known_of_a_unit() -> None:
    traces = traced({"a/web.toml": "= 1\n", "a/db.toml": "= 2\n"})
    assert traces.units == {}
    assert [str(problem.where) for problem in traces.problems("web")] == ["a/web.toml:1:1"]


def defaults_of(text: str) -> dict[str, object]:
    entries = traced({"a/web.toml": text}).entries("web", with_defaults=True)
    return {key: value for key, _, value, place in said(entries) if not place}


def test_defaults_are_those_of_the_kind() -> None:
    assert defaults_of('type = "target"\n') == {
        "after": [],
        "before": [],
        "requires": "success",
        "optional": False,
        "on-success": [],
        "on-failure": [],
        "tags": [],
        "enabled": True,
    }


def test_defaults_of_tables_that_every_unit_has_are_told() -> None:
    found = defaults_of(RUN + "retry.attempts = 2\nready.tcp = 'localhost:1'\nlog.keep = 3\n")
    assert found["type"] == "oneshot"
    assert {key: value for key, value in found.items() if "." in key} == {
        "retry.delay": "1s",
        "retry.backoff": 2.0,
        "retry.max-delay": "60s",
        "retry.jitter": 0.0,
        "ready.interval": "100ms",
        "ready.delay": "0s",
        "stop.signal": "SIGTERM",
        "stop.timeout": "10s",
        "stop.mode": "group",
        "log.max-size": "10MB",
    }
    assert "env" in found
    assert "restart" not in found
    assert "description" not in found


def test_what_is_secret_of_it_also_as_it_is_written() -> None:
    text = 'env = { HALF = "half-a-key", A_TOKEN = "begin-${HALF}" }\nmask = []\n'
    traces = traced({"a/b.toml": RUN + text.replace("mask = []\n", ""), "a/c.toml": RUN + text})
    assert traces.secrets.mask_text("begin-half-a-key, begin-${HALF}, half-a-key") == "***, ***${HALF}, half-a-key"
