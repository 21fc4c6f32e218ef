"""The stand-in for ``coder``, as units find it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.coder import main
from tests.supervisor.served import Served, served

NO_CODER = f"{Path(sys.executable).parent}:/usr/bin:/bin"
"""A PATH."""
SCRIPT = "#!/bin/bash -e\n"


def unit(script: str, **more: str) -> str:
    keys = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f"script = '''\n{SCRIPT}{script}\n'''\n{keys}"


def wait(there: Served, *units: str) -> int:
    return there.run("sync", "wait", *units).returncode


@pytest.mark.parametrize("arguments", [[], ["exp"], ["ssh", "x"], ["sync", "ping"], ["--version"]])
def test_the_rest_of_coder_is_not_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 127
    said = 'coder: cannot run this: here is only the runner\'s stand-in, which knows "coder exp sync"\n'
    assert capsys.readouterr() == ("", said)


def test_a_unit_without_coder_finds_one() -> None:
    units = {
        "legacy": unit(
            "command -v coder\ncoder exp sync ping\ncoder exp sync want phase other\ncoder exp sync complete phase\n"
            "set +e\ncoder version; echo $?\ncoder exp sync want phase; echo $?\n"
            'echo "$RUNNER_SOCKET $CODER_AGENT_SOCKET_PATH"'
        ),
        "emptied": unit("unset RUNNER_SOCKET\nexec coder exp sync ping"),
        "bare": unit("command -v coder; ls /dev/null", env='{ PATH = "" }'),
    }
    with served(units=units, PATH=NO_CODER) as there:
        assert wait(there, *units) == 0
        assert there.log("legacy").splitlines() == [
            f"{there.socket}.bin/coder",
            "Success",
            'Unit "phase" declared dependencies: [other]',
            "Success",
            'coder: cannot run this: here is only the runner\'s stand-in, which knows "coder exp sync"',
            "127",
            'Encountered an error running "coder exp sync want", see "coder exp sync want --help" for more information',
            "error: at least two arguments are required: unit and one or more depends-on",
            "1",
            f"{there.socket} {there.socket}",
        ]
        assert there.log("emptied") == "Success\n"
        assert there.log("bare") == f"{there.socket}.bin/coder\n/dev/null\n"


def test_a_coder_that_is_there_is_not_hidden(tmp_path: Path) -> None:
    coder = tmp_path / "coder"
    coder.write_text("#!/bin/sh\necho the real one: $*\n")
    coder.chmod(0o755)
    units = {
        "a": unit("coder exp sync ping; echo $PATH"),
        "b": unit("coder version", env=f'{{ PATH = "/usr/bin:/bin:{tmp_path}" }}'),
    }
    with served(units=units, PATH=f"{NO_CODER}:{tmp_path}") as there:
        assert wait(there, "a", "b") == 0
        assert there.log("a") == f"the real one: exp sync ping\n{NO_CODER}:{tmp_path}\n"
        assert there.log("b") == "the real one: version\n"


def test_it_says_no_more_than_it_must_to_whoever_goes_away() -> None:
    with served(PATH=NO_CODER) as there:
        coder = f"{there.socket}.bin/coder"
        environment = {**there.environment, "RUNNER_SOCKET": there.socket}
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([coder, "exp", "sync", "ping"], env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        assert (done.returncode, done.stderr) == (141, b"")


def test_it_is_interrupted_without_a_word() -> None:
    with served(PATH=NO_CODER) as there:
        environment = {**there.environment, "RUNNER_SOCKET": there.socket}
        there.run("sync", "want", "u", "d")
        start = subprocess.Popen(
            [f"{there.socket}.bin/coder", "exp", "sync", "start", "u"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert start.stdout
        assert start.stdout.readline() == 'Unit "u" is waiting for dependencies to be satisfied: [d]\n'
        start.send_signal(signal.SIGINT)
        assert start.communicate() == ("", "")
        assert start.returncode == 130
