from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.cli.stdout import hide

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def nothing_hidden() -> Iterator[None]:
    """What a test has read must not concern the next one."""
    yield
    hide(str)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes unit files into ``units`` of a directory that is the current one: ``write(**{"a.toml": "..."})``."""
    for name in ("RUNNER_UNITS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def write(**files: str) -> Path:
        units = tmp_path / "units"
        units.mkdir(exist_ok=True)
        for name, text in files.items():
            file = units / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return units

    return write
