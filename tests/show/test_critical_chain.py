from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from runner.core.record import record
from runner.core.timeline import timeline
from runner.core.unit import Retry
from runner.show.critical_chain import make_chain, render_json, render_text
from tests.core.world import Life, World, make_unit
from tests.recordings import NAMES
from tests.snapshot import assert_snapshot

from .recorded import BEGUN, make_run, read_record, read_timeline

SNAPSHOTS = Path(__file__).parent / "snapshots"

pytestmark = pytest.mark.usefixtures("utc")


@pytest.mark.parametrize("name", NAMES)
def test_chains_read_as_written(name: str) -> None:
    text = render_text(read_record(name), read_timeline(name))
    assert_snapshot(text, SNAPSHOTS / f"chain-{name}.txt")
    assert max(map(len, text.splitlines())) <= 80


def test_a_chain_as_data() -> None:
    assert_snapshot(render_json(read_record("failures"), read_timeline("failures")), SNAPSHOTS / "chain-failures.json")


@pytest.mark.parametrize("name", NAMES)
def test_a_chain_has_no_holes(name: str) -> None:
    chain = make_chain(read_record(name), read_timeline(name))
    spans = [(link.began_at - (link.gap.seconds if link.gap else 0.0), link.began_at + link.took) for link in chain.links]
    ends = [0.0, *(end for _, end in spans)]
    assert all(abs(begin - end) <= 0.01 * chain.duration for end, (begin, _) in zip(ends, spans, strict=False))
    assert abs(ends[-1] - chain.duration) <= 0.01 * chain.duration
    assert all(before.began_at <= after.began_at for before, after in pairwise(chain.links))


def play(world: World) -> str:
    world.start()
    journal = world.run().journal
    return render_text(record("r", BEGUN, journal), timeline(journal))


def test_a_lock_is_waited_for_in_its_holders_time() -> None:
    units = [make_unit("a", locks=("apt",)), make_unit("b", locks=("apt",))]
    assert play(World(units, {"a": [Life(runs=3.0)], "b": [Life(runs=1.0)]})).splitlines()[3:] == [
        "@0 ms  +3 s  ██████████████████        a",
        " @3 s  +1 s                    ██████  b",
        '             3 s: waited for lock "apt" of a',
    ]


def test_a_job_is_waited_for_between() -> None:
    lines = play(World([make_unit("a"), make_unit("b")], {"a": [Life(runs=3.0)], "b": [Life(runs=1.0)]}, jobs=1)).splitlines()
    assert lines[1].startswith("one unit made it so long")
    assert lines[3:] == [
        "      +3 s  ░░░░░░░░░░░░░░░░░░        waited for a job",
        "@3 s  +1 s                    ██████  b",
    ]


def test_attempts_in_vain_are_told_with_their_reasons() -> None:
    unit = make_unit("a", retry=Retry(attempts=2, delay=2.0))
    assert play(World([unit], {"a": [Life(runs=1.0, exit=7), Life(runs=1.0)]})).splitlines()[-1] == (
        " " * 13 + "3 s: attempt 1 in vain (exit status 7) and 2 s of delay"
    )


def test_a_startup_that_waited_for_nothing() -> None:
    said = render_text(make_run(startup=0.0), timeline([]))
    assert said == "run 1 of 2026-01-05 09:00:00: startup succeeded after 0 ms; it waited for no unit\n"
