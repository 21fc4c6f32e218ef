"""What the page on users and limits shows is so: its units run, and its diagnosis is the one that people get."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import tomli

from runner.unitfile import load
from tests.end_to_end.command import Workspace, as_nobody
from tests.supervisor.harness import needs_root
from tests.test_examples import write_shown_units

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "users-and-limits.md"
TEXT = PAGE.read_text(encoding="utf-8")


@needs_root
def test_the_first_unit_shows_what_it_is_said_to_show(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert write_shown_units(PAGE, tmp_path / "units") == ["who", "account", "build"]
    assert workspace.run("who").returncode == 0
    shown, _ = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    assert workspace.log("who").read_text() == shown


def test_the_user_that_a_unit_makes_is_a_warning(tmp_path: Path) -> None:
    write_shown_units(PAGE, tmp_path)
    (tmp_path / "who.toml").unlink()
    problems = load([tmp_path], {"PATH": "/usr/sbin:/usr/bin:/bin"}, to_run=True).problems
    assert [problem.what.partition(":")[0] for problem in problems if "builder" in problem.what] in (
        ['cannot find the user "builder"'],
        ['cannot run as the user "builder"'],  # to somebody who is not root
    )


def test_the_limits_of_the_other_example_are_some(tmp_path: Path) -> None:
    (text,) = (text for text in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL) if "4GiB" in text)
    assert set(tomli.loads(text)["limits"]) == {"cpu", "as", "nofile"}
    (tmp_path / "a.toml").write_text(text)
    assert load([tmp_path], {"PATH": "/bin"}, to_run=False).errors == []


@needs_root
def test_the_diagnosis_is_the_one_that_is_shown() -> None:
    _, shown = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    with TemporaryDirectory(prefix="page-", dir="/tmp") as name:
        units = Path(name) / "units"
        units.mkdir()
        for path in (Path(name), units):
            path.chmod(0o755)
        (units / "db.toml").write_text('user = "postgres"\ncommand = "true"\n')
        assert as_nobody("check", "--units", "units", cwd=name).stdout.startswith(shown)
