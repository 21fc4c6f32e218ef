from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from runner.show.compare import compare, render_json, render_text
from tests.snapshot import assert_snapshot

from .recorded import make_row, make_run, read_record

SNAPSHOTS = Path(__file__).parent / "snapshots"

pytestmark = pytest.mark.usefixtures("utc")

BEFORE = make_run(
    *(make_row("slower", 2.0), make_row("much/slower", 1.0), make_row("faster", 5.0), make_row("same", 4.0)),
    *(make_row("tiny", 0.01), make_row("breaks", 1.0), make_row("mended", None), make_row("broken", None), make_row("gone")),
)
AFTER = make_run(
    *(make_row("slower", 2.5), make_row("much/slower", 6.0), make_row("faster", 2.0), make_row("same", 4.1)),
    *(make_row("tiny", 0.03), make_row("breaks", None), make_row("mended", 1.0), make_row("broken", None), make_row("new")),
    number=2,
    startup=12.0,
    startup_outcome="failed",
)


def test_a_comparison_reads_as_written() -> None:
    text = render_text(BEFORE, AFTER)
    assert_snapshot(text, SNAPSHOTS / "compare.txt")
    assert_snapshot(render_json(BEFORE, AFTER), SNAPSHOTS / "compare.json")
    assert max(map(len, text.splitlines())) <= 80


def test_two_that_have_nothing_in_common() -> None:
    before, after = structs.replace(read_record("small"), number=1), structs.replace(read_record("wide"), number=2)
    assert_snapshot(render_text(before, after), SNAPSHOTS / "compare-strangers.txt")


def test_regressions_come_first() -> None:
    told = compare(BEFORE, AFTER)
    assert [one.unit for one in told.slower] == ["much/slower", "slower"]
    assert [one.unit for one in told.faster] == ["faster"]
    assert {one.unit for one in told.same} == {"same", "tiny"}
    assert (told.failed, told.mended, told.new, told.gone) == (("breaks",), ("mended",), ("new",), ("gone",))


def test_a_run_is_like_itself() -> None:
    told = compare(AFTER, AFTER)
    assert [told.slower, told.faster, told.failed, told.mended, told.new, told.gone] == [()] * 6
    assert compare(BEFORE, AFTER).slower[0].change == -compare(AFTER, BEFORE).faster[0].change


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (9.0, 10.0, "startup succeeded after 10 s; before: succeeded after 9 s (+1 s)"),
        (None, 9.0, "startup succeeded after 9 s; before: startup not finished after 10 s"),
        (9.0, None, "startup not finished after 10 s; before: succeeded after 9 s"),
    ],
)
def test_startups_side_by_side(before: float | None, after: float | None, said: str) -> None:
    assert render_text(make_run(startup=before), make_run(startup=after)).splitlines()[1] == said
