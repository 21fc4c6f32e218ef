from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runner.cli import main
from runner.core.event import Decided, Declaration, Need, RunEnded, RunStarted, UnitEnded, UnitStarting
from runner.supervisor.journal import Lines

BEGUN_AT = 1_700_000_000.0
DECLARED = (Declaration(unit="git/clone"), Declaration(unit="deploy", after=(Need(unit="git/clone"),)))
FAILED = (
    RunStarted(at=0.0, run="r", version="1", pid=1, units=("git/clone", "deploy"), declared=DECLARED),
    UnitStarting(at=0.0, unit="git/clone", invocation="r.1", attempt=1),
    UnitEnded(at=2.0, unit="git/clone", outcome="failed", reason="exit status 1", exit_code=1, duration=2.0),
    UnitEnded(at=2.0, unit="deploy", outcome="skipped", reason='dependency "git/clone" failed', cause="git/clone"),
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory with the journals of two runs, and no supervisor anywhere."""
    for name in ("RUNNER_SOCKET", "RUNNER_UNITS"):
        monkeypatch.delenv(name, raising=False)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("TZ", "UTC")
    journals = tmp_path / "state" / "journal"
    journals.mkdir(parents=True)
    write(journals / "20231114T100000-1.jsonl", *FAILED)
    write(journals / "20231114T110000-1.jsonl", *FAILED[:2], RunEnded(at=3.0, outcome="succeeded", duration=3.0))
    return tmp_path / "state"


def write(journal: Path, *events: Decided) -> None:
    journal.write_bytes(Lines(BEGUN_AT).encode(events))


def test_the_last_run_is_explained_where_none_goes_on(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "--state", str(state), "git/clone"]) == 0
    answer, note = capsys.readouterr().out.split("\n\n")
    assert answer == "git/clone has been running for 3 s. It started at the beginning, with nothing to\nwait for."
    assert re.fullmatch(
        r"This is about run r, which is over: it ended at 2023-11-1[345] \d\d:\d\d:\d\d\.", note.replace("\n", " ").strip()
    )


def test_an_older_run_and_one_whose_supervisor_was_killed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "deploy", "--state", str(state), "--run", "20231114T100000-1"]) == 0
    answer, chain, note = capsys.readouterr().out.split("\n\n")
    assert answer == "deploy was skipped because git/clone failed after 2 s: exit status 1."
    assert chain == "  deploy     needs git/clone\n  git/clone  failed after 2 s: exit status 1"
    assert note.startswith("This is about run r, which is over: its journal breaks off at 2023-11-1")


def test_as_json(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "deploy", "--json", "--state", str(state), "--run", "20231114T100000-1"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["unit"], data["at"], [one["unit"] for one in data["chain"]]) == ("deploy", 2.0, ["deploy", "git/clone"])


@pytest.mark.parametrize(
    ("unit", "hint"),
    [
        ("deplyo", 'did you mean "deploy"?'),
        ("git", 'it is a group; ask about one of its units: "git/clone"'),
        ("xyz", 'see "runner list" for all units'),
    ],
)
def test_an_unknown_unit(unit: str, hint: str, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", unit, "--state", str(state)]) == 2
    assert capsys.readouterr().err == f'runner: cannot find unit "{unit}" in this run\nhint: {hint}\n'


def test_a_journal_without_its_beginning(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(state / "journal" / "20231114T120000-1.jsonl", *FAILED[1:3])
    assert main(["why", "git/clone", "--state", str(state)]) == 0
    assert "This is about a run whose beginning is lost" in capsys.readouterr().out


def test_one_unit_is_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why"]) == 2
    assert 'cannot understand the arguments of "runner why"' in capsys.readouterr().err
