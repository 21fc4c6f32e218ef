from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.show.live.share import share


@pytest.mark.parametrize(
    ("room", "wishes", "shares"),
    [(0, [1, 2], [0, 0]), (-1, [1], [0]), (3, [], []), (9, [1, 2], [1, 2]), (5, [9, 1, 9], [2, 1, 2]), (2, [3, 3, 3], [1, 1, 0])],
)
def test_lines_are_shared_out_evenly(room: int, wishes: list[int], shares: list[int]) -> None:
    assert share(room, wishes) == shares


@given(st.integers(-5, 60), st.lists(st.integers(0, 30), max_size=12))
def test_all_room_is_used_and_no_more(room: int, wishes: list[int]) -> None:
    shares = share(room, wishes)
    assert sum(shares) == min(max(room, 0), sum(wishes))
    assert all(got <= wish for got, wish in zip(shares, wishes, strict=True))
