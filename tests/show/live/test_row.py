from __future__ import annotations

from typing import Any

import pytest

from runner.core.event import (
    Declaration,
    DurationsExpected,
    Need,
    Peer,
    SyncCalled,
    UnitReported,
    UnitRetrying,
    UnitStopping,
    UnitWaiting,
    WaitsFor,
)
from runner.show.live import UNICODE, View
from runner.show.live.pen import Pen, say_clock
from runner.show.live.row import draw_row

from .played import become_ready, end, run_of, start, write


def row(view: View, name: str = "a", at: float = 5.0, width: int = 80, *, in_group: bool = False) -> str:
    return " ".join(draw_row(Pen(view, width, at, UNICODE), name, in_group=in_group).plain.split())


def wait(view: View, *waits_for: WaitsFor, unit: str = "a") -> None:
    view.apply(UnitWaiting(at=0.0, unit=unit, waits_for=waits_for))


def test_what_a_unit_waits_for() -> None:
    view = run_of("a", "b", "e", Declaration(unit="c", locks=("apt", "dpkg")), Declaration(unit="d", locks=("apt", "dpkg")))
    wait(view, WaitsFor(unit="b"))
    assert row(view) == "○ a waits for b"
    wait(view, WaitsFor(call="start"))
    assert row(view) == "○ a waits for its script to call start"
    wait(view, WaitsFor(jobs=3))
    assert row(view) == "○ a waits for a job"
    start(view, "c")
    wait(view, WaitsFor(lock="apt", holder="c"), WaitsFor(lock="dpkg", holder="c"))
    assert row(view) == '○ a waits for locks "apt" and "dpkg" of c'
    wait(view, WaitsFor(lock="apt", holder="c"), unit="b")
    assert row(view) == '○ a waits for locks "apt" and "dpkg" of c, with 1 other'
    wait(view, WaitsFor(lock="dpkg", holder="c"), unit="e")
    assert row(view) == '○ a waits for locks "apt" and "dpkg" of c, with 2 others'
    assert row(view, "e") == '○ e waits for lock "dpkg" of c, with 1 other'
    assert row(view, "e", width=70) == '○ e waits for lock "dpkg" of c'
    for name in "be":
        start(view, name)
        end(view, name)
    end(view, "c")
    start(view, "d")
    assert row(view) == '○ a waits for locks "apt" and "dpkg" of d'
    end(view, "d")
    assert row(view) == '○ a waits for locks "apt" and "dpkg"'


def test_a_unit_that_runs() -> None:
    view = run_of("a")
    start(view, "a")
    assert row(view) == "● a 5.0 s"
    view.apply(DurationsExpected(at=0.0, durations={"a": 65.0}))
    assert row(view) == "● a 5.0 s of 1 min 5 s"
    write(view, "a", "\x1b[32m10%\r\x1b[33m20%\x1b[0m", "")
    assert row(view, at=125.0) == "● a 2 min 5 s of 1 min 5 s │ 20%"
    view.apply(UnitReported(at=1.0, unit="a", text="loading\x07"))
    assert row(view) == r"● a 5.0 s of 1 min 5 s loading\x07 │ 20%"
    start_again = run_of("a")
    start(start_again, "a", at=2.0, attempt=3)
    assert row(start_again) == "● a 3.0 s attempt 3"


def test_a_wide_screen_has_bars() -> None:
    view = run_of("a")
    view.apply(DurationsExpected(at=0.0, durations={"a": 10.0}))
    start(view, "a")
    assert row(view, width=120) == "● a ━━━━━┄┄┄┄┄ 5.0 s of 10 s"
    assert row(view, width=120, at=9.99) == "● a ━━━━━━━━━┄ 10 s of 10 s"
    assert row(view, width=120, at=25.0) == "● a ━━━━━━━━━━ 25 s of 10 s"
    end(view, "a", duration=10.0)
    assert row(view, width=120) == "✓ a 10 s"


def test_a_service_becomes_ready() -> None:
    view = run_of(Declaration(unit="a", kind="service"))
    start(view, "a")
    assert row(view) == "● a 5.0 s not ready yet"
    become_ready(view, "a", at=2.0)
    view.apply(UnitReported(at=3.0, unit="a", text="serving"))
    assert row(view) == "◆ a 2.0 s ready, serving"
    view.apply(UnitStopping(at=4.5, unit="a", reason="stopped by SIGTERM"))
    assert row(view) == "■ a 0.5 s stopping: stopped by SIGTERM"


def test_a_backoff_counts_down() -> None:
    view = run_of("a")
    start(view, "a")
    view.apply(UnitRetrying(at=4.0, unit="a", attempt=2, delay=3.0, reason="not ready after 4 s", signal="SIGTERM"))
    assert row(view) == "↻ a in 2.0 s attempt 2 after not ready after 4 s (killed by SIGTERM)"
    assert row(view, at=9.0) == "↻ a in 0.0 s attempt 2 after not ready after 4 s (killed by SIGTERM)"


def test_a_script_is_at_work() -> None:
    view = run_of("b")
    view.apply(SyncCalled(at=0.0, unit="a", call="start", peer=Peer(pid=1, uid=1)))
    start(view, "a")
    assert row(view) == "● a 5.0 s its script works"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"outcome": "succeeded", "reason": "exit status 0", "exit_code": 0, "duration": 1.25}, "✓ a 1.2 s"),
        ({"outcome": "succeeded", "reason": "reached"}, "✓ a"),
        ({"outcome": "failed", "reason": "exit status 2", "exit_code": 2}, "✗ a failed (optional): exit status 2"),
        ({"outcome": "timed-out", "reason": "not over after 3 s", "signal": "SIGKILL", "duration": 12.2},
         "✗ a 12 s timed out (optional): not over after 3 s (killed by SIGKILL)"),
        ({"outcome": "skipped", "reason": 'dependency "b" failed'}, '⊘ a skipped (optional): dependency "b" failed'),
        ({"outcome": "unneeded", "reason": "it is there"}, "· a unneeded: it is there"),
        ({"outcome": "cancelled", "reason": "stopped by hand"}, "□ a cancelled (optional): stopped by hand"),
    ],
)  # fmt: skip
def test_how_a_unit_ended(more: dict[str, Any], said: str) -> None:
    view = run_of(Declaration(unit="a", optional=True))
    write(view, "a", "its output is told no more")
    end(view, "a", **more)
    assert row(view, width=90) == said


def test_what_is_needed_to_the_end_is_waited_for_to_the_end() -> None:
    view = run_of(Declaration(unit="a", after=(Need(unit="b", requires="completion"),)), "b")
    wait(view, WaitsFor(unit="b", requires="completion"))
    start(view, "b")
    become_ready(view, "b")
    assert row(view) == "○ a waits for b"
    end(view, "b")
    assert row(view) == "○ a waits for its turn"


def test_a_name_below_its_group_is_shorter() -> None:
    view = run_of("editor/extensions/vim")
    assert row(view, "editor/extensions/vim", in_group=True) == "extensions/vim"
    assert row(view, "editor/extensions/vim") == "editor/extensions/vim"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1.0, "0.0 s"), (0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min"), (3725.0, "1 h 2 min")],
)
def test_a_clock_is_calm(seconds: float, said: str) -> None:
    assert say_clock(seconds) == said
