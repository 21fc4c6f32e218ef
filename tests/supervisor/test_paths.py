from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runner.supervisor.paths import StatePaths, runtime_directory, state_paths

from .harness import needs_root


def test_what_is_where() -> None:
    paths = StatePaths("/state")
    assert paths.log("editor/code-server") == "/state/logs/editor/code-server.log"
    assert paths.journals == "/state/journal"
    assert paths.history == "/state/history.db"


@pytest.mark.parametrize(
    ("environment", "home"),
    [
        ({"XDG_STATE_HOME": "/xdg", "HOME": "/home/me"}, "/xdg"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/me"}, "/home/me/.local/state"),
        ({"HOME": ""}, "/tmp/.local/state"),
        ({}, "/tmp/.local/state"),
    ],
)
def test_the_state_directory_follows_the_environment(environment: dict[str, str], home: str) -> None:
    assert state_paths(Path("/home/you/units"), environment).root.startswith(f"{home}/runner/home-you-units-")


def test_directories_that_read_alike_are_kept_apart() -> None:
    roots = {state_paths(Path(path), {}).root for path in ("/a b/units", "/a-b/units", "/a\udcffb/units", "/" + "x" * 200)}
    assert len(roots) == 4
    assert max(len(Path(root).name) for root in roots) <= 60


def test_a_directory_has_one_state_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_paths(Path("units"), {}) == state_paths(tmp_path / "x" / ".." / "units", {})


def test_only_its_owner_may_look_into_the_runtime_directory(tmp_path: Path) -> None:
    made = runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert made == f"{tmp_path}/runner"
    assert stat.S_IMODE(Path(made).stat().st_mode) == 0o700
    assert runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)}) == made


def test_without_a_runtime_directory_there_is_one_a_user() -> None:
    assert runtime_directory({}) == f"/tmp/runner-{os.getuid()}"


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707])
def test_a_runtime_directory_into_which_others_may_look_is_shut(tmp_path: Path, mode: int) -> None:
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner").chmod(mode)
    assert stat.S_IMODE(Path(runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)})).stat().st_mode) == 0o700


@needs_root
def test_a_runtime_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()
    os.chown(tmp_path / "runner", 65534, 65534)
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)})


def test_a_link_is_no_runtime_directory(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runner").symlink_to("elsewhere")
    with pytest.raises(PermissionError, match="no directory"):
        runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)})
