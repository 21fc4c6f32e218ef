"""The pages that are made of the code say what the code says, and what they show works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import PAGES, ROOT, generate, main
from docs.pages.pictures import PICTURES
from runner.core.state import STATES, TRANSITIONS
from runner.unitfile import load
from runner.unitfile.keys import UnitFile

REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = [example for text in generate().values() for example in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    """Where it is not, ``python docs/generate.py`` writes it."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == generate()[REFERENCE / name]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_up_to_date_and_needs_nothing_from_elsewhere(name: str) -> None:
    text = (ROOT / "docs" / "pictures" / name).read_text(encoding="utf-8")
    assert text == generate()[ROOT / "docs" / "pictures" / name]
    assert not re.search(r"url\((?!#)|href|@import|//(?!www\.w3\.org/)", text)


def test_nothing_is_left_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", generate().values(), ids=[*PAGES, *PICTURES])
def test_no_place_is_left_open(text: str) -> None:
    assert "@@" not in text


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_used(example: str, tmp_path: Path) -> None:
    names = {*re.findall(r'unit = "([^"]+)"', example), *re.findall(r'after\+?"? = \["([^"]+)"', example)}
    for name in {*names, "example"}:
        (tmp_path / f"{name}.toml").write_text('command = "true"\n')
    file = tmp_path / ("example@.toml" if "instances" in example else "example.d/more.toml" if "+" in example else "example.toml")
    file.parent.mkdir(exist_ok=True)
    file.write_text(example)
    assert load([tmp_path], {}).errors == []


def test_every_key_has_its_row() -> None:
    text = generate()[REFERENCE / "unit-files.md"]
    assert all(f"| `{key}` |" in text for key in UnitFile.__struct_encode_fields__)


def test_every_transition_is_in_the_diagram() -> None:
    text = generate()[REFERENCE / "states.md"]
    moves = {(start, end) for pairs in TRANSITIONS.values() for start, end in pairs.items() if start != end}
    assert set(re.findall(r"^    (\w+) --> (\w+):", text, re.MULTILINE)) == moves
    assert all(f"| `{state}` | {meaning} |" in text for state, meaning in STATES.items())
