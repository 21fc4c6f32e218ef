from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.core.event import UnitReady
from runner.core.unit import Log, Probe, Ready, Retry
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.values import LARGEST, CannotUse, ValueFiles, read_values, remove

from .harness import deadline, make, on, python, service, stop, supervise


def read(directory: Path, data: bytes) -> dict[str, str]:
    (directory / "file").write_bytes(data)
    return read_values(f"{directory}/file")


def test_where_nobody_wrote_nothing_is_given(tmp_path: Path) -> None:
    assert read_values(f"{tmp_path}/file") == {}
    assert read(tmp_path, b"") == {}


def test_lines_are_as_in_an_env_file(tmp_path: Path) -> None:
    text = b"# said by setup\n\nexport DB_PORT=5432\nNAME = \"two words\"\nEMPTY=\nDB_PORT='5433'\nBYTES=\xff\nCRLF=1\r\nLAST=x=y"
    values = {"DB_PORT": "5433", "NAME": "two words", "EMPTY": "", "BYTES": "\udcff", "CRLF": "1", "LAST": "x=y"}
    assert read(tmp_path, text) == values


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"secret", "it must be NAME=VALUE"),
        (b"=secret", "it must be NAME=VALUE"),
        (b"se-cret=secret", "a name has letters, digits and _, and does not begin with a digit"),
        (b"1SECRET=secret", "a name has letters, digits and _, and does not begin with a digit"),
        (b"RUNNER_UNIT=secret", "RUNNER_UNIT is for the runner to set"),
        (b"NOTIFY_SOCKET=secret", "NOTIFY_SOCKET is for the runner to set"),
        (b"A=secret\0", "there is a null byte in it"),
        (b"A=" + b"x" * 131_070, "no process can be given a variable of 128 KiB or more"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_not_quoted(tmp_path: Path, line: bytes, why: str) -> None:
    with pytest.raises(CannotUse) as caught:
        read(tmp_path, b"A=1\n\n" + line + b"\nB=2\n")
    assert str(caught.value) == f"cannot use line 3 of $RUNNER_ENV: {why}"


def test_the_longest_value_can_be_given_to_a_process(tmp_path: Path) -> None:
    longest = read(tmp_path, b"A=" + b"x" * 131_069)
    assert os.spawnve(os.P_WAIT, "/bin/true", ["true"], longest) == 0


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    line = b"A=" + b"x" * 97 + b"\n"
    assert read(tmp_path, line * (LARGEST // len(line))) == {"A": "x" * 97}
    with pytest.raises(CannotUse, match=r"^cannot use \$RUNNER_ENV: it is larger than 1 MB$"):
        read(tmp_path, line * (LARGEST // len(line)) + b"\n")


def test_what_took_the_place_of_the_file_is_not_read(tmp_path: Path) -> None:
    """A FIFO would hold the reader for ever, and a link would lead it to what the unit may not read."""
    path = tmp_path / "file"
    os.mkfifo(path)
    with deadline(10), pytest.raises(CannotUse, match=r"^cannot use \$RUNNER_ENV: it is no regular file any more$"):
        read_values(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(CannotUse, match=r"^cannot read \$RUNNER_ENV: is a directory$"):
        read_values(str(path))
    path.rmdir()
    path.symlink_to("/proc/self/environ")
    with pytest.raises(CannotUse, match=r"^cannot read \$RUNNER_ENV: too many levels of symbolic links$"):
        read_values(str(path))


def test_the_files_are_ours_alone_and_nothing_is_left(tmp_path: Path) -> None:
    directory = tmp_path / "x.env"
    ValueFiles(str(directory))
    (directory / "left").write_text("SECRET=1")
    files = ValueFiles(str(directory))
    assert list(directory.iterdir()) == []
    assert directory.stat().st_mode & 0o777 == 0o700
    path = Path(files.path("run.1"))
    path.write_text("A=1")
    remove(str(path))
    remove(str(path))
    assert not path.exists()
    Path(files.path("run.2")).write_text("A=1")
    files.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_not_ours_is_left_alone(tmp_path: Path, what: str) -> None:
    directory, other = tmp_path / "x.env", tmp_path / "other"
    other.mkdir()
    if what == "file":
        directory.write_text("mine")
    else:
        directory.symlink_to(other)
    with pytest.raises(OSError, match="File exists"):
        ValueFiles(str(directory))
    assert other.exists()


# ---------------------------------------------------------------- with real processes

GIVE = 'test ! -e "$RUNNER_ENV" && echo PORT=$((5431 + RUNNER_ATTEMPT)) >>"$RUNNER_ENV"'


def test_those_after_a_unit_get_what_it_wrote(tmp_path: Path) -> None:
    units = [
        make("db", f"{GIVE}; echo NAME=notes >>$RUNNER_ENV"),
        make("ground", after=["db"]),
        make("app", "echo $PORT $NAME", ["ground"], env={"NAME": "own"}),
        make("other", 'echo "${PORT-nothing}"'),
    ]
    read: list[object] = []
    ran = supervise(tmp_path, *units, prepare=lambda supervisor: supervisor.on_values.append(lambda *said: read.append(said)))
    assert (ran.text("app"), ran.text("other")) == ("5432 own", "nothing")
    assert (ran["db"].gives, ran["app"].gives) == (("PORT", "NAME"), ())
    assert read == [("db", {"PORT": "5432", "NAME": "notes"})]


def test_an_env_file_outweighs_what_others_give(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("A=file\n")
    units = [make("a", "printf 'A=1\\nB=1\\nPATH=%s\\n' \"$PATH\" >$RUNNER_ENV")]
    units.append(make("b", "echo $A $B", ["a"], env_file=(f"{tmp_path}/file",)))
    assert supervise(tmp_path, *units, environment={"PATH": os.environ["PATH"], "B": "base"}).text("b") == "file 1"


def test_two_that_say_different_things_are_named(tmp_path: Path) -> None:
    units = [make("a", "echo X=1 >$RUNNER_ENV"), make("b", "echo X=2 >$RUNNER_ENV"), make("c", "echo no", ["a", "b"])]
    ran = supervise(tmp_path, *units)
    assert ran["c"].reason == 'cannot tell what X is: "a" and "b" say different things, and neither depends on the other'
    assert (ran["c"].outcome, ran["c"].invocation) == ("failed", "")


def test_each_attempt_begins_with_nothing(tmp_path: Path) -> None:
    fails_first = f"{GIVE}; echo A$RUNNER_ATTEMPT=1 >>$RUNNER_ENV; test $RUNNER_ATTEMPT = 2"
    units = [make("a", fails_first, retry=Retry(attempts=2, delay=0.0)), make("b", 'echo $PORT "${A1-}" $A2', ["a"])]
    ran = supervise(tmp_path, *units)
    assert ran.text("b").split() == ["5433", "1"]


def test_a_line_without_sense_fails_the_unit(tmp_path: Path) -> None:
    units = [make("a", "printf 'A=1\\nhello\\n' >$RUNNER_ENV"), make("b", "echo no", ["a"])]
    ran = supervise(tmp_path, *units)
    assert (ran["a"].outcome, ran["a"].reason) == ("failed", "cannot use line 2 of $RUNNER_ENV: it must be NAME=VALUE")
    assert (ran["b"].outcome, ran["a"].exit_code) == ("skipped", 0)


def test_a_service_gives_what_it_wrote_before_it_was_ready(tmp_path: Path) -> None:
    ready = Ready(probe=Probe(by="log", target="here"))
    units = [
        service("db", "echo PORT=1 >$RUNNER_ENV; echo here; exec sleep 60", ready=ready),
        service("broken", "echo PORT >$RUNNER_ENV; echo here; exec sleep 60", ready=ready),
        service("app", "exec sleep 60", ["db"]),
    ]

    def stop_when_both_are_there(supervisor: Supervisor) -> None:
        assert supervisor.engine.values.given("db") == {"PORT": "1"}
        assert supervisor.invocations["app"].setting.environment[b"PORT"] == b"1"
        stop(supervisor, "db")

    ran = supervise(tmp_path, *units, react=on(UnitReady, "app", stop_when_both_are_there))
    assert ran.of(UnitReady, "db")[0].gives == ("PORT",)
    assert ran["broken"].reason == "cannot use line 1 of $RUNNER_ENV: it must be NAME=VALUE"
    assert ran["db"].gives == ()


def test_what_a_unit_leaves_behind_can_write_what_nobody_reads(tmp_path: Path) -> None:
    code = """
import os, time
if os.fork() == 0:
    path = os.environ["RUNNER_ENV"]
    print(path, flush=True)
    while True:
        open(path, "a").write("A=1\\n")
        time.sleep(0.001)
"""
    ran = supervise(tmp_path, make("a", python(code)), make("b", 'echo "${A-nothing}"', ["a"]))
    assert ran.outcome == "succeeded"


TELL = 'echo "$RUNNER_CAUSE $RUNNER_CAUSE_OUTCOME: $RUNNER_CAUSE_REASON; ${RUNNER_CAUSE_LOG:-no log}"; test $RUNNER_ATTEMPT = 2'


def test_a_handler_knows_what_it_was_started_for(tmp_path: Path) -> None:
    units = [
        make("a", "echo oops; exit 3", on_failure=("mourner",)),
        make("nothing", ["/does/not/exist"], on_failure=("lost",)),
        make("b", "true", on_success=("cheer",), after=["lone"]),
        make("lone", 'echo "${RUNNER_CAUSE-none}"'),
        make("mourner", f"{TELL} && cat $RUNNER_CAUSE_LOG", ["helper"], retry=Retry(attempts=2, delay=0.0)),
        make("helper", 'echo "${RUNNER_CAUSE-none}"'),
        make("lost", f"{TELL} || true"),
        make("cheer", f"{TELL} || true"),
    ]
    ran = supervise(tmp_path, *units, environment={**os.environ, "RUNNER_CAUSE": "of another supervisor"})
    said = f"a failed: exit status 3; {tmp_path}/logs/a.log"
    assert ran.text("mourner").splitlines() == [said, said, "oops"]
    assert ran.text("lost") == 'nothing failed: cannot execute "/does/not/exist": program not found; no log'
    assert ran.text("cheer") == f"b succeeded: exit status 0; {tmp_path}/logs/b.log"
    assert (ran.text("helper"), ran.text("lone")) == ("none", "none")


def test_a_handler_finds_a_log_in_whose_path_a_secret_is(tmp_path: Path) -> None:
    log = Log(file=f"{tmp_path}/hunter22.log")
    fails = make("a", "echo oops; exit 3", on_failure=("mourner",), log=log, env={"A_TOKEN": "hunter22"})
    ran = supervise(tmp_path, fails, make("mourner", "cat $RUNNER_CAUSE_LOG"))
    assert (ran["a"].log, ran.text("mourner")) == (f"{tmp_path}/***.log", "oops")


def test_where_there_is_no_place_units_run_without(tmp_path: Path) -> None:
    warnings: list[str] = []
    (tmp_path / "socket.env").write_text("taken")

    def take_the_place(supervisor: Supervisor) -> None:
        supervisor.on_warning = warnings.append
        supervisor.offer_socket(f"{tmp_path}/socket")

    ran = supervise(tmp_path, make("a", 'echo "${RUNNER_ENV-nothing}"'), prepare=take_the_place)
    assert ran.text("a") == "nothing"
    assert warnings == [f'cannot let units give values to others, RUNNER_ENV is not set: File exists: "{tmp_path}/socket.env"']
