from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from runner.cli.stdout import hide, write_err, write_out
from runner.errors import RunnerError


def test_what_the_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    write_out("└─ é\n")
    assert written.getvalue() == b"\\u2514\\u2500 \\xe9\n"


def test_a_name_that_is_no_text_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8"))
    write_out("\udcff é\n")
    assert written.getvalue() == b"\\udcff \xc3\xa9\n"


def test_closed_output_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(RunnerError, match="cannot write to standard output: it is closed"):
        write_out("x")


@pytest.mark.parametrize("stderr", [None, io.StringIO()])
def test_nobody_is_told_where_standard_error_is_closed(stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if stderr:
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    write_err("x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_standard_error_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    with io.FileIO("/dev/full", "w") as full:
        stderr = io.TextIOWrapper(full, write_through=True)  # type: ignore[arg-type, unused-ignore]
        monkeypatch.setattr(sys, "stderr", stderr)
        write_err("x\n")
        stderr.detach()


def test_what_is_to_be_hidden_is_hidden_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    hide(lambda text: text.replace("hunter22", "***"))
    write_out("my hunter22\n")
    write_err("no hunter22\n")
    assert capsys.readouterr() == ("my ***\n", "no ***\n")
