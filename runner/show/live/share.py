"""Shares out the lines of a screen."""

from __future__ import annotations

from collections.abc import Sequence


def share(room: int, wishes: Sequence[int]) -> list[int]:
    """How many of so many lines each gets that wishes for so many: all the same, but nobody more than it wishes for.

    What does not go up evenly goes to the first.
    """
    shares = [0] * len(wishes)
    while room > 0 and (short := [place for place, wish in enumerate(wishes) if shares[place] < wish]):
        for place in short[:room]:
            shares[place] += 1
        room -= len(short)
    return shares
