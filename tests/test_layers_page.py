"""The how-to page about layers: its files are written as it is read, and its commands print what it says they print."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from runner.cli import main

from .snapshot import assert_snapshot

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "layers.md"
_NAME = re.compile(r"# (\S+)\n")
_BLOCK = re.compile(r"```(?P<language>toml|console)\n(?P<text>.*?)```", re.DOTALL)
_PROGRAMS = ("install-fonts", "code-server", "forward", "git", "my-editor")


def test_the_page_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in _PROGRAMS:
        (tmp_path / "bin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("RUNNER_UNITS", "image:template:mine")
    monkeypatch.chdir(tmp_path)
    for name in ("image", "template", "mine"):
        Path(name).mkdir()
    page = PAGE.read_text(encoding="utf-8")
    assert f"export RUNNER_UNITS={os.environ['RUNNER_UNITS']}" in page

    def act(block: re.Match[str]) -> str:
        if block["language"] == "toml":
            found = _NAME.match(block["text"])
            assert found, block["text"]
            file = Path(found[1])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block["text"])
            return block[0]
        return f"```console\n{''.join(map(run, re.findall('^[$] runner (.*)$', block['text'], re.MULTILINE)))}```"

    def run(command: str) -> str:
        main(shlex.split(command))
        captured = capsys.readouterr()
        return f"$ runner {command}\n{captured.out}{captured.err}"

    assert_snapshot(_BLOCK.sub(act, page), PAGE)
