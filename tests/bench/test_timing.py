import sys

import pytest

from bench.timing import CannotMeasure, Spread, alternate, ratios, time_command


def test_timers_run_in_turn_after_a_round_that_does_not_count() -> None:
    calls: list[str] = []

    def timer(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    found = alternate({"A": lambda: timer("A"), "B": lambda: timer("B")}, rounds=2)
    assert calls == ["A", "B", "A", "B", "A", "B"]
    assert found == {"A": [3.0, 5.0], "B": [4.0, 6.0]}


def test_a_ratio_is_of_runs_side_by_side() -> None:
    assert ratios([2.0, 20.0, 9.0], [1.0, 10.0, 3.0]) == Spread(2.0, 2.0, 3.0)


def test_what_fails_is_not_timed() -> None:
    with pytest.raises(CannotMeasure, match=r"(?s)cannot time .* exit status 3\noh no$"):
        time_command([sys.executable, "-S", "-c", "import sys; sys.stderr.write('oh no\\n'); sys.exit(3)"], {})


def test_what_succeeds_takes_some_time() -> None:
    assert time_command(["/bin/true"], {}) > 0
