"""Directories on top of each other: what units they make, with the place of each value, or the words about what is wrong.

Each directory of a case is a layer, in the order of the names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.show.problem import render_text
from runner.unitfile import load
from runner.unitfile.trace import Part, Traces
from runner.unitfile.values import quote

from ..snapshot import assert_snapshot

LAYERED = Path(__file__).parent / "layered"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which ``true`` is the only program."""
    (tmp_path / "true").touch(mode=0o755)
    return {"HOME": "/home/ann", "PATH": str(tmp_path)}


@pytest.mark.parametrize("case", sorted(path.name for path in LAYERED.iterdir()))
def test_case(case: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LAYERED / case)
    directories = sorted(Path(path.name) for path in Path().iterdir() if path.is_dir())
    traces = Traces(directories, environment)
    assert load(directories, environment).problems == traces.loaded.problems
    units = "" if traces.loaded.errors else "".join("\n".join(say_unit(traces, name)) + "\n\n" for name in traces.units)
    assert_snapshot(units + render_text(traces.loaded.problems), LAYERED / case / "expected.txt")


def say_unit(traces: Traces, name: str) -> Iterator[str]:
    edges = traces.loaded.graph.after.get(name)
    yield f"{name}: disabled" if edges is None else f"{name}: waits for {', '.join(edges) or 'nothing'}"
    for file in traces.files(name):
        yield f"  {file.path}{''.join(f' in place of {path}' for path in file.replaces)}"
    for entry in traces.entries(name):
        key = ".".join(entry.key)
        for said, part in ((f"{key}[]", one) for one in entry.elements) if entry.elements else [(key, entry.part)]:
            yield f"    {said} = {say_part(part)}"


def say_part(part: Part) -> str:
    assert part.place
    meant = f" = {quote(part.value)}" if part.value != part.written else ""
    return f"{quote(part.written)}{meant}  {part.place.file}:{part.place.line}"
