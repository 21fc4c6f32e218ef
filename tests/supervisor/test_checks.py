"""Whether units need run, asked by a supervisor with real files, real commands and a state directory that stays."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from runner.core.event import Decided, UnitEnded, UnitStarted, UnitStarting, UnitWaiting
from runner.core.freshness import Judgement, Memory
from runner.core.observed import RestartRequested
from runner.core.unit import Command, Conditions, Dependency, Unit
from runner.supervisor.annex import Annex
from runner.supervisor.checks import judge_now
from runner.supervisor.memories import Memories
from runner.supervisor.settings import Settings
from runner.supervisor.supervisor import Supervisor
from tests.supervisor.harness import Ran, make, on, service, supervise


def up(tmp_path: Path, *units: Unit, **how: Any) -> Ran:
    """A run of a workspace whose state stays from run to run."""
    return supervise(tmp_path / "state", *units, **how)


def build(tmp_path: Path, **fields: Any) -> Unit:
    """It makes ``out`` of what is in ``in``."""
    (tmp_path / "in").mkdir(exist_ok=True)
    given: dict[str, Any] = {"creates": (f"{tmp_path}/out",), "inputs": (f"{tmp_path}/in",), "cwd": str(tmp_path)}
    return make("build", 'cat in/* > out 2> errors; echo "$MODE" >> out', **{**given, **fields})


def because(ran: Ran, unit: str = "build") -> str:
    """Why a unit ran, or what it came to without."""
    begun = ran.of(UnitStarting, unit)
    return str(begun[0].because) if begun else f"{ran[unit].outcome}: {ran[unit].reason}"


def test_it_runs_when_something_has_changed_and_only_then(tmp_path: Path) -> None:
    unit = build(tmp_path)
    source, out = tmp_path / "in" / "a", tmp_path / "out"
    source.write_text("one")
    assert because(up(tmp_path, unit)) == f'"{out}" is not there'
    assert because(up(tmp_path, unit)).startswith("unneeded: ")
    source.write_text("two")
    assert because(up(tmp_path, unit)) == f'"{source}" has changed'
    source.touch()
    assert because(up(tmp_path, unit)).startswith("unneeded: ")
    out.unlink()
    assert because(up(tmp_path, unit)) == f'"{out}" is not there'
    (tmp_path / "in" / "b").write_text("new")
    assert because(up(tmp_path, unit)) == f'"{tmp_path / "in" / "b"}" is new'
    other = build(tmp_path, env={"MODE": "fast"})
    assert because(up(tmp_path, other)) == "its environment has changed"
    assert because(up(tmp_path, other)).startswith("unneeded: ")
    assert because(
        up(tmp_path, make("build", "touch out", creates=other.creates, inputs=other.inputs, env=other.env, cwd=other.cwd))
    ) == ("its command has changed")


def test_the_supervisors_environment_does_not_matter(tmp_path: Path) -> None:
    unit = build(tmp_path)
    up(tmp_path, unit)
    assert because(up(tmp_path, unit, environment={**os.environ, "UNRELATED": "1"})).startswith("unneeded: ")


def test_a_file_of_its_environment_does(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("MODE=slow\n")
    unit = build(tmp_path, env_file=(str(tmp_path / "env"),))
    up(tmp_path, unit)
    assert because(up(tmp_path, unit)).startswith("unneeded: ")
    (tmp_path / "env").write_text("MODE=fast\n")
    assert because(up(tmp_path, unit)) == "its environment has changed"


def test_an_input_that_changes_while_it_runs_makes_it_run_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    unit = make("build", "echo changed > in/a", cwd=str(tmp_path), inputs=(f"{tmp_path}/in",))
    up(tmp_path, unit)
    assert because(up(tmp_path, unit)) == f'"{tmp_path / "in" / "a"}" is new'
    assert because(up(tmp_path, unit)).startswith("unneeded: ")


def test_what_has_failed_is_not_up_to_date(tmp_path: Path) -> None:
    made = tmp_path / "made"
    unit = make("a", f'touch {made}; test -e "{tmp_path}/mended"', creates=(str(made),))
    assert up(tmp_path, unit)["a"].outcome == "failed"
    assert because(up(tmp_path, unit), "a") == "its last attempt did not succeed"
    (tmp_path / "mended").touch()
    assert up(tmp_path, unit)["a"].outcome == "succeeded"
    assert because(up(tmp_path, unit), "a") == f'unneeded: "{made}" is there'


def test_without_a_memory_paths_are_believed(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.touch()
    assert because(up(tmp_path, make("a", "false", creates=(str(made),))), "a") == f'unneeded: "{made}" is there'


@pytest.mark.parametrize(("once", "again"), [("run", False), ("boot", True), ("workspace", True)])
def test_how_often_a_success_is_repeated(tmp_path: Path, once: Any, again: bool) -> None:
    unit = make("a", "true", once=once)
    assert up(tmp_path, unit)["a"].outcome == "succeeded"
    assert (up(tmp_path, unit)["a"].outcome == "unneeded") == again


def test_a_boot_that_is_another(tmp_path: Path) -> None:
    unit = make("a", "true", once="boot")
    up(tmp_path, unit)
    memories = Memories(f"{tmp_path}/state/memories", print)
    memory = memories.recall("a")
    assert memory
    memories.keep("a", Memory(memory.made, "another", memory.system))
    assert because(up(tmp_path, unit), "a") == "it has not succeeded since the machine booted"


def test_dependents_of_what_need_not_run_go_on(tmp_path: Path) -> None:
    units = [make("a", "false", conditions=Conditions(os=("darwin",))), make("b", "true", ["a"])]
    ran = up(tmp_path, *units)
    assert ran.outcomes() == {"a": "unneeded", "b": "succeeded"}
    assert ran["a"].runs_if == ("the system is darwin",)
    assert ran.of(UnitWaiting, "a")[0].waits_for[0].check == ("if",)


@pytest.mark.parametrize(
    ("command", "outcome", "reason"),
    [
        ("exit 0", "succeeded", "exit status 0"),
        ("exit 3", "unneeded", '"exit 3" ended with exit status 3'),
        ("kill -9 $$", "failed", 'its condition "kill -9 $$" was killed by SIGKILL'),
        (["/nowhere"], "failed", 'its condition: cannot execute "/nowhere": program not found'),
    ],
)
def test_a_condition_that_is_a_command(tmp_path: Path, command: str | list[str], outcome: str, reason: str) -> None:
    asked = Command(shell=command) if isinstance(command, str) else Command(argv=tuple(command))
    ran = up(tmp_path, make("a", "true", conditions=Conditions(command=asked)))
    assert (ran["a"].outcome, ran["a"].reason) == (outcome, reason)


def test_a_condition_finds_what_its_unit_would(tmp_path: Path) -> None:
    asked = Command(shell=f'test "$A" = 1 && test "$PWD" = "{tmp_path}" && test "$RUNNER_UNIT" = a')
    unit = make("a", "true", env={"A": "1"}, cwd=str(tmp_path), conditions=Conditions(command=asked))
    assert up(tmp_path, unit)["a"].outcome == "succeeded"


def test_a_command_is_asked_only_where_all_else_holds(tmp_path: Path) -> None:
    asked = Command(shell=f"touch {tmp_path}/asked")
    units = [
        make("a", "true", conditions=Conditions(os=("darwin",), command=asked)),
        make("b", "true", creates=("/",), conditions=Conditions(command=asked)),
    ]
    assert set(up(tmp_path, *units).outcomes().values()) == {"unneeded"}
    assert not (tmp_path / "asked").exists()


def test_a_stop_kills_the_command_that_is_asked(tmp_path: Path) -> None:
    asked = Command(shell=f"touch {tmp_path}/asked; sleep 600")
    units = [
        make("a", "true", conditions=Conditions(command=asked)),
        service("s", f"while ! test -e {tmp_path}/asked; do sleep 0.01; done; exec sleep 600"),
        make("b", f"while ! test -e {tmp_path}/asked; do sleep 0.01; done"),
    ]
    ran = up(tmp_path, *units, react=on(UnitEnded, "b"))
    assert ran.outcomes() == {"a": "cancelled", "s": "cancelled", "b": "succeeded"}


def test_a_command_that_is_asked_takes_no_longer_than_the_unit_may(tmp_path: Path) -> None:
    unit = make("a", "true", timeout=0.05, conditions=Conditions(command=Command(shell="sleep 600")))
    ran = up(tmp_path, unit)
    assert (ran["a"].outcome, ran["a"].reason) == ("timed-out", "nobody could tell within 50 ms whether it need run")


def test_looks_that_hang_are_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at a file system that does not answer, for which the system's name stands here."""
    answers, hung, uname = Event(), count(), os.uname

    def hang() -> os.uname_result:
        if next(hung) < 40:
            answers.wait()
        return uname()

    monkeypatch.setattr(os, "uname", hang)
    hanging = [make(f"h{number}", "true", creates=("/nowhere",), timeout=0.05) for number in range(45)]
    after = tuple(Dependency(unit=unit.name, requires="completion") for unit in hanging)
    try:
        ran = up(tmp_path, *hanging, make("a", "true", creates=("/nowhere",), after=after))
    finally:
        answers.set()
    assert [ran[unit.name].outcome for unit in hanging] == ["timed-out"] * 45
    assert ran["a"].outcome == "succeeded"


def test_names_that_are_no_text(tmp_path: Path) -> None:
    unit = build(tmp_path)
    source = tmp_path / "in" / os.fsdecode(b"\xff")
    source.write_text("one")
    assert because(up(tmp_path, unit)) == f'"{tmp_path}/out" is not there'
    assert because(up(tmp_path, unit)).startswith("unneeded: ")
    source.write_text("two")
    assert because(up(tmp_path, unit)) == rf'"{tmp_path}/in/\xff" has changed'


def test_an_environment_that_cannot_be_made(tmp_path: Path) -> None:
    ran = up(tmp_path, make("a", "true", once="boot", env_file=("/nowhere",)))
    assert ran["a"].outcome == "failed"
    assert "/nowhere" in ran["a"].reason


def test_a_service_is_unneeded_where_its_condition_does_not_hold(tmp_path: Path) -> None:
    unit = service("s", "exec sleep 600", conditions=Conditions(exists=(f"{tmp_path}/nothing",)))
    assert up(tmp_path, unit)["s"].outcome == "unneeded"


def test_somebody_restarts_what_is_up_to_date(tmp_path: Path) -> None:
    unit = make("a", "true", once="workspace")
    up(tmp_path, unit)

    def react(supervisor: Supervisor, event: Decided) -> None:
        if isinstance(event, UnitEnded) and event.unit == "a" and event.outcome == "unneeded":
            supervisor.observe(RestartRequested(at=supervisor.now(), units=("a",), reason="by hand"))
        on(UnitStarted, "a")(supervisor, event)

    ran = up(tmp_path, unit, service("s", "exec sleep 600"), react=react)
    assert ran.of(UnitEnded, "a")[0].outcome == "unneeded"
    assert len(ran.of(UnitStarted, "a")) == 1


def test_what_can_be_said_beforehand(tmp_path: Path) -> None:
    settings, memories = Settings(os.environ, Annex(), lambda *_: None), Memories(f"{tmp_path}/state/memories", print)
    unit = build(tmp_path)
    assert judge_now(unit, settings, memories) == Judgement("needed", f'"{tmp_path}/out" is not there')
    up(tmp_path, unit)
    assert judge_now(unit, settings, memories).verdict == "unneeded"
    assert judge_now(make("a", "true", env_file=("/nowhere",), once="boot"), settings, memories).verdict == "failed"


def test_a_unit_that_need_not_run_gives_what_it_gave(tmp_path: Path) -> None:
    told: list[object] = []
    source = tmp_path / "in"
    source.write_text("1")
    units = [
        make("a", f"echo PORT=$(cat {source}) >>$RUNNER_ENV", inputs=(str(source),)),
        make("b", 'echo "$PORT"', ["a"]),
        make("c", "true", ["a"], conditions=Conditions(env={"PORT": "1"})),
    ]
    first = up(tmp_path, *units)
    again = up(tmp_path, *units, prepare=lambda supervisor: supervisor.on_values.append(lambda *said: told.append(said)))
    assert (first["a"].outcome, again["a"].outcome, again["a"].gives) == ("succeeded", "unneeded", ("PORT",))
    assert again.text("b").splitlines() == ["1", "1"]
    assert told == [("a", {"PORT": "1"})]
    assert again["c"].outcome == "succeeded"
    source.write_text("2")
    last = up(tmp_path, *units)
    assert last.text("b").splitlines() == ["1", "1", "2"]
    assert last["c"].reason == 'PORT is "2", not "1"'


def test_a_unit_that_gives_a_secret_runs_each_time(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("DB_PASSWORD=hidden\n")
    units = [
        make("a", f"echo PORT=1 >>$RUNNER_ENV; cat {tmp_path}/secret >>$RUNNER_ENV", once="workspace"),
        make("b", "echo ${#DB_PASSWORD}", ["a"]),
    ]
    up(tmp_path, *units)
    again = up(tmp_path, *units)
    assert because(again, "a") == "it hands on what is not kept: a secret, or what is no text"
    assert again.text("b").splitlines() == ["6", "6"]
    kept = [path.read_bytes() for path in (tmp_path / "state").rglob("*.json*") if "log" not in path.parts]
    assert len(kept) > 2
    assert not any(b"hidden" in data for data in kept)


def test_who_cannot_tell_what_a_name_means_is_looked_at_without_it(tmp_path: Path) -> None:
    units = [make("a", "echo X=1 >$RUNNER_ENV"), make("b", "echo X=2 >$RUNNER_ENV")]
    torn = make("torn", "true", ["a", "b"], conditions=Conditions(env={"X": False}))
    assert up(tmp_path, *units, torn)["torn"].reason.startswith("cannot tell what X is: ")
