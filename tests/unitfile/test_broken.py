"""Directories of unit files with mistakes, each with the exact words that its author gets to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.show.problem import render_text
from runner.unitfile import load

from ..snapshot import assert_snapshot

BROKEN = Path(__file__).parent / "broken"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which ``true``, ``make`` and ``apt`` are the only programs."""
    for name in ("true", "make", "apt"):
        program = tmp_path / name
        program.touch(mode=0o755)
    return {"HOME": "/home/ann", "PATH": str(tmp_path)}


@pytest.mark.parametrize("case", sorted(path.name for path in BROKEN.iterdir()))
def test_diagnosis(case: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN / case)
    problems = load([Path("units")], environment).problems
    assert problems, "a broken directory has problems"
    assert_snapshot(render_text(problems), BROKEN / case / "expected.txt")
