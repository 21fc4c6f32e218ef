"""Draws the units of a screen by group, folded as far as there is little room.

How far is decided by numbers that only ever go one way while a run goes on (how many units there are, how many of them have
still to reach their goal), never by how many happen to be at work. So lines do not go to and fro between two pictures:

* where there is room for every unit, each has its line from the beginning to the end;
* else what is finished folds away into the line of its group, as soon as there is room for all the rest;
* else what waits folds away too, and of a group there is what is at work; groups that are finished share a line;
* and where there is hardly room for the groups, there is only what is at work, by its whole name.

The order is always the same. Where more is at work than there is room for, each group has its share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rich.text import Text

from ...core.words import say_count
from .cells import one_line, pad
from .census import Census, Tally
from .pen import Pen
from .row import draw_row
from .share import share
from .style import ALARM, STRONG, bar

_OTHERS = "other units"
"""The name of the group of those that are in none."""


Fold = Literal["nothing", "finished", "waiting", "groups"]
"""What has no line of its own; each also folds what the ones before it do."""


def choose_fold(census: Census, room: int, *, has_groups: bool) -> Fold:
    """How far to fold so that it fits into so many lines. ``has_groups``: they are shown however much is at work."""
    groups = len(census.groups)
    if groups + census.total <= room:
        return "nothing"
    if groups + census.total - census.done <= room:
        return "finished"
    return "waiting" if has_groups else "groups"


def draw_body(pen: Pen, census: Census, room: int, *, has_groups: bool) -> list[Text]:
    """The lines of all units, in so many at most."""
    groups = census.groups
    match choose_fold(census, room, has_groups=has_groups):
        case "nothing":
            has_gaps = census.total + 2 * len(groups) - 1 <= room
            return list(_draw_groups(pen, groups, [tally.all for tally in groups], has_gaps=has_gaps))
        case "finished":
            return list(_draw_groups(pen, groups, _first(room - len(groups), [tally.unfinished for tally in groups])))
        case "waiting":
            return list(_draw_work(pen, groups, room))
        case "groups":
            return list(_draw_flat(pen, census, room))


def _first(room: int, wishes: list[list[str]]) -> list[list[str]]:
    """Of each group the first units, so many that all together need no more lines than there are."""
    return [wish[:count] for wish, count in zip(wishes, share(room, [len(wish) for wish in wishes]), strict=True)]


def _draw_groups(pen: Pen, groups: Sequence[Tally], shown: list[list[str]], *, has_gaps: bool = False) -> Iterator[Text]:
    for place, (tally, names) in enumerate(zip(groups, shown, strict=True)):
        if place and has_gaps:
            yield Text("", end="")
        yield _draw_group(pen, tally, names, is_alone=len(groups) == 1)
        for name in names:
            yield draw_row(pen, name, in_group=True)


def _draw_group(pen: Pen, tally: Tally, shown: list[str], *, is_alone: bool) -> Text:
    """The line of a group: how far it is, and how much of it is folded away."""
    title = one_line(tally.group) or ("units" if is_alone else _OTHERS)
    line = Text(end="")
    line.append(pad(title, pen.label + 4, pen.glyphs.more) + "  ", STRONG)
    if pen.is_wide:
        for piece, style in bar(tally.done / tally.total, pen.bar, pen.glyphs):
            line.append(piece, style)
        line.append("  ")
    line.append(f"{f'{tally.done} of {tally.total}':>{pen.time}}  ", STRONG)
    for number, (words, style) in enumerate(_say_fold(tally, shown)):
        line.append(", " * (number > 0))
        line.append(words, style)
    line.rstrip()
    return pen.finish(line)


def _say_fold(tally: Tally, shown: list[str]) -> Iterator[tuple[str, str]]:
    """What has gone wrong in a group, and what there is of it that has no line of its own."""
    visible = set(shown)
    at_work = sum(name not in visible for name in tally.active)
    waiting = sum(name not in visible for name in tally.unfinished) - at_work
    if tally.failed:
        yield f"{tally.failed} failed", ALARM
    if tally.skipped:
        yield f"{tally.skipped} skipped", ""
    if at_work:
        yield f"{at_work} more at work", ""
    if waiting:
        yield f"{waiting} waiting", ""


def _draw_work(pen: Pen, groups: Sequence[Tally], room: int) -> Iterator[Text]:
    """What is at work in each group; groups of which all is well and over together in one line."""
    over = [one_line(tally.group) or _OTHERS for tally in groups if tally.is_over]
    going = [tally for tally in groups if not tally.is_over]
    shown = _first(room - len(going) - bool(over), [tally.active for tally in going])
    yield from _draw_groups(pen, going, shown)
    if over:
        yield pen.finish(Text(f"{pen.glyphs.more} {say_count(len(over), 'group')} finished: {', '.join(over)}", end=""))


def _draw_flat(pen: Pen, census: Census, room: int) -> Iterator[Text]:
    """What is at work without its groups, and the rest in a line."""
    wish = [name for tally in census.groups for name in tally.active]
    unfinished = [name for tally in census.groups for name in tally.unfinished]
    if len(unfinished) < room:
        wish = unfinished
    shown = wish[: max(room - 1, 0)]
    for name in shown:
        yield draw_row(pen, name, in_group=False)
    if room > 0 and census.total:
        waiting = sum(tally.waiting for tally in census.groups) if wish is not unfinished else 0
        counts = ((len(wish) - len(shown), "more at work"), (waiting, "waiting"), (census.done, "finished"))
        said = ", ".join(f"{count} {words}" for count, words in counts if count)
        yield pen.finish(Text(f"{pen.glyphs.more} {said}", end=""))
