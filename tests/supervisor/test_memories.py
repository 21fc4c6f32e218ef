from __future__ import annotations

import stat
from pathlib import Path

import pytest

from runner.core.freshness import Content, Made, Memory
from runner.supervisor.memories import Memories

SUCCESS = Memory(Made("c", "e", {"/x": Content("d", (1, 2))}), "boot", "system", {"PORT": "80"})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def memories(tmp_path: Path, said: list[str]) -> Memories:
    return Memories(f"{tmp_path}/state/memories", said.append)


@pytest.mark.parametrize("unit", ["a", "g/a", "g/h/port@8080"])
@pytest.mark.parametrize("memory", [SUCCESS, Memory()])
def test_what_is_kept_is_recalled(memories: Memories, unit: str, memory: Memory) -> None:
    memories.keep(unit, memory)
    assert memories.recall(unit) == memory
    memories.keep(unit, Memory(has_secrets=True))
    assert memories.recall(unit) == Memory(has_secrets=True)


def test_nothing_is_remembered_of_who_was_never_there(memories: Memories) -> None:
    assert memories.recall("a") is None


@pytest.mark.parametrize("data", [b"{", b'{"made": 5}', b"\xff\xfe", b"[]"])
def test_what_cannot_be_read_is_not_there(memories: Memories, data: bytes) -> None:
    memories.keep("a", SUCCESS)
    Path(f"{memories.directory}/a.json").write_bytes(data)
    assert memories.recall("a") is None


def test_only_its_owner_may_read_it(memories: Memories) -> None:
    memories.keep("g/a", SUCCESS)
    file = Path(f"{memories.directory}/g/a.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_be_kept_is_said(memories: Memories, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory")
    memories.keep("a", SUCCESS)
    (line,) = said
    assert line.startswith('cannot remember what became of "a": Not a directory: ')
    assert memories.recall("a") is None


def test_nothing_but_a_memory_is_emptied(memories: Memories, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    path = Path(f"{memories.directory}/a.json~")
    path.mkdir(parents=True)
    memories.keep("a", Memory())
    assert memories.recall("a") == Memory()
    path.with_name("a.json").unlink()
    path.with_name("a.json").symlink_to(tmp_path / "precious")
    memories.keep("a", Memory())
    assert (tmp_path / "precious").read_text() == "precious"
    assert len(said) == 2


def test_a_success_that_may_be_out_of_date_is_not_remembered(memories: Memories, said: list[str]) -> None:
    memories.keep("a", SUCCESS)
    Path(f"{memories.directory}/a.json~").mkdir()  # as on a disk that is full
    memories.keep("a", Memory())
    assert len(said) == 1
    assert memories.recall("a") == Memory()
