from __future__ import annotations

from pathlib import Path

import pytest

from runner.core.event import Declaration, RunEnded, StartupFinished, UnitStopping
from runner.core.stream import Gap
from runner.show.live import ASCII, View, summary
from tests.recordings import NAMES
from tests.snapshot import assert_snapshot

from .played import become_ready, end, plain, recorded, run_of, start, view_at, view_of, write

SNAPSHOTS = Path(__file__).parent / "summaries"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", NAMES)
def test_recorded_runs_end_as_written(name: str, width: int) -> None:
    lines = summary(view_of(recorded(name)), width)
    assert max(line.cell_len for line in lines) <= width
    assert_snapshot(plain(lines), SNAPSHOTS / f"{name}-{width}.txt")


def test_a_terminal_without_unicode_gets_other_signs() -> None:
    text = plain(summary(view_of(recorded("failures")), 80, glyphs=ASCII))
    assert text.isascii()
    assert_snapshot(text, SNAPSHOTS / "ascii-80.txt")


def test_colours_are_as_written() -> None:
    lines = summary(view_of(recorded("failures")), 80)
    assert_snapshot("".join(f"{line.markup.rstrip()}\n" for line in lines), SNAPSHOTS / "styles-80.txt")


def first_lines(view: View, count: int = 2) -> str:
    return plain(summary(view, 100)[:count])


def test_of_a_run_that_goes_on_it_says_how_far_it_is() -> None:
    begun = run_of("a", "b")
    start(begun, "a", at=1.5)
    assert first_lines(begun) == "● not finished after 1.5 s\n  1 running\n"
    assert first_lines(view_at("small", 7.5)).startswith("✓ startup succeeded after 7.2 s; the run goes on\n")
    assert first_lines(View()) == "● not finished after 0 ms\n  no units\n"


def test_a_startup_that_was_stopped() -> None:
    view = run_of("a", "b")
    start(view, "a")
    view.apply(UnitStopping(at=2.0, unit="a", reason="stopped by SIGINT"))
    end(view, "b", at=2.0, outcome="cancelled", reason="stopped by SIGINT")
    end(view, "a", at=2.5, outcome="cancelled", reason="stopped by SIGINT", signal="SIGTERM", duration=2.5)
    view.apply(StartupFinished(at=2.5, outcome="cancelled", duration=2.5))
    view.apply(RunEnded(at=2.5, outcome="cancelled", duration=2.5))
    assert plain(summary(view, 80)) == "□ startup cancelled after 2.5 s\n  2 cancelled\n"


def test_a_run_without_a_startup_has_an_end() -> None:
    view = run_of("a")
    view.apply(RunEnded(at=3.0, outcome="cancelled", duration=3.0))
    assert first_lines(view) == "□ run cancelled after 3 s\n  no units\n"


def test_an_end_long_after_the_startup_is_told() -> None:
    view = run_of(Declaration(unit="a", kind="service"))
    start(view, "a")
    become_ready(view, "a")
    view.apply(StartupFinished(at=1.0, outcome="succeeded", duration=1.0))
    end(view, "a", at=90.0, outcome="failed", reason="exit status 1", exit_code=1, duration=90.0)
    view.apply(RunEnded(at=90.0, outcome="failed", duration=90.0))
    assert first_lines(view, 1) == "✓ startup succeeded after 1 s, run failed after 1 min 30 s\n"


def test_lines_that_were_missed_are_told() -> None:
    view = run_of("a")
    view.apply(Gap(at=1.0, missed=3))
    assert "  3 lines missed, because the reader was too slow\n" in plain(summary(view, 80))


def test_a_path_is_whole_or_else_there_is_the_command_that_shows_the_same() -> None:
    log = "/home/coder/.local/state/runner/" + "workspace-" * 5 + "/logs/build.log"
    view = run_of("build")
    start(view, "build", log=log)
    write(view, "build", "no")
    end(view, "build", outcome="failed", reason="exit status 1", exit_code=1)
    assert f"\n  log: {log}\n" in plain(summary(view, 7 + len(log)))
    assert "\n  log: runner logs build\n" in plain(summary(view, 6 + len(log)))


def test_a_name_can_be_typed_as_it_stands() -> None:
    view = run_of("it's one")
    end(view, "it's one", outcome="failed", reason="given up")
    assert """  why: runner why 'it'"'"'s one'\n""" in plain(summary(view, 80))


def test_of_many_failures_the_first_are_unfolded() -> None:
    names = [f"u{number:02}" for number in range(30)]
    view = run_of(*names)
    for name in names:
        start(view, name)
        write(view, name, *(f"line {number}" for number in range(20)))
        end(view, name, outcome="failed", reason="exit status 1", exit_code=1)
    text = plain(summary(view, 80))
    assert (text.count("why: "), text.count("│ line")) == (10, 40)
    assert "and 20 more failed: u10, u11, u12, u13, u14, u15, u16, u17 and 12 more\n" in text


def test_of_a_long_path_both_ends_are_told() -> None:
    names = [f"u{number:02}" for number in range(40)]
    view = run_of(*names)
    for number, name in enumerate(names):
        start(view, name, at=float(number))
        end(view, name, at=number + 1.0, duration=1.0)
    view.apply(StartupFinished(at=40.0, outcome="succeeded", duration=40.0, critical_path=tuple(names)))
    text = plain(summary(view, 80))
    path = text[text.index("critical path") : text.index("slowest")]
    assert "  … 28 more, 28 s\n" in path
    assert [line.split()[0] for line in path.split("\n\n")[0].splitlines()[1:]] == [*names[:6], "…", *names[-6:]]
