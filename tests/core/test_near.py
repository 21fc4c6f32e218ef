from __future__ import annotations

import pytest

from runner.core.near import nearest


@pytest.mark.parametrize(
    ("word", "found"), [("chekc", "check"), ("CHECK", "check"), ("Up", "up"), ("graf", "graph"), ("zzz", None), ("", None)]
)
def test_nearest(word: str, found: str | None) -> None:
    assert nearest(word, ["up", "check", "plan", "graph"]) == found


def test_a_name_keeps_its_letters() -> None:
    assert nearest("gitclone", ["Git-Clone"]) == "Git-Clone"
